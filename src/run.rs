//! One call of a program: what it may reach, how long it may take, and the record of what it did.
//!
//! A [`Run`] is handed down from module to module. It finds models and retrievers by name, keeps the deadline, records a
//! [`Span`] for every step, and tells the caller what happens as [`Event`]s. What the caller may see of it is decided by
//! a [`Gate`]: a pipeline closes the gate of the steps that a check has still to approve.

mod budget;
mod event;
mod failures;
mod gate;
mod span;
mod status;

pub use budget::{Budget, Price, Spent, Stop};
pub use event::{Event, Progress, Stage};
pub use gate::Gate;
pub use span::{ModelCall, OpenSpan, Span, Status};
pub use status::{StatusMessages, with_status};

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::cache::{Journal, Journaled};
use crate::error::{Error, ErrorKind, Result};
use crate::lm::{LanguageModel, Usage, UsageByModel};
use crate::module::Predict;
use crate::nearest::offer;
use crate::retrieve::Retriever;
use crate::time::Clock;
use budget::{Metered, Purse};
use failures::Failures;

/// Who is told of events while a program runs.
pub type Sink = Rc<dyn Fn(Event)>;

/// What programs may reach. Programs name models and retrievers; only the host knows what stands behind the names.
#[derive(Clone)]
pub struct Services {
    pub clock: Rc<dyn Clock>,
    /// Models by name; the first one serves the steps that name none.
    pub models: IndexMap<String, Rc<dyn LanguageModel>>,
    /// Retrievers by name; the first one serves the steps that name none.
    pub retrievers: IndexMap<String, Rc<dyn Retriever>>,
}

impl Services {
    /// No model and no retriever yet.
    pub fn new(clock: Rc<dyn Clock>) -> Self {
        Self { clock, models: IndexMap::new(), retrievers: IndexMap::new() }
    }

    /// With one more model.
    pub fn with_model(mut self, name: &str, model: Rc<dyn LanguageModel>) -> Self {
        self.models.insert(name.to_owned(), model);
        self
    }

    /// With one more retriever.
    pub fn with_retriever(mut self, name: &str, retriever: Rc<dyn Retriever>) -> Self {
        self.retrievers.insert(name.to_owned(), retriever);
        self
    }
}

/// What one call carries. Cloning is cheap; the clones share the record.
#[derive(Clone)]
pub struct Run {
    record: Rc<Record>,
    gate: Rc<Gate>,
    step: Rc<str>,
    /// The span that this part of the run happens in.
    parent: Option<usize>,
    deadline_ms: Option<f64>,
    lm_settings: Rc<serde_json::Map<String, Json>>,
    hints: Option<Rc<[(usize, String)]>>,
    stand_ins: Rc<[StandIn]>,
    model: Option<Rc<str>>,
    purses: Rc<[Rc<Purse>]>,
    journal: Option<Journal>,
    failures: Rc<Failures>,
}

/// A predictor that is asked in the place of another one.
#[derive(Clone)]
pub(crate) struct StandIn {
    /// The other one, by its [`Predict::id`](crate::Predict::id).
    pub of: usize,
    /// Where it stands in its program.
    pub path: Rc<str>,
    pub predict: Rc<Predict>,
}

struct Record {
    services: Rc<Services>,
    begun_ms: f64,
    spans: RefCell<Vec<Rc<Span>>>,
    gates: RefCell<Vec<Rc<Gate>>>,
    usage: RefCell<UsageByModel>,
    /// The tokens of runs apart from this one.
    used_apart: Cell<Usage>,
    /// What answers from a journal took when they were asked for.
    replayed_ms: Rc<Cell<f64>>,
}

impl Run {
    /// A run that nobody watches.
    pub fn new(services: Rc<Services>) -> Self {
        Self::begin(services, None)
    }

    /// A run whose events go to `sink`. Models that can stream do so.
    pub fn watched(services: Rc<Services>, sink: Sink) -> Self {
        Self::begin(services, Some(sink))
    }

    fn begin(services: Rc<Services>, sink: Option<Sink>) -> Self {
        let begun_ms = services.clock.now_ms();
        let (spans, gates, usage, used_apart, replayed_ms) = Default::default();
        let record = Record { services, begun_ms, spans, gates, usage, used_apart, replayed_ms };
        let (record, gate) = (Rc::new(record), Rc::new(Gate::open(sink)));
        let (parent, deadline_ms, lm_settings, hints, stand_ins, model) = Default::default();
        let (purses, journal, failures) = Default::default();
        let step = "".into();
        Self {
            record,
            gate,
            step,
            parent,
            deadline_ms,
            lm_settings,
            hints,
            stand_ins,
            model,
            purses,
            journal,
            failures,
        }
    }

