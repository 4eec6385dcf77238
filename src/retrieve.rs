//! Retrievers: a [`Query`] in, [`Passage`]s out.

mod embeddings;

pub use embeddings::Embeddings;

use futures_core::future::LocalBoxFuture;
use serde_json::Value as Json;

use crate::error::Result;

/// What to look for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// What to look for, in words.
    pub text: Option<String>,
    /// What to look for, as an embedding of the index's dimension.
    pub vector: Option<Vec<f64>>,
    /// How many passages at most.
    pub k: Option<u32>,
    /// Filters in Vector Search's form: `{"region": ["global", "EU"]}`.
    pub filters: Option<Json>,
    /// When the caller stops waiting, on the host's clock; as [`ChatRequest::deadline_ms`](crate::lm::ChatRequest).
    pub deadline_ms: Option<f64>,
}

/// A passage that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passage {
    pub id: String,
    pub text: String,
    pub score: f64,
    /// The other columns that were asked for, in order.
    pub columns: serde_json::Map<String, Json>,
}

/// Finds passages.
pub trait Retriever {
    /// The passages that fit best, best first. Dropping the future aborts the call.
    fn retrieve(&self, query: Query) -> LocalBoxFuture<'static, Result<Vec<Passage>>>;
}
