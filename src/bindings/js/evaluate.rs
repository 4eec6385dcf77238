//! Evaluations, with metrics of the caller's.

use js_sys::{Function, Promise};
use serde_json::{Value as Json, json};
use wasm_bindgen::prelude::*;

use super::custom::Opened;
use super::errors::thrown;
use super::inner::Inner;
use super::options::Options;
use super::program::example;
use super::records;
use super::run::Run;
use super::scoring::JsMetric;
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::{Evaluate, Evaluation, Progress, Row};
use crate::example::Example;
use crate::json;
use crate::metric::{Judge, Metric};
use crate::report;
use crate::value::Value;

#[wasm_bindgen]
impl Run {
    /// Starts an evaluation: `{devset, inputs, optional?, concurrency?, maxErrors?, failureScore?}`. The metric is a function from an
    /// example and a prediction to a promise of `{score}`, a record, or else a judge. `watch` is called with the progress as JSON text.
    /// The promise is of `{score, margin, failed, durationMs, latencyMs, rows, records, typed?, error?}`; the records are the predictions, the error is what ended it.
    pub fn evaluate(
        &self,
        program: Inner,
        metric: Option<Function>,
        judge: Option<Inner>,
        watch: Option<Function>,
        length: usize,
    ) -> std::result::Result<Promise, JsValue> {
        let read = Options::read(length).and_then(|options| Ok((settings(&options)?, examples(&options, "devset")?)));
        let (evaluate, devset) = read.map_err(|error| thrown(&error))?;
        let run = self.step(None);
        Ok(self.start(async move {
            let metric: Box<dyn Metric> = match (metric, judge) {
                (Some(function), _) => Box::new(JsMetric(function)),
                (None, Some(judge)) => Box::new(Judge(judge)),
                (None, None) => return Err(Error::new(ErrorKind::Config, "there is no metric").at_field("metric")),
            };
            let watch = |progress: &Progress| {
                if let Some(watch) = &watch {
                    // A listener that throws must not stop the evaluation.
                    let _ = watch.call1(&JsValue::NULL, &JsValue::from_str(&told(progress)));
                }
            };
            Ok(outcome(evaluate.run(&run, &program, &devset, &*metric, watch).await?))
        }))
    }
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

/// The examples in an option; they may lack what is optional.
pub(super) fn examples(options: &Options, name: &str) -> Result<Vec<Example>> {
    let (inputs, optional) = (options.texts("inputs")?, options.texts("optional")?);
    let row = |row: &Value| {
        let row = example(row).map_err(|error| error.at_field(name))?;
        let given = optional.iter().filter(|name| row.get(name).is_some());
        let inputs: Vec<&str> = inputs.iter().chain(given).copied().collect();
        Ok(row.with_inputs(&inputs))
    };
    options.list(name)?.iter().map(row).collect()
}

fn told(progress: &Progress) -> String {
    let Progress { row, done, total, failed, score, elapsed_ms, .. } = progress;
    let head = json!({
        "row": row, "done": done, "total": total, "failed": failed, "score": score,
        "elapsedMs": elapsed_ms, "leftMs": progress.left_ms(), "perSecond": progress.per_second(),
    });
    report::with_raw(head, &described(progress.error.as_ref()))
}

/// An evaluation without its rows.
pub(super) fn summary(evaluation: &Evaluation) -> Json {
    let latency = |share| evaluation.latency_ms(share);
    json!({
        "score": evaluation.score, "margin": evaluation.margin(), "failed": evaluation.failed, "durationMs": evaluation.duration_ms,
        "latencyMs": {"p50": latency(0.5), "p95": latency(0.95), "p99": latency(0.99)},
    })
}

fn outcome(evaluation: Evaluation) -> String {
    let head = summary(&evaluation);
    let stopped_by = described(evaluation.stopped_by.as_ref());
    let rows = evaluation.rows.iter().map(told_row).collect::<Vec<_>>().join(",");
    let predictions = evaluation.rows.into_iter().map(|row| Value::Dict(row.prediction.fields)).collect();
    let mut members = records::opened(predictions, Opened::plain());
    members.push(("rows", ["[", &rows, "]"].concat()));
    members.extend(stopped_by);
    report::with_raw(head, &members)
}

fn told_row(row: &Row) -> String {
    let score = match &row.score {
        Value::Dict(fields) => fields.get("score").unwrap_or(&Value::None),
        score => score,
    };
    let mut members = described(row.error.as_ref());
    members.push(("score", report::value(score)));
    report::with_raw(json!({"latencyMs": row.latency_ms}), &members)
}

/// The member `error`, when there is one.
pub(super) fn described(error: Option<&Error>) -> Vec<(&'static str, String)> {
    error.map(|error| ("error", json::text(&Json::Object(report::error(error))))).into_iter().collect()
}
