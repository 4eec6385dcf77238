//! What an environment names of a workspace: where it is, who calls it, its chat endpoint and its index.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::auth::{HostToken, Secret, TokenSource};
use super::config::{Config, Method, Sources, not_set};
use super::sql::Warehouse;
use super::{Credential, QueryType, VectorIndex, Workspace};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::retrieve::{Passage, Query, Retriever};
use crate::run::Services;

/// What a passage has, and in which column, unless told otherwise.
const COLUMNS: &str = "id=id,text=text,title=title,document=document,heading=heading";

/// The workspace of an environment, found as Databricks' SDKs find it ([`Config`]), as far as a host without files can.
///
/// | setting | |
/// |---|---|
/// | `DATABRICKS_HOST` | where it is |
/// | `DATABRICKS_TOKEN`, or | who calls it: a personal access token, |
/// | `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET`, or | a service principal, |
/// | `DATABRICKS_OIDC_TOKEN`, with `DATABRICKS_CLIENT_ID` or not | whom a token of a trusted issuer speaks for |
/// | `DATABRICKS_WORKSPACE_ID` | which one it is, where several share an address |
/// | `LAKELET_SCOPES` | what OAuth tokens are asked for; `all-apis` unless given |
///
/// ```
/// use lakelet::databricks;
/// use lakelet::environment::Environment;
/// # fn example(host: lakelet::Host) -> lakelet::Result<()> {
/// let environment = Environment::from(std::env::vars().collect::<Vec<_>>());
/// let workspace = databricks::workspace(&environment, host)?;
/// let services = databricks::services(&environment, &workspace)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Config`](ErrorKind::Config) at the setting that is missing or wrong. Nothing is sent yet.
pub fn workspace(environment: &Environment, host: Host) -> Result<Workspace> {
    let config = Config::resolve(&Sources { options: &[], environment, read: None })?;
    let credential = match &config.method {
        Method::Pat { token } => Credential::token(token.reveal()),
        Method::OauthM2m { client_id, client_secret } => Credential::client(client_id, client_secret.reveal()),
        Method::EnvOidc { variable, client_id } => {
            let token = environment.get(variable).unwrap_or_default();
            Credential::federated(client_id.as_deref(), Rc::new(Standing(token.into())))
        }
        other => {
            let message =
                format!("`{}` needs files, a browser or other programs, and this host has none", other.name());
            return Err(wrong("DATABRICKS_AUTH_TYPE", message)
                .with_hint("set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET"));
        }
    };
    let workspace = Workspace::new(&config.host, credential.with_scopes(&config.scopes), host);
    let workspace = workspace.map_err(|error| error.at_field("DATABRICKS_HOST"))?;
    match config.get("workspace_id") {
        Some(id) => workspace.with_id(id),
        None => Ok(workspace),
    }
}

/// A token that stays as it is while the environment does.
struct Standing(Secret);

impl TokenSource for Standing {
    fn token(&self) -> LocalBoxFuture<'static, Result<HostToken>> {
        let token = self.0.clone();
        Box::pin(async { Ok(HostToken { token, expires_in_ms: None }) })
    }
}

/// The chat endpoint that an environment names as the model `chat` and, when it names one, its index as the retriever `index`.
///
/// | setting | |
/// |---|---|
/// | `LAKELET_CHAT_ENDPOINT` | the chat endpoint |
/// | `LAKELET_INDEX` | the Vector Search index |
/// | `LAKELET_COLUMNS` | what a passage has and in which column: `id=chunk_id,text=content,title=headline` |
/// | `LAKELET_QUERY_TYPE` | `ANN`, `HYBRID` (unless given) or `FULL_TEXT` |
///
/// # Errors
/// [`Config`](ErrorKind::Config) at the setting that is missing or wrong. Nothing is sent yet.
pub fn services(environment: &Environment, workspace: &Workspace) -> Result<Services> {
    let chat = workspace.chat(needed(environment, "LAKELET_CHAT_ENDPOINT")?);
    let chat = chat.map_err(|error| error.at_field("LAKELET_CHAT_ENDPOINT"))?;
    let services = Services::new(Rc::clone(&workspace.host.clock)).with_model("chat", Rc::new(chat));
    let Some(mut settings) = IndexSettings::read(environment)? else { return Ok(services) };
    if environment.get("LAKELET_COLUMNS").is_none() {
        settings.read_columns(COLUMNS)?;
    }
    Ok(services.with_retriever("index", Rc::new(index(workspace, &settings)?)))
}

