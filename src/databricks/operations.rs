//! Every operation of the platform's services by its name, with JSON in and JSON out: what the doors call.
//!
//! A name is that of a service and what to do there: `sql.execute`. Arguments are an object whose members are named as the fields of
//! Databricks' REST API; objects of the API go through as they are, in both directions.

mod arguments;
mod data;
mod files;
mod jobs;
mod mlflow;
mod models;
mod pipelines;
mod serving;
mod sql;
mod unity_catalog;
mod vector_search;
mod workspace_files;

use serde_json::Value as Json;

pub use arguments::Arguments;

use super::Workspace;
use super::wait::{Tell, Wait};
use crate::error::{Error, ErrorKind, Result};

/// What an operation gives.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Json(Json),
    Bytes(Vec<u8>),
}

impl From<Json> for Outcome {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

/// Calls an operation by its name.
///
/// Operations that wait take `timeout_ms` among their arguments ([`Wait`]).
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) for a name that is none; [`Input`](ErrorKind::Input) at the argument that is missing or wrong;
/// what the service refuses.
pub async fn call(workspace: &Workspace, name: &str, arguments: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let Some((service, operation)) = name.split_once('.') else {
        return Err(unknown(name, ""));
    };
    match service {
        "data" => data::call(workspace, operation, arguments, tell).await,
        "files" => files::call(workspace, operation, arguments).await,
        "jobs" => jobs::call(workspace, operation, arguments, tell).await,
        "pipelines" => pipelines::call(workspace, operation, arguments, tell).await,
        "mlflow" => mlflow::call(workspace, operation, arguments).await,
        "models" => models::call(workspace, operation, arguments).await,
        "serving" => serving::call(workspace, operation, arguments, tell).await,
        "sql" => sql::call(workspace, operation, arguments, tell).await,
        "unity_catalog" => unity_catalog::call(workspace, operation, arguments, tell).await,
        "vector_search" => vector_search::call(workspace, operation, arguments, tell).await,
        "workspace_files" => workspace_files::call(workspace, operation, arguments).await,
        _ => Err(unknown(service, operation)),
    }
}

fn unknown(service: &str, operation: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("there is no operation `{service}.{operation}`"))
        .with_hint("The package and its WebAssembly module may be of different versions.")
}

impl Arguments {
    /// How long to wait for what takes long.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) when `timeout_ms` is not a number.
    pub fn wait(&self, tell: Option<Tell>) -> Result<Wait> {
        let wait = self.optional_number("timeout_ms")?.map(Wait::at_most_ms).unwrap_or_default();
        Ok(match tell {
            Some(tell) => wait.telling(move |progress| tell(progress)),
            None => wait,
        })
    }
}
