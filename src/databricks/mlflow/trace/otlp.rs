//! Traces as OpenTelemetry spans (OTLP over HTTP, in JSON), from which the open-source server derives all else.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/>, and `mlflow/server/otel_api.py` of MLflow 3.17.2.

use serde_json::{Value as Json, json};

use super::{CallRecord, TraceSpan};
use crate::databricks::mlflow::{Experiment, Mlflow};
use crate::error::Result;
use crate::json;

const SPAN_KIND_INTERNAL: u8 = 1;
const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;

impl Mlflow {
    pub(super) async fn send_spans(
        &self,
        experiment: &Experiment,
        id: &str,
        call: &CallRecord,
        spans: &[TraceSpan],
    ) -> Result<()> {
        let spans: Vec<Json> = spans.iter().enumerate().map(|(i, span)| span_json(id, i, span, call)).collect();
        let scope = json!({"name": "lakelet", "version": env!("CARGO_PKG_VERSION")});
        let body = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": scope, "spans": spans}]}]});
        let mut request = self
            .call("POST", "/v1/traces", "experiment", &experiment.id)
            .header("x-mlflow-experiment-id", experiment.id.clone());
        if let Some(run_id) = &call.run_id {
            request = request.header("x-mlflow-run-id", run_id.clone());
        }
        request.json(&body).whole().await.map(drop)
    }
}

/// Ids of spans are unique within their trace.
pub(super) fn span_id(i: usize) -> String {
    format!("{:016x}", i as u64 + 1)
}

pub(super) fn nanoseconds(ms: f64) -> u64 {
    (ms * 1e6) as u64
}

fn span_json(trace_id: &str, i: usize, span: &TraceSpan, call: &CallRecord) -> Json {
    // Texts that are JSON are taken as what they say, so that every value comes out as it went in.
    let text = |value: &Json| json!({"stringValue": json::text(value)});
    let mut attributes = vec![json!({"key": "mlflow.spanType", "value": {"stringValue": span.kind}})];
    for (key, value) in [("mlflow.spanInputs", &span.inputs), ("mlflow.spanOutputs", &span.outputs)] {
        if !value.is_null() {
            attributes.push(json!({"key": key, "value": text(value)}));
        }
    }
    attributes.extend(span.attributes.iter().map(|(key, value)| json!({"key": key, "value": any_value(value)})));
    if span.parent.is_none() {
        let who = [("user.id", &call.user), ("session.id", &call.session)];
        let who = who.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.as_ref()?)));
        let name = ("mlflow.traceTag.mlflow.traceName".to_owned(), &span.name);
        let tags = call.tags.iter().map(|(name, value)| (format!("mlflow.traceTag.{name}"), value));
        let named =
            tags.chain([name]).chain(who).map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
        attributes.extend(named);
    }
    let (start, end) = (nanoseconds(span.start_ms), nanoseconds(span.end_ms));
    let mut out = json!({
        "traceId": trace_id, "spanId": span_id(i), "name": span.name, "kind": SPAN_KIND_INTERNAL,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": end.to_string(), "attributes": attributes,
        "status": {"code": STATUS_OK},
    });
    if let Some(parent) = span.parent {
        out["parentSpanId"] = span_id(parent).into();
    }
    if let Some((code, message)) = &span.error {
        out["status"] = json!({"code": STATUS_ERROR, "message": message});
        let attributes =
            exception(code, message).map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
        out["events"] = json!([{"timeUnixNano": end.to_string(), "name": "exception", "attributes": attributes}]);
    }
    out
}

/// The attributes of an exception, by OpenTelemetry's conventions.
pub(super) fn exception<'a>(code: &'a str, message: &'a str) -> [(&'static str, &'a str); 2] {
    [("exception.type", code), ("exception.message", message)]
}

/// A value as OTLP has it.
fn any_value(value: &Json) -> Json {
    match value {
        Json::Null => json!({}),
        Json::Bool(truth) => json!({"boolValue": truth}),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => json!({"intValue": whole.to_string()}),
            None => json!({"doubleValue": number}),
        },
        Json::String(text) => json!({"stringValue": text}),
        Json::Array(items) => {
            json!({"arrayValue": {"values": items.iter().map(any_value).collect::<Vec<_>>()}})
        }
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| json!({"key": key, "value": any_value(value)}));
            json!({"kvlistValue": {"values": members.collect::<Vec<_>>()}})
        }
    }
}
