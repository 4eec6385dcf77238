//! `BootstrapFewShotWithRandomSearch`: many sets of demos, of which the best counts.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{BootstrapFewShot, Estimate, LabeledFewShot, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::{Evaluate, Evaluation};
use crate::metric::Metric;
use crate::module::Variant;
use crate::python::{NumberSet, Random, repr};
use crate::run::Run;
use crate::value::Value;

/// Bootstraps demos from the examples in several random orders, and keeps what scores best: DSPy 3.4.1's
/// `BootstrapFewShotWithRandomSearch`, with the same candidates.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{BootstrapFewShotWithRandomSearch, Optimizer, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let mut search = BootstrapFewShotWithRandomSearch::new(Rc::new(metric));
/// search.num_candidate_programs = 4;
/// let program = search.compile(run, Training::new(student, trainset)).await?.program;
/// # Ok(()) }
/// ```
pub struct BootstrapFewShotWithRandomSearch {
    /// What candidates are scored with.
    pub metric: Rc<dyn Metric>,
    /// How demos are found; candidates of random size have no more than its `max_bootstrapped_demos`.
    pub bootstrap: BootstrapFewShot,
    /// How many candidates there are beside the first three, whose seeds are -3 (no demos), -2 (examples as they are) and -1
    /// (demos from the examples in their order).
    pub num_candidate_programs: usize,
    /// Whether the examples of seed -2 are drawn at random.
    pub labeled_sample: bool,
    /// The score, in percent, that is good enough to stop at.
    pub stop_at_score: Option<f64>,
    /// The seeds of the candidates that are tried; `None` for all.
    pub restrict: Option<Vec<i64>>,
    /// How candidates are evaluated.
    pub evaluate: Evaluate,
}

/// A program that was tried.
#[derive(Clone)]
pub struct Candidate {
    pub seed: i64,
    pub program: Variant,
    pub evaluation: Evaluation,
}

impl BootstrapFewShotWithRandomSearch {
    /// DSPy's defaults, with one metric for demos and for candidates.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        Self {
            bootstrap: BootstrapFewShot::new(Rc::clone(&metric)),
            metric,
            num_candidate_programs: 16,
            labeled_sample: true,
            stop_at_score: None,
            restrict: None,
            evaluate: Evaluate::default(),
        }
    }

    /// All candidates, the best first; of equals the earlier one.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there is nothing to try or nothing to score on; what [`BootstrapFewShot`] and
    /// [`Evaluate`] fail with.
    pub async fn search(&self, study: &mut Study<'_>, training: Training<'_>) -> Result<Vec<Candidate>> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for seed in self.seeds()? {
            let program = self.candidate(study.run(), &training, seed).await?;
            let evaluation = study.score(&program, training.scored_on()).await?;
            let is_enough = self.stop_at_score.is_some_and(|enough| evaluation.score >= enough);
            candidates.push(Candidate { seed, program, evaluation });
            if is_enough {
                break;
            }
        }
        candidates.sort_by(|a, b| b.evaluation.score.total_cmp(&a.evaluation.score));
        Ok(candidates)
    }

    /// A study for a [`search`](BootstrapFewShotWithRandomSearch::search).
    pub fn study<'a>(&'a self, run: &'a Run, training: &Training) -> Study<'a> {
        Study::new("BootstrapFewShotWithRandomSearch", run, self.evaluate, &*self.metric, training)
    }

    fn seeds(&self) -> Result<Vec<i64>> {
        let end = i64::try_from(self.num_candidate_programs).unwrap_or(i64::MAX);
        let Some(restrict) = &self.restrict else { return Ok((-3..end).collect()) };
        let mut seeds: Vec<i64> = restrict.clone();
        seeds.sort_unstable();
        seeds.dedup();
        let known: Vec<i64> = seeds.iter().copied().filter(|seed| (-3..end).contains(seed)).collect();
        if known.is_empty() {
            // Python's order: that of a table of hashes, which for such numbers are the numbers, wrapped around.
            let set: NumberSet = restrict.iter().map(|seed| *seed as usize).collect();
            let restrict = repr(&Value::Set(set.iter().map(|seed| Value::Int(seed as isize as i64)).collect()));
            let message = format!(
                "`restrict` {restrict} does not match any candidate seed in range(-3, {end}); no candidate programs would be \
                 evaluated."
            );
            return Err(Error::new(ErrorKind::Input, message).at_field("restrict").with_python_class("ValueError"));
        }
        Ok(known)
    }

    async fn candidate(&self, run: &Run, training: &Training<'_>, seed: i64) -> Result<Variant> {
        let labels = LabeledFewShot { k: self.bootstrap.max_labeled_demos, sample: self.labeled_sample };
        match seed {
            -3 => Ok(Variant::reset_copy_of(&training.student)),
            -2 => labels.teach(&training.student, training.trainset),
            -1 => Ok(self.bootstrap.compile(run, training.clone()).await?.program),
            _ => {
                let mut shuffled = training.trainset.to_vec();
                Random::new(seed.into()).shuffle(&mut shuffled);
                let bootstrap = self.bootstrap.of_random_size(&mut Random::new(seed.into()))?;
                let training = Training { trainset: &shuffled, ..training.clone() };
                Ok(bootstrap.compile(run, training).await?.program)
            }
        }
    }
}

impl Optimizer for BootstrapFewShotWithRandomSearch {
    /// # Errors
    /// As [`search`](BootstrapFewShotWithRandomSearch::search).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let mut study = self.study(run, &training);
            let found = self.search(&mut study, training).await;
            let best = found.map(|found| found.into_iter().next().map(|best| best.program));
            let nothing = || Error::new(ErrorKind::Input, "no program was tried");
            study.end(best.and_then(|best| best.ok_or_else(nothing))).await
        })
    }

    fn estimate(&self, training: &Training) -> Estimate {
        let candidates = self.seeds().map_or(0, |seeds| seeds.len());
        let bootstrapped = candidates.saturating_sub(2);
        let mut estimate = self.bootstrap.estimate(training);
        estimate.program_calls = bootstrapped * estimate.program_calls + candidates * training.scored_on().len();
        estimate
    }
}
