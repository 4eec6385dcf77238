//! GEPA: instructions that are rewritten by reflection on what they led to.

mod compact;
mod front;
mod limit;
mod merge;
mod minibatches;
mod outcome;
mod pool;
mod proposer;
mod reflection;
mod rollout;
mod search;
mod skill;

pub use limit::Limit;
pub use outcome::Outcome;
pub use proposer::{InstructionProposer, ProposerOptions};

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use search::Search;

use super::{Estimate, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::metric::Metric;
use crate::module::Parallel;
use crate::nearest::offer;
use crate::run::Run;

/// Lets a model rewrite instructions by reflecting on what they led to and what the metric says of it, keeps what does better on a
/// minibatch, and goes on from the candidates that are best on some example: DSPy 3.4.1's `GEPA`, with the same candidates.
///
/// The metric is best one that says why: a dict with a `score` and `feedback` (see [`Metric::feedback`]). Demos stay as they are.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::optimize::gepa::{Gepa, Limit};
/// use lakelet::optimize::{Auto, Optimizer, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::value::{Map, Value};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], valset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     let is_right = example.get("answer") == prediction.get("answer");
///     let feedback = format!("The answer is {}.", example.get("answer").and_then(Value::as_str).unwrap_or("not known"));
///     let score = [("score", Value::from(is_right)), ("feedback", Value::from(feedback))];
///     Ok(Value::Dict(score.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Map>()))
/// };
/// let mut gepa = Gepa::new(Rc::new(metric), Limit::Auto(Auto::Light))?;
/// gepa.reflection_model = Some("databricks-claude-sonnet-4-5".to_owned());
/// let program = gepa.compile(run, Training::new(student, trainset).with_valset(valset)).await?.program;
/// # Ok(()) }
/// ```
pub struct Gepa {
    /// What rollouts are scored with, and what says what was good or bad about them.
    pub metric: Rc<dyn Metric>,
    /// When the search ends.
    pub limit: Limit,
    /// How many examples a candidate is changed for, and tried on first; for 0 three.
    pub reflection_minibatch_size: usize,
    /// Which candidate is changed next.
    pub candidate_selection: CandidateSelection,
    /// Which of its predictors are changed.
    pub component_selector: ComponentSelector,
    /// The model that reflects; `None` for the run's first one.
    pub reflection_model: Option<String>,
    /// What the model is told to do.
    pub proposer: InstructionProposer,
    /// Whether a candidate stays as it is when it is perfect on its minibatch.
    pub skip_perfect_score: bool,
    /// The score from which on a prediction is perfect.
    pub perfect_score: f64,
    /// Whether replies that could not be read are reflected on.
    pub add_format_failure_as_feedback: bool,
    /// Whether candidates that have changed different predictors are merged.
    pub use_merge: bool,
    /// How many merged candidates there are at most.
    pub max_merge_invocations: usize,
    /// How many examples are under way at once.
    pub num_threads: usize,
    /// The score of an example that the program or the metric fails on.
    pub failure_score: f64,
    /// Whether the best predictions for each example are kept.
    pub track_best_outputs: bool,
    /// What draws follow from.
    pub seed: i64,
}

/// Which candidate is changed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateSelection {
    /// One of those that do best on some example, more likely one that does on many.
    Pareto,
    /// The one with the best mean score.
    CurrentBest,
    /// The one with the best mean score, and one time in ten any.
    EpsilonGreedy,
    /// As `Pareto`, among the five with the best mean scores.
    TopKPareto,
}

/// Which predictors of a candidate are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentSelector {
    /// One after the other.
    RoundRobin,
    /// All at once.
    All,
}

impl CandidateSelection {
    /// The selection of a name that gepa has for it: `pareto`, `current_best`, `epsilon_greedy` or `top_k_pareto`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "pareto" => Ok(Self::Pareto),
            "current_best" => Ok(Self::CurrentBest),
            "epsilon_greedy" => Ok(Self::EpsilonGreedy),
            "top_k_pareto" => Ok(Self::TopKPareto),
            other => {
                let message = format!(
                    "Unknown candidate_selector strategy: {other}. Supported strategies: 'pareto', 'current_best', \
                     'epsilon_greedy', 'top_k_pareto'"
                );
                Err(Error::new(ErrorKind::Input, message)
                    .at_field("candidate_selection_strategy")
                    .with_hint(offer(other, ["pareto", "current_best", "epsilon_greedy", "top_k_pareto"]))
                    .with_python_class("ValueError"))
            }
        }
    }
}

