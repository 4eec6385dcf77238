//! Waiting for what takes long: an endpoint that is set up, an index that is filled, a job that runs.

use std::fmt;
use std::future::Future;
use std::rc::Rc;

use super::Workspace;
use crate::error::{Error, ErrorKind, Result};

/// The waits between two looks, as Databricks' SDKs lengthen them, begin here: a local workspace is done at once.
const FIRST_PAUSE_MS: f64 = 100.0;
const LONGEST_PAUSE_MS: f64 = 10_000.0;

/// How far something is that takes long.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The service's own word for the state: `PROVISIONING`, `RUNNING`.
    pub state: String,
    /// What the service says to it; empty when it says nothing.
    pub message: String,
    /// How long has been waited.
    pub elapsed_ms: f64,
}

/// How long to wait, and who is told meanwhile.
///
/// ```
/// use lakelet::databricks::wait::Wait;
/// let wait = Wait::at_most_ms(60_000.0).telling(|progress| println!("{} {}", progress.state, progress.message));
/// ```
#[derive(Clone)]
pub struct Wait {
    longest_ms: f64,
    tell: Option<Tell>,
}

/// Who is told how far it is.
pub type Tell = Rc<dyn Fn(&Progress)>;

impl Default for Wait {
    /// Twenty minutes, as Databricks' SDKs wait.
    fn default() -> Self {
        Self::at_most_ms(1_200_000.0)
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wait(at most {} ms)", self.longest_ms)
    }
}

/// What a look found.
pub(crate) enum Look<T> {
    Done(T),
    Pending { state: String, message: String },
}

impl Wait {
    /// Gives up after so long. What is waited for goes on.
    pub fn at_most_ms(longest_ms: f64) -> Self {
        Self { longest_ms, tell: None }
    }

    /// Tells each change of the state.
    pub fn telling(mut self, tell: impl Fn(&Progress) + 'static) -> Self {
        self.tell = Some(Rc::new(tell));
        self
    }

    /// The wait that is left when a part of it is over.
    pub(crate) fn after_ms(&self, over_ms: f64) -> Self {
        Self { longest_ms: self.longest_ms - over_ms, tell: self.tell.clone() }
    }

    /// Looks until it is done.
    ///
    /// # Errors
    /// What a look fails with; [`Deadline`](ErrorKind::Deadline) when the time is over, naming `what` and the last state.
    pub(crate) async fn until<T, F>(&self, workspace: &Workspace, what: &str, look: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<Look<T>>>,
    {
        let clock = &workspace.host.clock;
        let began = clock.now_ms();
        let mut pause = FIRST_PAUSE_MS;
        let mut told: Option<(String, String)> = None;
        loop {
            let (state, message) = match look().await? {
                Look::Done(done) => return Ok(done),
                Look::Pending { state, message } => (state, message),
            };
            let elapsed_ms = clock.now_ms() - began;
            if elapsed_ms + pause > self.longest_ms {
                return Err(too_long(what, &state, &message, elapsed_ms));
            }
            if told.as_ref() != Some(&(state.clone(), message.clone())) {
                if let Some(tell) = &self.tell {
                    tell(&Progress { state: state.clone(), message: message.clone(), elapsed_ms });
                }
                told = Some((state, message));
            }
            clock.sleep(pause).await;
            pause = (2.0 * pause).min(LONGEST_PAUSE_MS);
        }
    }
}

fn too_long(what: &str, state: &str, message: &str, elapsed_ms: f64) -> Error {
    let seconds = (elapsed_ms / 1000.0).round();
    let said = if message.is_empty() { String::new() } else { format!(": {message}") };
    Error::new(ErrorKind::Deadline, format!("{what} was still {state} after {seconds} s{said}"))
        .with_hint("It goes on in the workspace. Wait longer, or look again later.")
}
