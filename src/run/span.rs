//! The record of one step.

use std::rc::Rc;

use serde_json::Value as Json;

use super::{Event, Progress, Run, Stage};
use crate::error::{Error, Result};
use crate::json;
use crate::lm::{Prompt, Usage};
use crate::screen::Rules;
use crate::value::Map;

/// How far a step got.
#[derive(Clone, Debug)]
pub enum Status {
    Running,
    Done,
    Failed(Error),
    /// The step was abandoned: the caller went away, or a guard had decided.
    Cancelled,
}

/// What one step was given, did and gave back.
#[derive(Clone, Debug)]
pub struct Span {
    /// The position in the run's record.
    pub id: usize,
    /// The span that it is a part of; it stands before it in the record.
    pub parent: Option<usize>,
    /// The predictor that was called, by its [`Predict::id`](crate::Predict::id).
    pub predictor: Option<usize>,
    /// The path of that predictor, when a [`Variant`](crate::module::Variant) of a program was called.
    pub path: Option<Rc<str>>,
    /// The step's name in its program.
    pub name: Rc<str>,
    /// `predict`, `chain_of_thought`, `retrieve`, `guard` ...
    pub kind: &'static str,
    /// Milliseconds after the run began.
    pub start_ms: f64,
    pub duration_ms: f64,
    pub inputs: Map,
    pub outputs: Map,
    /// The model calls, in order: more than one when the first reply could not be read.
    pub calls: Vec<ModelCall>,
    pub status: Status,
    /// Contents are left out: they may not be shown.
    pub withheld: bool,
    /// A try that led to nothing, or to less than another one: see [`Run::trace`].
    pub discarded: bool,
}

/// One request to a model, and what came back.
#[derive(Clone, Debug)]
pub struct ModelCall {
    /// The model that was asked, or the version that answered.
    pub model: String,
    /// The name that the model was asked by: an endpoint's, of several that of the one that answered.
    pub endpoint: String,
    /// DSPy's name of the adapter.
    pub adapter: &'static str,
    /// The messages exactly as sent.
    pub prompt: Prompt,
    /// `response_format` exactly as sent.
    pub response_format: Option<Rc<str>>,
    /// The other parameters of the request.
    pub options: serde_json::Map<String, Json>,
    /// The texts that came back.
    pub replies: Vec<String>,
    pub usage: Usage,
    /// Milliseconds after the run began.
    pub start_ms: f64,
    pub duration_ms: f64,
    /// Why the call, or reading its reply, failed.
    pub error: Option<Error>,
}

impl Span {
    pub(super) fn begin(id: usize, name: Rc<str>, kind: &'static str, start_ms: f64) -> Self {
        Self {
            id,
            parent: None,
            predictor: None,
            path: None,
            name,
            kind,
            start_ms,
            duration_ms: 0.0,
            inputs: Map::new(),
            outputs: Map::new(),
            calls: Vec::new(),
            status: Status::Running,
            withheld: false,
            discarded: false,
        }
    }

    /// The span without anything that a step was given, did or gave: only that it ran, how long, and how it ended.
    pub(super) fn withheld(&self) -> Self {
        let status = match &self.status {
            Status::Failed(error) => Status::Failed(error.withheld()),
            other => other.clone(),
        };
        let (name, kind) = (Rc::clone(&self.name), self.kind);
        Self {
            parent: self.parent,
            duration_ms: self.duration_ms,
            status,
            withheld: true,
            discarded: self.discarded,
            ..Self::begin(self.id, name, kind, self.start_ms)
        }
    }

    /// The span with everything in it redacted that data, users or models wrote.
    pub(super) fn redacted(&self, rules: &Rules) -> Self {
        let mut span = self.clone();
        rules.redact_fields(&mut span.inputs);
        rules.redact_fields(&mut span.outputs);
        if let Status::Failed(error) = &mut span.status {
            *error = error.withheld();
        }
        for call in &mut span.calls {
            call.redact(rules);
        }
        span
    }

    /// The tokens of its own model calls.
    pub fn usage(&self) -> Usage {
        let mut total = Usage::default();
        for call in &self.calls {
            total += call.usage;
        }
        total
    }
}

impl ModelCall {
    /// The prefix stays: the program's author wrote it.
    fn redact(&mut self, rules: &Rules) {
        let tail = redact_json(&format!("[{}]", self.prompt.tail), rules);
        self.prompt.tail =
            tail.strip_prefix('[').and_then(|tail| tail.strip_suffix(']')).unwrap_or_default().to_owned();
        self.response_format = self.response_format.take().map(|format| redact_json(&format, rules).into());
        for reply in &mut self.replies {
            *reply = rules.redact(reply).into_owned();
        }
        self.error = self.error.take().map(|error| error.withheld());
    }
}

