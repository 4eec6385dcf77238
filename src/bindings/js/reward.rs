//! Rewards that JavaScript gives.

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::callback;
use super::custom::Opened;
use super::errors::answered;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::module::Reward;
use crate::run::Run;

/// A function from inputs and outputs to a promise of a number.
pub(super) struct JsReward(pub Function);

impl Reward for JsReward {
    fn score<'a>(
        &'a self,
        _run: &'a Run,
        inputs: &'a Example,
        prediction: &'a Prediction,
    ) -> LocalBoxFuture<'a, Result<f64>> {
        Box::pin(async move {
            let given = callback::given(&[&inputs.fields, &prediction.fields], Opened::plain());
            let reward = answered(self.0.call1(&JsValue::NULL, &given)).await?;
            reward.as_f64().or(reward.as_bool().map(|good| u8::from(good).into())).ok_or_else(|| {
                Error::new(ErrorKind::Input, "the reward is no number")
                    .with_hint("return a number, the higher the better, from `rewardFn`")
            })
        })
    }
}
