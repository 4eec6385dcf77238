//! Vector Search: endpoints, the indexes on them, their rows, and what is looked for in them.
//!
//! A [`VectorIndex`] is the retriever of programs; a [`VectorSearchManager`] makes, fills and queries indexes.
//!
//! Databricks' Python client queries with `GET` and a body, which `fetch` cannot send; `POST` on the same path is the same
//! call, and what Databricks' SDK and DSPy send.
//!
//! Source: <https://docs.databricks.com/api/workspace/vectorsearchindexes>.

mod definition;
mod endpoints;
mod hints;
mod index;
mod indexes;
mod rows;
mod search;
mod setup;
mod structs;

pub use definition::IndexDefinition;
pub use index::VectorIndex;
pub use rows::{Changed, Scanned};
pub use search::{Found, QueryType, Search};

use serde_json::Value as Json;

use super::Workspace;
use super::api::ApiCall;
use crate::error::Result;
use crate::http::url;

const BASE: &str = "/api/2.0/vector-search";

/// Makes, fills, queries and drops the Vector Search indexes of a workspace.
///
/// ```
/// use lakelet::databricks::Workspace;
/// use lakelet::databricks::vector_search::Search;
/// use lakelet::databricks::wait::Wait;
/// # async fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let manager = workspace.vector_search();
/// let (table, wait) = ("main.rag.docs", Wait::default());
/// manager.setup_delta_table(&workspace.warehouse("abc123"), table, false, &wait).await?;
/// manager.create_index("main.rag.docs_index", "databricks-gte-large-en", table, None, &wait).await?;
/// let search = Search { text: Some("parental leave".to_owned()), columns: vec!["id".to_owned()], ..Search::default() };
/// for record in manager.query("main.rag.docs_index", &search).await?.records() {
///     println!("{record:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VectorSearchManager {
    workspace: Workspace,
}

impl Workspace {
    /// The Vector Search endpoints and indexes of the workspace.
    pub fn vector_search(&self) -> VectorSearchManager {
        VectorSearchManager { workspace: self.clone() }
    }
}

impl VectorSearchManager {
    /// Sends a call. A refusal tells what to do.
    async fn send(&self, call: ApiCall) -> Result<Json> {
        call.send().await.map_err(hints::explained)
    }
}

/// The path of an index, by its full name.
pub(super) fn index_path(name: &str) -> Result<String> {
    Ok(format!("{BASE}/indexes/{}", url::segment(name)?))
}
