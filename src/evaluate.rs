//! `Evaluate`: how well a program does on a set of examples.

mod compare;
mod evaluation;
mod progress;
mod tally;

pub use compare::{Comparison, compare};
pub use evaluation::{Evaluation, Row};
pub use progress::Progress;

use std::borrow::Borrow;
use std::cell::RefCell;
use std::pin::pin;

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use self::tally::Tally;
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
    /// [`Input`](ErrorKind::Input), when there is no example, one lacks a field that it names as an input, or the metric gives what
    /// is no score; [`Cancelled`](ErrorKind::Cancelled), when too many examples failed; [`Deadline`](ErrorKind::Deadline). When the run's
    /// [budget](crate::run::Budget) is spent, that is no error: see [`Evaluation::stopped_by`].
    pub async fn run(
        &self,
        run: &Run,
        program: &dyn Module,
        devset: &[Example],
        metric: &dyn Metric,
        mut watch: impl FnMut(&Progress),
    ) -> Result<Evaluation> {
        complete("devset", devset)?;
        let mut rows: Vec<Option<Row>> = devset.iter().map(|_| None).collect();
        let ended = |row: Row, progress: &Progress| {
            if let Some(slot) = rows.get_mut(progress.row) {
                *slot = Some(row);
            }
            watch(progress);
        };
        let examples = stream::iter(devset.iter().map(Ok));
        let mut evaluation = self.each(run, program, examples, Some(devset.len()), metric, ended).await?;
        let unasked = || evaluation.stopped_by.clone().map(|end| self.failed(end));
        evaluation.rows = rows.into_iter().filter_map(|row| row.or_else(unasked)).collect();
        Ok(evaluation)
    }

    /// Evaluates a program on examples that come one by one, `total` of them as far as that is known; each is taken when it is begun.
    /// `ended` is given the row of each example that was evaluated, as they end; the evaluation keeps none, so that what it needs does
    /// not grow with the number of examples.
    ///
    /// # Errors
    /// As [`run`](Self::run), and those of the examples: what is under way then is finished. An example that lacks an input is found
    /// when its turn comes.
    pub async fn each<E: Borrow<Example>>(
        &self,
        run: &Run,
        program: &dyn Module,
        examples: impl Stream<Item = Result<E>>,
        total: Option<usize>,
        metric: &dyn Metric,
        mut ended: impl FnMut(Row, &Progress),
    ) -> Result<Evaluation> {
        let whole = run.apart();
        let (mut progress, mut tally) = (Progress::of(total), Tally::default());
        let end = RefCell::new(None);
        let examples = pin!(examples.enumerate());
        // No further example is taken after one that could not be evaluated, for want of itself, of a score or of budget.
        let begun = stream::unfold(examples, |mut examples| async {
            if end.borrow().is_some() {
                return None;
            }
            let (place, example) = examples.next().await?;
            let example = example.and_then(|example| complete_row("devset", place, example.borrow()).map(|()| example));
            let example = example.map_err(|error| _ = end.borrow_mut().get_or_insert(error)).ok();
            example.filter(|_| end.borrow().is_none()).map(|example| (example, examples))
        });
        let work = begun.map(|example| {
            let (whole, apart) = (&whole, whole.apart());
            async move {
                let row = scored(&apart, program, example.borrow(), metric).await;
                whole.add_usage_of(&apart);
                match row {
                    Err(error) if error.kind() == ErrorKind::Budget => Ok(Err(error)),
                    row => row,
                }
            }
        });
        let failed = |error: Error| {
            run.goes_on("an example failed", &error);
            self.failed(error)
        };
        let told = |place, row: Result<Result<Row>>| match row.unwrap_or_else(|error| Ok(failed(error))) {
            Ok(row) => {
                tally.add(place, &row);
                progress.ended(place, &row, whole.elapsed_ms());
                ended(row, &progress);
            }
            Err(error) => _ = end.borrow_mut().get_or_insert(error),
        };
        let outcome = run.in_time(self.parallel.drain(work, told)).await;
        run.add_usage_of(&whole);
        outcome?;
        let stopped_by = end.take();
        match stopped_by {
            Some(error) if error.kind() != ErrorKind::Budget => Err(error),
            None if progress.done == 0 => Err(empty()),
            _ => Ok(Evaluation::of(tally, progress.elapsed_ms, whole.usage(), stopped_by)),
        }
    }

    fn failed(&self, error: Error) -> Row {
        Row::failed(error, self.failure_score)
    }
}

/// The row of an example, or why the metric's score is none, which ends the evaluation as it does in DSPy.
async fn scored(run: &Run, program: &dyn Module, example: &Example, metric: &dyn Metric) -> Result<Result<Row>> {
    let inputs = example.inputs().fold(Example::new(), |inputs, (name, value)| inputs.with(name, value.clone()));
    let prediction = program.call(run, inputs).await?;
    let latency_ms = run.elapsed_ms();
    let score = metric.score(run, example, &prediction, None).await?;
    Ok(metric::number(&score).map(|points| Row { prediction, score, points, latency_ms, error: None }))
}

fn empty() -> Error {
    Error::new(ErrorKind::Input, "devset must contain at least one example, got an empty devset.")
        .with_python_class("ValueError")
}

/// Makes sure that every example of a set has the fields that it names as inputs.
pub(crate) fn complete(set: &str, examples: &[Example]) -> Result<()> {
    examples.iter().enumerate().try_for_each(|(place, example)| complete_row(set, place, example))
}

pub(crate) fn complete_row(set: &str, place: usize, example: &Example) -> Result<()> {
    match example.input_keys.iter().find(|name| !example.fields.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::new(ErrorKind::Input, format!("row {place} of the {set} lacks the input `{name}`"))
            .at_field(name)
            .with_hint("give every row all inputs, or leave the row out; rows count from 0")),
    }
}
