//! Metrics of one's own.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::field;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::python::class_of;
use crate::run::{Run, Span};
use crate::value::Value;

/// Says how good a prediction is, as evaluations and optimizers ask it.
///
/// A function of the example, the prediction and the trace is one; what asks a model implements the trait.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::{Metric, answer_exact_match};
/// use lakelet::run::Span;
/// use lakelet::{Example, Prediction};
/// let metric: Rc<dyn Metric> = Rc::new(|example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// });
/// ```
pub trait Metric {
    /// The score: a truth value, a number, or a dict with a `score`, which stands for DSPy's `Prediction(score=...)`. When demos
    /// are looked for, `trace` holds the calls of predictors that led to the prediction; else it is `None`. Dropping the future
    /// cancels it.
    fn score<'a>(
        &'a self,
        run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>>;

    /// What a call of one predictor did for the prediction, or against it, as [`Gepa`](crate::optimize::gepa::Gepa) asks it: a dict
    /// with the `score` of the prediction and `feedback`, words for the model that rewrites the instructions of the predictor.
    /// Without feedback it is told the score alone. Unless it is implemented, [`Metric::score`] answers, which does not know the
    /// predictor.
    fn feedback<'a>(
        &'a self,
        run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: &'a [Rc<Span>],
        _call: NamedCall<'a>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        self.score(run, example, prediction, Some(trace))
    }
}

/// A call of a predictor.
#[derive(Clone, Copy)]
pub struct NamedCall<'a> {
    /// The path of the predictor: DSPy's `pred_name`.
    pub predictor: &'a str,
    /// What it was given and what it gave: DSPy's `pred_trace`.
    pub span: &'a Rc<Span>,
}

impl<F: Fn(&Example, &Prediction, Option<&[Rc<Span>]>) -> Result<Value>> Metric for F {
    fn score<'a>(
        &'a self,
        _run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(async move { self(example, prediction, trace) })
    }
}

/// The score as a number.
///
/// # Errors
/// [`Input`](ErrorKind::Input), when it is none.
pub(crate) fn number(score: &Value) -> Result<f64> {
    match score {
        Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        Value::Int(number) => Ok(*number as f64),
        Value::Float(number) if number.is_nan() => Err(no_score("nan")),
        Value::Float(number) => Ok(*number),
        Value::Dict(prediction) => number(field(prediction, "score")?),
        other => Err(no_score(&class_of(other))),
    }
}

fn no_score(given: &str) -> Error {
    Error::new(ErrorKind::Input, format!("a metric gave {given}, which is no score"))
        .at_field("metric")
        .with_hint("give a truth value, a number, or a dict with a `score`")
        .with_python_class("TypeError")
}

/// Whether Python takes the score for true.
pub(crate) fn is_true(score: &Value) -> bool {
    match score {
        Value::None => false,
        Value::Bool(truth) => *truth,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => !items.is_empty(),
        Value::Dict(members) => !members.is_empty(),
        _ => true,
    }
}
