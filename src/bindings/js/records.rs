//! Outcomes on their way out: records, in which values of DSPy's own types are objects of their attributes.

use serde_json::json;

use super::custom::Opened;
use crate::example::Prediction;
use crate::module::Predict;
use crate::report::{value, with_raw};
use crate::value::Value;

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

/// The members `records` and maybe `typed`, as JSON text.
pub(super) fn opened(records: Vec<Value>, mut by: Opened) -> Vec<(&'static str, String)> {
    let mut members = vec![("records", value(&by.open(&Value::List(records))))];
    if !by.places.is_empty() {
        members.push(("typed", value(&Value::List(by.places))));
    }
    members
}
