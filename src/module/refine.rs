//! `Refine`: several tries, with advice from one to the next.

mod feedback;

pub use feedback::describe_modules;
pub(crate) use feedback::{describe_program, dump};

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Module, Predict, Retrieve, Reward, SubModule, Tries, at_path, recorded};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;

/// Runs a module up to `n` times like [`BestOfN`](super::BestOfN), and between the tries asks a model what each predictor should
/// do differently: DSPy 3.4.1's `Refine`. Every predictor is shown its advice as an input `hint_`.
///
/// The question shows what the program is, what it did, and how it was rewarded. Python puts source code there; here a
/// description stands in its place, unless [`program_code`](Self::program_code) and [`reward_code`](Self::reward_code) are
/// set, as a host can do that has the source at hand.
pub struct Refine {
    pub tries: Tries,
    /// What the model is told that the program is; `None` for a list of its predictors.
    pub program_code: Option<String>,
    /// What the model is told of how predictions are rewarded.
    pub reward_code: String,
    /// Who is asked for advice.
    pub adviser: Predict,
}

impl Refine {
    /// Lets `module` try `n` times, or until `reward` is at least `threshold`.
    ///
    /// # Errors
    /// As [`Signature::from_fields`](crate::Signature::from_fields).
    pub fn new(module: Box<dyn Module>, n: usize, reward: Rc<dyn Reward>, threshold: f64) -> Result<Self> {
        Ok(Self {
            tries: Tries::new(module, n, reward, threshold),
            program_code: None,
            reward_code: feedback::REWARD.to_owned(),
            adviser: Predict::of_kind("offer_feedback", feedback::signature()?),
        })
    }
}

impl Module for Refine {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "refine", inputs, async |run, inputs| {
            self.tries
                .best(run, inputs, async |tried| {
                    let advice = self.adviser.ask(run, self.question(run, inputs, tried)?).await?;
                    Ok(run.clone().with_hints(self.hints(run, &advice)))
                })
                .await
        }))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        at_path("module", self.tries.module.predictors())
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        at_path("module", self.tries.module.predictors_mut())
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("Refine", &[("module", &*self.tries.module)])
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        at_path("module", self.tries.module.retrieves())
    }
}
