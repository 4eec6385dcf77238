//! An answer as text.

use serde_json::{Value as Json, json};

use crate::json;
use crate::lm::{ChatResponse, Completion};

/// What is kept of an answer: not what it cost.
pub(super) fn write(answer: &ChatResponse) -> String {
    let completion = |it: &Completion| {
        json!({
            "text": it.text, "reasoning": it.reasoning, "tool_calls": it.tool_calls, "citations": it.citations,
            "logprobs": it.logprobs, "finish_reason": it.finish_reason,
        })
    };
    let completions: Vec<Json> = answer.completions.iter().map(completion).collect();
    json::text(&json!({"model": answer.model, "completions": completions}))
}

/// Reads an answer; `None` for a text that is none.
pub(super) fn read(text: &str) -> Option<ChatResponse> {
    let json = json::read(text).ok()?;
    let completion = |it: &Json| {
        let text = |name: &str| it.get(name).and_then(Json::as_str).map(str::to_owned);
        let list = |name: &str| it.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        Completion {
            text: text("text"),
            reasoning: text("reasoning"),
            tool_calls: list("tool_calls"),
            citations: list("citations"),
            logprobs: it.get("logprobs").filter(|logprobs| !logprobs.is_null()).cloned(),
            finish_reason: text("finish_reason"),
        }
    };
    let completions = json.get("completions")?.as_array()?.iter().map(completion).collect();
    Some(ChatResponse { completions, model: json.get("model")?.as_str()?.to_owned(), ..ChatResponse::default() })
}
