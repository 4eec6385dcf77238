//! Rewards: how good a prediction is.

use futures_core::future::LocalBoxFuture;

use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;

/// Says how good a prediction is: the higher the better.
///
/// A function is one; what asks a model or another service implements the trait.
pub trait Reward {
    /// The reward of what a program made of `inputs`. Dropping the future cancels it.
    fn score<'a>(
        &'a self,
        run: &'a Run,
        inputs: &'a Example,
        prediction: &'a Prediction,
    ) -> LocalBoxFuture<'a, Result<f64>>;
}

impl<F: Fn(&Example, &Prediction) -> Result<f64>> Reward for F {
    fn score<'a>(
        &'a self,
        _run: &'a Run,
        inputs: &'a Example,
        prediction: &'a Prediction,
    ) -> LocalBoxFuture<'a, Result<f64>> {
        Box::pin(async move { self(inputs, prediction) })
    }
}
