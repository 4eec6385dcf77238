//! `Parallel`: many calls, a few at a time.

use std::pin::pin;

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use super::Module;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::run::Run;

/// Makes many calls, a few at a time, and gives the results in the order of the calls: DSPy 3.4.1's `Parallel`.
///
/// ```
/// use lakelet::module::{Module, Parallel};
/// use lakelet::{Example, Predict, Run};
/// # async fn example(qa: Predict, run: Run) -> lakelet::Result<()> {
/// let questions = ["2+2?", "3*4?"].map(|text| (&qa as &dyn Module, Example::new().with("question", text)));
/// for result in Parallel::default().run(&run, questions).await? {
///     println!("{:?}", result?.get("answer"));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parallel {
    /// How many calls are under way at once.
    pub num_threads: usize,
    /// The number of failed calls at which the rest is given up.
    pub max_errors: usize,
}

/// DSPy's own numbers.
impl Default for Parallel {
    fn default() -> Self {
        Self { num_threads: 8, max_errors: 10 }
    }
}

impl Parallel {
    /// Calls each module with its inputs. A call that fails leaves its error in its place.
    ///
    /// # Errors
    /// [`Cancelled`](ErrorKind::Cancelled), when too many calls failed: those under way are dropped, and the rest is not
    /// begun.
    pub async fn run<'a>(
        &self,
        run: &'a Run,
        calls: impl IntoIterator<Item = (&'a dyn Module, Example)>,
    ) -> Result<Vec<Result<Prediction>>> {
        self.each(calls.into_iter().map(|(module, inputs)| module.call(run, inputs))).await
    }

    /// Does the work, a few pieces at a time, and gives the results in the order of the work.
    ///
    /// # Errors
    /// As [`Parallel::run`].
    pub(crate) async fn each<T>(
        &self,
        work: impl IntoIterator<Item = impl Future<Output = Result<T>>>,
    ) -> Result<Vec<Result<T>>> {
        let mut results = Vec::new();
        let ended = |place: usize, result| {
            if results.len() <= place {
                results.resize_with(place + 1, || None);
            }
            if let Some(slot) = results.get_mut(place) {
                *slot = Some(result);
            }
        };
        self.drain(stream::iter(work), ended).await?;
        Ok(results.into_iter().flatten().collect())
    }

    /// Does work that comes piece by piece, and keeps none of it. `ended` is given each piece when it ends: its place and its
    /// result.
    ///
    /// # Errors
    /// As [`Parallel::run`].
    pub(crate) async fn drain<T>(
        &self,
        work: impl Stream<Item = impl Future<Output = Result<T>>>,
        mut ended: impl FnMut(usize, Result<T>),
    ) -> Result<()> {
        let placed = work.enumerate().map(|(place, piece)| async move { (place, piece.await) });
        let mut under_way = pin!(placed.buffer_unordered(self.num_threads.max(1)));
        let mut errors = 0;
        while let Some((place, result)) = under_way.next().await {
            errors += usize::from(result.is_err());
            let end = result.as_ref().err().filter(|_| errors >= self.max_errors).map(|error| given_up(errors, error));
            ended(place, result);
            end.map_or(Ok(()), Err)?;
        }
        Ok(())
    }
}

fn given_up(errors: usize, last: &Error) -> Error {
    Error::new(ErrorKind::Cancelled, "Execution cancelled due to errors or interruption.")
        .with_hint(format!("{errors} calls failed, the last one with: {}", last.message()))
        .with_python_class("Exception")
}
