//! Trajectories: calls of programs, with all that led to their predictions and how they scored.

use std::rc::Rc;

use serde_json::Value as Json;

use super::Simba;
use crate::error::Result;
use crate::evaluate::{Evaluation, Row};
use crate::example::{Example, Prediction};
use crate::metric;
use crate::module::{Module, Variant};
use crate::optimize::bootstrap::given;
use crate::run::{Run, Span};
use crate::value::{Map, Value};

/// A call to make.
pub(super) struct Attempt<'a> {
    pub program: Rc<Variant>,
    pub example: &'a Example,
    /// Parameters of its models that keep it apart from the same call by another model.
    pub settings: serde_json::Map<String, Json>,
}

/// What came of a call.
pub(super) struct Trajectory<'a> {
    pub example: &'a Example,
    /// The calls of predictors that led there.
    pub trace: Vec<Rc<Span>>,
    /// What else the metric gave beside the score.
    pub metadata: Map,
    /// The score is 0 where the program or the metric failed.
    pub row: Row,
    /// Whether the program gave a prediction.
    pub answered: bool,
}

/// Makes the calls, and gives what came of each.
///
/// # Errors
/// What ends the whole search: the run's deadline, a budget that is spent.
pub(super) async fn sample<'a>(
    options: &Simba,
    run: &Run,
    attempts: impl Iterator<Item = Attempt<'a>>,
) -> Result<Vec<Trajectory<'a>>> {
    let whole = run.apart();
    let trajectories = run.in_time(roll_out(options, &whole, attempts, |trajectory| trajectory)).await;
    run.add_usage_of(&whole);
    trajectories
}

/// Evaluates a program on examples.
///
/// # Errors
/// As [`sample`].
pub(super) async fn evaluate(
    options: &Simba,
    run: &Run,
    program: &Rc<Variant>,
    examples: impl Iterator<Item = &Example>,
) -> Result<Evaluation> {
    let whole = run.apart();
    let attempts =
        examples.map(|example| Attempt { program: Rc::clone(program), example, settings: Default::default() });
    let rows = run.in_time(roll_out(options, &whole, attempts, |trajectory| trajectory.row)).await;
    run.add_usage_of(&whole);
    Ok(Evaluation::of_rows(rows?, whole.usage(), whole.elapsed_ms()))
}

async fn roll_out<'a, T>(
    options: &Simba,
    whole: &Run,
    attempts: impl Iterator<Item = Attempt<'a>>,
    keep: impl Fn(Trajectory<'a>) -> T + Copy,
) -> Result<Vec<T>> {
    let work = attempts.map(|attempt| {
        let apart = whole.apart();
        async move {
            let ended = call(options, &apart, attempt).await;
            whole.add_usage_of(&apart);
            ended.map(keep)
        }
    });
    options.parallel().each(work).await?.into_iter().collect()
}

/// DSPy's `wrap_program`.
async fn call<'a>(options: &Simba, run: &Run, attempt: Attempt<'a>) -> Result<Trajectory<'a>> {
    let example = attempt.example;
    let called = attempt.program.call(&run.clone().with_lm_settings(attempt.settings), given(example)?).await;
    let (latency_ms, trace, answered) = (run.elapsed_ms(), run.trace(), called.is_ok());
    let (prediction, failed) = unless_the_end(called)?
        .map_or_else(|error| (Prediction::default(), Some(error)), |prediction| (prediction, None));
    let scored = options.metric.score(run, example, &prediction, None).await.and_then(points);
    let ((score, points, metadata), error) = match unless_the_end(scored)? {
        Ok(scored) => (scored, failed),
        Err(error) => ((0.0.into(), 0.0, Map::new()), failed.or(Some(error))),
    };
    if let Some(error) = &error {
        run.goes_on("SIMBA: an example failed", error);
    }
    let row = Row { prediction, score, points, latency_ms, error };
    Ok(Trajectory { example, trace, metadata, row, answered })
}

/// What ends the work is an error of the whole search, and every other error one of the call.
fn unless_the_end<T>(result: Result<T>) -> Result<Result<T>> {
    match result {
        Err(end) if end.kind().ends_the_work() => Err(end),
        result => Ok(result),
    }
}

/// The score, the same as a number, and what else the metric gave. What is no score counts as 0, as in DSPy.
fn points(given: Value) -> Result<(Value, f64, Map)> {
    match given {
        Value::Dict(mut fields) => {
            let points = metric::number(&Value::Dict(fields.clone()))?;
            let score = fields.shift_remove("score").unwrap_or(Value::None);
            Ok((score, points, fields))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
            let points = metric::number(&given)?;
            Ok((given, points, Map::new()))
        }
        _ => Ok((0.0.into(), 0.0, Map::new())),
    }
}
