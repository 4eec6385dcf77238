//! Optimizers: what DSPy calls teleprompters.
//!
//! An optimizer takes a program, the student, and examples, and gives a [`Variant`] of the program that does better. The program
//! itself stays as it is, until the predictors of the variant are put into it or its [state](crate::state) is loaded.

mod auto;
mod better_together;
mod bootstrap;
mod copro;
mod dataset_summary;
mod demo_sets;
mod ensemble;
mod estimate;
pub mod gepa;
mod infer_rules;
mod knn_few_shot;
mod labeled_few_shot;
mod measure;
mod mipro;
mod multi_objective;
pub mod proposal;
mod random_search;
mod serving;
mod simba;
mod study;
mod tpe;

pub use auto::Auto;
pub use better_together::{BetterTogether, Step, Steps};
pub use bootstrap::BootstrapFewShot;
pub use copro::{Attempt, Attempts, Copro};
pub use dataset_summary::dataset_summary;
pub use demo_sets::DemoSets;
pub use ensemble::{Ensemble, Reduce};
pub use estimate::{Assumptions, Forecast};
pub use infer_rules::InferRules;
pub use knn_few_shot::{KnnFewShot, NearestDemos};
pub use labeled_few_shot::LabeledFewShot;
pub use measure::ServingStats;
pub use mipro::{MiproTrial, MiproTrials, MiproV2};
pub use multi_objective::{Direction, Measure, MultiObjective, MultiObjectiveResult, Objective, Preference, Weighed};
pub use random_search::{BootstrapFewShotWithRandomSearch, Candidate};
pub use serving::{DatabricksOptimizedOptimizer, Latency};
pub use simba::{Simba, SimbaCandidate, SimbaTrials};
pub use study::Study;
pub use tpe::{Choice, Tpe};

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::error::{Error, Result};
use crate::example::Example;
use crate::module::{Module, Variant};
use crate::observe::Observer;
use crate::python::Random;
use crate::run::Run;

/// What an optimizer works with.
#[derive(Clone)]
pub struct Training<'a> {
    /// The program that is to do better.
    pub student: Rc<dyn Module>,
    /// A program with the same predictors, whose calls the student learns from. Without one the student is its own teacher.
    pub teacher: Option<Rc<dyn Module>>,
    /// Examples with [inputs](Example::with_inputs) and what is wanted of the program.
    pub trainset: &'a [Example],
    /// What candidates are scored on. Without it, the trainset or a part of it.
    pub valset: Option<&'a [Example]>,
    /// Who is told of the candidates.
    pub observer: Option<Rc<dyn Observer>>,
}

impl<'a> Training<'a> {
    /// A student that is its own teacher.
    pub fn new(student: Rc<dyn Module>, trainset: &'a [Example]) -> Self {
        Self { student, teacher: None, trainset, valset: None, observer: None }
    }

    /// The same, with a teacher.
    pub fn with_teacher(self, teacher: Rc<dyn Module>) -> Self {
        Self { teacher: Some(teacher), ..self }
    }

    /// The same, with other examples to score candidates on.
    pub fn with_valset(self, valset: &'a [Example]) -> Self {
        Self { valset: Some(valset), ..self }
    }

    /// The same, with somebody who is told of the candidates.
    pub fn with_observer(self, observer: Rc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// What candidates are scored on: DSPy's `valset or trainset`.
    fn scored_on(&self) -> &'a [Example] {
        self.valset.filter(|valset| !valset.is_empty()).unwrap_or(self.trainset)
    }
}

/// What came of a search.
#[derive(Clone)]
pub struct Optimized {
    /// The best program that was found.
    pub program: Variant,
    /// What was scored on all the examples that programs are compared on: the best first, of equals the earlier one.
    pub candidates: Vec<Scored>,
    /// Why the search ended before its end, if it did: the [budget](crate::run::Budget) was spent.
    pub stopped_by: Option<Error>,
}

/// What an optimizer finds without scoring.
impl From<Variant> for Optimized {
    fn from(program: Variant) -> Self {
        Self { program, candidates: Vec::new(), stopped_by: None }
    }
}

/// A candidate and its score in percent.
#[derive(Clone)]
pub struct Scored {
    pub program: Variant,
    pub score: f64,
}

/// What a search comes to at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Calls of programs, the student's or the teacher's; each asks its predictors.
    pub program_calls: usize,
    /// Calls of the model that proposes: instructions, rules, advice.
    pub proposals: usize,
}

impl std::ops::AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.program_calls += other.program_calls;
        self.proposals += other.proposals;
    }
}

/// Makes programs better.
pub trait Optimizer {
    /// The best program that was found. When the run's [budget](crate::run::Budget) is spent, that is the best so far. Dropping the future
    /// cancels the search.
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>>;

    /// What the search comes to at most, known before it begins.
    fn estimate(&self, training: &Training) -> Estimate;
}

/// So many of the examples, or all of them, in random order.
fn sample(random: &mut Random, examples: &[Example], size: usize) -> Result<Vec<Example>> {
    let places = random.sample(examples.len(), size.min(examples.len()))?;
    Ok(places.into_iter().filter_map(|place| examples.get(place).cloned()).collect())
}
