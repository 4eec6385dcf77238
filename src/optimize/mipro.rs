//! `MIPROv2`: instructions and demos that are chosen together.

mod plan;
mod proposer;
mod search;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use plan::Plan;
use proposer::Proposer;
use search::Search;
pub use search::{MiproTrial, MiproTrials};

use super::{Auto, BootstrapFewShot, DemoSets, Estimate, Optimized, Optimizer, Study, Training};
use crate::error::Result;
use crate::evaluate::Evaluate;
use crate::metric::Metric;
use crate::module::Variant;
use crate::python::Random;
use crate::run::Run;

/// Bootstraps sets of demos, lets a model propose instructions from what it is shown of the examples and the program, and searches for
/// the instructions and demos that score best together: DSPy 3.4.1's `MIPROv2`.
///
/// The same seed and the same answers give DSPy's program: splits, demos, tips, rollout ids and what [`Tpe`](super::Tpe) tries are those
/// of DSPy with optuna 5.0. Two things differ. DSPy shows the model that proposes the Python source of the program; a program has none
/// here, and the model sees its modules, their signatures and instructions. And where every combination that was tried is fully
/// evaluated already, DSPy fails; here the search goes on.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{Auto, MiproV2, Optimizer, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let optimizer = MiproV2 { auto: Some(Auto::Medium), ..MiproV2::new(Rc::new(metric)) };
/// let program = optimizer.compile(run, Training::new(student, trainset)).await?.program;
/// # Ok(()) }
/// ```
pub struct MiproV2 {
    pub metric: Rc<dyn Metric>,
    /// The model that proposes; `None` for the run's first one.
    pub prompt_model: Option<String>,
    /// The model that the program asks, where its predictors name none; `None` for the run's first one.
    pub task_model: Option<String>,
    /// The model that the teacher asks, where its predictors name none; `None` for the task model.
    pub teacher_model: Option<String>,
    /// How many demos of a set are bootstrapped at most. When this and `max_labeled_demos` are 0, the program gets instructions and no
    /// demos; three are bootstrapped all the same, to be shown to the model that proposes.
    pub max_bootstrapped_demos: usize,
    /// How many demos of a set there are at most, with examples as they are.
    pub max_labeled_demos: usize,
    /// How much is tried; `None` for `num_candidates` and `num_trials`.
    pub auto: Option<Auto>,
    /// How many instructions and sets of demos there are to choose from, for each predictor. Without `auto` only.
    pub num_candidates: Option<usize>,
    /// How many combinations are tried. Without `auto` only.
    pub num_trials: Option<usize>,
    /// What chance begins with.
    pub seed: u32,
    /// The temperature of proposals.
    pub init_temperature: f64,
    /// The score from which on the teacher's prediction is good enough for a demo.
    pub metric_threshold: Option<f64>,
    /// Whether combinations are scored on a part of the validation set first. `auto` decides itself.
    pub minibatch: bool,
    /// How many examples such a part has.
    pub minibatch_size: usize,
    /// After how many combinations the best one so far is scored on all examples.
    pub minibatch_full_eval_steps: usize,
    /// Whether the model that proposes is shown the program, and describes it first.
    pub program_aware_proposer: bool,
    /// Whether it is shown a summary of the examples, and writes that first.
    pub data_aware_proposer: bool,
    /// How many examples it looks at at a time for the summary.
    pub view_data_batch_size: usize,
    /// Whether it is given a tip, drawn by chance.
    pub tip_aware_proposer: bool,
    /// Whether it is shown demos.
    pub fewshot_aware_proposer: bool,
    /// How combinations are evaluated. Its `max_errors` count for a bootstrap too.
    pub evaluate: Evaluate,
}

impl MiproV2 {
    /// DSPy's defaults.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        Self {
            metric,
            prompt_model: None,
            task_model: None,
            teacher_model: None,
            max_bootstrapped_demos: 4,
            max_labeled_demos: 4,
            auto: Some(Auto::Light),
            num_candidates: None,
            num_trials: None,
            seed: 9,
            init_temperature: 1.0,
            metric_threshold: None,
            minibatch: true,
            minibatch_size: 35,
            minibatch_full_eval_steps: 5,
            program_aware_proposer: true,
            data_aware_proposer: true,
            view_data_batch_size: 10,
            tip_aware_proposer: true,
            fewshot_aware_proposer: true,
            evaluate: Evaluate::default(),
        }
    }

    /// All that was tried. The model that proposes is asked in `run`; programs are scored in the study, which should be one in a run with
    /// the `task_model`.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input), when there are too few examples, or settings contradict each other; what
    /// [`BootstrapFewShot`] and [`Evaluate`] fail with, and what the model fails with that writes instructions. When it fails to describe
    /// the examples or the program, the search goes on without.
    pub async fn search(&self, run: &Run, study: &mut Study<'_>, training: Training<'_>) -> Result<MiproTrials> {
        let mut random = Random::new(self.seed.into());
        let plan = Plan::of(self, &training, &mut random)?;
        let lessons = Training { trainset: plan.trainset, ..training.clone() };
        let sets = self.demo_sets(&plan).create(study.run(), lessons, &mut random).await?;
        let program = Variant::copy_of(&training.student);
        let proposer = Proposer::new(self, run, &program, plan.trainset).await?;
        let instructions = proposer.propose(&program, &sets, plan.num_instructions, &mut random).await?;
        let sets = (!self.is_zero_shot()).then_some(sets);
        Search::new(self, study, &plan, program, instructions, sets, random).run().await
    }

    /// Whether the program gets no demos.
    fn is_zero_shot(&self) -> bool {
        self.max_bootstrapped_demos == 0 && self.max_labeled_demos == 0
    }

    fn demo_sets(&self, plan: &Plan) -> DemoSets {
        let bootstrap = BootstrapFewShot {
            metric_threshold: self.metric_threshold,
            teacher_model: self.teacher_model.clone(),
            max_bootstrapped_demos: if self.is_zero_shot() { proposer::MAX_DEMOS } else { self.max_bootstrapped_demos },
            max_labeled_demos: self.max_labeled_demos,
            max_errors: self.evaluate.parallel.max_errors,
            ..BootstrapFewShot::new(Rc::clone(&self.metric))
        };
        DemoSets::new(bootstrap, plan.num_demo_sets)
    }
}

impl Optimizer for MiproV2 {
    /// # Errors
    /// As [`search`](MiproV2::search).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let task = run.clone().with_model(self.task_model.as_deref());
            let mut study = Study::new("MIPROv2", &task, self.evaluate, &*self.metric, &training);
            let found = self.search(run, &mut study, training).await;
            study.end(found.map(|found| found.program)).await
        })
    }

    /// Nothing, when the settings do not allow to begin.
    fn estimate(&self, training: &Training) -> Estimate {
        let plan = Plan::of(self, training, &mut Random::new(self.seed.into()));
        plan.map_or_else(|_| Estimate::default(), |plan| plan.estimate(self, training))
    }
}
