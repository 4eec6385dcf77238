//! Events, spans and results on their way out, as the JSON that `js/src/events.ts` describes.

use std::borrow::Borrow;

use serde_json::{Map as Object, Value as Json, json};

use super::custom::Opened;
use super::errors::described;
use crate::adapter::{JsonStyle, write_json};
use crate::example::Prediction;
use crate::json::{self, write_str};
use crate::lm::Usage;
use crate::module::Predict;
use crate::run::{Event, ModelCall, Run, Span, Status};
use crate::value::{Map, Value};

pub(super) fn event(event: &Event) -> String {
    match event {
        Event::Started { id, parent, step, kind, at_ms } => json::text(
            &json!({"type": "started", "id": id, "parent": parent, "step": &**step, "kind": kind, "atMs": at_ms}),
        ),
        Event::Stage { id, step, call, stage, progress, name, at_ms } => json::text(&json!({
            "type": "stage", "id": id, "step": &**step, "call": call, "stage": stage.as_str(), "progress": progress.as_str(),
            "name": &**name, "atMs": at_ms,
        })),
        Event::Text { id, step, field, text } => {
            json::text(&json!({"type": "text", "id": id, "step": &**step, "field": &**field, "text": text}))
        }
        Event::Partial { id, step, field, value } => valued("partial", *id, step, field, value),
        Event::Value { id, step, field, value } => valued("value", *id, step, field, value),
        Event::Warning { id, step, message } => {
            json::text(&json!({"type": "warning", "id": id, "step": &**step, "message": message}))
        }
        Event::Finished(span) => with_raw(json!({"type": "finished"}), &[("span", self::span(span))]),
        Event::Result { fields, stopped_by } => {
            with_raw(json!({"type": "result", "stoppedBy": stopped_by.as_deref()}), &[("fields", object(fields))])
        }
        Event::Status(message) => json::text(&json!({"type": "status", "message": message})),
    }
}

fn valued(kind: &str, id: usize, step: &str, field: &str, value: &Value) -> String {
    with_raw(json!({"type": kind, "id": id, "step": step, "field": field}), &[("value", self::value(value))])
}

/// What a call came to: `{records, typed?, stoppedBy?}`, the outputs of each completion, and the guard that stopped the
/// program, if one did. Values of DSPy's own types are objects of their attributes; `typed` tells where they stand.
pub(super) fn outcome(prediction: Prediction, stopped_by: Option<&str>) -> String {
    let completions = [prediction.fields].into_iter().chain(prediction.others).map(Value::Dict).collect();
    with_raw(
        stopped_by.map_or_else(|| json!({}), |guard| json!({"stoppedBy": guard})),
        &opened(completions, Opened::plain()),
    )
}

/// The settings of a predictor, with its demos as records: `{config, records, typed?}`.
pub(super) fn settings(predictor: &Predict) -> String {
    let demos = predictor.demos().iter().map(|demo| Value::Dict(demo.fields.clone())).collect();
    with_raw(json!({"config": predictor.config()}), &opened(demos, Opened::exact()))
}

/// Records alone: `{records, typed?}`.
pub(super) fn records(records: Vec<Value>, by: Opened) -> String {
    with_raw(json!({}), &opened(records, by))
}

fn opened(records: Vec<Value>, mut by: Opened) -> Vec<(&'static str, String)> {
    let mut members = vec![("records", value(&by.open(&Value::List(records))))];
    if !by.places.is_empty() {
        members.push(("typed", value(&Value::List(by.places))));
    }
    members
}

pub(super) fn spans<S: Borrow<Span>>(spans: &[S]) -> String {
    list(spans.iter().map(|span| self::span(span.borrow())))
}

/// `{usage, lmUsage}`: the sums, and what the services told by model.
pub(super) fn usage(run: &Run) -> String {
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

fn span(span: &Span) -> String {
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
        members.insert("error".to_owned(), Json::Object(described(error)));
    }
    let calls = list(span.calls.iter().map(call));
    with_raw(head, &[("inputs", object(&span.inputs)), ("outputs", object(&span.outputs)), ("calls", calls)])
}

fn call(call: &ModelCall) -> String {
    let mut messages = String::new();
    call.prompt.write_json(&mut messages);
    let mut head = Object::new();
    head.insert("model".to_owned(), call.model.as_str().into());
    head.insert("adapter".to_owned(), call.adapter.into());
    head.insert("options".to_owned(), Json::Object(call.options.clone()));
    head.insert("replies".to_owned(), call.replies.clone().into());
    head.insert("usage".to_owned(), usage_members(&call.usage));
    head.insert("startMs".to_owned(), call.start_ms.into());
    head.insert("durationMs".to_owned(), call.duration_ms.into());
    if let Some(error) = &call.error {
        head.insert("error".to_owned(), Json::Object(described(error)));
    }
    let mut raw = vec![("messages", messages)];
    if let Some(format) = &call.response_format {
        raw.push(("responseFormat", format.to_string()));
    }
    with_raw(Json::Object(head), &raw)
}

pub(super) fn value(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, JsonStyle::OneLine);
    text
}

pub(super) fn object(fields: &Map) -> String {
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
fn with_raw(head: Json, raw: &[(&str, String)]) -> String {
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
