//! The host's clock and dice. The core never reads a global clock: tests give their own.

use futures_core::future::LocalBoxFuture;

/// What the host tells of time and chance.
pub trait Clock {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> f64;

    /// Completes after so many milliseconds. Dropping the future cancels the timer.
    fn sleep(&self, ms: f64) -> LocalBoxFuture<'static, ()>;

    /// A random number in `[0, 1)`; used for jitter, never for secrets.
    fn random(&self) -> f64;
}
