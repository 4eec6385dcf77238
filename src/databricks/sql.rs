//! SQL on a warehouse: the Statement Execution API.
//!
//! Source: <https://docs.databricks.com/api/workspace/statementexecution>.

mod column_type;
mod failure;
mod pages;
mod rows;
mod statement;
mod warehouses;

use std::cell::Cell;

use serde_json::{Value as Json, json};

pub(crate) use column_type::ColumnType;
pub use pages::Pages;
pub use rows::{Column, Rows};
pub use statement::Statement;

use super::Workspace;
use super::error::Target;
use super::wait::{Look, Wait};
use crate::error::{ErrorKind, Result};
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
/// let mut pages = workspace.warehouse("abc123").open(&Statement::new("SELECT * FROM main.rag.logs"), &Wait::default()).await?;
/// while let Some(page) = pages.next().await? {
///     println!("{} rows", page.rows.len());
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
    /// Runs a statement to its end and reads all of its rows. One that does not end in time is cancelled; when the future is dropped, the
    /// statement goes on in the warehouse.
    ///
    /// # Errors
    /// What the service refuses. A statement that fails is [`NotFound`](ErrorKind::NotFound), [`Permission`](ErrorKind::Permission) or
    /// [`BadRequest`](ErrorKind::BadRequest), with the message of the engine. [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn execute(&self, statement: &Statement, wait: &Wait) -> Result<Rows> {
        let mut pages = Pages::read(self.clone(), self.run(statement, wait).await?)?;
        let (columns, truncated) = (pages.columns().to_vec(), pages.truncated());
        let mut all = Rows { columns, truncated, ..Rows::default() };
        while let Some(page) = pages.next().await? {
            all.rows.extend(page.rows);
        }
        Ok(all)
    }

    /// Runs a statement to its end, for a result of any size that is read chunk by chunk. It lies in cloud storage, behind links of a
    /// quarter of an hour that are renewed, unless the statement has a `disposition`.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn open(&self, statement: &Statement, wait: &Wait) -> Result<Pages> {
        let answer = self.run(&statement.clone().or_option("disposition", "EXTERNAL_LINKS"), wait).await?;
        Pages::read(self.clone(), answer)
    }

    /// Goes on reading a result at a chunk, in the hour after the statement has run.
    pub fn pages(&self, statement_id: &str, columns: Vec<Column>, chunk: u64) -> Pages {
        Pages::at(self.clone(), statement_id, columns, chunk)
    }

    /// The answer that tells of success.
    async fn run(&self, statement: &Statement, wait: &Wait) -> Result<Json> {
        let first = self.submit(statement).await?;
        let id = first.get("statement_id").and_then(Json::as_str).unwrap_or_default().to_owned();
        let first = Cell::new(Some(first));
        let look = || async {
            let answer = match first.take() {
                Some(answer) => answer,
                None => self.statement(&id).await?,
            };
            let state = answer.pointer("/status/state").and_then(Json::as_str).unwrap_or_default();
            Ok(match state {
                "PENDING" | "RUNNING" => Look::Pending { state: state.to_owned(), message: String::new() },
                "SUCCEEDED" => Look::Done(answer),
                _ => return Err(failure::failure(&answer, state)),
            })
        };
        match wait.until(&self.workspace, "the SQL statement", look).await {
            Err(error) if error.kind() == ErrorKind::Deadline => {
                self.cancel(&id).await?;
                Err(error.with_hint("It was cancelled. Allow more time, or ask for less."))
            }
            answer => answer,
        }
    }

    /// Submits a statement. The answer, as the API gives it, may hold the result already.
    ///
    /// # Errors
    /// What the service refuses; that a statement fails is told by the `status` of the answer.
    pub async fn submit(&self, statement: &Statement) -> Result<Json> {
        self.workspace.api("POST", STATEMENTS, self.target()).json(&statement.body(&self.id)).send().await
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
    async fn chunk(&self, id: &str, chunk: u64) -> Result<Json> {
        let path = format!("{}/result/chunks/{chunk}", path(id)?);
        self.workspace.api("GET", &path, statement_target(id)).send().await
    }

    fn target(&self) -> Target {
        Target::Object("SQL warehouse", self.id.clone())
    }
}

fn path(id: &str) -> Result<String> {
    Ok(format!("{STATEMENTS}/{}", url::segment(id)?))
}

fn statement_target(id: &str) -> Target {
    Target::Object("SQL statement", id.to_owned())
}
