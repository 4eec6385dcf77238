//! Evaluations, with metrics of the caller's.

use js_sys::{Function, Promise};
use serde_json::{Value as Json, json};
use wasm_bindgen::prelude::*;

use super::custom::Opened;
use super::errors::thrown;
use super::examples::Devset;
use super::inner::Inner;
use super::options::Options;
use super::records;
use super::run::Run;
use super::scoring::JsMetric;
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::{Comparison, Evaluate, Evaluation, Progress, Row, compare};
use crate::json;
use crate::metric::{self, Judge, Metric};
use crate::python;
use crate::report;
use crate::value::Value;

#[wasm_bindgen]
impl Run {
    /// Starts an evaluation: `{inputs, optional?, total?, concurrency?, maxErrors?, failureScore?}`.
    ///
    /// `example` gives the examples, as [`Devset`] says; where there is a `total`, all are looked at before the first call. The metric is
    /// a function from an example and a prediction to a promise of `{score}`, a record, or else a judge. `ended` is called with each row
    /// as JSON text: `{progress, score, latencyMs, records, typed?, error?}`; the record is the prediction. The promise is of `{score,
    /// margin, failed, durationMs, latencyMs, error?}`, the error being what ended it before its end.
    pub fn evaluate(
        &self,
        program: Inner,
        metric: Option<Function>,
        judge: Option<Inner>,
        example: Function,
        ended: Function,
        length: usize,
    ) -> std::result::Result<Promise, JsValue> {
        let options = Options::read(length).map_err(|error| thrown(&error))?;
        let run = self.step(None);
        Ok(self.start(async move {
            let (evaluate, total) = (settings(&options)?, options.count("total")?.map(|total| total as usize));
            let devset = Devset::of(example, &options)?;
            devset.check(total.unwrap_or_default())?;
            let metric: Box<dyn Metric> = match (metric, judge) {
                (Some(function), _) => Box::new(JsMetric(function)),
                (None, Some(judge)) => Box::new(Judge(judge)),
                (None, None) => return Err(Error::new(ErrorKind::Config, "there is no metric").at_field("metric")),
            };
            let ended = |row: Row, progress: &Progress| {
                // A listener that throws must not stop the evaluation.
                let _ = ended.call1(&JsValue::NULL, &JsValue::from_str(&told(row, progress)));
            };
            let evaluation = evaluate.each(&run, &program, devset.stream(), total, &*metric, ended).await?;
            Ok(report::with_raw(summary(&evaluation), &described(evaluation.stopped_by.as_ref())))
        }))
    }
}

/// Compares two programs by their scores on the same examples, `null` where there is none: `{first, second, seed?}`. It gives `{count,
/// better, worse, difference, margin, pValue}` as JSON text.
#[wasm_bindgen(js_name = compare)]
pub fn compared(length: usize) -> std::result::Result<String, JsValue> {
    let compared = Options::read(length).and_then(|options| {
        compare(&points(&options, "first")?, &points(&options, "second")?, options.integer("seed")?.unwrap_or(0).into())
    });
    let Comparison { count, better, worse, difference, margin, p_value } = compared.map_err(|error| thrown(&error))?;
    Ok(json::text(&json!({
        "count": count, "better": better, "worse": worse, "difference": difference, "margin": margin, "pValue": p_value,
    })))
}

/// What DSPy's `Evaluate` would write to a file: of `{values}` a line of CSV, or of a record its JSON as `json.dumps` has it; else, of
/// `{values}`, their texts one by one, as a list in JSON.
#[wasm_bindgen]
pub fn written(form: &str, length: usize) -> std::result::Result<String, JsValue> {
    let text = || {
        let options = Options::read(length)?;
        Ok(match form {
            "csv" => python::csv_line(options.list("values")?),
            "json" => json::dumps(&Json::Object(options.into_json())),
            _ => json::text(&options.list("values")?.iter().map(python::str_of).collect()),
        })
    };
    text().map_err(|error: Error| thrown(&error))
}

fn points(options: &Options, name: &str) -> Result<Vec<f64>> {
    let number = |(place, score): (usize, &Value)| match score {
        Value::None => Ok(f64::NAN),
        score => metric::number(score).map_err(|_| {
            let message = format!("result {place} of the {name} evaluation has no score");
            Error::new(ErrorKind::Input, message).at_field("results").with_hint("give what evaluate() resolved to")
        }),
    };
    options.list(name)?.iter().enumerate().map(number).collect()
}

fn settings(options: &Options) -> Result<Evaluate> {
    let mut evaluate = Evaluate::default();
    let parallel = &mut evaluate.parallel;
    for (name, number) in [("concurrency", &mut parallel.num_threads), ("maxErrors", &mut parallel.max_errors)] {
        *number = options.count(name)?.map_or(*number, |count| count as usize);
    }
    evaluate.failure_score = options.number("failureScore")?.unwrap_or(evaluate.failure_score);
    Ok(evaluate)
}

/// An evaluation without its rows.
pub(super) fn summary(evaluation: &Evaluation) -> Json {
    let latency = |share| evaluation.latency_ms(share);
    json!({
        "score": evaluation.score, "margin": evaluation.margin(), "failed": evaluation.failed, "durationMs": evaluation.duration_ms,
        "latencyMs": {"p50": latency(0.5), "p95": latency(0.95), "p99": latency(0.99)},
    })
}

fn told(row: Row, progress: &Progress) -> String {
    let score = match &row.score {
        Value::Dict(fields) => fields.get("score").unwrap_or(&Value::None),
        score => score,
    };
    let mut members = vec![("score", report::value(score))];
    members.extend(described(row.error.as_ref()));
    members.extend(records::opened(vec![Value::Dict(row.prediction.fields)], Opened::plain()));
    let Progress { row: place, done, total, failed, score, elapsed_ms, .. } = progress;
    let progress = json!({
        "row": place, "done": done, "total": total, "failed": failed, "score": score, "elapsedMs": elapsed_ms,
        "leftMs": progress.left_ms(), "perSecond": progress.per_second(),
    });
    report::with_raw(json!({"progress": progress, "latencyMs": row.latency_ms}), &members)
}

/// The member `error`, when there is one.
pub(super) fn described(error: Option<&Error>) -> Vec<(&'static str, String)> {
    error.map(|error| ("error", json::text(&Json::Object(report::error(error))))).into_iter().collect()
}
