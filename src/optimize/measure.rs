//! Programs measured as they would be served.

use std::cell::Cell;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::{Evaluate, Evaluation};
use crate::example::{Example, Prediction};
use crate::metric::Metric;
use crate::module::{Module, Predict, Retrieve, SubModule, Variant};
use crate::run::{Budget, Price, Run, Spent};

/// What a program comes to when it is called: its serving statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServingStats {
    /// How many calls were measured.
    pub calls: usize,
    /// The latency in milliseconds that half of the calls did not exceed. Calls that failed have none; `None` when all did.
    pub p50_ms: Option<f64>,
    /// The latency that 95 % of the calls did not exceed.
    pub p95_ms: Option<f64>,
    /// Tokens of prompts and answers a call, without those of the metric.
    pub tokens: f64,
    /// US dollars a call, where all models that it asks have a price.
    pub dollars: Option<f64>,
    /// The share of the calls that failed.
    pub error_rate: f64,
}

impl ServingStats {
    /// The statistics that are known, by name, as trackers of experiments take them.
    pub fn named(&self) -> Vec<(String, f64)> {
        let Self { p50_ms, p95_ms, tokens, dollars, error_rate, .. } = *self;
        let all = [
            ("latency_p50_ms", p50_ms),
            ("latency_p95_ms", p95_ms),
            ("tokens", Some(tokens)),
            ("dollars", dollars),
            ("error_rate", Some(error_rate)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// A program's evaluation, and what its calls cost.
#[derive(Clone)]
pub(super) struct Measured {
    pub evaluation: Evaluation,
    pub spent: Spent,
    pub has_prices: bool,
}

impl Measured {
    /// Evaluates a program past all caches: an answer from a cache has neither a latency nor a price of its own.
    pub async fn of(
        run: &Run,
        evaluate: Evaluate,
        program: &Variant,
        examples: &[Example],
        metric: &dyn Metric,
        prices: &IndexMap<String, Price>,
    ) -> Result<Self> {
        let budget = Budget { prices: prices.clone(), ..Budget::default() };
        let counted = Counted { program, budget, spent: Cell::default() };
        let evaluation = evaluate.run(&uncached(run), &counted, examples, metric, |_| ()).await?;
        let has_prices = unpriced(run, program, prices)?.is_none();
        Ok(Self { evaluation, spent: counted.spent.get(), has_prices })
    }

    /// The same, with what came of further examples.
    pub fn and(self, more: Self) -> Self {
        Self {
            evaluation: self.evaluation.and(more.evaluation),
            spent: sum(self.spent, more.spent),
            has_prices: self.has_prices && more.has_prices,
        }
    }

    /// The statistics; `None` when no call was measured.
    pub fn stats(&self) -> Option<ServingStats> {
        let Self { evaluation, spent, has_prices } = self;
        let calls = evaluation.done();
        let count = calls as f64;
        (calls > 0).then(|| ServingStats {
            calls,
            p50_ms: evaluation.latency_ms(0.5),
            p95_ms: evaluation.latency_ms(0.95),
            tokens: spent.tokens as f64 / count,
            dollars: has_prices.then_some(spent.dollars / count),
            error_rate: evaluation.failed as f64 / count,
        })
    }
}

/// The same run, whose models are asked themselves and not their caches.
pub(super) fn uncached(run: &Run) -> Run {
    run.clone().with_lm_settings([("cache".to_owned(), Json::Bool(false))].into_iter().collect())
}

/// The first of the models that a program asks which has no price.
///
/// # Errors
/// [`Config`](ErrorKind::Config), when one of them is not there.
pub(super) fn unpriced(run: &Run, program: &Variant, prices: &IndexMap<String, Price>) -> Result<Option<String>> {
    for (_, predict) in program.predictors() {
        let model = run.model(predict.model())?;
        if !prices.contains_key(model.name()) {
            return Ok(Some(model.name().to_owned()));
        }
    }
    Ok(None)
}

/// Prices that are numbers from 0 on.
pub(super) fn check_prices(prices: &IndexMap<String, Price>) -> Result<()> {
    let is_bad = |price: f64| !price.is_finite() || price < 0.0;
    match prices.iter().find(|(_, price)| is_bad(price.input) || is_bad(price.output)) {
        Some((model, _)) => Err(Error::new(ErrorKind::Input, format!("the price of `{model}` is no number from 0 on"))
            .at_field("prices")
            .with_hint("give US dollars for a million tokens")),
        None => Ok(()),
    }
}

fn sum(a: Spent, b: Spent) -> Spent {
    Spent { calls: a.calls + b.calls, tokens: a.tokens + b.tokens, dollars: a.dollars + b.dollars }
}

/// A program that counts what its calls spend: the metric is not in them.
struct Counted<'a> {
    program: &'a Variant,
    budget: Budget,
    spent: Cell<Spent>,
}

impl Module for Counted<'_> {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move {
            let run = run.clone().within_budget(self.budget.clone())?;
            let answer = self.program.call(&run, inputs).await;
            self.spent.set(sum(self.spent.get(), run.spent().unwrap_or_default()));
            answer
        })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        self.program.predictors()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        Vec::new() // it is only called
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        self.program.sub_modules()
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        self.program.retrieves()
    }
}
