//! SQL on a warehouse: the Statement Execution API.
//!
//! Source: <https://docs.databricks.com/api/workspace/statementexecution>.

mod rows;
mod statement;

use serde_json::{Value as Json, json};

pub use rows::{Column, Rows};
pub use statement::Statement;

use super::Workspace;
use super::error::Target;
use super::wait::{Look, Wait};
use crate::error::{Error, ErrorKind, Result, Service};
use crate::http::url;

const STATEMENTS: &str = "/api/2.0/sql/statements";

/// A SQL warehouse.
///
/// ```
/// use lakelet::databricks::Workspace;
/// use lakelet::databricks::sql::Statement;
/// use lakelet::databricks::wait::Wait;
/// # async fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let statement = Statement::new("SELECT id, name FROM docs WHERE lang = :lang").parameter("lang", "en").within("main", "rag");
/// let found = workspace.warehouse("abc123").execute(&statement, &Wait::default()).await?;
/// for record in found.records() {
///     println!("{record:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Warehouse {
    workspace: Workspace,
    id: String,
}

impl Workspace {
    /// A SQL warehouse, by its id (`DATABRICKS_WAREHOUSE_ID`).
    pub fn warehouse(&self, id: &str) -> Warehouse {
        Warehouse { workspace: self.clone(), id: id.to_owned() }
    }
}

impl Warehouse {
    /// Runs a statement to its end and reads all of its rows. One that does not end in time is cancelled.
    ///
    /// # Errors
    /// What the service refuses. A statement that fails is [`NotFound`](ErrorKind::NotFound), [`Permission`](ErrorKind::Permission) or
    /// [`BadRequest`](ErrorKind::BadRequest), with the message of the engine. [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn execute(&self, statement: &Statement, wait: &Wait) -> Result<Rows> {
        let first = self.submit(statement).await?;
        let id = first.get("statement_id").and_then(Json::as_str).unwrap_or_default().to_owned();
        let first = std::cell::Cell::new(Some(first));
        let look = || async {
            let answer = match first.take() {
                Some(answer) => answer,
                None => self.statement(&id).await?,
            };
            let state = answer.pointer("/status/state").and_then(Json::as_str).unwrap_or_default();
            Ok(match state {
                "PENDING" | "RUNNING" => Look::Pending { state: state.to_owned(), message: String::new() },
                "SUCCEEDED" => Look::Done(answer),
                _ => return Err(failure(&answer, state)),
            })
        };
        let answer = match wait.until(&self.workspace, "the SQL statement", look).await {
            Err(error) if error.kind() == ErrorKind::Deadline => {
                self.cancel(&id).await?;
                return Err(error.with_hint("It was cancelled. Allow more time, or ask for less."));
            }
            answer => answer?,
        };
        self.rest(&id, Rows::read(&answer)?).await
    }

    /// Submits a statement. The answer, as the API gives it, may hold the result already.
    ///
    /// # Errors
    /// What the service refuses; that a statement fails is told by the `status` of the answer.
    pub async fn submit(&self, statement: &Statement) -> Result<Json> {
        let target = Target::Object("SQL warehouse", self.id.clone());
        self.workspace.api("POST", STATEMENTS, target).json(&statement.body(&self.id)).send().await
    }

    /// A statement's state, as the API gives it, with its result when it has succeeded.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn statement(&self, id: &str) -> Result<Json> {
        self.workspace.api("GET", &path(id)?, statement_target(id)).send().await
    }

    /// Ends a statement; nothing happens when it has ended already.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let path = format!("{}/cancel", path(id)?);
        self.workspace.api("POST", &path, statement_target(id)).json(&json!({})).send().await.map(drop)
    }

    /// A chunk of a statement's result, as the API gives it.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn chunk(&self, id: &str, chunk: u64) -> Result<Json> {
        let path = format!("{}/result/chunks/{chunk}", path(id)?);
        self.workspace.api("GET", &path, statement_target(id)).send().await
    }

    async fn rest(&self, id: &str, mut rows: Rows) -> Result<Rows> {
        while let Some(next) = rows.next_chunk.take() {
            rows.extend(&self.chunk(id, next).await?)?;
        }
        Ok(rows)
    }
}

fn path(id: &str) -> Result<String> {
    Ok(format!("{STATEMENTS}/{}", url::segment(id)?))
}

fn statement_target(id: &str) -> Target {
    Target::Object("SQL statement", id.to_owned())
}

/// Why a statement has no result.
fn failure(answer: &Json, state: &str) -> Error {
    let text = |pointer| answer.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let (code, sql_state) = (text("/status/error/error_code"), text("/status/sql_state"));
    let message = match text("/status/error/message") {
        "" => format!("the SQL statement ended as {state}"),
        message => format!("the SQL statement failed: {message}"),
    };
    let (kind, hint) = match (state, sql_state) {
        ("CANCELED", _) => (ErrorKind::Cancelled, "Someone cancelled it, or it took longer than its `wait_timeout`."),
        ("CLOSED", _) => (ErrorKind::NotFound, "Results are kept for an hour: run the statement again."),
        (_, "42P01" | "42704") => {
            (ErrorKind::NotFound, "Check the names, and the catalog and schema that the statement runs in.")
        }
        (_, "42501") => {
            (ErrorKind::Permission, "Grant what the message names to the user or service principal of the credential.")
        }
        _ => (ErrorKind::BadRequest, "The message is the engine's: mend the statement, or its parameters."),
    };
    let service = Service { status: 200, error_code: code.to_owned(), ..Service::default() };
    Error::new(kind, message).with_service(service).with_hint(hint)
}
