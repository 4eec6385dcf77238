//! Runs the steps of a pipeline: each as soon as what it takes is there.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::step::{Action, Source, Step};
use super::steps::Verdict;
use super::{Outcome, Pipeline};
use crate::adapter::defang;
use crate::error::{Error, ErrorKind, Result};
use crate::example::Prediction;
use crate::lm::Usage;
use crate::run::{Event, Gate, Run};
use crate::value::{Map, Value};

/// How far a step is.
enum Progress {
    Waiting,
    Running,
    Done(Map),
    Failed,
    /// A step that it needs has failed.
    Blocked,
}

/// What a step came to.
type Ended = (usize, Result<Prediction>);

struct Schedule<'a> {
    pipeline: &'a Pipeline,
    run: &'a Run,
    inputs: Vec<Value>,
    progress: Vec<Progress>,
    /// For live steps, and for the others.
    open: Rc<Gate>,
    held: Rc<Gate>,
    usage: Usage,
    /// The first failure of a step that no guard judges.
    failure: Option<(usize, Error)>,
}

pub(super) async fn run(pipeline: &Pipeline, run: &Run, inputs: Vec<Value>) -> Result<Outcome> {
    let open = Gate::inside(run.gate(), true, pipeline.redact.clone());
    let held = Gate::inside(run.gate(), false, pipeline.redact.clone());
    let progress = pipeline.steps.iter().map(|_| Progress::Waiting).collect();
    let (usage, failure) = Default::default();
    let mut schedule = Schedule { pipeline, run, inputs, progress, open, held, usage, failure };
    let mut running = FuturesUnordered::new();
    let (fields, stopped_by) = loop {
        if let Some((guard, fields)) = schedule.start(&mut running) {
            break (fields, Some(guard));
        }
        match running.next().await {
            Some((step, result)) => schedule.ended(step, result),
            None => break (schedule.outputs()?, None),
        }
    };
    // Dropping them cancels the steps that a guard has made needless.
    drop(running);
    Ok(schedule.release(fields, stopped_by))
}

impl<'a> Schedule<'a> {
    /// Decides every guard and starts every step that can be; tells of the guard that stops the program, if one does.
    fn start(&mut self, running: &mut FuturesUnordered<LocalBoxFuture<'a, Ended>>) -> Option<(Rc<str>, Map)> {
        let mut changed = true;
        while changed {
            changed = false;
            for (i, step) in self.pipeline.steps.iter().enumerate() {
                if !matches!(self.progress.get(i), Some(Progress::Waiting)) {
                    continue;
                }
                let next = match &step.action {
                    Action::Guard(guard) => match self.settled(step, |argument| guard.requires(argument)) {
                        Settled::NotYet => continue,
                        Settled::Blocked => Progress::Blocked,
                        Settled::Given(given) => {
                            let span = self.child(step).open_span(step.action.kind());
                            span.given(given.clone());
                            let verdict = guard.decide(&given);
                            if let Verdict::Stop(fields) = verdict {
                                span.done(fields.clone());
                                return Some((Rc::clone(&step.name), fields));
                            }
                            span.done(Map::new());
                            Progress::Done(Map::new())
                        }
                    },
                    _ => match self.settled(step, |_| false) {
                        Settled::NotYet => continue,
                        Settled::Blocked => Progress::Blocked,
                        Settled::Given(_) if self.failure.is_some() && !self.some_guard_waits() => Progress::Blocked,
                        Settled::Given(given) => {
                            running.push(Box::pin(perform(i, step, self.child(step), given)));
                            Progress::Running
                        }
                    },
                };
                if let Some(progress) = self.progress.get_mut(i) {
                    *progress = next;
                    changed = true;
                }
            }
            if !self.held.is_released() && self.all_guards_passed() {
                self.held.release();
            }
        }
        None
    }

    /// The run inside a step.
    fn child(&self, step: &Step) -> Run {
        let run = self.run.clone().at_step(&step.name).behind(if step.live { &self.open } else { &self.held });
        match step.timeout_ms {
            Some(ms) => run.within_ms(ms),
            None => run,
        }
    }

