//! Who is told what programs came to: trackers of experiments, logs.

use futures_core::future::LocalBoxFuture;
use futures_util::future::ready;

use crate::error::{Error, Result};
use crate::evaluate::Evaluation;
use crate::example::{Example, Prediction};
use crate::module::Module;
use crate::run::{Event, Run};

/// A call of a program that has just ended.
#[derive(Clone, Copy)]
pub struct Called<'a> {
    /// The program's name.
    pub name: &'a str,
    pub run: &'a Run,
    pub inputs: &'a Example,
    pub answer: &'a Result<Prediction>,
}

/// A candidate that an optimizer has scored.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// DSPy's name of the optimizer.
    pub optimizer: &'a str,
    /// Counts from 0 on.
    pub number: usize,
    pub program: &'a dyn Module,
    pub evaluation: &'a Evaluation,
    /// What it comes to by other measures than the metric, by their names: latency in milliseconds, US dollars.
    pub objectives: &'a [(String, f64)],
}

/// Told of what happens, as far as it cares. What it fails with stops nothing: who tells it decides what becomes of it.
///
/// ```
/// use lakelet::observe::{Observer, Trial};
/// struct Printer;
/// impl Observer for Printer {
///     fn tried<'a>(&'a self, trial: Trial<'a>) -> futures_core::future::LocalBoxFuture<'a, lakelet::Result<()>> {
///         println!("{} {}: {} %", trial.optimizer, trial.number, trial.evaluation.score);
///         Box::pin(async { Ok(()) })
///     }
/// }
/// ```
pub trait Observer {
    /// A call of a program has ended.
    fn called<'a>(&'a self, _: Called<'a>) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// An optimizer has scored a candidate.
    fn tried<'a>(&'a self, _: Trial<'a>) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// An optimizer has ended, with the best program or with an error.
    fn optimized<'a>(&'a self, _: std::result::Result<&'a dyn Module, &'a Error>) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

/// Calls a program and tells an observer when it has ended. An observer that fails is told of as a warning.
///
/// # Errors
/// What the program fails with.
pub async fn call(
    observer: &dyn Observer,
    name: &str,
    program: &dyn Module,
    run: &Run,
    inputs: Example,
) -> Result<Prediction> {
    let answer = program.call(run, inputs.clone()).await;
    if let Err(error) = observer.called(Called { name, run, inputs: &inputs, answer: &answer }).await {
        let message = format!("the call was not logged: {error}");
        run.tell(Event::Warning { id: 0, step: name.into(), message });
    }
    answer
}
