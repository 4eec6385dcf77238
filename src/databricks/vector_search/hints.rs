//! What to do about a refusal of Vector Search, by what its message speaks of.

use crate::error::{Error, ErrorKind};
use crate::python::lower;

/// The error with a hint, and at the argument that it is about. One that has a hint keeps it.
pub(super) fn explained(error: Error) -> Error {
    if error.hint().is_some() {
        return error;
    }
    let message = lower(error.message());
    let said = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match error.kind() {
        ErrorKind::Conflict => error.with_hint("It is there already: use it, or drop it before it is made anew."),
        ErrorKind::RateLimited => error.with_hint("Ask less often; or drop endpoints and indexes that nobody uses."),
        ErrorKind::NotFound => error.with_hint("Check the name; endpoints and indexes can be listed."),
        ErrorKind::Permission => error.with_hint("Ask an admin of the workspace for CAN USE on the endpoint, or for the right to make endpoints."),
        ErrorKind::BadRequest if said(&["filter"]) => error.at_field("filters").with_hint(
            "Standard endpoints take an object, {\"lang\": [\"en\", \"de\"], \"year >=\": 2024}; storage-optimized ones a text, \
             \"lang IN ('en', 'de') AND year >= 2024\". Both name columns of the index.",
        ),
        ErrorKind::BadRequest if said(&["dimension"]) => error.with_hint(
            "A vector has as many numbers as the index's `embedding_dimension`, and comes from the model that embedded its rows.",
        ),
        ErrorKind::BadRequest if said(&["not ready", "not online", "not yet", "provisioning", "is being", "pending"]) => {
            error.with_retryable(true).with_hint("Wait until it is ready, and try again.")
        }
        ErrorKind::BadRequest if said(&["change data feed", "changedatafeed"]) => error
            .with_hint("Set the property delta.enableChangeDataFeed of the source table to true; `setup_delta_table` does."),
        ErrorKind::BadRequest if said(&["quota", "limit", "exceed", "most it can have", "maximum", "up to"]) => error
            .with_hint("A workspace has 500 endpoints, an endpoint 50 indexes, an index 50 columns and 4096 dimensions at most."),
        ErrorKind::BadRequest if said(&["query_text", "query_vector", "embedding", "embed"]) => error.with_hint(
            "Either the index embeds a text column with a model and is asked in texts, or its rows bring vectors and it is asked in \
             vectors.",
        ),
        _ => error,
    }
}
