//! Metrics of the caller's.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use serde_json::json;
use wasm_bindgen::prelude::*;

use super::callback;
use super::custom::Opened;
use super::errors::answered;
use super::records;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::metric::{Metric, NamedCall};
use crate::report;
use crate::run::{Run, Span};
use crate::value::Value;

/// A function from JSON text to a promise of `{score}`, a record. The text has `records`: the example, the prediction and, where there is a
/// trace, inputs and outputs of each of its calls; with the paths of their predictors as `trace`. Where a call of a predictor is to be
/// judged, it stands behind them, and its predictor is named as `predictor`.
pub(super) struct JsMetric(pub Function);

impl JsMetric {
    async fn ask(
        &self,
        example: &Example,
        prediction: &Prediction,
        trace: Option<&[Rc<Span>]>,
        call: Option<NamedCall<'_>>,
    ) -> Result<Value> {
        let given = match trace {
            None => callback::given(&[&example.fields, &prediction.fields], Opened::plain()),
            Some(trace) => traced(example, prediction, trace, call).into(),
        };
        let answer = answered(self.0.call1(&JsValue::NULL, &given)).await;
        let mut record =
            answer.and_then(|answer| callback::record(&answer)).map_err(|error| error.at_field("metric"))?;
        Ok(record.swap_remove("score").unwrap_or(Value::None))
    }
}

fn traced(example: &Example, prediction: &Prediction, trace: &[Rc<Span>], call: Option<NamedCall<'_>>) -> String {
    let paths: Vec<&str> = trace.iter().map(|span| span.path.as_deref().unwrap_or(&span.name)).collect();
    let calls = trace.iter().chain(call.map(|call| call.span)).flat_map(|span| [&span.inputs, &span.outputs]);
    let fields = [&example.fields, &prediction.fields].into_iter().chain(calls);
    let members = records::opened(fields.map(|fields| Value::Dict(fields.clone())).collect(), Opened::plain());
    report::with_raw(json!({"trace": paths, "predictor": call.map(|call| call.predictor)}), &members)
}

impl Metric for JsMetric {
    fn score<'a>(
        &'a self,
        _run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(self.ask(example, prediction, trace, None))
    }

    fn feedback<'a>(
        &'a self,
        _run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: &'a [Rc<Span>],
        call: NamedCall<'a>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(self.ask(example, prediction, Some(trace), Some(call)))
    }
}
