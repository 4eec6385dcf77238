//! `BetterTogether`: several optimizers, one after the other.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;

use super::{BootstrapFewShotWithRandomSearch, Estimate, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::example::Example;
use crate::metric::Metric;
use crate::module::{Module, Variant};
use crate::python::{Random, repr};
use crate::run::Run;
use crate::sort::sort_by;
use crate::value::Value;

/// What parts the steps of a strategy.
const SEPARATOR: &str = " -> ";

/// The name that DSPy has for the step that tunes the weights of a model.
const WEIGHTS: &str = "w";

/// Improves a program with one optimizer after the other, and keeps what scores best on the way: the prompt half of DSPy 3.4.1's
/// `BetterTogether`. Weights of models are not tuned here.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{BetterTogether, Copro, Optimizer, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = Rc::new(|example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// });
/// let mut together = BetterTogether::new(metric.clone()); // with demos as `p`
/// together.optimizers.insert("copro".to_owned(), Rc::new(Copro::new(metric)));
/// together.strategy = "copro -> p".to_owned();
/// let program = together.compile(run, Training::new(student, trainset)).await?.program;
/// # Ok(()) }
/// ```
pub struct BetterTogether {
    /// What programs are scored with.
    pub metric: Rc<dyn Metric>,
    /// The optimizers by the names that the strategy has for them.
    pub optimizers: IndexMap<String, Rc<dyn Optimizer>>,
    /// The names of the optimizers in their order, parted by ` -> `. DSPy's own, `p -> w -> p`, is refused for its weights.
    pub strategy: String,
    /// The share of the examples, its first ones, that programs are scored on when there is no validation set: from 0 up to 1,
    /// without 1. With 0 nothing is scored, and the last program is the best.
    pub valset_ratio: f64,
    /// Whether the examples come in another random order for each step.
    pub shuffle_trainset_between_steps: bool,
    /// How programs are evaluated.
    pub evaluate: Evaluate,
    /// What draws follow from.
    pub seed: i64,
}

/// A program that one or more steps have led to.
#[derive(Clone)]
pub struct Step {
    /// The steps so far; empty for the student.
    pub strategy: String,
    pub program: Variant,
    /// In percent; nothing when there is no validation set.
    pub score: Option<f64>,
}

/// What the steps came to.
pub struct Steps {
    /// DSPy's `candidate_programs`: the best first, of equals the earlier one.
    pub candidate_programs: Vec<Step>,
    /// The program that is given: the best one, or the last one without a validation set.
    pub best: Variant,
    /// Why a step failed, if one did: the steps behind it were left out.
    pub compilation_error: Option<Error>,
    /// Why the search ended before its end, if it did: the [budget](crate::run::Budget) was spent.
    pub stopped_by: Option<Error>,
}

/// What programs learn from and are scored on.
struct Sets<'a> {
    trainset: Vec<Example>,
    valset: Option<&'a [Example]>,
}

