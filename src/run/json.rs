//! Events and spans as JSON text: what doors hand out and gateways send on.

use std::fmt::Write;

use serde_json::Value as Json;

use super::{Event, ModelCall, Span, Status};
use crate::adapter::{JsonStyle, write_json};
use crate::error::Error;
use crate::json::{self, write_str};
use crate::lm::Usage;
use crate::value::{Map, Value};

impl Event {
    /// The event as a JSON object; `type` is `started`, `text`, `value`, `finished` or `result`.
    ///
    /// ```
    /// use lakelet::run::Event;
    /// let event = Event::Text { id: 3, step: "rag".into(), field: "answer".into(), text: "25 ".into() };
    /// assert_eq!(event.to_json(), r#"{"type":"text","id":3,"step":"rag","field":"answer","text":"25 "}"#);
    /// ```
    pub fn to_json(&self) -> String {
        let mut object = Members::new();
        match self {
            Self::Started { id, step, kind, at_ms } => {
                object.text("type", "started").number("id", *id as f64).text("step", step).text("kind", kind);
                object.number("at_ms", *at_ms);
            }
            Self::Text { id, step, field, text } => {
                object.text("type", "text").number("id", *id as f64).text("step", step).text("field", field);
                object.text("text", text);
            }
            Self::Value { id, step, field, value } => {
                object.text("type", "value").number("id", *id as f64).text("step", step).text("field", field);
                object.raw("value", |out| write_value(out, value));
            }
            Self::Finished(span) => {
                _ = object.text("type", "finished").raw("span", |out| out.push_str(&span.to_json()))
            }
            Self::Result { fields, stopped_by } => {
                object.text("type", "result").raw("outputs", |out| write_map(out, fields));
                object.maybe_text("stopped_by", stopped_by.as_deref());
            }
        }
        object.close()
    }
}

impl Span {
    /// The span as a JSON object. `status` is `running`, `done`, `failed` or `cancelled`; `messages` of a call are those
    /// that were sent.
    pub fn to_json(&self) -> String {
        let (status, error) = match &self.status {
            Status::Running => ("running", None),
            Status::Done => ("done", None),
            Status::Failed(error) => ("failed", Some(error)),
            Status::Cancelled => ("cancelled", None),
        };
        let mut object = Members::new();
        object.number("id", self.id as f64).text("name", &self.name).text("kind", self.kind).text("status", status);
        object.number("start_ms", self.start_ms).number("duration_ms", self.duration_ms);
        object.raw("withheld", |out| _ = write!(out, "{}", self.withheld));
        object.raw("inputs", |out| write_map(out, &self.inputs)).raw("outputs", |out| write_map(out, &self.outputs));
        object.raw("calls", |out| write_list(out, &self.calls, |out, call| out.push_str(&call.to_json())));
        object.raw("usage", |out| out.push_str(&usage_json(self.usage())));
        object.raw("error", |out| write_error(out, error));
        object.close()
    }
}

impl ModelCall {
    fn to_json(&self) -> String {
        let mut object = Members::new();
        object
            .text("model", &self.model)
            .text("adapter", self.adapter)
            .raw("messages", |out| self.prompt.write_json(out));
        object.raw("response_format", |out| out.push_str(self.response_format.as_deref().unwrap_or("null")));
        object.raw("options", |out| json::write(out, &Json::Object(self.options.clone())));
        object.raw("replies", |out| write_list(out, &self.replies, |out, reply| write_str(out, reply)));
        object.raw("usage", |out| out.push_str(&usage_json(self.usage)));
        object.number("start_ms", self.start_ms).number("duration_ms", self.duration_ms);
        object.raw("error", |out| write_error(out, self.error.as_ref()));
        object.close()
    }
}

fn usage_json(usage: Usage) -> String {
    let mut object = Members::new();
    for (name, count) in [
        ("prompt_tokens", usage.prompt_tokens),
        ("completion_tokens", usage.completion_tokens),
        ("total_tokens", usage.total_tokens),
        ("cached_tokens", usage.cached_tokens),
        ("reasoning_tokens", usage.reasoning_tokens),
    ] {
        object.number(name, count as f64);
    }
    object.close()
}

fn write_error(out: &mut String, error: Option<&Error>) {
    let Some(error) = error else { return out.push_str("null") };
    let mut object = Members::new();
    object.text("code", error.kind().as_str()).text("message", error.message()).maybe_text("hint", error.hint());
    object.maybe_text("step", error.step()).maybe_text("field", error.field());
    object.raw("retryable", |out| _ = write!(out, "{}", error.is_retryable()));
    out.push_str(&object.close());
}

fn write_value(out: &mut String, value: &Value) {
    write_json(out, value, JsonStyle::OneLine);
}

fn write_map(out: &mut String, fields: &Map) {
    let mut object = Members::new();
    for (name, value) in fields {
        object.raw(name, |out| write_value(out, value));
    }
    out.push_str(&object.close());
}

fn write_list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        write(out, item);
    }
    out.push(']');
}

/// An object that is being written.
struct Members(String);

impl Members {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn raw(&mut self, name: &str, write: impl FnOnce(&mut String)) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        write_str(&mut self.0, name);
        self.0.push(':');
        write(&mut self.0);
        self
    }

    fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.raw(name, |out| write_str(out, text))
    }

    fn maybe_text(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        self.raw(name, |out| match text {
            Some(text) => write_str(out, text),
            None => out.push_str("null"),
        })
    }

    /// A finite number; JSON has no other.
    fn number(&mut self, name: &str, number: f64) -> &mut Self {
        self.raw(name, |out| _ = write!(out, "{}", if number.is_finite() { number } else { 0.0 }))
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
