//! Rollouts: calls of a candidate on a minibatch, with all that led to its predictions.

use std::rc::Rc;

use super::Gepa;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::metric;
use crate::module::{Module, Parallel, Variant};
use crate::run::{Run, Span, Status};

/// What came of one example.
pub(super) struct Rollout<'a> {
    pub example: &'a Example,
    pub score: f64,
    /// Nothing when the program or the metric failed, save for a reply that could not be read.
    pub trajectory: Option<Trajectory>,
}

/// What the program did.
pub(super) struct Trajectory {
    /// The calls of predictors that led to the prediction.
    pub trace: Vec<Rc<Span>>,
    pub end: End,
}

/// What the program came to.
pub(super) enum End {
    Prediction(Prediction),
    /// The predictor with that id got a reply that could not be read.
    Unread {
        predictor: usize,
        reply: String,
    },
}

/// Calls a candidate on examples: gepa's `evaluate(..., capture_traces=True)`.
///
/// # Errors
/// What ends the whole search: the run's deadline, a budget that is spent.
pub(super) async fn roll_out<'a>(
    options: &Gepa,
    run: &Run,
    program: &Variant,
    examples: &[&'a Example],
) -> Result<Vec<Rollout<'a>>> {
    let whole = run.apart();
    let work = examples.iter().map(|example| {
        let (whole, apart) = (&whole, whole.apart());
        async move {
            let ended = call(options, &apart, program, example).await;
            whole.add_usage_of(&apart);
            ended
        }
    });
    let parallel = Parallel { num_threads: options.num_threads, max_errors: usize::MAX };
    let ended = run.in_time(parallel.each(work)).await;
    run.add_usage_of(&whole);
    let rollout = |(example, ended): (&&'a Example, Result<(f64, Trajectory)>)| match ended {
        Ok((score, trajectory)) => Ok(Rollout { example, score, trajectory: Some(trajectory) }),
        Err(error) if matches!(error.kind(), ErrorKind::Budget | ErrorKind::Cancelled) => Err(error),
        Err(error) => {
            run.goes_on("GEPA: an example failed", &error);
            Ok(Rollout { example, score: options.failure_score, trajectory: None })
        }
    };
    examples.iter().zip(ended?).map(rollout).collect()
}

async fn call(options: &Gepa, run: &Run, program: &Variant, example: &Example) -> Result<(f64, Trajectory)> {
    let inputs = example.inputs().fold(Example::new(), |inputs, (name, value)| inputs.with(name, value.clone()));
    let called = program.call(run, inputs).await;
    let trace = run.trace();
    match called {
        Ok(prediction) => {
            let score = metric::number(&options.metric.score(run, example, &prediction, None).await?)?;
            Ok((score, Trajectory { trace, end: End::Prediction(prediction) }))
        }
        Err(error) => match unread(run, program, &error) {
            Some(end) => {
                run.goes_on("GEPA: a reply could not be read", &error);
                Ok((options.failure_score, Trajectory { trace, end }))
            }
            None => Err(error),
        },
    }
}

/// The reply that could not be read, when that is why the program failed. One of which some fields could be read does not count:
/// DSPy fails on it itself, and leaves the example out.
fn unread(run: &Run, program: &Variant, error: &Error) -> Option<End> {
    let reply = error.reply().filter(|_| error.kind() == ErrorKind::Parse)?;
    if reply.parsed_fields.as_ref().is_some_and(|fields| !fields.is_empty()) {
        return None;
    }
    let spans = run.spans();
    let failed = spans.iter().rfind(|span| span.predictor.is_some() && matches!(span.status, Status::Failed(_)))?;
    let predictor =
        failed.predictor.filter(|id| program.predictors().iter().any(|(_, predict)| predict.id() == *id))?;
    Some(End::Unread { predictor, reply: reply.text.clone() })
}
