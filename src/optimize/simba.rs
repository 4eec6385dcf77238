//! `SIMBA`: demos and rules from examples on which a program does well at times, and badly at others.

mod advice;
mod bucket;
mod pool;
mod search;
mod strategy;
mod trajectory;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use search::Search;

use super::bootstrap::given;
use super::{Estimate, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::{Evaluate, complete};
use crate::metric::Metric;
use crate::module::{Parallel, Variant};
use crate::run::Run;

/// Runs programs on small batches of examples several times, looks where they differ most, and makes new programs from that: with
/// what went well as a demo, or with rules that a model reads from what went well and what went badly. DSPy 3.4.1's `SIMBA`
/// (Stochastic Introspective Mini-Batch Ascent).
///
/// The same seed and the same answers give DSPy's program: batches, rollout ids, the programs that are picked, the demos that are
/// dropped (numpy's Poisson numbers) and the rules. Two things differ. DSPy shows the model that writes rules the Python source of
/// the program; here it sees [`program_code`](Self::program_code). And DSPy asks the metric about a program that failed, with `None` for
/// a prediction; here the metric is given a prediction without fields. What the metric fails on scores 0, as there.
///
/// A teacher and a validation set of the training are not looked at.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{Optimizer, Simba, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let optimizer = Simba { bsize: 16, max_steps: 4, ..Simba::new(Rc::new(metric)) };
/// let program = optimizer.compile(run, Training::new(student, trainset)).await?.program;
/// # Ok(()) }
/// ```
pub struct Simba {
    /// Scores calls, best between 0 and 1: what is drawn by scores is drawn by `exp(score / temperature)`. Where it gives a dict, what
    /// stands there beside the `score` is shown to the model that writes rules.
    pub metric: Rc<dyn Metric>,
    /// How many examples a batch has.
    pub bsize: usize,
    /// How often each example of a batch is tried; how many programs are picked from; and one less than the most new ones of a step.
    pub num_candidates: usize,
    /// How many batches there are.
    pub max_steps: usize,
    /// From how many demos of a predictor on some are dropped; with 0 programs get rules only.
    pub max_demos: usize,
    /// The model that writes rules; `None` for the run's first one.
    pub prompt_model: Option<String>,
    /// A model that makes the first of the tries of each example: DSPy's `teacher_settings`.
    pub teacher_model: Option<String>,
    /// How many characters of an input a demo shows; 0 for all.
    pub demo_input_field_maxlen: usize,
    /// How many calls are under way at once.
    pub num_threads: usize,
    /// The lower, the more the best programs are preferred when a batch is tried.
    pub temperature_for_sampling: f64,
    /// The same, when a program is picked to make a new one from.
    pub temperature_for_candidates: f64,
    /// What chance begins with.
    pub seed: u32,
    /// What the model that writes rules is told that the program is; `None` for a list of its predictors.
    pub program_code: Option<String>,
}

/// What a search with [`Simba`] came to.
pub struct SimbaTrials {
    /// The best program.
    pub program: Variant,
    /// The student and the best programs of steps, scored on all examples: the best first, of equals the earlier one.
    pub candidate_programs: Vec<SimbaCandidate>,
    /// For each step, the `train_score` that DSPy logs there: that of a candidate by its place, which is its step only when the best
    /// programs of all steps are scored.
    pub trial_logs: Vec<Option<f64>>,
}

/// A program, and its mean score on all examples as the metric counts: not in percent.
#[derive(Clone)]
pub struct SimbaCandidate {
    pub score: f64,
    pub program: Variant,
}

impl Simba {
    /// DSPy's defaults.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        Self {
            metric,
            bsize: 32,
            num_candidates: 6,
            max_steps: 8,
            max_demos: 4,
            prompt_model: None,
            teacher_model: None,
            demo_input_field_maxlen: 100_000,
            num_threads: Parallel::default().num_threads,
            temperature_for_sampling: 0.2,
            temperature_for_candidates: 0.2,
            seed: 0,
            program_code: None,
        }
    }

    /// A study for a [`search`](Simba::search).
    pub fn study<'a>(&'a self, run: &'a Run, training: &Training) -> Study<'a> {
        let evaluate = Evaluate { parallel: self.parallel(), failure_score: 0.0 };
        Study::new("SIMBA", run, evaluate, &*self.metric, training)
    }

    /// All that was scored on all examples.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are fewer examples than a batch has, one lacks its inputs, settings leave nothing to do,
    /// predictors name different models, or scores are too large for the temperatures; [`Budget`](ErrorKind::Budget) and
    /// [`Deadline`](ErrorKind::Deadline). Other errors of the program and the metric score 0, and those of the model that writes rules
    /// cost a candidate.
    pub async fn search(&self, study: &mut Study<'_>, training: Training<'_>) -> Result<SimbaTrials> {
        self.check(&training)?;
        Search::new(self, study, &training).go().await
    }

    fn check(&self, training: &Training) -> Result<()> {
        let refused = |field, class, message: String| {
            Err(Error::new(ErrorKind::Input, message).at_field(field).with_python_class(class))
        };
        let examples = training.trainset.len();
        if examples < self.bsize {
            let message = format!("Trainset too small: {examples} < {}", self.bsize);
            let refused = refused("trainset", "AssertionError", message);
            return refused.map_err(|error| error.with_hint("give more examples, or make `bsize` smaller"));
        }
        for (field, number) in [("bsize", self.bsize), ("num_candidates", self.num_candidates)] {
            if number == 0 {
                return refused(field, "IndexError", format!("{field} must be at least 1"));
            }
        }
        for (field, temperature) in [
            ("temperature_for_sampling", self.temperature_for_sampling),
            ("temperature_for_candidates", self.temperature_for_candidates),
        ] {
            if temperature == 0.0 {
                return refused(field, "ZeroDivisionError", format!("{field} must not be 0: scores are divided by it"));
            }
        }
        complete("trainset", training.trainset)?;
        training.trainset.iter().try_for_each(|example| given(example).map(drop))?;
        let predictors = training.student.predictors();
        let mut models = predictors.iter().map(|(_, predict)| predict.model());
        let first = models.next();
        if first.is_none_or(|first| models.any(|model| model != first)) {
            let message = "Multiple LMs are being used in the module. There's no unique LM to return.".to_owned();
            return refused("student", "ValueError", message);
        }
        Ok(())
    }

    /// Failures do not end a search.
    fn parallel(&self) -> Parallel {
        Parallel { num_threads: self.num_threads, max_errors: usize::MAX }
    }

    /// How many programs a step makes at most.
    fn programs_of_step(&self) -> usize {
        self.bsize.min(self.num_candidates + 1)
    }
}

impl Optimizer for Simba {
    /// # Errors
    /// As [`search`](Simba::search), save for a budget that is spent.
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let mut study = self.study(run, &training);
            let found = self.search(&mut study, training).await;
            study.end(found.map(|found| found.program)).await
        })
    }

    fn estimate(&self, training: &Training) -> Estimate {
        let of_step = self.bsize * (self.num_candidates + self.programs_of_step());
        let last = training.trainset.len() * (self.num_candidates.min(self.max_steps) + 1);
        Estimate { program_calls: self.max_steps * of_step + last, proposals: self.max_steps * self.bsize }
    }
}
