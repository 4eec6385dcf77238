//! What optimizers found, on its way into programs.

use serde_json::{Value as Json, json};
use wasm_bindgen::prelude::*;

use super::super::errors::thrown;
use super::super::evaluate::described;
use super::super::program::Program;
use crate::module::{Module, Predict, Variant};
use crate::optimize::Optimized;
use crate::report;

/// Programs as what their predictors have learned. It keeps nothing of the student, which can be changed again.
#[wasm_bindgen]
pub struct Found {
    programs: Vec<Learned>,
    told: String,
}

struct Learned {
    predictors: Vec<Predict>,
    compiled: bool,
}

impl Learned {
    fn of(program: &dyn Module) -> Self {
        let predictors = program.predictors().into_iter().map(|(_, predict)| predict.clone()).collect();
        Self { predictors, compiled: program.is_compiled() }
    }
}

impl Found {
    /// What was found, with what is told beside by name, and the programs that this is of.
    pub(super) fn of(
        optimized: Optimized,
        beside: impl IntoIterator<Item = (&'static str, Json)>,
        more: Vec<Variant>,
    ) -> Self {
        let Optimized { program, candidates, stopped_by } = optimized;
        let scores: Vec<f64> = candidates.iter().map(|candidate| candidate.score).collect();
        let told = [("scores", json!(scores))].into_iter().chain(beside).collect();
        let told = report::with_raw(told, &described(stopped_by.as_ref()));
        let others = candidates.into_iter().map(|candidate| candidate.program).chain(more);
        let programs = [program].into_iter().chain(others).map(|program| Learned::of(&program)).collect();
        Self { programs, told }
    }
}

impl From<&dyn Module> for Found {
    fn from(program: &dyn Module) -> Self {
        Self { programs: vec![Learned::of(program)], told: String::new() }
    }
}

#[wasm_bindgen]
impl Found {
    /// `{scores, error?, ...}` as JSON text: the scores of the candidates, why the search ended early, and what its [`Kind`](super::Kind) tells.
    pub fn told(&self) -> String {
        self.told.clone()
    }

    /// Whether a program is compiled: the best one at 0, behind it the candidates and then others.
    pub fn is_compiled(&self, program: usize) -> bool {
        self.programs.get(program).is_some_and(|learned| learned.compiled)
    }

    /// Teaches a part of a program like the student what its predictors have learned, from the predictor `first` on.
    pub fn teach(&self, program: usize, first: usize, part: &mut Program) -> std::result::Result<(), JsValue> {
        let learned = self.programs.get(program).and_then(|learned| learned.predictors.get(first..));
        part.take(learned.unwrap_or_default()).map_err(|error| thrown(&error))
    }
}