impl ComponentSelector {
    /// The selector of a name that gepa has for it: `round_robin` or `all`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "round_robin" => Ok(Self::RoundRobin),
            "all" => Ok(Self::All),
            other => {
                let message =
                    format!("Unknown module_selector strategy: {other}. Supported strategies: 'round_robin', 'all'");
                Err(Error::new(ErrorKind::Input, message)
                    .at_field("component_selector")
                    .with_hint(offer(other, ["round_robin", "all"]))
                    .with_python_class("AssertionError"))
            }
        }
    }
}

impl Gepa {
    /// DSPy's defaults.
    ///
    /// # Errors
    /// None in practice: those of [`InstructionProposer::new`].
    pub fn new(metric: Rc<dyn Metric>, limit: Limit) -> Result<Self> {
        Ok(Self {
            metric,
            limit,
            reflection_minibatch_size: 3,
            candidate_selection: CandidateSelection::Pareto,
            component_selector: ComponentSelector::RoundRobin,
            reflection_model: None,
            proposer: InstructionProposer::new(ProposerOptions::default())?,
            skip_perfect_score: true,
            perfect_score: 1.0,
            add_format_failure_as_feedback: false,
            use_merge: true,
            max_merge_invocations: 5,
            num_threads: Parallel::default().num_threads,
            failure_score: 0.0,
            track_best_outputs: false,
            seed: 0,
        })
    }

    /// A study for a [`search`](Gepa::search).
    pub fn study<'a>(&'a self, run: &'a Run, training: &Training) -> Study<'a> {
        let parallel = Parallel { num_threads: self.num_threads, max_errors: usize::MAX };
        let evaluate = Evaluate { parallel, failure_score: self.failure_score };
        Study::new("GEPA", run, evaluate, &*self.metric, training)
    }

    /// All candidates, and how they did: what DSPy gives with `track_stats`. When the run's budget is spent, those that there are.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are no examples, there is a teacher, or the program has no predictors; what
    /// [`Evaluate`] fails with; [`Budget`](ErrorKind::Budget), when it is spent before the student is scored. Other errors of the
    /// program, of the metric and of the model that reflects do not end the search.
    pub async fn search(&self, study: &mut Study<'_>, training: Training<'_>) -> Result<Outcome> {
        let refused = |message: &str, field: &str, class| {
            Error::new(ErrorKind::Input, message).at_field(field).with_python_class(class)
        };
        if training.trainset.is_empty() {
            return Err(refused("Trainset must be provided and non-empty", "trainset", "AssertionError"));
        }
        if training.teacher.is_some() {
            return Err(refused("Teacher is not supported in DspyGEPA yet.", "teacher", "AssertionError"));
        }
        if training.student.predictors().is_empty() {
            let message = "seed_candidate must contain at least one component text.";
            return Err(refused(message, "student", "ValueError").with_hint("give a program with a predictor"));
        }
        Search::new(self, study, training).go().await
    }

    /// How many metric calls there may be before the last iteration begins.
    fn metric_calls(&self, training: &Training) -> usize {
        let (predictors, trainset) = (training.student.predictors().len(), training.trainset.len());
        self.limit.metric_calls(predictors, trainset, training.valset.map(<[_]>::len))
    }

    /// DSPy's `reflection_minibatch_size or 3`.
    fn minibatch_size(&self) -> usize {
        if self.reflection_minibatch_size == 0 { 3 } else { self.reflection_minibatch_size }
    }
}

impl Optimizer for Gepa {
    /// # Errors
    /// As [`search`](Gepa::search).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let mut study = self.study(run, &training);
            let found = self.search(&mut study, training).await;
            let stopped_by = found.as_ref().ok().and_then(|found| found.stopped_by.clone());
            let nothing = || Error::new(ErrorKind::Input, "the search found no candidate");
            let best = found.and_then(|found| found.best_candidate().cloned().ok_or_else(nothing));
            let optimized = study.end(best).await?;
            Ok(Optimized { stopped_by: stopped_by.or(optimized.stopped_by), ..optimized })
        })
    }

    /// A proposal that fails is asked for once more, and one that is too long is shortened; that is not counted.
    fn estimate(&self, training: &Training) -> Estimate {
        let (limit, valset) = (self.metric_calls(training), training.scored_on().len());
        let minibatch = self.minibatch_size();
        let iterations = limit.saturating_sub(valset).div_ceil(minibatch);
        let last = if iterations == 0 { 0 } else { valset + (2 * minibatch).max(merge::SUBSAMPLE) };
        let components = match self.component_selector {
            ComponentSelector::RoundRobin => 1,
            ComponentSelector::All => training.student.predictors().len(),
        };
        Estimate { program_calls: limit.max(valset) + last, proposals: iterations * components }
    }
}
