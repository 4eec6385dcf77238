//! A deadline over a whole call: every wait of it, and every wait between its tries.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use futures_core::future::LocalBoxFuture;

use crate::error::{Error, ErrorKind, Result};
use crate::time::Clock;

/// The moment at which a call gives up.
pub struct Deadline {
    clock: Rc<dyn Clock>,
    at_ms: f64,
    allowed_ms: f64,
    /// Set when something first has to wait, so that what is ready at once costs no timer.
    timer: Option<LocalBoxFuture<'static, ()>>,
}

impl Deadline {
    /// The earlier of a moment that the caller named and a longest time from now.
    pub fn new(clock: Rc<dyn Clock>, at_ms: Option<f64>, longest_ms: f64) -> Self {
        let now = clock.now_ms();
        let at_ms = at_ms.unwrap_or(f64::INFINITY).min(now + longest_ms);
        Self { clock, at_ms, allowed_ms: (at_ms - now).max(0.0), timer: None }
    }

    /// The moment, on the host's clock.
    pub fn at_ms(&self) -> f64 {
        self.at_ms
    }

    /// Does work that has to end in time. What has not is dropped, which aborts its requests.
    ///
    /// # Errors
    /// [`Deadline`](ErrorKind::Deadline), or what the work fails with.
    pub async fn bound<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.clock.now_ms() >= self.at_ms {
            return Err(self.passed());
        }
        let mut work = pin!(work);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            let timer = self.timer.get_or_insert_with(|| self.clock.sleep(self.at_ms - self.clock.now_ms()));
            match timer.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(self.passed())),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn passed(&self) -> Error {
        let allowed = self.allowed_ms.round() as u64;
        Error::new(ErrorKind::Deadline, format!("the call did not end within the {allowed} ms that it was allowed"))
            .with_hint("Allow more time, or ask for less: fewer tokens, fewer passages, a faster endpoint.")
    }
}
