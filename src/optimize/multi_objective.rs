//! `MultiObjective`: programs and models that are good by several measures at once.

mod objective;
mod preference;
mod search;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;

use search::Search;

pub use objective::{Direction, Measure, Objective};
pub use preference::Preference;

use super::measure::{ServingStats, check_prices};
use super::{Estimate, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::metric::Metric;
use crate::module::Variant;
use crate::run::{Price, Run};

/// Looks for the programs that no other one beats by every measure (the Pareto front: more accurate, or faster, or cheaper than any
/// other), and chooses one of them. Which model is asked is a part of what is searched.
///
/// Candidates are the student and what other optimizers find, each with each of the models. They are measured past all caches on more
/// and more of the examples, twice as many each time; with `halving` only the better half goes on, so that most calls are made for
/// those that are worth it. A candidate is run on an example once. All that reached the last round are compared on all examples.
///
/// When the budget is spent midway, those are compared that were measured on the most examples by then. A search that goes on from
/// its [journal](crate::cache::Journal) makes the same choice as far as latencies are the same.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{BootstrapFewShotWithRandomSearch, MultiObjective, Objective, Training};
/// use lakelet::run::{Price, Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], valset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let metric = Rc::new(metric);
/// let search = MultiObjective {
///     objectives: vec![
///         Objective::score().weighing(3.0),
///         Objective::latency_ms(0.95).limited_to(800.0),
///         Objective::dollars(),
///     ],
///     models: vec!["databricks-claude-sonnet-4-6".to_owned(), "databricks-meta-llama-3-1-8b-instruct".to_owned()],
///     sources: vec![Rc::new(BootstrapFewShotWithRandomSearch::new(metric.clone()))],
///     prices: [
///         ("databricks-claude-sonnet-4-6".to_owned(), Price { input: 3.0, output: 15.0 }),
///         ("databricks-meta-llama-3-1-8b-instruct".to_owned(), Price { input: 0.15, output: 0.45 }),
///     ]
///     .into(),
///     ..MultiObjective::new(metric)
/// };
/// let found = search.search(run, Training::new(student, trainset).with_valset(valset)).await?;
/// for place in &found.front {
///     println!("{:?}: {:?}", found.candidates[*place].model, found.candidates[*place].objectives);
/// }
/// println!("{}", found.why);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MultiObjective {
    /// What the objective [`Measure::Score`] goes by.
    pub metric: Rc<dyn Metric>,
    /// What programs are compared by, one at least.
    pub objectives: Vec<Objective>,
    /// The names of the run's models that are tried, each for all predictors of a program. Without any, predictors ask the models
    /// that they name.
    pub models: Vec<String>,
    /// What finds candidates beside the student. Their own trials are not told to the observer.
    pub sources: Vec<Rc<dyn Optimizer>>,
    /// How many candidates are taken from each source at most, the best by its own score first.
    pub num_candidates: usize,
    /// How one of the front is chosen.
    pub preference: Preference,
    /// Whether only the better half of the candidates goes on to twice as many examples.
    pub halving: bool,
    /// How many examples come first, at least.
    pub min_examples: usize,
    /// Of the order in which examples come.
    pub seed: u64,
    /// What models cost, by their names.
    pub prices: IndexMap<String, Price>,
    /// How candidates are evaluated. The more calls are under way at once, the more load there is while latencies are measured.
    pub evaluate: Evaluate,
}

/// What a search came to.
#[derive(Clone)]
pub struct MultiObjectiveResult {
    /// The program that was chosen, which names its model.
    pub optimized: Optimized,
    /// All candidates, in the order in which they came up.
    pub candidates: Vec<Weighed>,
    /// The places of those that no other one beats by every objective; of the candidates that were measured on the most examples.
    pub front: Vec<usize>,
    /// The place of the one that was chosen; `None` when the budget was spent before all were measured once.
    pub chosen: Option<usize>,
    /// Why that one, in words.
    pub why: String,
}

/// A candidate, and what it came to.
#[derive(Clone)]
pub struct Weighed {
    pub program: Variant,
    /// The model that all its predictors ask, when models are searched.
    pub model: Option<String>,
    /// On how many examples it was measured.
    pub examples: usize,
    /// The objectives by their names; empty when it was not measured.
    pub objectives: IndexMap<String, f64>,
    /// What it would serve like.
    pub stats: Option<ServingStats>,
}

impl MultiObjective {
    /// By score, latency at the 95th percentile and tokens, with equal weights and without sources.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        Self {
            metric,
            objectives: vec![Objective::score(), Objective::latency_ms(0.95), Objective::tokens()],
            models: Vec::new(),
            sources: Vec::new(),
            num_candidates: 8,
            preference: Preference::Weights,
            halving: true,
            min_examples: 8,
            seed: 0,
            prices: IndexMap::new(),
            evaluate: Evaluate::default(),
        }
    }

    /// The candidates, their front, and the choice on it.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are no objectives, two have one name, a number is none, or there are no examples;
    /// [`Config`](ErrorKind::Config), when a model is not there, or has no price and an objective is in dollars; what the sources and
    /// [`Evaluate`] fail with.
    pub async fn search(&self, run: &Run, training: Training<'_>) -> Result<MultiObjectiveResult> {
        self.check(run)?;
        let study = Study::new("MultiObjective", run, self.evaluate, &*self.metric, &training);
        Search::new(self, study).run(&training).await
    }

    fn check(&self, run: &Run) -> Result<()> {
        if self.objectives.is_empty() {
            return Err(Error::new(ErrorKind::Input, "there are no objectives: nothing tells programs apart")
                .at_field("objectives")
                .with_hint("give one at least, such as `Objective::score()`"));
        }
        for (place, objective) in self.objectives.iter().enumerate() {
            objective.check()?;
            if self.objectives.iter().take(place).any(|other| other.name == objective.name) {
                return Err(Error::new(ErrorKind::Input, format!("two objectives are named `{}`", objective.name))
                    .at_field("objectives")
                    .with_hint("give each a name of its own"));
            }
        }
        if self.preference == Preference::Weights && self.objectives.iter().all(|objective| objective.weight == 0.0) {
            return Err(Error::new(ErrorKind::Input, "all weights are 0: nothing tells programs apart")
                .at_field("weight")
                .with_hint("give one objective a weight, or choose by the knee"));
        }
        for model in &self.models {
            run.model(Some(model))?;
        }
        check_prices(&self.prices)
    }
}

impl Optimizer for MultiObjective {
    /// # Errors
    /// As [`search`](MultiObjective::search).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move { Ok(self.search(run, training).await?.optimized) })
    }

    fn estimate(&self, training: &Training) -> Estimate {
        let candidates = (1 + self.sources.len() * self.num_candidates) * self.models.len().max(1);
        let mut estimate = Estimate { program_calls: candidates * training.scored_on().len(), proposals: 0 };
        for source in &self.sources {
            estimate += source.estimate(training);
        }
        estimate
    }
}
