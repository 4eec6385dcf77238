//! `ChainOfThought`: think first, then answer.

use futures_core::future::LocalBoxFuture;

use super::{Module, Predict, SubModule};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};

/// A [`Predict`] whose first output is `reasoning`, as DSPy 3.4 has it.
pub struct ChainOfThought {
    pub predict: Predict,
}

impl ChainOfThought {
    /// Lets a model reason before it fills the outputs of `signature`.
    ///
    /// # Errors
    /// [`Signature`](crate::ErrorKind::Signature) when the signature cannot take a field `reasoning`.
    pub fn new(signature: &Signature) -> Result<Self> {
        Self::with_reasoning(signature, Field::output("reasoning", Type::Str))
    }

    /// Lets a model reason in a field of your own: another type, [`Reasoning`](crate::signature::Special::Reasoning) for
    /// instance, or a description.
    ///
    /// # Errors
    /// As [`ChainOfThought::new`].
    pub fn with_reasoning(signature: &Signature, reasoning: Field) -> Result<Self> {
        let signature = signature.prepend(reasoning)?;
        Ok(Self { predict: Predict::of_kind("chain_of_thought", signature) })
    }
}

impl Module for ChainOfThought {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        self.predict.call(run, inputs)
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![("predict".to_owned(), &self.predict)]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![("predict".to_owned(), &mut self.predict)]
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("ChainOfThought", &[("predict", &self.predict)])
    }
}
