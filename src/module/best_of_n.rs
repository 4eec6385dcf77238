//! `BestOfN`: several tries, of which the best counts.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Module, Predict, Retrieve, Reward, SubModule, Tries, at_path, recorded};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;

/// Runs a module up to `n` times and gives the prediction with the highest reward, or the first whose reward reaches the
/// threshold: DSPy 3.4.1's `BestOfN`.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::module::BestOfN;
/// use lakelet::{Example, Predict, Prediction, Signature, Value};
/// let one_word = |_: &Example, prediction: &Prediction| {
///     let answer = prediction.get("answer").and_then(Value::as_str).unwrap_or_default();
///     Ok(if answer.split_whitespace().count() == 1 { 1.0 } else { 0.0 })
/// };
/// let qa = Predict::new(Signature::parse("question -> answer")?);
/// let best_of_3 = BestOfN::new(Box::new(qa), 3, Rc::new(one_word), 1.0);
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// Of equal rewards the first counts. Tries that fail are left out; when all of them fail, so does the call, with the last
/// error (Python gives `None`). The [trace](Run::trace) holds the best try alone.
pub struct BestOfN {
    pub tries: Tries,
}

impl BestOfN {
    /// Lets `module` try `n` times, or until `reward` is at least `threshold`.
    pub fn new(module: Box<dyn Module>, n: usize, reward: Rc<dyn Reward>, threshold: f64) -> Self {
        Self { tries: Tries::new(module, n, reward, threshold) }
    }
}

impl Module for BestOfN {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "best_of_n", inputs, async |run, inputs| {
            self.tries.best(run, inputs, async |_| Ok(run.clone())).await
        }))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        at_path("module", self.tries.module.predictors())
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        at_path("module", self.tries.module.predictors_mut())
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("BestOfN", &[("module", &*self.tries.module)])
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        at_path("module", self.tries.module.retrieves())
    }
}
