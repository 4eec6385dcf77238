//! Embedding models: texts in, vectors out.

use futures_core::future::LocalBoxFuture;

use crate::error::Result;

/// A model that gives texts their places in a space of meanings.
pub trait EmbeddingModel {
    /// A vector for each text, in order. `deadline_ms` is a moment on the host's clock, as in
    /// [`ChatRequest`](crate::lm::ChatRequest). Dropping the future aborts the call.
    fn embed<'a>(&'a self, texts: &'a [String], deadline_ms: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>>;
}
