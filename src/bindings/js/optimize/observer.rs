//! Who is told of a search.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use serde_json::json;
use wasm_bindgen::prelude::*;

use super::super::errors::answered;
use super::super::evaluate::described;
use super::{Found, summary};
use crate::error::{Error, Result};
use crate::json;
use crate::module::Module;
use crate::observe::{self, Trial};
use crate::report;

/// A function from JSON text and maybe a [`Found`], whose program is the one that it is told of, to a promise. Of a trial the text is
/// `{optimizer, number, evaluation}`, of the end `{optimized: true, error?}`.
pub(super) fn of(watch: Function) -> Rc<dyn observe::Observer> {
    Rc::new(Observer(watch))
}

struct Observer(Function);

impl Observer {
    async fn tell(&self, text: String, program: Option<&dyn Module>) -> Result<()> {
        let found = program.map_or(JsValue::UNDEFINED, |program| Found::of(program).into());
        answered(self.0.call2(&JsValue::NULL, &text.into(), &found)).await.map(drop)
    }
}

impl observe::Observer for Observer {
    fn tried<'a>(&'a self, trial: Trial<'a>) -> LocalBoxFuture<'a, Result<()>> {
        let head =
            json!({"optimizer": trial.optimizer, "number": trial.number, "evaluation": summary(trial.evaluation)});
        Box::pin(self.tell(json::text(&head), Some(trial.program)))
    }

    fn optimized<'a>(
        &'a self,
        ended: std::result::Result<&'a dyn Module, &'a Error>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        let text = report::with_raw(json!({"optimized": true}), &described(ended.err()));
        Box::pin(self.tell(text, ended.ok()))
    }
}
