//! The rows of a statement's result.

use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    /// The type in one word: `LONG`, `STRING`, `ARRAY`.
    pub type_name: String,
    /// The type as SQL writes it: `BIGINT`, `ARRAY<STRING>`.
    pub type_text: String,
}

/// The rows of a result. Every value is a text, as the API sends it, or null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more rows than a limit let through.
    pub truncated: bool,
    pub(super) next_chunk: Option<u64>,
}

impl Rows {
    pub(super) fn read(answer: &Json) -> Result<Self> {
        let columns = answer.pointer("/manifest/schema/columns").and_then(Json::as_array).into_iter().flatten();
        let text = |column: &Json, name: &str| column.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let column = |column: &Json| Column {
            name: text(column, "name"),
            type_name: text(column, "type_name"),
            type_text: text(column, "type_text"),
        };
        let truncated = answer.pointer("/manifest/truncated").and_then(Json::as_bool).unwrap_or(false);
        let mut rows = Self { columns: columns.map(column).collect(), truncated, ..Self::default() };
        if let Some(first) = answer.get("result") {
            rows.extend(first)?;
        }
        Ok(rows)
    }

    /// Adds a chunk.
    pub(super) fn extend(&mut self, chunk: &Json) -> Result<()> {
        if chunk.get("external_links").is_some() {
            return Err(Error::new(ErrorKind::Unsupported, "the result lies behind links to cloud storage")
                .at_field("disposition")
                .with_hint("Leave `disposition` out, or fetch the links of `submit` and `chunk` yourself."));
        }
        let width = self.columns.len();
        for row in chunk.get("data_array").and_then(Json::as_array).into_iter().flatten() {
            let cells = row.as_array().filter(|cells| cells.len() == width).ok_or_else(|| {
                Error::new(
                    ErrorKind::Protocol,
                    format!("a row of the result has not the {width} values of its columns"),
                )
            })?;
            let cell = |cell: &Json| match cell {
                Json::Null => None,
                Json::String(text) => Some(text.clone()),
                other => Some(json::text(other)),
            };
            self.rows.push(cells.iter().map(cell).collect());
        }
        self.next_chunk = chunk.get("next_chunk_index").and_then(Json::as_u64);
        Ok(())
    }

    /// The rows as records by column, their values read by the column's type: whole numbers, floats, booleans and what is nested as
    /// JSON's own; decimals, dates, times and texts as texts.
    pub fn records(&self) -> Vec<Map<String, Json>> {
        let record = |row: &Vec<Option<String>>| {
            let pairs = self.columns.iter().zip(row);
            pairs.map(|(column, cell)| (column.name.clone(), value(&column.type_name, cell.as_deref()))).collect()
        };
        self.rows.iter().map(record).collect()
    }
}

fn value(type_name: &str, cell: Option<&str>) -> Json {
    let Some(text) = cell else { return Json::Null };
    let read = match type_name {
        "BYTE" | "SHORT" | "INT" | "LONG" => text.parse::<i64>().ok().map(Json::from),
        "FLOAT" | "DOUBLE" => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Json::from),
        "BOOLEAN" => text.parse::<bool>().ok().map(Json::from),
        "ARRAY" | "MAP" | "STRUCT" | "VARIANT" => json::read(text).ok(),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}
