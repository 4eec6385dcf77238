//! A part of a larger program: the same module, its predictors under the name of the part.

use futures_core::future::LocalBoxFuture;

use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::module::{Module, Predict, Retrieve, at_path};
use crate::run::Run;

/// A module as the part `path` of a program that is put together elsewhere, in a JavaScript class for instance.
///
/// Its predictors have the names that DSPy's `named_predictors()` of the whole gives them: a `Predict` is `answer`, the one
/// inside a `ChainOfThought` is `answer.predict`.
pub struct Part<'a> {
    /// Empty for the whole program.
    pub path: &'a str,
    pub module: &'a mut dyn Module,
}

impl Module for Part<'_> {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        self.module.call(run, inputs)
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        at_path(self.path, self.module.predictors())
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        at_path(self.path, self.module.predictors_mut())
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        at_path(self.path, self.module.retrieves())
    }
}
