//! Traces as Databricks keeps them for an experiment: a record (`TraceInfo`, version 3), and the spans in an artifact `traces.json`.
//!
//! Source: `mlflow/tracing/export/mlflow_v3.py` and `mlflow/entities/span.py` of MLflow 3.17.2.

use serde_json::{Map, Value as Json, json};

use super::otlp::{exception, nanoseconds, span_id};
use super::{CallRecord, LONGEST_PREVIEW, TraceSpan, beginning, token_usage};
use crate::databricks::mlflow::place::Owner;
use crate::databricks::mlflow::{Experiment, Mlflow, rfc3339};
use crate::error::Result;
use crate::json;

/// How much of the inputs and outputs the record itself holds, in characters.
const LONGEST_METADATA: usize = 250;

impl Mlflow {
    pub(super) async fn store_trace(
        &self,
        experiment: &Experiment,
        id: &str,
        call: &CallRecord,
        spans: &[TraceSpan],
    ) -> Result<()> {
        let trace_id = format!("tr-{id}");
        let root = spans.first();
        let info = info(&trace_id, experiment, call, root);
        let request = self.call("POST", "/api/3.0/mlflow/traces", "experiment", &experiment.id);
        let stored = request.json(&json!({"trace": {"trace_info": info}})).send().await?;
        let place = stored.pointer("/trace/trace_info/tags/mlflow.artifactLocation").and_then(Json::as_str);
        let place = self.place(place.unwrap_or_default(), Owner::Trace(trace_id.clone()))?;
        let spans: Vec<Json> = spans.iter().enumerate().map(|(i, span)| span_json(&trace_id, id, i, span)).collect();
        let text = json::text(&json!({"spans": spans}));
        place.put("traces.json", text.into_bytes()).await
    }
}

fn info(trace_id: &str, experiment: &Experiment, call: &CallRecord, root: Option<&TraceSpan>) -> Json {
    let (inputs, outputs) = root.map(|root| (json::text(&root.inputs), json::text(&root.outputs))).unwrap_or_default();
    let mut metadata = Map::new();
    let mut tell = |name: &str, value: String| _ = metadata.insert(name.to_owned(), value.into());
    tell("mlflow.trace_schema.version", "3".to_owned());
    tell("mlflow.traceInputs", beginning(inputs.clone(), LONGEST_METADATA));
    tell("mlflow.traceOutputs", beginning(outputs.clone(), LONGEST_METADATA));
    tell("mlflow.trace.tokenUsage", json::text(&token_usage(&call.usage())));
    let known = [
        ("mlflow.sourceRun", &call.run_id),
        ("mlflow.trace.user", &call.user),
        ("mlflow.trace.session", &call.session),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            tell(name, value.clone());
        }
    }
    let name = root.map_or(call.name.as_str(), |root| root.name.as_str());
    let mut tags = Map::from_iter([("mlflow.traceName".to_owned(), name.into())]);
    tags.extend(call.tags.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    json!({
        "trace_id": trace_id,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment.id}},
        "request_preview": beginning(inputs, LONGEST_PREVIEW),
        "response_preview": beginning(outputs, LONGEST_PREVIEW),
        "request_time": rfc3339(call.began_ms),
        "execution_duration": format!("{:.3}s", call.duration_ms / 1000.0),
        "state": call.state(),
        "trace_metadata": metadata,
        "tags": tags,
    })
}

fn span_json(trace_id: &str, id: &str, i: usize, span: &TraceSpan) -> Json {
    // Each value is JSON text of its own.
    let mut attributes = Map::new();
    let mut tell = |name: &str, value: &Json| _ = attributes.insert(name.to_owned(), json::text(value).into());
    tell("mlflow.traceRequestId", &trace_id.into());
    tell("mlflow.spanType", &span.kind.into());
    for (name, value) in [("mlflow.spanInputs", &span.inputs), ("mlflow.spanOutputs", &span.outputs)] {
        if !value.is_null() {
            tell(name, value);
        }
    }
    span.attributes.iter().for_each(|(name, value)| tell(name, value));
    let (start, end) = (nanoseconds(span.start_ms), nanoseconds(span.end_ms));
    let (status, events) = match &span.error {
        None => (json!({"code": "STATUS_CODE_OK", "message": ""}), json!([])),
        Some((code, message)) => {
            let said = Map::from_iter(exception(code, message).map(|(name, value)| (name.to_owned(), value.into())));
            let event = json!({"name": "exception", "time_unix_nano": end, "attributes": said});
            (json!({"code": "STATUS_CODE_ERROR", "message": message}), json!([event]))
        }
    };
    json!({
        "trace_id": base64_of_hex(id),
        "span_id": base64_of_hex(&span_id(i)),
        "parent_span_id": span.parent.map(|parent| base64_of_hex(&span_id(parent))),
        "name": span.name,
        "start_time_unix_nano": start,
        "end_time_unix_nano": end,
        "events": events,
        "status": status,
        "attributes": attributes,
    })
}

/// Base64 of the bytes that hex digits name.
fn base64_of_hex(hex: &str) -> String {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + *digit as u8)).collect();
    crate::databricks::auth::base64(&bytes)
}
