//! A model that answers as a case says, and keeps what it was asked.

use std::cell::{Cell, RefCell};

use futures::future::LocalBoxFuture;
use futures::stream::LocalBoxStream;
use futures::{FutureExt, StreamExt};
use lakelet::lm::{Capabilities, ChatRequest, ChatResponse, Completion, Delta, LanguageModel};
use lakelet::{Error, ErrorKind, Result};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

pub struct ScriptedLm {
    script: Json,
    defaults: Map<String, Json>,
    answered: Cell<usize>,
    /// `{"messages", "kwargs"}` of each call; `kwargs` are the defaults under the call's own.
    pub calls: RefCell<Vec<Json>>,
}

impl ScriptedLm {
    pub fn new(script: &Json) -> Self {
        let defaults = script["kwargs"].as_object().cloned().unwrap_or_default();
        Self { script: script.clone(), defaults, answered: Cell::default(), calls: RefCell::default() }
    }

    fn answer(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let mut messages = String::new();
        request.prompt.write_json(&mut messages);
        let messages: Json = serde_json::from_str(&messages).expect("messages are JSON");
        let mut kwargs = self.defaults.clone();
        kwargs.retain(|_, value| !value.is_null());
        kwargs.extend(request.options.clone());
        if let Some(format) = &request.response_format {
            kwargs.insert("response_format".to_owned(), serde_json::from_str(format).expect("a format is JSON"));
        }
        if let Some(rollout_id) = &request.rollout_id {
            kwargs.insert("rollout_id".to_owned(), rollout_id.clone());
        }
        let reply = match self.reply(&messages) {
            Json::Object(reply) if reply.contains_key("one_of") => one_of(&reply["one_of"], &messages),
            reply => reply,
        };
        self.calls.borrow_mut().push(json!({"messages": messages, "kwargs": kwargs}));
        let completions = match &reply {
            Json::Array(texts) => texts.iter().map(completion).collect(),
            Json::Object(reply) if reply.contains_key("raise") => {
                return Err(raised(&reply["raise"], reply.get("message").unwrap_or(&Json::Null)));
            }
            Json::Object(reply) => reply["outputs"].as_array().into_iter().flatten().map(completion).collect(),
            text => vec![completion(text)],
        };
        Ok(ChatResponse { completions, ..ChatResponse::default() })
    }

    fn reply(&self, messages: &Json) -> Json {
        if let Some(completions) = self.script["completions"].as_array() {
            let turn = self.answered.replace(self.answered.get() + 1);
            return completions
                .get(turn)
                .cloned()
                .unwrap_or(json!({"raise": "RuntimeError", "message": "no reply left"}));
        }
        let texts: Vec<String> = messages.as_array().into_iter().flatten().map(text_of).collect();
        let shown = match self.script["scope"].as_str() {
            Some("all") => texts.join("\n"),
            _ => texts.last().cloned().unwrap_or_default(),
        };
        let holds = |needle: &Json| needle.as_str().is_some_and(|needle| shown.contains(needle));
        let fits = |entry: &&Json| match &entry[0] {
            Json::Array(needles) => needles.iter().all(holds),
            needle => holds(needle),
        };
        let entry = self.script["lookup"].as_array().into_iter().flatten().find(fits);
        entry.map_or(&self.script["default"], |entry| &entry[1]).clone()
    }
}

/// One of the replies, by the digest of the messages.
fn one_of(replies: &Json, messages: &Json) -> Json {
    let replies = replies.as_array().map_or(&[][..], Vec::as_slice);
    let digest = u32::from_str_radix(&digest(messages)[..8], 16).expect("a digest is hexadecimal");
    replies[digest as usize % replies.len()].clone()
}

/// SHA-256 of compact JSON with sorted keys.
pub fn digest(messages: &Json) -> String {
    fn sorted(json: &Json) -> Json {
        match json {
            Json::Array(items) => items.iter().map(sorted).collect(),
            Json::Object(members) => {
                let mut members: Vec<(String, Json)> = members.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Json::Object(members.into_iter().collect())
            }
            other => other.clone(),
        }
    }
    sha256(&sorted(messages).to_string())
}

/// In hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a message.
fn text_of(message: &Json) -> String {
    match &message["content"] {
        Json::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        content => content.as_str().unwrap_or_default().to_owned(),
    }
}

fn completion(reply: &Json) -> Completion {
    let list = |name: &str| reply[name].as_array().cloned().unwrap_or_default();
    let text = if reply.is_object() { &reply["text"] } else { reply };
    Completion {
        text: text.as_str().map(str::to_owned),
        reasoning: reply["reasoning_content"].as_str().map(str::to_owned),
        tool_calls: list("tool_calls"),
        citations: list("citations"),
        logprobs: reply.get("logprobs").cloned(),
        finish_reason: None,
    }
}

/// The exception that a script raises: `dspy.ContextWindowExceededError`, `ValueError` ...
fn raised(class: &Json, message: &Json) -> Error {
    let class = class.as_str().unwrap_or_default().to_owned();
    let kind = match class.as_str() {
        "ContextWindowExceededError" => ErrorKind::ContextWindow,
        "AdapterParseError" => ErrorKind::Parse,
        _ => ErrorKind::Server,
    };
    let message = message.as_str().unwrap_or_default().to_owned();
    Error::new(kind, message).with_python_class(class.leak())
}

impl LanguageModel for ScriptedLm {
    fn name(&self) -> &str {
        self.script["model"].as_str().unwrap_or("scripted")
    }

    fn capabilities(&self) -> Capabilities {
        let says = |name: &str| self.script[name] == true;
        let takes =
            |name: &str| self.script["supported_params"].as_array().is_some_and(|all| all.contains(&name.into()));
        Capabilities {
            json_object: takes("response_format"),
            json_schema: says("supports_response_schema"),
            function_calling: says("supports_function_calling"),
            reasoning: says("supports_reasoning"),
        }
    }

    fn defaults(&self) -> &Map<String, Json> {
        &self.defaults
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        futures::future::ready(self.answer(&request)).boxed_local()
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let delta = |completion: Completion| Delta {
            text: completion.text.unwrap_or_default(),
            reasoning: completion.reasoning.unwrap_or_default(),
            tool_calls: completion.tool_calls,
            citations: completion.citations,
            ..Delta::default()
        };
        let deltas = self.answer(&request).map(|response| response.completions.into_iter().map(delta));
        let deltas: Vec<Result<Delta>> =
            deltas.map_or_else(|error| vec![Err(error)], |deltas| deltas.map(Ok).collect());
        futures::stream::iter(deltas).boxed_local()
    }
}
