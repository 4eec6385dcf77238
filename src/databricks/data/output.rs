//! Where examples are written to.

use serde_json::{Map, Value as Json};

use super::query::{Parameters, Query, literal, path, quoted};
use super::selection::{Selection, Source, wrong};
use crate::error::Result;

/// A table, or Parquet files in a volume.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Table {
        name: String,
        mode: Mode,
    },
    /// A folder, `/Volumes/catalog/schema/volume/folder`, whose files are replaced.
    Parquet {
        directory: String,
    },
}

/// What becomes of a table that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// There must be none.
    Create,
    Replace,
    Append,
}

impl Output {
    /// Reads `{table, mode?: create | replace | append}` or `{parquet}`.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) at the member that is missing or wrong.
    pub fn from_json(json: &Json) -> Result<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        if let Some(directory) = text("parquet") {
            return Ok(Self::Parquet { directory: directory.to_owned() });
        }
        let hint = "Give the name of a `table`, or a folder for `parquet`.";
        let name = text("table").ok_or_else(|| wrong("output", "names no place", hint))?.to_owned();
        let mode = match text("mode").unwrap_or("create") {
            "create" => Mode::Create,
            "replace" => Mode::Replace,
            "append" => Mode::Append,
            _ => return Err(wrong("mode", "is none", "Give create, replace or append.")),
        };
        Ok(Self::Table { name, mode })
    }

    /// The one statement that writes the rows of a selection.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) at the member that cannot be right.
    pub fn query(&self, selection: &Selection) -> Result<Query> {
        let mut parameters = Parameters::default();
        let rows = selection.sql(&mut parameters)?;
        let columns: Vec<&str> = selection.fields.iter().map(|(name, _)| name.as_str()).collect();
        Ok(parameters.query(self.sql(&rows, &columns)?))
    }

    /// The statement that writes the rows of a query with these columns.
    pub(super) fn sql(&self, rows: &str, columns: &[&str]) -> Result<String> {
        Ok(match self {
            Self::Table { name, mode } => {
                let name = path(name, "table")?;
                match mode {
                    Mode::Create => format!("CREATE TABLE {name} AS {rows}"),
                    Mode::Replace => format!("CREATE OR REPLACE TABLE {name} AS {rows}"),
                    Mode::Append => {
                        let columns = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
                        format!("INSERT INTO {name} ({columns}) {rows}")
                    }
                }
            }
            Self::Parquet { directory } => {
                if !directory.starts_with('/') && !directory.contains("://") {
                    let hint = "Give a folder of a volume: /Volumes/catalog/schema/volume/folder.";
                    return Err(wrong("parquet", "is no folder", hint));
                }
                format!("INSERT OVERWRITE DIRECTORY {} USING parquet {rows}", literal(directory))
            }
        })
    }

    /// What was written, to be read.
    pub fn source(&self) -> Source {
        match self {
            Self::Table { name, .. } => Source::Table(name.clone()),
            Self::Parquet { directory } => {
                Source::Files { path: directory.clone(), format: "parquet".to_owned(), options: Map::new() }
            }
        }
    }
}