    /// A run for one of many calls, with the same services and settings: nobody watches it, and its record goes when it does.
    /// What it used is added with [`Run::add_usage_of`]. The deadline is for the calls together, and stays here.
    pub fn apart(&self) -> Self {
        let Self { record, gate, parent, deadline_ms, .. } = Self::begin(Rc::clone(&self.record.services), None);
        Self { record, gate, parent, deadline_ms, ..self.clone() }
    }

    /// Adds what a run [apart](Run::apart) from this one has used.
    pub fn add_usage_of(&self, apart: &Self) {
        let mut total = self.record.used_apart.get();
        total += apart.usage();
        self.record.used_apart.set(total);
        for (model, reported) in apart.record.usage.borrow().models() {
            self.used(model, reported);
        }
    }

    /// The same run, to be ended in `ms` milliseconds at the latest; an earlier deadline stays.
    pub fn within_ms(mut self, ms: f64) -> Self {
        let end = self.now_ms() + ms;
        self.deadline_ms = Some(self.deadline_ms.map_or(end, |earlier| earlier.min(end)));
        self
    }

    /// The same run, which may spend no more than that, nor more than it might before.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when the budget allows nothing.
    pub fn within_budget(mut self, budget: Budget) -> Result<Self> {
        let purse = Purse::new(budget, Rc::clone(&self.record.services.clock))?;
        self.purses = self.purses.iter().cloned().chain([Rc::new(purse)]).collect();
        Ok(self)
    }

    /// What was spent of the budget that was given last.
    pub fn spent(&self) -> Option<Spent> {
        self.purses.last().map(|purse| purse.spent())
    }