/// JSON text with every text in it redacted.
fn redact_json(text: &str, rules: &Rules) -> String {
    fn redact(json: &mut Json, rules: &Rules) {
        match json {
            Json::String(text) => *text = rules.redact(text).into_owned(),
            Json::Array(items) => items.iter_mut().for_each(|item| redact(item, rules)),
            Json::Object(members) => members.values_mut().for_each(|member| redact(member, rules)),
            _ => {}
        }
    }
    let mut json = json::read(text).unwrap_or(Json::Null);
    redact(&mut json, rules);
    json::text(&json)
}

/// A step that runs. Dropped before [`OpenSpan::done`] or [`OpenSpan::failed`], the step counts as cancelled.
pub struct OpenSpan {
    run: Run,
    id: usize,
    name: Rc<str>,
    closed: bool,
}

impl OpenSpan {
    pub(super) fn begin(run: Run, span: &Span) -> Self {
        let Span { id, parent, kind, start_ms: at_ms, .. } = *span;
        run.tell(Event::Started { id, parent, step: Rc::clone(&span.name), kind, at_ms });
        Self { run, id, name: Rc::clone(&span.name), closed: false }
    }

    /// The step's name.
    pub fn name(&self) -> &Rc<str> {
        &self.name
    }

    /// The position of the span in the run's record.
    pub fn id(&self) -> usize {
        self.id
    }

    /// Records what the step was given.
    pub fn given(&self, inputs: Map) {
        self.run.change_span(self.id, |span| span.inputs = inputs);
    }

    /// Does a part of a model call, and tells that it starts and ends. `name` is the model's or the adapter's.
    pub async fn stage<T>(&self, stage: Stage, name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        if !self.run.is_watched() {
            return work.await;
        }
        let calls = self.run.span(self.id).map_or(0, |span| span.calls.len());
        // Messages are made before the call is recorded.
        let call = if stage == Stage::Format { calls } else { calls.saturating_sub(1) };
        let tell = |progress| {
            let (id, step, at_ms) = (self.id, Rc::clone(&self.name), self.run.elapsed_ms());
            self.run.tell(Event::Stage { id, step, call, stage, progress, name: name.into(), at_ms });
        };
        tell(Progress::Started);
        let result = work.await;
        tell(if result.is_ok() { Progress::Done } else { Progress::Failed });
        result
    }

    /// Records a model call that goes out.
    pub fn called(&self, call: ModelCall) {
        self.run.change_span(self.id, |span| span.calls.push(call));
    }

    /// Records what the last model call came to.
    pub fn answered(&self, change: impl FnOnce(&mut ModelCall)) {
        self.run.change_span(self.id, |span| {
            if let Some(call) = span.calls.last_mut() {
                change(call);
            }
        });
    }

    /// Says which predictor was called.
    pub fn of_predictor(&self, id: usize) {
        let path = self.run.path_of(id);
        self.run.change_span(self.id, |span| (span.predictor, span.path) = (Some(id), path));
    }

    /// The tokens so far: of its model calls, and of those of the steps inside it.
    pub fn usage(&self) -> Usage {
        let mut total = Usage::default();
        self.run.tree(Some(self.id), |_| true).iter().for_each(|span| total += span.usage());
        total
    }

    /// The calls of predictors inside the step that led to its result; as [`Run::trace`].
    pub fn trace(&self) -> Vec<Rc<Span>> {
        self.run.trace_of(Some(self.id))
    }

    /// The step gave `outputs`.
    pub fn done(mut self, outputs: Map) {
        self.close(Status::Done, outputs);
    }

    /// The step failed.
    pub fn failed(mut self, error: Error) {
        self.close(Status::Failed(error), Map::new());
    }

    fn close(&mut self, status: Status, outputs: Map) {
        self.closed = true;
        let now = self.run.elapsed_ms();
        self.run.change_span(self.id, |span| {
            span.duration_ms = now - span.start_ms;
            span.outputs = outputs;
            span.status = status;
        });
        if self.run.is_watched()
            && let Some(span) = self.run.span(self.id)
        {
            self.run.tell(Event::Finished(span));
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if !self.closed {
            let now = self.run.elapsed_ms();
            self.run.change_span(self.id, |span| {
                span.duration_ms = now - span.start_ms;
                span.status = Status::Cancelled;
            });
        }
    }
}