/// The SQL warehouse that an environment names: `DATABRICKS_WAREHOUSE_ID`.
///
/// # Errors
/// [`Config`](ErrorKind::Config) when it names none. Nothing is sent yet.
pub fn warehouse(environment: &Environment, workspace: &Workspace) -> Result<Warehouse> {
    Ok(workspace.warehouse(needed(environment, "DATABRICKS_WAREHOUSE_ID")?))
}

fn needed<'a>(environment: &'a Environment, name: &str) -> Result<&'a str> {
    environment.get(name).ok_or_else(|| not_set(name))
}

/// What an environment says of an index: `LAKELET_INDEX`, `LAKELET_COLUMNS` and `LAKELET_QUERY_TYPE`.
#[derive(Debug)]
pub struct IndexSettings<'a> {
    /// `catalog.schema.index`.
    pub name: &'a str,
    /// The columns that identify a passage and hold its text.
    pub id: Option<&'a str>,
    pub text: Option<&'a str>,
    /// More columns, each with the name that a passage has it by.
    pub columns: Vec<(&'a str, &'a str)>,
    /// As [`QueryType::named`] reads it.
    pub query_type: Option<&'a str>,
}

impl<'a> IndexSettings<'a> {
    /// Reads the settings; there is nothing where no index is named, nor a column where none is.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) at `LAKELET_COLUMNS`.
    pub fn read(environment: &'a Environment) -> Result<Option<Self>> {
        let Some(name) = environment.get("LAKELET_INDEX") else { return Ok(None) };
        let query_type = environment.get("LAKELET_QUERY_TYPE");
        let mut settings = Self { name, id: None, text: None, columns: Vec::new(), query_type };
        settings.read_columns(environment.get("LAKELET_COLUMNS").unwrap_or_default())?;
        Ok(Some(settings))
    }

    fn read_columns(&mut self, columns: &'a str) -> Result<()> {
        for pair in columns.split(',').filter(|pair| !pair.trim().is_empty()) {
            match pair.split_once('=').map(|(name, column)| (name.trim(), column.trim())) {
                Some((name, column)) if name.is_empty() || column.is_empty() => return Err(no_pair(pair)),
                Some(("id", column)) => self.id = Some(column),
                Some(("text", column)) => self.text = Some(column),
                Some((name, column)) => self.columns.push((column, name)),
                None => return Err(no_pair(pair)),
            }
        }
        Ok(())
    }
}

/// An index whose columns go by names of their own.
pub struct NamedColumns {
    index: VectorIndex,
    /// Each column beside id and text, and its name.
    names: Vec<(String, String)>,
}

impl NamedColumns {
    /// Each of these columns is returned, under the name beside it.
    pub fn new(index: VectorIndex, names: Vec<(String, String)>) -> Self {
        Self { index: index.columns(names.iter().map(|(column, _)| column.as_str())), names }
    }
}

fn index(workspace: &Workspace, settings: &IndexSettings) -> Result<NamedColumns> {
    let mut index = workspace.index(settings.name).map_err(|error| error.at_field("LAKELET_INDEX"))?;
    if let Some(column) = settings.id {
        index = index.id_column(column);
    }
    if let Some(column) = settings.text {
        index = index.text_column(column);
    }
    let query_type = QueryType::named(settings.query_type.unwrap_or("HYBRID"));
    let index = index.query_type(query_type.map_err(|error| error.at_field("LAKELET_QUERY_TYPE"))?);
    let owned = |(column, name): &(&str, &str)| ((*column).to_owned(), (*name).to_owned());
    Ok(NamedColumns::new(index, settings.columns.iter().map(owned).collect()))
}

fn no_pair(pair: &str) -> Error {
    wrong("LAKELET_COLUMNS", format!("`{pair}` is not a name and a column"))
        .with_hint("write name=column, as in id=chunk_id,text=content,title=headline")
}

impl Retriever for NamedColumns {
    fn retrieve(&self, query: Query) -> LocalBoxFuture<'static, Result<Vec<Passage>>> {
        let (found, names) = (self.index.retrieve(query), self.names.clone());
        Box::pin(async move {
            let mut passages = found.await?;
            for passage in &mut passages {
                let columns = std::mem::take(&mut passage.columns).into_iter();
                let named = |column: String| match names.iter().find(|(known, _)| *known == column) {
                    Some((_, name)) => name.clone(),
                    None => column,
                };
                passage.columns = columns.map(|(column, value)| (named(column), value)).collect();
            }
            Ok(passages)
        })
    }
}

fn wrong(setting: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).at_field(setting)
}
