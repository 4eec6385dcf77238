//! Embedding models: texts in, vectors out.

use futures_core::future::LocalBoxFuture;

use crate::error::{Error, ErrorKind, Result};

/// A model that gives texts their places in a space of meanings.
pub trait EmbeddingModel {
    /// A vector for each text, in order. `deadline_ms` is a moment on the host's clock, as in
    /// [`ChatRequest`](crate::lm::ChatRequest). Dropping the future aborts the call.
    fn embed<'a>(&'a self, texts: &'a [String], deadline_ms: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>>;
}

/// The vectors of texts, as many as there are texts.
///
/// # Errors
/// What the model fails with, and [`Protocol`](ErrorKind::Protocol) when it does not give a vector for each text.
pub(crate) async fn vectors(
    model: &dyn EmbeddingModel,
    texts: &[String],
    deadline_ms: Option<f64>,
) -> Result<Vec<Vec<f64>>> {
    let vectors = model.embed(texts, deadline_ms).await?;
    if vectors.len() != texts.len() {
        let message = format!("{} texts were embedded, and {} vectors came back", texts.len(), vectors.len());
        let hint = "an embedding model gives a vector for each text";
        return Err(Error::new(ErrorKind::Protocol, message).with_hint(hint));
    }
    Ok(vectors)
}
