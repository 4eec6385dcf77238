//! Why a statement has no result.

use serde_json::Value as Json;

use crate::error::{Error, ErrorKind, Service};

/// What the `status` of an answer says, which comes with HTTP 200.
pub(super) fn failure(answer: &Json, state: &str) -> Error {
    let text = |pointer| answer.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let (code, sql_state) = (text("/status/error/error_code"), text("/status/sql_state"));
    let said = text("/status/error/message");
    let message = match said {
        "" => format!("the SQL statement ended as {state}"),
        said => format!("the SQL statement failed: {said}"),
    };
    let (kind, hint) = match (state, sql_state, code) {
        ("CANCELED", ..) => (ErrorKind::Cancelled, "Someone cancelled it, or it took longer than its `wait_timeout`."),
        ("CLOSED", ..) => (ErrorKind::NotFound, "Results are kept for an hour: run the statement again."),
        (_, "42P01" | "42704" | "42883", _) => {
            (ErrorKind::NotFound, "Check the names, and the catalog and schema that the statement runs in.")
        }
        (_, "42P06" | "42P07" | "42723" | "42710", _) => {
            (ErrorKind::Conflict, "Choose another name, or say IF NOT EXISTS or OR REPLACE.")
        }
        (_, "42501", _) => {
            (ErrorKind::Permission, "Grant what the message names to the user or service principal of the credential.")
        }
        (.., "RESOURCE_EXHAUSTED") => (ErrorKind::RateLimited, "Ask for less at a time, or use a larger warehouse."),
        (.., "INTERNAL_ERROR" | "IO_ERROR" | "UNKNOWN") => (ErrorKind::Server, "Run the statement again."),
        (.., "TEMPORARILY_UNAVAILABLE" | "WORKSPACE_TEMPORARILY_UNAVAILABLE" | "SERVICE_UNDER_MAINTENANCE") => (
            ErrorKind::Server,
            "The warehouse may be stopped, or starting: look at its state, start it, and run the statement again.",
        ),
        _ if said.contains("Inline byte limit") => (ErrorKind::BadRequest, "Read the result page by page."),
        _ => (ErrorKind::BadRequest, "The message is the engine's: mend the statement, or its parameters."),
    };
    let service = Service { status: 200, error_code: code.to_owned(), ..Service::default() };
    Error::new(kind, message).with_service(service).with_hint(hint)
}
