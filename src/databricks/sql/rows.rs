//! The rows of a statement's result.

use serde_json::{Map, Value as Json};

use super::column_type::ColumnType;
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

impl Column {
    /// A column as the API describes it.
    pub(crate) fn read(column: &Json) -> Self {
        let text = |name: &str| column.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        Self { name: text("name"), type_name: text("type_name"), type_text: text("type_text") }
    }

    /// What its values are. Where the whole type is not told, its first word is.
    pub(crate) fn column_type(&self) -> ColumnType {
        ColumnType::parse(if self.type_text.is_empty() { &self.type_name } else { &self.type_text })
    }
}

/// The columns of an answer.
pub(super) fn columns(answer: &Json) -> Vec<Column> {
    let columns = answer.pointer("/manifest/schema/columns").and_then(Json::as_array);
    columns.into_iter().flatten().map(Column::read).collect()
}

/// Rows of a result. Every value is a text, as the API sends it, or null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more rows than a limit let through.
    pub truncated: bool,
}

impl Rows {
    /// Reads a list of lists.
    pub(super) fn read(columns: Vec<Column>, rows: Json, truncated: bool) -> Result<Self> {
        let width = columns.len();
        let Json::Array(rows) = rows else { return Err(uneven(width)) };
        let cell = |cell: Json| match cell {
            Json::Null => None,
            Json::String(text) => Some(text),
            other => Some(json::text(&other)),
        };
        let row = |row: Json| match row {
            Json::Array(cells) if cells.len() == width => Ok(cells.into_iter().map(cell).collect()),
            _ => Err(uneven(width)),
        };
        let rows = rows.into_iter().map(row).collect::<Result<_>>()?;
        Ok(Self { columns, rows, truncated })
    }

    /// The rows as records by column, their values read by the column's type: whole numbers, floats, booleans and what is nested as
    /// JSON's own; decimals, dates, times and texts as texts.
    pub fn records(&self) -> Vec<Map<String, Json>> {
        let types: Vec<ColumnType> = self.columns.iter().map(Column::column_type).collect();
        let value =
            |(cell, of): (&Option<String>, &ColumnType)| cell.as_ref().map_or(Json::Null, |text| of.value(text));
        let record = |row: &Vec<Option<String>>| {
            let names = self.columns.iter().map(|column| column.name.clone());
            names.zip(row.iter().zip(&types).map(value)).collect()
        };
        self.rows.iter().map(record).collect()
    }
}

fn uneven(width: usize) -> Error {
    Error::new(ErrorKind::Protocol, format!("a row of the result has not the {width} values of its columns"))
}
