//! Who is told of a search.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use serde_json::{Value as Json, json};
use wasm_bindgen::prelude::*;

use super::super::errors::answered;
use super::{Found, summary};
use crate::error::Result;
use crate::json;
use crate::observe::{self, Trial};

/// A function from the JSON text of a trial, `{optimizer, number, evaluation}`, and a [`Found`], whose program it is, to a promise. The end is
/// told by the promise of the search.
pub(super) fn of(watch: Function) -> Rc<dyn observe::Observer> {
    Rc::new(Observer(watch))
}

struct Observer(Function);

impl observe::Observer for Observer {
    fn tried<'a>(&'a self, trial: Trial<'a>) -> LocalBoxFuture<'a, Result<()>> {
        let evaluation = summary(trial.evaluation);
        let told = json!({
            "optimizer": trial.optimizer, "number": trial.number, "evaluation": evaluation,
            "objectives": trial.objectives.iter().cloned().collect::<Json>(),
        });
        let called = self.0.call2(&JsValue::NULL, &json::text(&told).into(), &Found::from(trial.program).into());
        Box::pin(async move { answered(called).await.map(drop) })
    }
}
