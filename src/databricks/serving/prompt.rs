//! Messages as one text, for models that complete.

use serde_json::Value as Json;

use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::lm::Prompt;

/// What tells the model that it is its turn, as DSPy 3.4.1 writes it.
const TURN: &str = "BEGIN RESPONSE:";

/// The contents of all messages with empty lines between them, as DSPy's `litellm_text_completion` joins them.
pub(super) fn of_messages(prompt: &Prompt) -> Result<String> {
    let mut text = String::new();
    prompt.write_json(&mut text);
    let messages = json::read(&text).ok();
    let mut parts = Vec::new();
    for message in messages.as_ref().and_then(Json::as_array).into_iter().flatten() {
        match message.get("content") {
            Some(Json::String(content)) => parts.push(content.as_str()),
            Some(Json::Null) | None => {}
            Some(_) => {
                return Err(Error::new(ErrorKind::Unsupported, "a model that completes text takes no images or files")
                    .with_hint("Ask a chat endpoint."));
            }
        }
    }
    parts.push(TURN);
    Ok(parts.join("\n\n"))
}
