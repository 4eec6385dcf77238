//! `sql.*`: statements on a warehouse, and warehouses.

use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::databricks::sql::{Column, Pages, Rows, Statement, Warehouse};
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
    if name == "warehouses" {
        return Ok(Json::Array(workspace.warehouses().await?).into());
    }
    let id = given.text("warehouse_id");
    let id = id.map_err(|error| error.with_hint("Give the id of a SQL warehouse, or set DATABRICKS_WAREHOUSE_ID."))?;
    let warehouse = workspace.warehouse(id);
    let wait = given.wait(tell)?;
    Ok(match name {
        "execute" => told(&warehouse.execute(&statement(&given)?, &wait).await?),
        "open" => opened(&warehouse.open(&statement(&given)?, &wait).await?),
        "page" => told(&pages(&warehouse, &given)?.next().await?.unwrap_or_default()),
        "file" => return Ok(Outcome::Bytes(pages(&warehouse, &given)?.next_bytes().await?.unwrap_or_default())),
        "submit" => warehouse.submit(&statement(&given)?).await?,
        "get" => warehouse.statement(given.text("statement_id")?).await?,
        "cancel" => warehouse.cancel(given.text("statement_id")?).await.map(|()| json!({}))?,
        "describe" => warehouse.describe().await?,
        "start" => warehouse.start(&wait).await?,
        "stop" => warehouse.stop(&wait).await?,
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

/// The result of a statement from a chunk on.
pub(super) fn pages(warehouse: &Warehouse, given: &Arguments) -> Result<Pages> {
    let columns = given.list("columns")?.iter().map(Column::read).collect();
    let chunk = given.optional_count("chunk_index")?.unwrap_or_default() as u64;
    Ok(warehouse.pages(given.text("statement_id")?, columns, chunk))
}

fn opened(pages: &Pages) -> Json {
    json!({
        "statement_id": pages.statement_id(),
        "columns": columns(pages.columns()),
        "total_row_count": pages.total_rows(),
        "total_chunk_count": pages.total_chunks(),
        "truncated": pages.truncated(),
    })
}

fn told(rows: &Rows) -> Json {
    json!({"columns": columns(&rows.columns), "rows": rows.rows, "records": rows.records(), "truncated": rows.truncated})
}

fn columns(columns: &[Column]) -> Vec<Json> {
    let column = |of: &Column| json!({"name": of.name, "type_name": of.type_name, "type_text": of.type_text});
    columns.iter().map(column).collect()
}
