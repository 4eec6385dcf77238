//! `Evaluate`: how well a program does on a set of examples.

mod evaluation;
mod progress;

pub use evaluation::{Evaluation, Row};
pub use progress::Progress;

use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::metric::{self, Metric};
use crate::module::{Module, Parallel};
use crate::run::Run;

/// Runs a program on a set of examples and scores what it predicts, as DSPy 3.4.1's `Evaluate` does.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::run::{Run, Span};
/// use lakelet::{Evaluate, Example, Module, Prediction};
/// # async fn example(qa: &dyn Module, run: &Run) -> lakelet::Result<()> {
/// let sum = |question: &str, answer: &str| {
///     Example::new().with("question", question).with("answer", answer).with_inputs(&["question"])
/// };
/// let devset = [sum("2+2?", "4"), sum("3*4?", "12")];
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let evaluation = Evaluate::default().run(run, qa, &devset, &metric, |progress| eprintln!("{progress}")).await?;
/// println!("{} %, {} failed", evaluation.score, evaluation.failed);
/// # Ok(()) }
/// ```
///
/// Each example has a run of its own, whose record goes once the example is scored: what stays is a [`Row`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluate {
    /// How many examples are under way at once, and the number of failed ones at which the rest is given up.
    pub parallel: Parallel,
    /// The score of an example that the program or the metric fails on.
    pub failure_score: f64,
}

/// DSPy's own numbers.
impl Default for Evaluate {
    fn default() -> Self {
        Self { parallel: Parallel::default(), failure_score: 0.0 }
    }
}

impl Evaluate {
    /// Evaluates a program. `watch` is told whenever an example is done.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there is no example, or one lacks a field that it names as an input;
    /// [`Cancelled`](ErrorKind::Cancelled), when too many examples failed; [`Deadline`](ErrorKind::Deadline). When the run's
    /// [budget](crate::run::Budget) is spent, that is no error: see [`Evaluation::stopped_by`].
    pub async fn run(
        &self,
        run: &Run,
        program: &dyn Module,
        devset: &[Example],
        metric: &dyn Metric,
        mut watch: impl FnMut(&Progress),
    ) -> Result<Evaluation> {
        if devset.is_empty() {
            let error = Error::new(ErrorKind::Input, "devset must contain at least one example, got an empty devset.");
            return Err(error.with_python_class("ValueError"));
        }
        complete("devset", devset)?;
        let whole = run.apart();
        let mut progress = Progress::of(devset.len());
        let work = devset.iter().map(|example| {
            let (whole, apart) = (&whole, whole.apart());
            async move {
                let row = scored(&apart, program, example, metric).await;
                whole.add_usage_of(&apart);
                match row {
                    Err(end) if end.kind() == ErrorKind::Budget => Ok(Row::failed(end, self.failure_score)),
                    row => row,
                }
            }
        });
        let ended = |place, row: &Result<Row>| {
            if row.as_ref().is_ok_and(|row| !row.is_done()) {
                return;
            }
            progress.ended(place, row, self.failure_score, whole.elapsed_ms());
            watch(&progress);
        };
        let rows = run.in_time(self.parallel.each(work, ended)).await;
        run.add_usage_of(&whole);
        let rows = rows?.into_iter().map(|row| row.unwrap_or_else(|error| Row::failed(error, self.failure_score)));
        Ok(Evaluation::of(rows.collect(), whole.usage(), whole.elapsed_ms()))
    }
}

async fn scored(run: &Run, program: &dyn Module, example: &Example, metric: &dyn Metric) -> Result<Row> {
    let inputs = example.inputs().fold(Example::new(), |inputs, (name, value)| inputs.with(name, value.clone()));
    let prediction = program.call(run, inputs).await?;
    let latency_ms = run.elapsed_ms();
    let score = metric.score(run, example, &prediction, None).await?;
    let points = metric::number(&score)?;
    Ok(Row { prediction, score, points, latency_ms, error: None })
}

/// Makes sure that every example of a set has the fields that it names as inputs.
pub(crate) fn complete(set: &str, examples: &[Example]) -> Result<()> {
    for (place, example) in examples.iter().enumerate() {
        if let Some(name) = example.input_keys.iter().find(|name| !example.fields.contains_key(*name)) {
            return Err(Error::new(ErrorKind::Input, format!("row {place} of the {set} lacks the input `{name}`"))
                .at_field(name)
                .with_hint("give every row all inputs, or leave the row out; rows count from 0"));
        }
    }
    Ok(())
}
