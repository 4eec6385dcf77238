//! What an index is made of.

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// An index that is to be made: one that follows a table (Delta Sync), or one whose rows are written by calls (Direct Access).
///
/// ```
/// use lakelet::databricks::vector_search::IndexDefinition;
/// let followed = IndexDefinition::delta_sync("main.rag.docs_index", "docs", "id", "main.rag.docs")
///     .embedding("content", "databricks-gte-large-en")
///     .columns_to_sync(["id", "content", "url"]);
/// let written = IndexDefinition::direct_access(
///     "main.rag.notes_index", "docs", "id", &[("id", "string"), ("text", "string"), ("vector", "array<float>")],
/// )
/// .vectors("vector", 1024);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IndexDefinition {
    members: Map<String, Json>,
    spec: Map<String, Json>,
    spec_name: &'static str,
}

impl IndexDefinition {
    /// An index that follows a Delta table with change data feed. It takes in what has changed when it is told to
    /// ([`sync`](super::VectorSearchManager::sync)), unless it is [`continuous`](Self::continuous).
    pub fn delta_sync(name: &str, endpoint: &str, primary_key: &str, source_table: &str) -> Self {
        let spec = [("source_table", source_table), ("pipeline_type", "TRIGGERED")];
        let spec = spec.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
        Self { members: members(name, endpoint, primary_key, "DELTA_SYNC"), spec, spec_name: "delta_sync_index_spec" }
    }

    /// An index whose rows are upserted and deleted. `schema` names its columns with their types: `string`, `int`, `long`, `float`,
    /// `double`, `boolean`, `timestamp`, `date`, `array<float>` ...
    pub fn direct_access(name: &str, endpoint: &str, primary_key: &str, schema: &[(&str, &str)]) -> Self {
        let schema = schema.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).into())).collect();
        let spec = [("schema_json".to_owned(), json::text(&Json::Object(schema)).into())].into_iter().collect();
        let spec_name = "direct_access_index_spec";
        Self { members: members(name, endpoint, primary_key, "DIRECT_ACCESS"), spec, spec_name }
    }

    /// A column of texts that the index embeds with a model.
    pub fn embedding(self, column: &str, model: &str) -> Self {
        self.spec("embedding_source_columns", json!([{"name": column, "embedding_model_endpoint_name": model}]))
    }

    /// A column that holds vectors, and how many numbers a vector has.
    pub fn vectors(self, column: &str, dimension: u32) -> Self {
        self.spec("embedding_vector_columns", json!([{"name": column, "embedding_dimension": dimension}]))
    }

    /// The model that embeds the texts of queries for a Direct Access index, whose rows bring vectors.
    pub fn query_model(self, model: &str) -> Self {
        self.spec("embedding_source_columns", json!([{"embedding_model_endpoint_name": model}]))
    }

    /// What the index is good for: `VECTOR`, `HYBRID` or, without vectors, `FULL_TEXT`.
    pub fn subtype(mut self, subtype: &str) -> Self {
        self.members.insert("index_subtype".to_owned(), subtype.into());
        self
    }

    /// Follows the table all the time.
    pub fn continuous(self) -> Self {
        self.spec("pipeline_type", "CONTINUOUS".into())
    }

    /// Which columns of the table the index has; all of them unless told.
    pub fn columns_to_sync<'a>(self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.spec("columns_to_sync", columns.into_iter().collect())
    }

    /// Sets another member of the index's `…_spec`, by its name in the API.
    pub fn spec(mut self, name: &str, value: Json) -> Self {
        self.spec.insert(name.to_owned(), value);
        self
    }

    pub(super) fn name(&self) -> &str {
        self.members.get("name").and_then(Json::as_str).unwrap_or_default()
    }

    /// The body of the request.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) when it is not said, or said twice, where the vectors come from.
    pub(super) fn body(&self) -> Result<Json> {
        let has = |name| self.spec.contains_key(name);
        let (model, vectors) = (has("embedding_source_columns"), has("embedding_vector_columns"));
        let full_text = self.members.get("index_subtype").is_some_and(|subtype| subtype == "FULL_TEXT");
        let direct = self.spec_name == "direct_access_index_spec";
        let problem = match (full_text, model, vectors) {
            (true, false, false) => None,
            (true, ..) => Some("a full-text index embeds nothing and has no vectors"),
            (_, false, false) => Some("it is not said where the index's vectors come from"),
            (_, true, true) if !direct => {
                Some("an index embeds a column of texts, or takes a column of vectors, not both")
            }
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Error::new(ErrorKind::Input, format!("vector index `{}`: {problem}", self.name()))
                .at_field("embedding_source_columns")
                .with_hint(
                    "Name a text column with its embedding model, or a vector column with its dimension, or FULL_TEXT.",
                ));
        }
        let mut body = self.members.clone();
        body.insert(self.spec_name.to_owned(), Json::Object(self.spec.clone()));
        Ok(Json::Object(body))
    }
}

fn members(name: &str, endpoint: &str, primary_key: &str, index_type: &str) -> Map<String, Json> {
    let members =
        [("name", name), ("endpoint_name", endpoint), ("primary_key", primary_key), ("index_type", index_type)];
    members.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
}