impl BetterTogether {
    /// DSPy's defaults, without the weights: `p` is [`BootstrapFewShotWithRandomSearch`].
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        let demos: Rc<dyn Optimizer> = Rc::new(BootstrapFewShotWithRandomSearch::new(Rc::clone(&metric)));
        Self {
            metric,
            optimizers: IndexMap::from([("p".to_owned(), demos)]),
            strategy: "p -> w -> p".to_owned(),
            valset_ratio: 0.1,
            shuffle_trainset_between_steps: true,
            evaluate: Evaluate::default(),
            seed: 0,
        }
    }

    /// A study for a [`search`](BetterTogether::search).
    pub fn study<'a>(&'a self, run: &'a Run, training: &Training) -> Study<'a> {
        Study::new("BetterTogether", run, self.evaluate, &*self.metric, training)
    }

    /// All programs on the way. An optimizer that fails ends it; what was found before counts.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are no examples, the student is compiled, or the strategy names an optimizer that is not
    /// there; [`Unsupported`](ErrorKind::Unsupported), when it tunes weights; [`Deadline`](ErrorKind::Deadline);
    /// [`Budget`](ErrorKind::Budget), when it is spent before the student is scored.
    pub async fn search(&self, study: &mut Study<'_>, training: Training<'_>) -> Result<Steps> {
        if training.student.is_compiled() {
            return Err(refused("student", "The student program should not be compiled.")
                .with_hint("give the program that was not optimized yet"));
        }
        let (sets, steps) = (self.sets(&training)?, self.steps()?);
        let student = Variant::copy_of(&training.student);
        let mut found = vec![self.scored(study, String::new(), &student, sets.valset).await?];
        let (mut compilation_error, mut stopped_by) = (None, None);
        match self.follow(&steps, study, &training, sets, &mut found).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Deadline => return Err(error),
            Err(error) if error.kind() == ErrorKind::Budget => stopped_by = Some(error),
            Err(error) => {
                study.run().goes_on("BetterTogether: a step failed", &error);
                compilation_error = Some(error);
            }
        }
        let last = found.last().map_or(student, |last| last.program.clone());
        let points = |step: &Step| step.score.unwrap_or(f64::NEG_INFINITY);
        sort_by(&mut found, |a, b| points(b).total_cmp(&points(a)));
        let best = found.first().filter(|best| best.score.is_some()).map(|best| best.program.clone());
        let mut best = best.unwrap_or(last);
        best.compiled = true;
        Ok(Steps { candidate_programs: found, best, compilation_error, stopped_by })
    }

    /// Takes one step after the other.
    async fn follow(
        &self,
        steps: &[(&str, &dyn Optimizer)],
        study: &mut Study<'_>,
        training: &Training<'_>,
        mut sets: Sets<'_>,
        found: &mut Vec<Step>,
    ) -> Result<()> {
        let mut random = Random::new(self.seed.into());
        for (place, (_, optimizer)) in steps.iter().enumerate() {
            let Some(before) = found.last().map(|last| last.program.clone()) else { break };
            if self.shuffle_trainset_between_steps {
                random.shuffle(&mut sets.trainset);
            }
            let mut student = before.clone();
            student.compiled = false;
            let (trainset, valset) = (&sets.trainset[..], sets.valset);
            let training = Training { student: Rc::new(student), trainset, valset, observer: None, ..training.clone() };
            let optimized = optimizer.compile(study.run(), training).await?;
            let program = with_models_of(&before, optimized.program);
            let names: Vec<&str> = steps.iter().take(place + 1).map(|(name, _)| *name).collect();
            found.push(self.scored(study, names.join(SEPARATOR), &program, sets.valset).await?);
            if let Some(end) = optimized.stopped_by {
                return Err(end);
            }
        }
        Ok(())
    }

    /// What is learned from, and what is scored on.
    fn sets<'a>(&self, training: &Training<'a>) -> Result<Sets<'a>> {
        if training.trainset.is_empty() {
            return Err(refused("trainset", "trainset cannot be empty"));
        }
        if !(0.0..1.0).contains(&self.valset_ratio) {
            let ratio = repr(&Value::Float(self.valset_ratio));
            return Err(refused("valset_ratio", &format!("valset_ratio must be in range [0, 1), got {ratio}")));
        }
        let (valset, trainset) = match training.valset.filter(|valset| !valset.is_empty()) {
            Some(valset) => (Some(valset), training.trainset),
            None if self.valset_ratio == 0.0 => (None, training.trainset),
            None => {
                let held_out = (self.valset_ratio * training.trainset.len() as f64) as usize;
                let (valset, trainset) = training.trainset.split_at(held_out);
                (Some(valset), trainset)
            }
        };
        Ok(Sets { trainset: trainset.to_vec(), valset })
    }

    /// The optimizers of the strategy, under their names.
    fn steps(&self) -> Result<Vec<(&str, &dyn Optimizer)>> {
        if self.strategy.trim().is_empty() {
            return Err(refused("strategy", "strategy cannot be empty"));
        }
        let names: Vec<&str> = self.strategy.split(SEPARATOR).collect();
        let unknown: Vec<&str> = names.iter().copied().filter(|name| !self.optimizers.contains_key(*name)).collect();
        if unknown.contains(&WEIGHTS) {
            let message = "the strategy tunes the weights of a model (`w`), which is not done here";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .at_field("strategy")
                .with_hint("leave out its `w` steps, `p -> p` for instance, or tune the model with DSPy in Python"));
        }
        if !unknown.is_empty() {
            let list = |names: Vec<&str>| repr(&names.into());
            let message = format!(
                "Strategy contains invalid optimizer keys: {}. Valid keys are: {}",
                list(unknown),
                list(self.optimizers.keys().map(String::as_str).collect())
            );
            return Err(refused("strategy", &message));
        }
        let step = |name| self.optimizers.get(name).map(|optimizer| (name, &**optimizer));
        Ok(names.into_iter().filter_map(step).collect())
    }

    /// Scores a program where there is something to score it on; with 0, when too many examples fail.
    async fn scored(
        &self,
        study: &mut Study<'_>,
        strategy: String,
        program: &Variant,
        valset: Option<&[Example]>,
    ) -> Result<Step> {
        let score = match valset.filter(|valset| !valset.is_empty()) {
            None => None,
            Some(valset) => match study.score(program, valset).await {
                Ok(evaluation) => Some(evaluation.score),
                Err(error) if matches!(error.kind(), ErrorKind::Deadline | ErrorKind::Budget) => return Err(error),
                Err(error) => {
                    study.run().goes_on("BetterTogether: a program failed and scores 0", &error);
                    Some(0.0)
                }
            },
        };
        Ok(Step { strategy, program: program.clone(), score })
    }
}

impl Optimizer for BetterTogether {
    /// # Errors
    /// As [`search`](BetterTogether::search).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let mut study = self.study(run, &training);
            let (found, stopped_by) = match self.search(&mut study, training).await {
                Ok(steps) => (Ok(steps.best), steps.stopped_by),
                Err(error) => (Err(error), None),
            };
            let optimized = study.end(found).await?;
            Ok(Optimized { stopped_by: stopped_by.or(optimized.stopped_by), ..optimized })
        })
    }

    fn estimate(&self, training: &Training) -> Estimate {
        let mut estimate = Estimate::default();
        if let (Ok(sets), Ok(steps)) = (self.sets(training), self.steps()) {
            estimate.program_calls = sets.valset.map_or(0, <[_]>::len) * (steps.len() + 1);
            let training = Training { trainset: &sets.trainset, valset: sets.valset, ..training.clone() };
            steps.iter().for_each(|(_, optimizer)| estimate += optimizer.estimate(&training));
        }
        estimate
    }
}

/// The new program with the models of the old one, where an optimizer has taken them away.
fn with_models_of(old: &Variant, mut new: Variant) -> Variant {
    if new.predictors().iter().any(|(_, predict)| predict.model().is_none()) {
        for ((_, predict), (_, before)) in new.predictors_mut().into_iter().zip(old.predictors()) {
            predict.set_model(before.model().map(str::to_owned));
        }
    }
    new
}

fn refused(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Input, message).at_field(field).with_python_class("ValueError")
}