    /// The arguments of a step, when all of them are settled. An argument whose own step has failed may be left out when
    /// `judged` says so.
    fn settled(&self, step: &Step, judged: impl Fn(&str) -> bool) -> Settled {
        let passed = |guard: &usize| match self.progress.get(*guard) {
            Some(Progress::Done(_)) => Ok(true),
            Some(Progress::Blocked | Progress::Failed) => Err(()),
            _ => Ok(false),
        };
        match step.after.iter().map(passed).collect::<std::result::Result<Vec<_>, ()>>() {
            Err(()) => return Settled::Blocked,
            Ok(passed) if passed.contains(&false) => return Settled::NotYet,
            Ok(_) => {}
        }
        let is_guard = matches!(step.action, Action::Guard(_));
        let (mut given, mut not_yet, mut blocked, mut missing) = (Map::new(), false, false, false);
        for wire in &step.wires {
            let value = match &wire.from {
                Source::Input(i) => self.inputs.get(*i),
                Source::Field(from, field) => match self.progress.get(*from) {
                    Some(Progress::Done(outputs)) => outputs.get(field),
                    Some(Progress::Failed) if judged(&wire.argument) => {
                        missing = true;
                        continue;
                    }
                    Some(Progress::Failed | Progress::Blocked) if is_guard && !judged(&wire.argument) => continue,
                    Some(Progress::Failed | Progress::Blocked) => {
                        blocked = true;
                        continue;
                    }
                    _ => {
                        not_yet = true;
                        continue;
                    }
                },
            };
            let mut value = value.cloned().unwrap_or(Value::None);
            if wire.untrusted && matches!(step.action, Action::Predict(_)) {
                defang::value(&mut value);
            }
            given.insert(wire.argument.clone(), value);
        }
        match () {
            // A check that has failed refuses at once, whatever else is still on its way.
            () if missing => Settled::Given(given),
            () if blocked => Settled::Blocked,
            () if not_yet => Settled::NotYet,
            () => Settled::Given(given),
        }
    }

    fn ended(&mut self, i: usize, result: Result<Prediction>) {
        let progress = match result {
            Ok(prediction) => {
                self.usage += prediction.usage;
                Progress::Done(prediction.fields)
            }
            Err(error) => {
                if !self.is_judged(i) {
                    self.failure.get_or_insert((i, error));
                }
                Progress::Failed
            }
        };
        if let Some(slot) = self.progress.get_mut(i) {
            *slot = progress;
        }
    }

    /// Whether the failure of a step means that a guard stops the program.
    fn is_judged(&self, i: usize) -> bool {
        self.pipeline.steps.iter().any(|step| match &step.action {
            Action::Guard(guard) => step.wires.iter().any(|wire| {
                matches!(&wire.from, Source::Field(from, _) if *from == i) && guard.requires(&wire.argument)
            }),
            _ => false,
        })
    }

    fn guards(&self) -> impl Iterator<Item = &Progress> {
        let steps = self.pipeline.steps.iter().zip(&self.progress);
        steps.filter(|(step, _)| matches!(step.action, Action::Guard(_))).map(|(_, progress)| progress)
    }

    fn all_guards_passed(&self) -> bool {
        self.guards().all(|progress| matches!(progress, Progress::Done(_)))
    }

    fn some_guard_waits(&self) -> bool {
        self.guards().any(|progress| matches!(progress, Progress::Waiting))
    }

    /// The outputs, when every step has ended.
    fn outputs(&self) -> Result<Map> {
        if let Some((step, error)) = &self.failure {
            let open = self.held.is_released() || self.pipeline.steps.get(*step).is_some_and(|step| step.live);
            let shown = open && self.pipeline.redact.is_none();
            return Err(if shown { error.clone() } else { error.withheld() });
        }
        let mut outputs = Map::new();
        for (name, source) in &self.pipeline.outputs {
            let value = match source {
                Source::Input(i) => self.inputs.get(*i),
                Source::Field(step, field) => match self.progress.get(*step) {
                    Some(Progress::Done(fields)) => fields.get(field),
                    _ => None,
                },
            };
            let value = value.ok_or_else(|| {
                Error::new(ErrorKind::Pipeline, "the program ended without a value for this output").at_field(name)
            })?;
            outputs.insert(name.clone(), value.clone());
        }
        Ok(outputs)
    }

    /// Redacts the outputs and tells the caller.
    fn release(&self, mut fields: Map, stopped_by: Option<Rc<str>>) -> Outcome {
        if let Some(rules) = &self.pipeline.redact {
            rules.redact_fields(&mut fields);
        }
        if self.run.is_watched() {
            self.run.tell(Event::Result { fields: fields.clone(), stopped_by: stopped_by.clone() });
        }
        Outcome { prediction: Prediction { fields, others: Vec::new(), usage: self.usage }, stopped_by }
    }
}

enum Settled {
    NotYet,
    Blocked,
    Given(Map),
}

/// Does what a step does, and records it.
async fn perform(i: usize, step: &Step, run: Run, given: Map) -> Ended {
    if let Action::Predict(asks) = &step.action {
        return (i, asks.run(&run, given).await);
    }
    let span = run.open_span(step.action.kind());
    span.given(given.clone());
    let outputs = match &step.action {
        Action::Retrieve(retrieve) => retrieve.run(&run, given).await,
        Action::Literal(literal) => Ok(literal.apply()),
        Action::Join(join) => Ok(join.apply(&given)),
        Action::Lookup(lookup) => lookup.apply(&given),
        Action::Screen(screen) => Ok(screen.apply(given)),
        Action::Sources(sources) => Ok(sources.apply(&given)),
        Action::Predict(_) | Action::Guard(_) => Ok(Map::new()),
    };
    match outputs {
        Ok(fields) => {
            span.done(fields.clone());
            (i, Ok(Prediction { fields, ..Prediction::default() }))
        }
        Err(error) => {
            let error = error.at_step(&step.name);
            span.failed(error.clone());
            (i, Err(error))
        }
    }
}
