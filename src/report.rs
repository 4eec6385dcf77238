//! What programs do, as JSON text: events, spans, tokens and errors in the shape that `js/src/events.ts` describes. Every
//! door that tells of a run tells it so.

use std::borrow::Borrow;

use serde_json::{Map as Object, Value as Json, json};

use crate::adapter::{JsonStyle, write_json};
use crate::error::{Error, Reply, Service};
use crate::json::{self, write_str};
use crate::lm::Usage;
use crate::run::{Event, ModelCall, Run, Span, Status};
use crate::value::{Map, Value};

/// How an error is told: as [`error`] does, or in fewer words.
pub type Describe = fn(&Error) -> Object<String, Json>;

/// An event, with its name as the member `type`.
///
/// ```
/// use lakelet::{report, run::Event};
/// assert_eq!(report::event(&Event::Status("Reading...".into())), r#"{"type":"status","message":"Reading..."}"#);
/// ```
pub fn event(event: &Event) -> String {
    let (name, members) = named_event(event, error);
    ["{\"type\":\"", name, "\",", members.strip_prefix('{').unwrap_or_default()].concat()
}

/// The name of an event, and its members.
pub fn named_event(event: &Event, errors: Describe) -> (&'static str, String) {
    match event {
        Event::Started { id, parent, step, kind, at_ms } => {
            ("started", json::text(&json!({"id": id, "parent": parent, "step": &**step, "kind": kind, "atMs": at_ms})))
        }
        Event::Stage { id, step, call, stage, progress, name, at_ms } => (
            "stage",
            json::text(&json!({
                "id": id, "step": &**step, "call": call, "stage": stage.as_str(), "progress": progress.as_str(),
                "name": &**name, "atMs": at_ms,
            })),
        ),
        Event::Text { id, step, field, text } => {
            ("text", json::text(&json!({"id": id, "step": &**step, "field": &**field, "text": text})))
        }
        Event::Partial { id, step, field, value } => ("partial", valued(*id, step, field, value)),
        Event::Value { id, step, field, value } => ("value", valued(*id, step, field, value)),
        Event::Retracted { id, step } => ("retracted", json::text(&json!({"id": id, "step": &**step}))),
        Event::Warning { id, step, message } => {
            ("warning", json::text(&json!({"id": id, "step": &**step, "message": message})))
        }
        Event::Finished(span) => ("finished", with_raw(json!({}), &[("span", self::span(span, errors))])),
        Event::Result { fields, stopped_by } => {
            ("result", with_raw(json!({"stoppedBy": stopped_by.as_deref()}), &[("fields", object(fields))]))
        }
        Event::Status(message) => ("status", json::text(&json!({"message": message}))),
    }
}

fn valued(id: usize, step: &str, field: &str, value: &Value) -> String {
    with_raw(json!({"id": id, "step": step, "field": field}), &[("value", self::value(value))])
}

/// A list of spans.
pub fn spans<S: Borrow<Span>>(spans: &[S], errors: Describe) -> String {
    list(spans.iter().map(|span| self::span(span.borrow(), errors)))
}

/// `{usage, lmUsage}`: the sums, and what the services told by model.
pub fn usage(run: &Run) -> String {
    let by_model = run.usage_by_model();
    let by_model = by_model.models().iter().map(|(name, told)| (name.clone(), Json::Object(told.clone())));
    json::text(&json!({"usage": usage_members(&run.usage()), "lmUsage": Json::Object(by_model.collect())}))
}

fn usage_members(usage: &Usage) -> Json {
    json!({
        "promptTokens": usage.prompt_tokens,
        "completionTokens": usage.completion_tokens,
        "totalTokens": usage.total_tokens,
        "cachedTokens": usage.cached_tokens,
        "reasoningTokens": usage.reasoning_tokens,
    })
}

