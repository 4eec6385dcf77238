//! A part of a larger program: the same module, its predictors under the name of the part.

use futures_core::future::LocalBoxFuture;

use super::ROOT;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::module::{Module, Predict};
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

impl Part<'_> {
    fn named(path: &str, name: &str) -> String {
        match (path, name) {
            ("", name) => name.to_owned(),
            (path, ROOT) => path.to_owned(),
            (path, name) => format!("{path}.{name}"),
        }
    }
}

impl Module for Part<'_> {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        self.module.call(run, inputs)
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        let predictors = self.module.predictors().into_iter();
        predictors.map(|(name, predict)| (Self::named(self.path, &name), predict)).collect()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        let predictors = self.module.predictors_mut().into_iter();
        predictors.map(|(name, predict)| (Self::named(self.path, &name), predict)).collect()
    }
}
