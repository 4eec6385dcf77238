//! Metrics, as optimizers take them.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::super::inner::Inner;
use super::super::scoring::JsMetric;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::metric::{self, Judge, NamedCall};
use crate::run::{Run, Span};
use crate::value::Value;

/// What tells optimizers how good a prediction is.
#[wasm_bindgen]
pub struct Metric {
    pub(super) metric: Rc<dyn metric::Metric>,
}

#[wasm_bindgen]
impl Metric {
    /// A function to a promise of `{score}`, a record, see [`JsMetric`].
    pub fn of(function: Function) -> Self {
        Self { metric: Rc::new(JsMetric(function)) }
    }

    /// A program that judges.
    pub fn judge(judge: Inner) -> Self {
        Self { metric: Rc::new(Judge(judge)) }
    }

    /// The same, which calls a function with every score.
    pub fn counted(self, watch: Function) -> Self {
        Self { metric: Rc::new(Counted { metric: self.metric, watch }) }
    }
}

/// A metric that is watched.
struct Counted {
    metric: Rc<dyn metric::Metric>,
    watch: Function,
}

impl Counted {
    fn told(&self, score: Result<Value>) -> Result<Value> {
        // A listener that throws must not stop the search.
        let _ = self.watch.call0(&JsValue::NULL);
        score
    }
}

impl metric::Metric for Counted {
    fn score<'a>(
        &'a self,
        run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(async move { self.told(self.metric.score(run, example, prediction, trace).await) })
    }

    fn feedback<'a>(
        &'a self,
        run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: &'a [Rc<Span>],
        call: NamedCall<'a>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        self.metric.feedback(run, example, prediction, trace, call)
    }
}
