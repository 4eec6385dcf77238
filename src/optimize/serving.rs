//! `DatabricksOptimizedOptimizer`: demos of answers that are both right and fast.

mod metric;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;

use metric::ServingMetric;

pub use metric::Latency;

use super::measure::{Measured, check_prices, uncached};
use super::{BootstrapFewShot, Estimate, Optimized, Optimizer, ServingStats, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::metric::Metric;
use crate::run::{Price, Run};

/// Teaches a program with calls that were both right and fast, and measures how it would serve: the Databricks study's optimizer, with
/// its numbers.
///
/// A prediction scores `accuracy_weight * accuracy - latency_weight * penalty`. In the study the latency is subtracted in milliseconds, so
/// that the score is always far below zero, and every trace passes, as BootstrapFewShot takes any number but 0 for good. Here the
/// penalty is the latency divided by what it may be, and at most 2: an answer just in time has 1, one that is late more, and a single
/// one that hangs does not outweigh all others. So a prediction scores from -0.4 to 0.8. Traces pass from the `threshold` on; unless
/// another one is given, that is what a right answer scores that is just in time (0.6).
///
/// A latency that is measured ([`Latency::Measured`]) is that of the whole call, waits for a [limiter](crate::lm::Limiter) included. Caches
/// are passed over then, and always for the [statistics](ServingStats), as an answer from a cache has no latency of its own. A
/// search that goes on from its [journal](crate::cache::Journal) measures anew what a call takes beside its models.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{DatabricksOptimizedOptimizer, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], valset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let optimizer = DatabricksOptimizedOptimizer { budget_ms: 800.0, ..DatabricksOptimizedOptimizer::new(Rc::new(metric)) };
/// let training = Training::new(student, trainset).with_valset(valset);
/// let (found, stats) = optimizer.optimize_for_serving(run, training).await?;
/// if let Some(stats) = stats {
///     println!("{:?} ms at the median, {} tokens a call", stats.p50_ms, stats.tokens);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct DatabricksOptimizedOptimizer {
    /// How right a prediction is, from 0 to 1.
    pub accuracy: Rc<dyn Metric>,
    pub accuracy_weight: f64,
    pub latency_weight: f64,
    /// How long a call may take, in milliseconds.
    pub budget_ms: f64,
    /// How long a call takes: measured, or estimated.
    pub latency: Latency,
    /// The score from which on a trace is shown as a demo.
    pub threshold: Option<f64>,
    /// How demos are found; its metric and threshold are those here.
    pub bootstrap: BootstrapFewShot,
    /// How the statistics are measured. The more calls are under way at once, the more load there is.
    pub evaluate: Evaluate,
    /// What models cost, by their names.
    pub prices: IndexMap<String, Price>,
}

impl DatabricksOptimizedOptimizer {
    /// The study's numbers, a latency that is measured, and a second for each call.
    pub fn new(accuracy: Rc<dyn Metric>) -> Self {
        Self {
            accuracy,
            accuracy_weight: 0.8,
            latency_weight: 0.2,
            budget_ms: 1000.0,
            latency: Latency::Measured,
            threshold: None,
            bootstrap: BootstrapFewShot {
                max_bootstrapped_demos: 5,
                max_labeled_demos: 3,
                ..BootstrapFewShot::default()
            },
            evaluate: Evaluate::default(),
            prices: IndexMap::new(),
        }
    }

    /// What a right answer scores that is just in time, unless there is a threshold.
    fn passes_from(&self) -> f64 {
        self.threshold.unwrap_or(self.accuracy_weight - self.latency_weight)
    }

    /// A program with demos, and how it serves the validation set. There are no statistics when the budget was spent before.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when a weight, the budget or a price is no such number; what [`BootstrapFewShot`] and [`Evaluate`]
    /// fail with.
    pub async fn optimize_for_serving(
        &self,
        run: &Run,
        training: Training<'_>,
    ) -> Result<(Optimized, Option<ServingStats>)> {
        self.check()?;
        let metric = Rc::new(ServingMetric::of(self));
        let study = Study::new("DatabricksOptimizedOptimizer", run, self.evaluate, &*metric, &training);
        let mut search = Search { of: self, metric: Rc::clone(&metric), study, stats: None };
        let found = search.run(run, &training).await;
        let Search { study, stats, .. } = search;
        let (program, stopped_by) = found.map_or_else(|error| (Err(error), None), |(program, end)| (Ok(program), end));
        let optimized = study.end(program).await?;
        Ok((Optimized { stopped_by: optimized.stopped_by.or(stopped_by), ..optimized }, stats))
    }

    fn check(&self) -> Result<()> {
        let refused = |field: &str, number: f64, hint: &str| {
            Err(Error::new(ErrorKind::Input, format!("`{field}` cannot be {number}")).at_field(field).with_hint(hint))
        };
        for (field, weight) in [("accuracy_weight", self.accuracy_weight), ("latency_weight", self.latency_weight)] {
            if !weight.is_finite() || weight < 0.0 {
                return refused(field, weight, "give a number from 0 on");
            }
        }
        if !self.budget_ms.is_finite() || self.budget_ms <= 0.0 {
            return refused("budget_ms", self.budget_ms, "give the milliseconds that a call may take");
        }
        let threshold = self.passes_from();
        if threshold.is_nan() {
            return refused("threshold", threshold, "give the score from which on a trace passes");
        }
        check_prices(&self.prices)
    }
}

/// A search under way.
struct Search<'a, 's> {
    of: &'a DatabricksOptimizedOptimizer,
    metric: Rc<ServingMetric>,
    study: Study<'s>,
    stats: Option<ServingStats>,
}

impl Search<'_, '_> {
    /// The program, and why there is no more of it.
    async fn run(&mut self, run: &Run, training: &Training<'_>) -> Result<(crate::module::Variant, Option<Error>)> {
        let metric: Rc<dyn Metric> = self.metric.clone();
        let bootstrap = BootstrapFewShot {
            metric: Some(metric),
            metric_threshold: Some(self.of.passes_from()),
            ..self.of.bootstrap.clone()
        };
        let run = if self.of.latency == Latency::Measured { &uncached(run) } else { run };
        let taught = bootstrap.compile(run, training.clone()).await?;
        let program = taught.program;
        let measuring =
            Measured::of(run, self.of.evaluate, &program, training.scored_on(), &*self.metric, &self.of.prices);
        let measured = measuring.await?;
        self.stats = measured.stats();
        let end = taught.stopped_by.or_else(|| measured.evaluation.stopped_by.clone());
        if end.is_none() {
            let objectives = self.stats.map_or_else(Vec::new, |stats| stats.named());
            self.study.weighed(&program, &measured.evaluation, &objectives).await;
        }
        Ok((program, end))
    }
}

impl Optimizer for DatabricksOptimizedOptimizer {
    /// # Errors
    /// As [`optimize_for_serving`](DatabricksOptimizedOptimizer::optimize_for_serving).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move { Ok(self.optimize_for_serving(run, training).await?.0) })
    }

    fn estimate(&self, training: &Training) -> Estimate {
        let mut estimate = self.bootstrap.estimate(training);
        estimate.program_calls += training.scored_on().len();
        estimate
    }
}
