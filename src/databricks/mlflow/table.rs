//! Tables of results.

use indexmap::IndexSet;
use serde_json::{Value as Json, json};

/// A table: rows of values by column. A column that a row lacks is `null` there.
///
/// ```
/// use lakelet::databricks::mlflow::Table;
/// use serde_json::json;
/// let table = Table::of(&[json!({"question": "2+2?", "answer": "4"}), json!({"question": "3*4?", "error": "timeout"})]);
/// assert_eq!(table.columns, ["question", "answer", "error"]);
/// assert_eq!(table.rows[1], [json!("3*4?"), json!(null), json!("timeout")]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Json>>,
}

impl Table {
    /// A table of objects; its columns are their members, in the order in which they first come.
    pub fn of(rows: &[Json]) -> Self {
        let objects = || rows.iter().filter_map(Json::as_object);
        let columns: IndexSet<&String> = objects().flat_map(|row| row.keys()).collect();
        let cells = |row: &serde_json::Map<String, Json>| {
            columns.iter().map(|column| row.get(*column).cloned().unwrap_or_default()).collect()
        };
        Self { rows: objects().map(cells).collect(), columns: columns.into_iter().cloned().collect() }
    }

    /// As `mlflow.log_table` writes it: pandas' layout `split`.
    pub(super) fn to_json(&self) -> Json {
        json!({"columns": self.columns, "data": self.rows})
    }
}
