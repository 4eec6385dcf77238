//! What chat endpoints answer.

use serde_json::Value as Json;

use super::super::auth::AuthKind;
use super::super::error::{Refusal, Target, unreadable};
use crate::error::{Error, Result};
use crate::json;
use crate::lm::{ChatResponse, wire};

/// Reads a whole answer.
pub(super) fn read(body: &[u8], served_model: Option<String>, endpoint: &str) -> Result<ChatResponse> {
    let target = || Target::Endpoint(endpoint.to_owned());
    let json = json::read(body).map_err(|_| unreadable(&target(), body, "a chat completion"))?;
    let Some(mut response) = wire::response(&json) else {
        return Err(error_within(&json, endpoint).unwrap_or_else(|| unreadable(&target(), body, "a chat completion")));
    };
    if response.model.is_empty() {
        response.model = served_model.unwrap_or_else(|| endpoint.to_owned());
    }
    Ok(response)
}

/// The error that an answer of status 200 holds instead of a completion.
pub(super) fn error_within(json: &Json, endpoint: &str) -> Option<Error> {
    // What the credential is makes no difference here: it was accepted.
    let target = Target::Endpoint(endpoint.to_owned());
    Refusal::within(json, 200).map(|refusal| refusal.into_error(&target, "", AuthKind::None))
}
