//! Functions, and calls of them as statements of SQL.

use serde_json::{Map, Value as Json, json};

use crate::databricks::names;
use crate::databricks::sql::{Statement, Warehouse};
use crate::databricks::wait::Wait;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::nearest::offer;

/// More rows of a table function than these are more than a model reads.
const MOST_ROWS: u32 = 100;

/// A function of Unity Catalog, ready to be called on a warehouse.
#[derive(Clone, Debug)]
pub struct Function {
    /// The function as the API describes it.
    info: Json,
}

impl Function {
    /// A function as [`UnityCatalog::get`](super::UnityCatalog::get) gives it.
    pub fn new(info: Json) -> Self {
        Self { info }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.info.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    pub(super) fn parameters(&self) -> &[Json] {
        self.info.pointer("/input_params/parameters").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn returns_table(&self) -> bool {
        self.text("data_type") == "TABLE_TYPE"
    }

    /// Calls it. A scalar function gives its value; a table function `{"rows", "truncated"}` with its first 100 rows.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at an argument that it does not have, or that is missing and has no default; as
    /// [`Warehouse::execute`].
    pub async fn run(&self, warehouse: &Warehouse, arguments: &Map<String, Json>, wait: &Wait) -> Result<Json> {
        let rows = warehouse.execute(&self.statement(arguments)?, wait).await?;
        let mut records = rows.records();
        if self.returns_table() {
            return Ok(json!({"rows": records, "truncated": rows.truncated}));
        }
        let value = records.first_mut().and_then(|record| record.values_mut().next());
        Ok(value.map(Json::take).unwrap_or_default())
    }

    /// `SELECT f(:a, ...)`, or `SELECT * FROM f(...)`. Values travel as parameters; what has no type for a parameter is made of its JSON.
    fn statement(&self, arguments: &Map<String, Json>) -> Result<Statement> {
        let known = || self.parameters().iter().filter_map(|parameter| parameter.get("name")?.as_str());
        if let Some(unknown) = arguments.keys().find(|name| !known().any(|known| known == name.as_str())) {
            let message = format!("the function `{}` has no parameter `{unknown}`", self.text("full_name"));
            return Err(Error::new(ErrorKind::Input, message).at_field(unknown).with_hint(offer(unknown, known())));
        }
        let (mut expressions, mut values, mut named) = (Vec::new(), Vec::new(), false);
        for (at, parameter) in self.parameters().iter().enumerate() {
            let text = |name: &str| parameter.get(name).and_then(Json::as_str).unwrap_or_default();
            let Some(value) = arguments.get(text("name")) else {
                if text("parameter_default").is_empty() {
                    let message = format!("the function `{}` needs `{}`", self.text("full_name"), text("name"));
                    return Err(Error::new(ErrorKind::Input, message)
                        .at_field(text("name"))
                        .with_hint("Give a value."));
                }
                named = true; // those after one that is left out are told by their names
                continue;
            };
            let (marker, type_text) = (format!("p{at}"), text("type_text"));
            let literal = type_text.replace('\\', "\\\\").replace('\'', "\\'");
            let (expression, type_name) = match text("type_name") {
                "ARRAY" | "MAP" | "STRUCT" => (format!("from_json(:{marker}, '{literal}')"), "STRING"),
                "VARIANT" => (format!("parse_json(:{marker})"), "STRING"),
                "BINARY" => (format!("unbase64(:{marker})"), "STRING"),
                _ => (format!(":{marker}"), type_text),
            };
            let name = format!("`{}` => ", text("name").replace('`', "``"));
            expressions.push(if named { name + &expression } else { expression });
            values.push((marker, type_name.to_owned(), written(value, text("type_name"))));
        }
        let call = format!("{}({})", names::quoted(self.text("full_name"))?, expressions.join(", "));
        let statement = match self.returns_table() {
            true => Statement::new(format!("SELECT * FROM {call}")).option("row_limit", MOST_ROWS.into()),
            false => Statement::new(format!("SELECT {call}")),
        };
        Ok(values.iter().fold(statement, |statement, (marker, type_name, value)| {
            statement.typed_parameter(marker, Some(type_name), value.as_deref())
        }))
    }
}

/// The text of a value; for types that are read from JSON, its JSON.
fn written(value: &Json, type_name: &str) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) if type_name != "VARIANT" => Some(text.clone()),
        other => Some(json::text(other)),
    }
}