    /// The same run, with the answers of models written down in a journal, and taken from it when they are there.
    pub fn recorded_in(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// The same run, with parameters laid over the defaults of every model that it asks, as a copy of DSPy's `lm` has them:
    /// what a predictor is configured with stands above them. `rollout_id` keeps calls apart that are the same otherwise.
    pub fn with_lm_settings(mut self, settings: serde_json::Map<String, Json>) -> Self {
        Rc::make_mut(&mut self.lm_settings).extend(settings);
        self
    }

    /// The same run, with advice for predictors, which are named by their [`Predict::id`](crate::Predict::id). Every predictor
    /// is shown an input `hint_`; the ones that are not named find `N/A` there.
    pub fn with_hints(mut self, hints: Option<Vec<(usize, String)>>) -> Self {
        self.hints = hints.map(Rc::from);
        self
    }

    /// The same run, with predictors that are asked in the place of others.
    pub(crate) fn with_stand_ins(mut self, stand_ins: impl Iterator<Item = StandIn>) -> Self {
        self.stand_ins = self.stand_ins.iter().cloned().chain(stand_ins).collect();
        self
    }

    /// The same run, in which predictors that name no model ask this one, if it is named.
    pub fn with_model(mut self, name: Option<&str>) -> Self {
        self.model = name.map(Rc::from).or(self.model);
        self
    }

    /// The same run, for another try of the same calls: at the temperature 1.0, and past all caches.
    pub fn with_rollout(self, id: i64) -> Self {
        let settings = [("rollout_id", json!(id)), ("temperature", json!(1.0))];
        self.with_lm_settings(settings.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    }

    /// The same run, inside a step of that name.
    pub fn at_step(mut self, step: &Rc<str>) -> Self {
        self.step = Rc::clone(step);
        self
    }

    /// The same run, in the part of that name inside the step that runs.
    pub fn part(mut self, name: &str) -> Self {
        let between = if self.step.is_empty() { "" } else { "." };
        self.step = [&*self.step, between, name].concat().into();
        self
    }

    /// The same run, inside the step that `span` records.
    pub fn inside(&self, span: &OpenSpan) -> Self {
        Self { parent: Some(span.id()), ..self.clone() }
    }

    /// The same run, with what happens in it shown through another gate.
    pub fn behind(mut self, gate: &Rc<Gate>) -> Self {
        self.gate = Rc::clone(gate);
        self
    }

    /// The name of the step that runs; empty outside of any.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// The error, with the name of the step that runs.
    pub(crate) fn located(&self, error: Error) -> Error {
        if self.step.is_empty() { error } else { error.at_step(&self.step) }
    }

    /// What decides what the caller sees of this part of the run.
    pub fn gate(&self) -> &Rc<Gate> {
        &self.gate
    }

    /// When the caller stops waiting, on the host's clock.
    pub fn deadline_ms(&self) -> Option<f64> {
        self.deadline_ms
    }

    /// The parameters that lie over the defaults of every model.
    pub fn lm_settings(&self) -> &serde_json::Map<String, Json> {
        &self.lm_settings
    }

    /// What a predictor is to be shown as `hint_`, if anything.
    pub fn hint(&self, predictor: usize) -> Option<&str> {
        let hint = self.hints.as_ref()?.iter().find(|(id, _)| *id == predictor);
        Some(hint.map_or("N/A", |(_, hint)| hint))
    }

    /// The predictor that is asked in the place of another one, if any. It may have a stand-in itself.
    pub(crate) fn stand_in(&self, predictor: usize) -> Option<&Predict> {
        let next = |id| self.stand_ins.iter().rfind(|other| other.of == id).map(|other| &*other.predict);
        std::iter::successors(next(predictor), |other| next(other.id())).last()
    }

    /// Where a predictor stands in its program, if it stands in for another one.
    fn path_of(&self, predictor: usize) -> Option<Rc<str>> {
        let other = self.stand_ins.iter().rfind(|other| other.predict.id() == predictor)?;
        Some(Rc::clone(&other.path))
    }

    /// Milliseconds on the host's clock.
    pub fn now_ms(&self) -> f64 {
        self.record.services.clock.now_ms()
    }

    /// Milliseconds since the run began, and those that answers from its [journal](Run::recorded_in) took when they were asked for, as if
    /// they had been asked for one after the other.
    pub fn elapsed_ms(&self) -> f64 {
        self.now_ms() - self.record.begun_ms + self.record.replayed_ms.get()
    }

    /// The model of that name, or the one that the run [names](Self::with_model), or the first one.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when there is none.
    pub fn model(&self, name: Option<&str>) -> Result<Rc<dyn LanguageModel>> {
        find("model", &self.record.services.models, name.or(self.model.as_deref())).map(|model| self.through(model))
    }

    /// The model, asked as this run asks models: within its budgets, and with its journal.
    pub(crate) fn through(&self, mut model: Rc<dyn LanguageModel>) -> Rc<dyn LanguageModel> {
        if let Some(journal) = self.journal.clone() {
            let Record { services, replayed_ms, .. } = &*self.record;
            model = Rc::new(Journaled {
                model,
                journal,
                clock: Rc::clone(&services.clock),
                replayed_ms: Rc::clone(replayed_ms),
            });
        }
        for purse in self.purses.iter() {
            model = Rc::new(Metered { model, purse: Rc::clone(purse) });
        }
        model
    }

    /// The retriever of that name, or the first one.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when there is none.
    pub fn retriever(&self, name: Option<&str>) -> Result<Rc<dyn Retriever>> {
        find("retriever", &self.record.services.retrievers, name)
    }

    /// Waits for `work`, but not longer than the deadline.
    ///
    /// # Errors
    /// What `work` fails with, or [`Deadline`](ErrorKind::Deadline).
    pub async fn in_time<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(end) = self.deadline_ms else { return work.await };
        let late = || {
            Error::new(ErrorKind::Deadline, "the time allowed has passed")
                .with_hint("allow more time, or ask a faster model")
        };
        let left = end - self.now_ms();
        if left <= 0.0 {
            return Err(late());
        }
        match select(pin!(work), self.record.services.clock.sleep(left)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(late()),
        }
    }

    /// Begins the record of a step; its name is the run's step, or else `kind`.
    pub fn open_span(&self, kind: &'static str) -> OpenSpan {
        let name = if self.step.is_empty() { Rc::from(kind) } else { Rc::clone(&self.step) };
        let span = Span::begin(self.record.spans.borrow().len(), name, kind, self.elapsed_ms());
        let span = Span { parent: self.parent, ..span };
        let open = OpenSpan::begin(self.clone(), &span);
        self.record.spans.borrow_mut().push(Rc::new(span));
        self.record.gates.borrow_mut().push(Rc::clone(&self.gate));
        open
    }

    /// Tells the caller, as far as the gate lets it through.
    pub fn tell(&self, event: Event) {
        self.gate.tell(event);
    }

    /// Whether anybody listens to events.
    pub fn is_watched(&self) -> bool {
        self.gate.is_watched()
    }

    /// Something failed, and the work goes on: it is counted, and the caller told what it means. That too much failed is told of as well, and
    /// counts no second time.
    pub fn goes_on(&self, failed: &str, error: &Error) {
        if error.kind() != ErrorKind::Cancelled {
            self.failures.add(error);
        }
        self.tell(Event::Status(format!("{failed}: {error}")));
    }

    /// How many failures the work [went on](Run::goes_on) after: of programs, of metrics, of models that propose. Runs
    /// [apart](Run::apart) count together.
    pub fn failed(&self) -> u64 {
        self.failures.count()
    }

    /// The last one of them.
    pub fn last_failure(&self) -> Option<Error> {
        self.failures.last()
    }

    /// Everything that was recorded, for logs on the side of the host: it may hold what the caller must not see.
    pub fn spans(&self) -> Vec<Rc<Span>> {
        self.record.spans.borrow().clone()
    }

    /// What was recorded and may be shown to the caller: contents of steps behind a closed gate are left out, and the
    /// rest passes the gate's redaction.
    pub fn shown_spans(&self) -> Vec<Rc<Span>> {
        let gates = self.record.gates.borrow();
        self.record.spans.borrow().iter().zip(gates.iter()).map(|(span, gate)| gate.show(span)).collect()
    }

    /// The tokens of all model calls so far.
    pub fn usage(&self) -> Usage {
        let mut total = self.record.used_apart.get();
        for span in self.record.spans.borrow().iter() {
            total += span.usage();
        }
        total
    }

    /// All that the services have reported so far, by the name of the model that was asked. Answers from a
    /// cache cost nothing.
    pub fn usage_by_model(&self) -> UsageByModel {
        self.record.usage.borrow().clone()
    }

    /// Adds what a call of a model was reported to have used.
    pub fn used(&self, model: &str, reported: &serde_json::Map<String, Json>) {
        self.record.usage.borrow_mut().add(model, reported);
    }

    /// The calls of predictors that led to the result, in the order in which they began: DSPy's `settings.trace`. Calls that
    /// failed are left out, and so is what was [discarded](Run::discard).
    pub fn trace(&self) -> Vec<Rc<Span>> {
        self.trace_of(None)
    }

    /// Another try counts instead of a step: neither the step nor what happened inside it belongs to the [trace](Run::trace),
    /// and text of it that was held back is forgotten.
    pub fn discard(&self, id: usize) {
        self.change_span(id, |span| span.discarded = true);
        let gates = self.record.gates.borrow();
        for span in self.tree(Some(id), |_| true) {
            gates.get(span.id).map(|gate| gate.retract(span.id));
        }
    }

    fn trace_of(&self, root: Option<usize>) -> Vec<Rc<Span>> {
        let mut trace = self.tree(root, |span| !span.discarded);
        trace.retain(|span| span.predictor.is_some() && matches!(span.status, Status::Done));
        trace
    }

    /// A span and what happened inside it, or all of the record; without what `keep` refuses and what happened inside that.
    fn tree(&self, root: Option<usize>, keep: fn(&Span) -> bool) -> Vec<Rc<Span>> {
        let first = root.unwrap_or(0);
        let mut kept = Vec::new();
        let spans = self.record.spans.borrow();
        let tree = spans.iter().skip(first).filter(|span| {
            let belongs = match span.parent {
                Some(parent) if parent >= first => kept.get(parent - first) == Some(&true),
                _ => root.is_none_or(|root| root == span.id),
            };
            kept.push(belongs && keep(span));
            kept.last() == Some(&true)
        });
        tree.cloned().collect()
    }

    fn change_span(&self, id: usize, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.record.spans.borrow_mut().get_mut(id) {
            change(Rc::make_mut(span));
        }
    }

    fn span(&self, id: usize) -> Option<Rc<Span>> {
        self.record.spans.borrow().get(id).cloned()
    }
}

fn find<T: ?Sized>(what: &str, known: &IndexMap<String, Rc<T>>, name: Option<&str>) -> Result<Rc<T>> {
    let found = match name {
        Some(name) => known.get(name),
        None => known.first().map(|(_, first)| first),
    };
    found.cloned().ok_or_else(|| match name {
        Some(name) => Error::new(ErrorKind::Config, format!("there is no {what} `{name}`"))
            .with_hint(offer(name, known.keys().map(String::as_str))),
        None => Error::new(ErrorKind::Config, format!("the program needs a {what}, and none is configured"))
            .with_hint(format!("give one to `Services::with_{what}`")),
    })
}
