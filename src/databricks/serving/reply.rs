//! What chat endpoints answer, with the departures of Databricks from OpenAI's form: content as a list of reasoning and text
//! parts, reasoning beside the content, no content at all, usage missing.

use serde_json::{Map, Value as Json};

use super::super::auth::AuthKind;
use super::super::error::{Refusal, Target, unreadable};
use crate::error::{Error, Result};
use crate::json;
use crate::lm::{ChatResponse, Completion, Usage};

/// Reads a whole answer.
pub(super) fn read(body: &[u8], served_model: Option<String>, endpoint: &str) -> Result<ChatResponse> {
    let target = || Target::Endpoint(endpoint.to_owned());
    let json = json::read(body).map_err(|_| unreadable(&target(), body, "a chat completion"))?;
    let Some(choices) = json.get("choices").and_then(Json::as_array) else {
        return Err(error_within(&json, endpoint).unwrap_or_else(|| unreadable(&target(), body, "a chat completion")));
    };
    let completions = choices.iter().map(completion).collect();
    let model = text(&json, "model").or(served_model).unwrap_or_else(|| endpoint.to_owned());
    let reported = usage(&json).cloned().unwrap_or_default();
    Ok(ChatResponse { completions, model, usage: Usage::of(&reported), reported })
}

/// The error that an answer of status 200 holds instead of a completion.
pub(super) fn error_within(json: &Json, endpoint: &str) -> Option<Error> {
    // What the credential is makes no difference here: it was accepted.
    let target = Target::Endpoint(endpoint.to_owned());
    Refusal::within(json, 200).map(|refusal| refusal.into_error(&target, "", AuthKind::None))
}

fn completion(choice: &Json) -> Completion {
    let message = choice.get("message").unwrap_or(&Json::Null);
    let said = Said::of(message);
    Completion {
        text: said.text,
        reasoning: said.reasoning,
        tool_calls: list(message, "tool_calls"),
        citations: said.citations,
        logprobs: choice.get("logprobs").filter(|logprobs| !logprobs.is_null()).cloned(),
        finish_reason: text(choice, "finish_reason"),
    }
}

/// The text, the reasoning and the citations of a message, or of a piece of one.
#[derive(Default)]
pub(super) struct Said {
    pub text: Option<String>,
    pub reasoning: Option<String>,
    pub citations: Vec<Json>,
}

impl Said {
    pub fn of(message: &Json) -> Self {
        let mut said = Self { reasoning: text(message, "reasoning_content"), ..Self::default() };
        match message.get("content") {
            Some(Json::String(content)) => said.text = Some(content.clone()),
            Some(Json::Array(parts)) => parts.iter().for_each(|part| said.add(part)),
            _ => {}
        }
        said
    }

    /// `{"type": "text", "text"}` or `{"type": "reasoning", "summary": [{"type": "summary_text", "text"}]}`.
    fn add(&mut self, part: &Json) {
        let is_reasoning = part.get("type").and_then(Json::as_str) == Some("reasoning");
        let place = if is_reasoning { &mut self.reasoning } else { &mut self.text };
        let summary = part.get("summary").and_then(Json::as_array).into_iter().flatten();
        for piece in summary.chain([part]).filter_map(|piece| piece.get("text").and_then(Json::as_str)) {
            place.get_or_insert_default().push_str(piece);
        }
        // DSPy knows a citation with the text that it supports.
        for mut citation in list(part, "citations") {
            if let (Json::Object(members), Some(text)) = (&mut citation, part.get("text")) {
                members.insert("supported_text".to_owned(), text.clone());
            }
            self.citations.push(citation);
        }
    }
}

/// What was used, where the answer tells it.
pub(super) fn usage(json: &Json) -> Option<&Map<String, Json>> {
    json.get("usage").and_then(Json::as_object)
}

pub(super) fn list(json: &Json, name: &str) -> Vec<Json> {
    json.get(name).and_then(Json::as_array).cloned().unwrap_or_default()
}

pub(super) fn text(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}
