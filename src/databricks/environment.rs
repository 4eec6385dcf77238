//! What an environment names of a workspace: where it is, who calls it, its chat endpoint and its index.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::sql::Warehouse;
use super::{Credential, QueryType, VectorIndex, Workspace};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::retrieve::{Passage, Query, Retriever};
use crate::run::Services;

/// What a passage has, and in which column, unless told otherwise.
const COLUMNS: &str = "id=id,text=text,title=title,document=document,heading=heading";

/// The workspace of an environment.
///
/// | setting | |
/// |---|---|
/// | `DATABRICKS_HOST` | where it is |
/// | `DATABRICKS_TOKEN`, or `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET` | who calls it |
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
    let address = needed(environment, "DATABRICKS_HOST")?;
    Workspace::new(address, credential(environment)?, host).map_err(|error| error.at_field("DATABRICKS_HOST"))
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
    Ok(match environment.get("LAKELET_INDEX") {
        Some(name) => services.with_retriever("index", Rc::new(index(workspace, name, environment)?)),
        None => services,
    })
}

/// The SQL warehouse that an environment names: `DATABRICKS_WAREHOUSE_ID`.
///
/// # Errors
/// [`Config`](ErrorKind::Config) when it names none. Nothing is sent yet.
pub fn warehouse(environment: &Environment, workspace: &Workspace) -> Result<Warehouse> {
    Ok(workspace.warehouse(needed(environment, "DATABRICKS_WAREHOUSE_ID")?))
}

fn needed<'a>(environment: &'a Environment, name: &str) -> Result<&'a str> {
    environment
        .get(name)
        .ok_or_else(|| wrong(name, format!("{name} is not set")).with_hint("set it in the host's environment"))
}

fn credential(environment: &Environment) -> Result<Credential> {
    let [token, id, secret] =
        ["DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"].map(|name| environment.get(name));
    match (token, id, secret) {
        (Some(token), None, None) => Ok(Credential::token(token)),
        (None, Some(id), Some(secret)) => Ok(Credential::client(id, secret)),
        _ => Err(wrong("DATABRICKS_TOKEN", "there is no credential, half a one, or two".to_owned())
            .with_hint("set either DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET")),
    }
}

/// An index whose columns go by the names that the environment gives them.
struct NamedColumns {
    index: VectorIndex,
    /// Each column beside id and text, and its name.
    names: Vec<(String, String)>,
}

fn index(workspace: &Workspace, name: &str, environment: &Environment) -> Result<NamedColumns> {
    let mut index = workspace.index(name).map_err(|error| error.at_field("LAKELET_INDEX"))?;
    let mut names = Vec::new();
    for pair in environment.get("LAKELET_COLUMNS").unwrap_or(COLUMNS).split(',') {
        match pair.split_once('=').map(|(name, column)| (name.trim(), column.trim())) {
            Some((name, column)) if name.is_empty() || column.is_empty() => return Err(no_pair(pair)),
            Some(("id", column)) => index = index.id_column(column),
            Some(("text", column)) => index = index.text_column(column),
            Some((name, column)) => names.push((column.to_owned(), name.to_owned())),
            None => return Err(no_pair(pair)),
        }
    }
    let query_type = environment.get("LAKELET_QUERY_TYPE").unwrap_or("HYBRID");
    let query_type = QueryType::named(query_type).map_err(|error| error.at_field("LAKELET_QUERY_TYPE"))?;
    let index = index.columns(names.iter().map(|(column, _)| column.as_str())).query_type(query_type);
    Ok(NamedColumns { index, names })
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
