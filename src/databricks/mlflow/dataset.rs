//! Datasets: which data a run was given, by name and digest. The data itself is not kept.

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::json;

/// MLflow's digests have so many hex digits.
const DIGEST_LENGTH: usize = 8;

/// A set of examples as MLflow notes it.
///
/// ```
/// use lakelet::databricks::mlflow::Dataset;
/// use serde_json::json;
/// let rows = [json!({"question": "2+2?", "answer": "4"}), json!({"question": "3*4?", "answer": "12"})];
/// let dataset = Dataset::of("arithmetic", &rows);
/// assert_eq!(dataset.digest.len(), 8);
/// assert_ne!(dataset.digest, Dataset::of("arithmetic", &rows[..1]).digest);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    pub name: String,
    /// Tells apart what goes by the same name.
    pub digest: String,
    /// Where the rows came from: a table, a file, a URL. Empty for rows that were given.
    pub source: String,
    /// The columns, as MLflow writes them in a schema.
    schema: String,
    profile: String,
}

impl Dataset {
    /// Notes rows, which are objects by column.
    pub fn of(name: &str, rows: &[Json]) -> Self {
        let hash = Sha256::digest(rows.iter().map(json::text).collect::<Vec<_>>().join("\n"));
        let digest: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let first = rows.first().and_then(Json::as_object);
        let columns = first.into_iter().flatten().map(|(name, value)| column(name, value)).collect::<Vec<_>>();
        let elements = rows.len() * columns.len();
        Self {
            name: name.to_owned(),
            digest: digest.get(..DIGEST_LENGTH).unwrap_or_default().to_owned(),
            source: String::new(),
            schema: json::text(&json!({"mlflow_colspec": columns})),
            profile: json::text(&json!({"num_rows": rows.len(), "num_elements": elements})),
        }
    }

    /// Says where the rows came from.
    pub fn from_source(mut self, source: &str) -> Self {
        self.source = source.to_owned();
        self
    }

    pub(super) fn to_json(&self) -> Json {
        let Self { name, digest, source, schema, profile } = self;
        // A source of the type `code` is described by tags; any other by its place.
        let (kind, source) = match source.as_str() {
            "" => ("code", json!({"tags": {"mlflow.source.name": "lakelet", "mlflow.source.type": "LOCAL"}})),
            place if place.contains("://") => ("http", json!({"url": place})),
            place => ("local", json!({"uri": place})),
        };
        let source = json::text(&source);
        json!({"name": name, "digest": digest, "source_type": kind, "source": source, "schema": schema, "profile": profile})
    }
}

/// A column as MLflow's schemas name it, by one of its values.
fn column(name: &str, value: &Json) -> Json {
    let kind = match value {
        Json::String(_) => "string",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "double",
        Json::Number(_) => "long",
        Json::Null | Json::Array(_) | Json::Object(_) => "any",
    };
    json!({"type": kind, "name": name, "required": true})
}
