//! Unity Catalog: catalogs, schemas, and the tables, volumes, functions and registered models in them; who may do what with them; and
//! functions as tools.
//!
//! Source: <https://docs.databricks.com/api/workspace/catalogs>.

mod function;
mod function_tool;
mod grants;
mod json_schema;
mod models;

pub use function::Function;
pub use function_tool::FunctionTool;

use serde_json::{Value as Json, json};

use super::Workspace;
use super::api::ApiCall;
use super::error::Target;
use super::names;
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

const BASE: &str = "/api/2.1/unity-catalog";

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Catalog,
    Schema,
    Table,
    Volume,
    Function,
    /// A registered model.
    Model,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Catalog, Self::Schema, Self::Table, Self::Volume, Self::Function, Self::Model];

    /// The kind of a word: `catalog`, `schema`, `table`, `volume`, `function` or `model`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) for any other word.
    pub fn named(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
            let hint = crate::nearest::offer(word, Self::ALL.into_iter().map(Self::word));
            Error::new(ErrorKind::Input, format!("Unity Catalog has no kind `{word}`")).at_field("kind").with_hint(hint)
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Volume => "volume",
            Self::Function => "function",
            Self::Model => "model",
        }
    }

    /// Its part of the path.
    fn plural(self) -> &'static str {
        match self {
            Self::Catalog => "catalogs",
            Self::Schema => "schemas",
            Self::Table => "tables",
            Self::Volume => "volumes",
            Self::Function => "functions",
            Self::Model => "models",
        }
    }

    /// How many parts a full name has.
    fn depth(self) -> usize {
        match self {
            Self::Catalog => 1,
            Self::Schema => 2,
            Self::Table | Self::Volume | Self::Function | Self::Model => 3,
        }
    }

    /// A full name as a part of a path.
    fn segment(self, name: &str) -> Result<String> {
        url::segment(&names::plain(name, self.depth())?)
    }

    fn target(self, name: &str) -> Target {
        let described = match self {
            Self::Model => "registered model",
            kind => kind.word(),
        };
        Target::Object(described, name.to_owned())
    }
}

/// Unity Catalog as the caller may see it. Objects are given and taken as the API describes them: `name`, `full_name`, `owner`, `comment` ...
///
/// ```
/// use lakelet::databricks::Workspace;
/// use lakelet::databricks::unity_catalog::Kind;
/// # async fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let catalog = workspace.unity_catalog();
/// for table in catalog.list(Kind::Table, "main.rag", None).await? {
///     println!("{}", table["full_name"]);
/// }
/// let weather = catalog.tool(&workspace.warehouse("abc123"), "main.tools.weather").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct UnityCatalog {
    workspace: Workspace,
}

impl Workspace {
    /// The catalogs of the workspace, and what is in them.
    pub fn unity_catalog(&self) -> UnityCatalog {
        UnityCatalog { workspace: self.clone() }
    }
}

impl UnityCatalog {
    /// The objects of a kind in a catalog (`main`), or in a schema (`main.rag`); all catalogs in `""`. At most `most` of them.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self, kind: Kind, within: &str, most: Option<usize>) -> Result<Vec<Json>> {
        let parents = match kind.depth() {
            1 => Vec::new(),
            depth => names::parts(within, depth - 1).map_err(|error| error.at_field("within"))?,
        };
        let target = Target::Object("the list of", format!("{} in {within}", kind.plural()));
        let mut call = self.workspace.api("GET", &format!("{BASE}/{}", kind.plural()), target);
        for (name, value) in ["catalog_name", "schema_name"].into_iter().zip(&parents) {
            call = call.query(name, value);
        }
        // Without a size some of the lists are not paged, and stop at a thousand; 0 leaves the size to the service.
        if !matches!(kind, Kind::Volume | Kind::Model) {
            call = call.query("max_results", most.unwrap_or_default());
        }
        call.list(if kind == Kind::Model { "registered_models" } else { kind.plural() }, most).await.map_err(explained)
    }

    /// An object, by its full name.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<Json> {
        self.send(self.at("GET", kind, name, "")?).await
    }

    /// Whether there is an object of the name.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn exists(&self, kind: Kind, name: &str) -> Result<bool> {
        let found = match kind {
            Kind::Table => self.send(self.at("GET", kind, name, "/exists")?).await,
            _ => self.get(kind, name).await,
        };
        match found {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            found => Ok(found?.get("table_exists").and_then(Json::as_bool).unwrap_or(true)),
        }
    }

    /// Makes an object as described: `{"name", "catalog_name", "schema_name", ...}`. Managed tables are made by SQL.
    ///
    /// # Errors
    /// What the service refuses: [`Conflict`](ErrorKind::Conflict) when there is one of the name.
    pub async fn create(&self, kind: Kind, description: &Json) -> Result<Json> {
        let name = description.get("name").and_then(Json::as_str).unwrap_or_default();
        let call = self.workspace.api("POST", &format!("{BASE}/{}", kind.plural()), kind.target(name));
        let body = match kind {
            Kind::Function => json!({"function_info": description}),
            _ => description.clone(),
        };
        self.send(call.json(&body)).await
    }

    /// Deletes an object; with `force` a catalog or schema with all that is in it.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete(&self, kind: Kind, name: &str, force: bool) -> Result<()> {
        let call = self.at("DELETE", kind, name, "")?;
        self.send(call.maybe_query("force", force.then_some(true))).await.map(drop)
    }

    fn at(&self, method: &'static str, kind: Kind, name: &str, below: &str) -> Result<ApiCall> {
        let path = format!("{BASE}/{}/{}{below}", kind.plural(), kind.segment(name)?);
        Ok(self.workspace.api(method, &path, kind.target(name)))
    }

    /// Sends a call. A refusal tells what to do.
    async fn send(&self, call: ApiCall) -> Result<Json> {
        call.send().await.map_err(explained)
    }
}

fn explained(error: Error) -> Error {
    if error.hint().is_some() {
        return error;
    }
    let message = crate::python::lower(error.message());
    match error.kind() {
        ErrorKind::Permission => error.with_hint(
            "Grant what the message names; what lies in a schema needs USE CATALOG and USE SCHEMA on what holds it as well.",
        ),
        ErrorKind::NotFound => error.with_hint("Check the full name, as the Catalog page shows it."),
        ErrorKind::Conflict => error.with_hint("It is there already: use it, or delete it before it is made anew."),
        ErrorKind::BadRequest if message.contains("not empty") => {
            error.with_hint("Delete what is in it before, or all of it with `force`.")
        }
        _ => error,
    }
}
