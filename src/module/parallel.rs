//! `Parallel`: many calls, a few at a time.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

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
        self.each(calls.into_iter().map(|(module, inputs)| module.call(run, inputs)), |_, _| ()).await
    }

    /// Does the work, a few pieces at a time, and gives the results in the order of the work. `ended` is told of each piece
    /// when it ends: of its place and its result.
    ///
    /// # Errors
    /// As [`Parallel::run`].
    pub(crate) async fn each<T>(
        &self,
        work: impl IntoIterator<Item = impl Future<Output = Result<T>>>,
        mut ended: impl FnMut(usize, &Result<T>),
    ) -> Result<Vec<Result<T>>> {
        let mut work = work.into_iter().enumerate();
        let mut begin = || {
            let (place, piece) = work.next()?;
            Some(async move { (place, piece.await) })
        };
        let mut under_way = FuturesUnordered::new();
        under_way.extend(std::iter::from_fn(&mut begin).take(self.num_threads.max(1)));
        let (mut results, mut errors) = (Vec::new(), 0);
        while let Some((place, result)) = under_way.next().await {
            ended(place, &result);
            if let Err(error) = &result {
                errors += 1;
                if errors >= self.max_errors {
                    return Err(given_up(errors, error));
                }
            }
            if results.len() <= place {
                results.resize_with(place + 1, || None);
            }
            if let Some(slot) = results.get_mut(place) {
                *slot = Some(result);
            }
            under_way.extend(begin());
        }
        Ok(results.into_iter().flatten().collect())
    }
}

fn given_up(errors: usize, last: &Error) -> Error {
    Error::new(ErrorKind::Cancelled, "Execution cancelled due to errors or interruption.")
        .with_hint(format!("{errors} calls failed, the last one with: {}", last.message()))
        .with_python_class("Exception")
}
