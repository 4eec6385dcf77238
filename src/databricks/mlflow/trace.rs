//! Traces: what one call of a program did, in the spans that MLflow shows for DSPy.

mod otlp;
mod stored;
mod tree;

use serde_json::{Map, Value as Json, json};

pub use tree::TraceSpan;

use super::{Experiment, Mlflow};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::json;
use crate::lm::Usage;
use crate::report;
use crate::run::{Run, Span};

/// The longest preview that Databricks keeps, in characters; the open-source server makes its own.
const LONGEST_PREVIEW: usize = 10_000;

/// What one call of a program did. Every door tells it as JSON, in the shape of `js/src/events.ts`.
///
/// ```
/// use lakelet::databricks::mlflow::CallRecord;
/// use lakelet::{Example, Module, Run};
/// # async fn example(program: &dyn Module, run: &Run, mlflow: &lakelet::databricks::mlflow::Mlflow) -> lakelet::Result<()> {
/// let inputs = Example::new().with("question", "How long is parental leave?");
/// let answer = program.call(run, inputs.clone()).await;
/// let experiment = mlflow.experiment("/Users/me@example.com/dspy").await?;
/// let id = mlflow.log_trace(&experiment, &CallRecord::of("assistant", run, &inputs, &answer)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallRecord {
    /// The program's name.
    pub name: String,
    /// Milliseconds since 1970 when the call began.
    pub began_ms: f64,
    pub duration_ms: f64,
    /// What the program was given, by name.
    pub inputs: Json,
    /// What it gave, by name; `null` when it failed.
    pub outputs: Json,
    /// Why it failed: `{message, code, ...}`.
    pub error: Option<Json>,
    /// What each step was given, did and gave.
    pub spans: Vec<Json>,
    /// Tags of the trace.
    pub tags: Vec<(String, String)>,
    /// The MLflow run that the call belongs to.
    pub run_id: Option<String>,
    /// Who asked, and in which conversation: what MLflow groups traces by.
    pub user: Option<String>,
    pub session: Option<String>,
}

impl CallRecord {
    /// The record of a call that has just ended: all of it, so that it may hold what the caller of the program must not see.
    pub fn of(name: &str, run: &Run, inputs: &Example, answer: &Result<Prediction>) -> Self {
        let duration_ms = run.elapsed_ms();
        let read = |text: String| json::read(&text).unwrap_or(Json::String(text));
        Self {
            name: name.to_owned(),
            began_ms: run.now_ms() - duration_ms,
            duration_ms,
            inputs: read(report::object(&inputs.fields)),
            outputs: answer.as_ref().map_or(Json::Null, |answer| read(report::object(&answer.fields))),
            error: answer.as_ref().err().map(|error| Json::Object(report::error(error))),
            spans: run.spans().iter().map(|span| told(span)).collect(),
            ..Self::default()
        }
    }

    /// Reads a record: `{name, beganMs, durationMs, inputs, outputs?, error?, spans, tags?, runId?, user?, session?}`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the member that is missing or wrong.
    pub fn read(record: &Json) -> Result<Self> {
        let wrong = |name: &str, what: &str| {
            Error::new(ErrorKind::Input, format!("`{name}` of the record of a call must be {what}")).at_field(name)
        };
        let number = |name: &str| record.get(name).and_then(Json::as_f64).ok_or_else(|| wrong(name, "a number"));
        let text = |name: &str| record.get(name).and_then(Json::as_str).map(str::to_owned);
        let value = |name: &str| record.get(name).filter(|value| !value.is_null()).cloned();
        let tags = value("tags").unwrap_or_else(|| json!({}));
        let tags = tags.as_object().ok_or_else(|| wrong("tags", "an object"))?;
        let spans = record.get("spans").and_then(Json::as_array).ok_or_else(|| wrong("spans", "a list"))?;
        Ok(Self {
            name: text("name").ok_or_else(|| wrong("name", "a text"))?,
            began_ms: number("beganMs")?,
            duration_ms: number("durationMs")?,
            inputs: value("inputs").unwrap_or_else(|| json!({})),
            outputs: value("outputs").unwrap_or_default(),
            error: value("error"),
            spans: spans.clone(),
            tags: tags.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
            run_id: text("runId"),
            user: text("user"),
            session: text("session"),
        })
    }

    /// The tokens of all model calls.
    fn usage(&self) -> Usage {
        let calls = self.spans.iter().filter_map(|span| span.get("calls")?.as_array()).flatten();
        let mut total = Usage::default();
        calls.for_each(|call| total += tree::usage(call));
        total
    }

    fn state(&self) -> &'static str {
        if self.error.is_some() { "ERROR" } else { "OK" }
    }
}

/// A span as JSON. One with numbers that JSON lacks is told without its contents.
fn told(span: &Span) -> Json {
    let text = |span: &Span| report::spans(&[span], report::error);
    let first = |text: String| json::read(text).ok().and_then(|mut spans| spans.get_mut(0).map(Json::take));
    let bare = || Span { inputs: Default::default(), outputs: Default::default(), calls: Vec::new(), ..span.clone() };
    first(text(span)).or_else(|| first(text(&bare()))).unwrap_or_default()
}

/// A text as it is, anything else as JSON text.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| json::text(value), str::to_owned)
}

/// `{input_tokens, output_tokens, total_tokens, cache_read_input_tokens?}`.
fn token_usage(usage: &Usage) -> Json {
    let mut tokens = json!({
        "input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens, "total_tokens": usage.total_tokens,
    });
    if usage.cached_tokens > 0 {
        tokens["cache_read_input_tokens"] = usage.cached_tokens.into();
    }
    tokens
}

/// The random id of a trace: 16 bytes, in hex digits.
fn new_id(mlflow: &Mlflow) -> String {
    let clock = &mlflow.workspace.host.clock;
    let part = || (clock.random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}{:08x}", part(), part(), part(), part() | 1)
}

impl Mlflow {
    /// Logs what a call of a program did as a trace, and gives its id (`tr-…`): to the open-source server as OTLP spans, which it
    /// derives all else from, and to Databricks as the record of a trace with its spans beside it.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn log_trace(&self, experiment: &Experiment, call: &CallRecord) -> Result<String> {
        let id = new_id(self);
        let spans = tree::spans(call);
        if experiment.is_databricks() {
            self.store_trace(experiment, &id, call, &spans).await?;
        } else {
            self.send_spans(experiment, &id, call, &spans).await?;
        }
        Ok(format!("tr-{id}"))
    }

    /// Adds what somebody thinks of a trace: `value` is true, false, a number or a text. `source` is who says so: `CODE` with the
    /// name of a metric, `HUMAN` with that of a person, `LLM_JUDGE` with that of a model.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn log_feedback(&self, trace_id: &str, name: &str, value: &Json, source: (&str, &str)) -> Result<()> {
        let assessment = json!({
            "assessment_name": name, "trace_id": trace_id, "feedback": {"value": value},
            "source": {"source_type": source.0, "source_id": source.1},
        });
        let path = format!("/api/3.0/mlflow/traces/{}/assessments", crate::http::url::segment(trace_id)?);
        self.call("POST", &path, "trace", trace_id).json(&json!({"assessment": assessment})).send().await.map(drop)
    }
}

/// The beginning of a text, so many characters of it.
fn beginning(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some(_) => text.chars().take(longest.saturating_sub(3)).chain("...".chars()).collect(),
    }
}

/// The members of an object; none of anything else.
fn members(value: &Json) -> Map<String, Json> {
    value.as_object().cloned().unwrap_or_default()
}
