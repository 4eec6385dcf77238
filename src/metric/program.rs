//! Metrics that are programs.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::Metric;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::module::Module;
use crate::run::{Run, Span};
use crate::value::Value;

/// A metric that is a program, such as [`SemanticF1`](super::SemanticF1): it takes `example`, `pred` and, when there is one, a
/// `trace`, and gives a `score`.
///
/// ```
/// use lakelet::metric::{Judge, SemanticF1};
/// let metric = Judge(SemanticF1::new(false)?);
/// # Ok::<(), lakelet::Error>(())
/// ```
pub struct Judge<M: Module>(pub M);

impl<M: Module> Metric for Judge<M> {
    fn score<'a>(
        &'a self,
        run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        let (example, pred) = (Value::Dict(example.fields.clone()), Value::Dict(prediction.fields.clone()));
        let mut inputs = Example::new().with("example", example).with("pred", pred);
        if trace.is_some() {
            inputs = inputs.with("trace", true); // judges look whether there is one, not into it
        }
        Box::pin(async move { Ok(Value::Dict(self.0.call(run, inputs).await?.fields)) })
    }
}
