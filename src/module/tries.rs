//! Several tries, of which the best counts: what `BestOfN` and `Refine` have in common.

use std::rc::Rc;

use serde_json::Value as Json;

use super::{Module, Reward, acting};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::run::{Gate, Run, Span};
use crate::value::Map;

/// A module that is run several times for one answer.
///
/// Every try has a `rollout_id` of its own and the temperature 1.0, laid over what the models have; what a predictor is
/// configured with stands above both. Fields are streamed of the best try only, once it is known.
pub struct Tries {
    pub module: Box<dyn Module>,
    /// How often at most.
    pub n: usize,
    pub reward: Rc<dyn Reward>,
    /// The reward that is good enough to stop at.
    pub threshold: f64,
    /// How many tries may fail. As in DSPy, the numbers of the tries count from 0, and a try fails the whole call when its
    /// number is above what is left of this.
    pub fail_count: usize,
}

/// A try that ended well.
pub(super) struct Tried {
    pub prediction: Prediction,
    pub reward: f64,
    /// The calls of predictors that it made.
    pub trace: Vec<Rc<Span>>,
    span: usize,
    gate: Rc<Gate>,
}

impl Tries {
    pub(super) fn new(module: Box<dyn Module>, n: usize, reward: Rc<dyn Reward>, threshold: f64) -> Self {
        Self { module, n, reward, threshold, fail_count: n }
    }

    /// The best prediction. `learn` sees each try that another one follows, and gives the run for that one.
    pub(super) async fn best(
        &self,
        run: &Run,
        inputs: &Example,
        mut learn: impl AsyncFnMut(&Tried) -> Result<Run>,
    ) -> Result<Prediction> {
        let first = self.first_rollout(run)?;
        let mut allowed = self.fail_count;
        let mut next = run.clone();
        let mut best = None;
        let mut failure = None;
        for number in 0..self.n {
            let rollout = first.saturating_add(i64::try_from(number).unwrap_or(i64::MAX));
            let learned = match self.make(&next, inputs, rollout).await {
                Ok(this) => {
                    let is_last = this.reward >= self.threshold || number + 1 == self.n;
                    let learned = if is_last { None } else { Some(learn(&this).await) };
                    best = Some(better(run, best, this));
                    match learned {
                        Some(learned) => learned,
                        None => break,
                    }
                }
                Err(error) => Err(error),
            };
            match learned {
                Ok(run) => next = run,
                Err(error) => {
                    let is_over = error.kind().ends_the_work();
                    if is_over || number > allowed {
                        if let Some(best) = best {
                            best.set_aside(run);
                        }
                        return Err(error);
                    }
                    allowed = allowed.saturating_sub(1);
                    failure = Some(error);
                }
            }
        }
        match best {
            Some(best) if best.reward > f64::NEG_INFINITY => {
                best.gate.release();
                Ok(best.prediction)
            }
            _ => Err(failure.unwrap_or_else(|| {
                Error::new(ErrorKind::Input, "no try was given a reward")
                    .with_hint("allow at least one try, and reward it with a number above negative infinity")
            })),
        }
    }

    async fn make(&self, run: &Run, inputs: &Example, rollout: i64) -> Result<Tried> {
        let gate = Gate::inside(run.gate(), false, None);
        let run = run.clone().behind(&gate).with_rollout(rollout);
        let span = run.open_span("try");
        let id = span.id();
        match self.call(&run.inside(&span).part("module"), inputs).await {
            Ok((prediction, reward)) => {
                let trace = span.trace();
                span.done(prediction.fields.clone());
                Ok(Tried { prediction, reward, trace, span: id, gate })
            }
            Err(error) => {
                span.failed(error.clone());
                run.discard(id);
                gate.release();
                Err(error)
            }
        }
    }

    async fn call(&self, run: &Run, inputs: &Example) -> Result<(Prediction, f64)> {
        let prediction = self.module.call(run, inputs.clone()).await?;
        let span = run.open_span("reward");
        let reward = self.reward.score(&run.inside(&span), inputs, &prediction).await;
        run.discard(span.id()); // what a reward asks of models does not lead to the prediction
        match reward {
            Ok(reward) => {
                span.done(Map::from_iter([("reward".to_owned(), reward.into())]));
                Ok((prediction, reward))
            }
            Err(error) => {
                span.failed(error.clone());
                Err(error)
            }
        }
    }

    /// Where the numbers of the tries start: at the `rollout_id` that the models have, so that tries inside of tries differ.
    fn first_rollout(&self, run: &Run) -> Result<i64> {
        let predictors = acting(run, &*self.module);
        let model = run.model(predictors.first().and_then(|(_, predict)| predict.model()))?;
        let given = run.lm_settings().get("rollout_id").or_else(|| model.defaults().get("rollout_id"));
        Ok(given.and_then(Json::as_i64).unwrap_or(0))
    }
}

impl Tried {
    /// Another try counts: the caller may see what this one did, but not as text of the answer.
    fn set_aside(self, run: &Run) {
        run.discard(self.span);
        self.gate.release();
    }
}

/// The try with the higher reward, the earlier one of equals. The other one is discarded.
fn better(run: &Run, best: Option<Tried>, this: Tried) -> Tried {
    let (better, worse) = match best {
        None => return this,
        Some(best) if this.reward > best.reward || best.reward.is_nan() => (this, best),
        Some(best) => (best, this),
    };
    worse.set_aside(run);
    better
}
