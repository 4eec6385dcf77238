//! The answers of the chat-completions API, with the departures of Databricks from OpenAI's form: content as a list of reasoning
//! and text parts, reasoning beside the content, no content at all, usage missing.

use serde_json::{Map, Value as Json};

use super::{ChatResponse, Completion, Delta, Usage};

/// A whole answer, if the object is one. Where it names no model, the name is empty.
pub(crate) fn response(json: &Json) -> Option<ChatResponse> {
    let completions = json.get("choices")?.as_array()?.iter().map(completion).collect();
    let reported = usage(json);
    let model = text(json, "model").unwrap_or_default();
    Some(ChatResponse { completions, model, usage: Usage::of(&reported), reported, answered_by: None })
}

/// A piece of a streamed answer, if the object is one: what it brings of the first completion.
pub(crate) fn delta(json: &Json) -> Option<Delta> {
    let choices = json.get("choices")?.as_array()?;
    let first = |choice: &&Json| choice.get("index").and_then(Json::as_u64).unwrap_or(0) == 0;
    let choice = choices.iter().find(first).unwrap_or(&Json::Null);
    let delta = choice.get("delta").unwrap_or(&Json::Null);
    let (said, reported) = (Said::of(delta), usage(json));
    Some(Delta {
        begins_anew: false,
        text: said.text.or_else(|| text(choice, "text")).unwrap_or_default(),
        reasoning: said.reasoning.unwrap_or_default(),
        tool_calls: list(delta, "tool_calls"),
        citations: said.citations,
        finish_reason: text(choice, "finish_reason").filter(|reason| !reason.is_empty()),
        usage: (!reported.is_empty()).then(|| Usage::of(&reported)),
        reported,
        model: text(json, "model"),
        answered_by: None,
    })
}

fn completion(choice: &Json) -> Completion {
    let message = choice.get("message").unwrap_or(&Json::Null);
    let said = Said::of(message);
    Completion {
        text: said.text.or_else(|| text(choice, "text")), // as the older completions have it
        reasoning: said.reasoning,
        tool_calls: list(message, "tool_calls"),
        citations: said.citations,
        logprobs: choice.get("logprobs").filter(|logprobs| !logprobs.is_null()).cloned(),
        finish_reason: text(choice, "finish_reason"),
    }
}

/// The text, the reasoning and the citations of a message, or of a piece of one.
#[derive(Default)]
struct Said {
    text: Option<String>,
    reasoning: Option<String>,
    citations: Vec<Json>,
}

impl Said {
    fn of(message: &Json) -> Self {
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
pub(crate) fn usage(json: &Json) -> Map<String, Json> {
    json.get("usage").and_then(Json::as_object).cloned().unwrap_or_default()
}

fn list(json: &Json, name: &str) -> Vec<Json> {
    json.get(name).and_then(Json::as_array).cloned().unwrap_or_default()
}

pub(crate) fn text(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}
