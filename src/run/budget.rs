//! What a run may spend.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{StreamExt, stream};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::lm::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel, Usage};
use crate::time::Clock;

/// What calls of models may come to together. Without a limit they may go on.
///
/// What is spent is known when an answer is there: tokens and dollars may go over their limit by the calls that are under way at once.
/// When a limit is met, those are finished, and every further call fails with [`Budget`](ErrorKind::Budget).
///
/// ```
/// use lakelet::run::Budget;
/// # fn example(run: lakelet::Run) -> lakelet::Result<()> {
/// let run = run.within_budget(Budget { calls: Some(500), seconds: Some(600.0), ..Budget::default() })?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// Calls of models. One that a cache answers counts, so that the same work ends at the same place when it is done again.
    pub calls: Option<u64>,
    /// Tokens, of prompts and of answers. What a cache answers uses none.
    pub tokens: Option<u64>,
    /// US dollars, by the `prices`.
    pub dollars: Option<f64>,
    /// Seconds since the budget was given.
    pub seconds: Option<f64>,
    /// What models cost, by their names.
    pub prices: IndexMap<String, Price>,
    /// When somebody says so.
    pub until: Option<Stop>,
}

/// Somebody's word that no more is to be spent. Clones are one.
///
/// ```
/// use lakelet::run::{Budget, Stop};
/// # fn example(run: lakelet::Run) -> lakelet::Result<()> {
/// let stop = Stop::default(); // for the one who may say so
/// let run = run.within_budget(Budget { until: Some(stop.clone()), ..Budget::default() })?;
/// stop.now();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stop(Rc<Cell<bool>>);

impl Stop {
    /// Lets no further call begin.
    pub fn now(&self) {
        self.0.set(true);
    }
}

/// What a model costs, in US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Of the prompt.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
}

impl Price {
    /// What a call costs, in US dollars.
    pub fn of(self, usage: Usage) -> f64 {
        (self.input * usage.prompt_tokens as f64 + self.output * usage.completion_tokens as f64) / 1e6
    }
}

/// What was spent of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    pub calls: u64,
    pub tokens: u64,
    pub dollars: f64,
}

/// A budget that is being spent.
pub(super) struct Purse {
    budget: Budget,
    clock: Rc<dyn Clock>,
    end_ms: f64,
    spent: RefCell<Spent>,
}

impl Purse {
    pub fn new(budget: Budget, clock: Rc<dyn Clock>) -> Result<Self> {
        let whole = |limit: Option<u64>| limit.map(|limit| limit as f64);
        let limits = [
            ("calls", whole(budget.calls)),
            ("tokens", whole(budget.tokens)),
            ("dollars", budget.dollars),
            ("seconds", budget.seconds),
        ];
        for (name, limit) in limits {
            if limit.is_some_and(|limit| limit.is_nan() || limit <= 0.0) {
                return Err(Error::new(
                    ErrorKind::Input,
                    format!("a budget of {} {name} allows no call", limit.unwrap_or(0.0)),
                )
                .at_field(name)
                .with_hint("give more than 0, or leave the limit out"));
            }
        }
        let end_ms = budget.seconds.map_or(f64::INFINITY, |seconds| clock.now_ms() + 1000.0 * seconds);
        Ok(Self { budget, clock, end_ms, spent: RefCell::default() })
    }

    pub fn spent(&self) -> Spent {
        *self.spent.borrow()
    }

    /// Counts a call that is about to begin.
    fn begin(&self, model: &str) -> Result<()> {
        let Budget { calls, tokens, dollars, seconds, prices, until } = &self.budget;
        if until.as_ref().is_some_and(|stop| stop.0.get()) {
            return Err(
                Error::new(ErrorKind::Budget, "the work was stopped").with_hint("work with what there is so far")
            );
        }
        if dollars.is_some() && !prices.contains_key(model) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the budget is in dollars, and has no price for `{model}`"),
            )
            .at_field("prices")
            .with_hint("give what a million tokens cost, or limit calls or tokens"));
        }
        let mut spent = self.spent.borrow_mut();
        let met = [
            calls.filter(|limit| spent.calls >= *limit).map(|limit| format!("{limit} calls")),
            tokens.filter(|limit| spent.tokens >= *limit).map(|limit| format!("{limit} tokens")),
            dollars.filter(|limit| spent.dollars >= *limit).map(|limit| format!("{limit} dollars")),
            seconds.filter(|_| self.clock.now_ms() >= self.end_ms).map(|limit| format!("{limit} seconds")),
        ];
        if let Some(limit) = met.into_iter().flatten().next() {
            return Err(Error::new(ErrorKind::Budget, format!("the budget of {limit} is spent"))
                .with_hint("allow more, or work with what there is so far"));
        }
        spent.calls += 1;
        Ok(())
    }

    fn end(&self, model: &str, usage: Usage) {
        let mut spent = self.spent.borrow_mut();
        spent.tokens += usage.total_tokens;
        spent.dollars += self.budget.prices.get(model).map_or(0.0, |price| price.of(usage));
    }
}

/// A model whose calls are paid from a purse.
#[derive(Clone)]
pub(super) struct Metered {
    pub model: Rc<dyn LanguageModel>,
    pub purse: Rc<Purse>,
}

impl Metered {
    fn pay(&self, answered_by: Option<&str>, usage: Usage) {
        self.purse.end(answered_by.unwrap_or(self.model.name()), usage);
    }
}

impl LanguageModel for Metered {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.model.capabilities()
    }

    fn defaults(&self) -> &Map<String, Json> {
        self.model.defaults()
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let this = self.clone();
        Box::pin(async move {
            this.purse.begin(this.model.name())?;
            let answer = this.model.complete(request).await?;
            this.pay(answer.answered_by.as_deref(), answer.usage);
            Ok(answer)
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        if let Err(error) = self.purse.begin(self.model.name()) {
            return stream::once(async { Err(error) }).boxed_local();
        }
        let this = self.clone();
        let paid = move |delta: &Result<Delta>| {
            if let Ok(Delta { usage: Some(usage), answered_by, .. }) = delta {
                this.pay(answered_by.as_deref(), *usage);
            }
        };
        self.model.stream(request).inspect(paid).boxed_local()
    }
}
