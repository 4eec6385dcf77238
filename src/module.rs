//! Modules: what can be called with an [`Example`] and answers with a [`Prediction`].

mod chain_of_thought;
mod predict;

pub use chain_of_thought::ChainOfThought;
pub use predict::{Call, Choices, NOT_FOUND, Predict};

use futures_core::future::LocalBoxFuture;

use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;

/// A program, or a part of one.
pub trait Module {
    /// Runs the module. Dropping the future cancels it.
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>>;

    /// The predictors inside, under the paths that DSPy's `named_predictors()` gives them: `self` for a bare [`Predict`],
    /// `predict` for a bare [`ChainOfThought`], `complex_query.predict` for one inside a program.
    fn predictors(&self) -> Vec<(String, &Predict)>;

    /// The same, to be changed: demos, instructions, model.
    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)>;
}
