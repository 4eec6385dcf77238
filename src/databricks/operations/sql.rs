//! `sql.*`: statements on a warehouse.

use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::databricks::sql::{Rows, Statement};
use crate::error::{Error, ErrorKind, Result};

/// Members of a request that go through as they are.
const OPTIONS: [&str; 9] = [
    "catalog",
    "schema",
    "row_limit",
    "byte_limit",
    "wait_timeout",
    "on_wait_timeout",
    "disposition",
    "format",
    "query_tags",
];

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let warehouse = workspace.warehouse(given.text("warehouse_id")?);
    Ok(match name {
        "execute" => told(&warehouse.execute(&statement(&given)?, &given.wait(tell)?).await?),
        "submit" => warehouse.submit(&statement(&given)?).await?,
        "get" => warehouse.statement(given.text("statement_id")?).await?,
        "chunk" => warehouse.chunk(given.text("statement_id")?, given.integer("chunk_index")?.unsigned_abs()).await?,
        "cancel" => warehouse.cancel(given.text("statement_id")?).await.map(|()| json!({}))?,
        _ => return Err(unknown("sql", name)),
    }
    .into())
}

fn statement(given: &Arguments) -> Result<Statement> {
    let mut statement = Statement::new(given.text("statement")?);
    for parameter in given.list("parameters")? {
        let member = |name: &str| parameter.get(name).and_then(Json::as_str);
        let name = member("name")
            .ok_or_else(|| Error::new(ErrorKind::Input, "a parameter has no `name`").at_field("parameters"))?;
        statement = statement.typed_parameter(name, member("type"), member("value"));
    }
    for name in OPTIONS {
        if let Some(value) = given.value(name) {
            statement = statement.option(name, value.clone());
        }
    }
    Ok(statement)
}

fn told(rows: &Rows) -> Json {
    let columns = rows.columns.iter();
    let columns = columns.map(|of| json!({"name": of.name, "type_name": of.type_name, "type_text": of.type_text}));
    json!({"columns": columns.collect::<Vec<_>>(), "rows": rows.rows, "records": rows.records(), "truncated": rows.truncated})
}