fn span(span: &Span, errors: Describe) -> String {
    let (status, error) = match &span.status {
        Status::Running => ("running", None),
        Status::Done => ("done", None),
        Status::Failed(error) => ("failed", Some(error)),
        Status::Cancelled => ("cancelled", None),
    };
    let mut head = json!({
        "id": span.id, "parent": span.parent, "name": &*span.name, "kind": span.kind, "startMs": span.start_ms, "durationMs": span.duration_ms,
        "status": status, "withheld": span.withheld, "usage": usage_members(&span.usage()),
    });
    if let (Some(error), Json::Object(members)) = (error, &mut head) {
        members.insert("error".to_owned(), Json::Object(errors(error)));
    }
    let calls = list(span.calls.iter().map(|call| self::call(call, errors)));
    with_raw(head, &[("inputs", object(&span.inputs)), ("outputs", object(&span.outputs)), ("calls", calls)])
}

fn call(call: &ModelCall, errors: Describe) -> String {
    let mut messages = String::new();
    call.prompt.write_json(&mut messages);
    let mut head = Object::new();
    head.insert("model".to_owned(), call.model.as_str().into());
    head.insert("endpoint".to_owned(), call.endpoint.as_str().into());
    head.insert("adapter".to_owned(), call.adapter.into());
    head.insert("options".to_owned(), Json::Object(call.options.clone()));
    head.insert("replies".to_owned(), call.replies.clone().into());
    head.insert("usage".to_owned(), usage_members(&call.usage));
    head.insert("startMs".to_owned(), call.start_ms.into());
    head.insert("durationMs".to_owned(), call.duration_ms.into());
    if let Some(error) = &call.error {
        head.insert("error".to_owned(), Json::Object(errors(error)));
    }
    let mut raw = vec![("messages", messages)];
    if let Some(format) = &call.response_format {
        raw.push(("responseFormat", format.to_string()));
    }
    with_raw(Json::Object(head), &raw)
}

/// What `ErrorDetails` in `js/src/errors.ts` names, and the message.
pub fn error(error: &Error) -> Object<String, Json> {
    let mut out = Object::new();
    out.insert("message".to_owned(), error.to_string().into());
    out.insert("code".to_owned(), error.kind().as_str().into());
    out.insert("retryable".to_owned(), error.is_retryable().into());
    let texts = [("hint", error.hint()), ("step", error.step()), ("field", error.field())];
    for (name, text) in texts {
        if let Some(text) = text {
            out.insert(name.to_owned(), text.into());
        }
    }
    if let Some(service) = error.service() {
        describe_service(service, &mut out);
    }
    if let Some(reply) = error.reply() {
        out.insert("reply".to_owned(), describe_reply(reply));
    }
    out
}

fn describe_service(service: &Service, out: &mut Object<String, Json>) {
    out.insert("status".to_owned(), service.status.into());
    for (name, text) in [("errorCode", &service.error_code), ("requestId", &service.request_id)] {
        if !text.is_empty() {
            out.insert(name.to_owned(), text.as_str().into());
        }
    }
    if let Some(ms) = service.retry_after_ms {
        out.insert("retryAfterMs".to_owned(), ms.into());
    }
}

fn describe_reply(reply: &Reply) -> Json {
    let mut out = Object::new();
    for (name, text) in [("adapter", reply.adapter), ("problem", reply.problem), ("text", &reply.text)] {
        out.insert(name.to_owned(), text.into());
    }
    if let Some(fields) = &reply.parsed_fields {
        out.insert("parsedFields".to_owned(), fields.clone().into());
    }
    Json::Object(out)
}

/// A value of a field.
pub fn value(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, JsonStyle::OneLine);
    text
}

/// Fields by name.
pub fn object(fields: &Map) -> String {
    let mut out = String::from("{");
    for (i, (name, value)) in fields.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        write_str(&mut out, name);
        out.push(':');
        write_json(&mut out, value, JsonStyle::OneLine);
    }
    out.push('}');
    out
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// An object with more members, whose values are JSON text already.
pub fn with_raw(head: Json, raw: &[(&str, String)]) -> String {
    let mut out = json::text(&head);
    out.pop();
    for (name, text) in raw {
        out.push_str(if out.len() > 1 { ",\"" } else { "\"" });
        out.push_str(name);
        out.push_str("\":");
        out.push_str(text);
    }
    out.push('}');
    out
}
