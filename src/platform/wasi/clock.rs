//! Time and chance.

use futures_core::future::LocalBoxFuture;

use super::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use super::bindings::wasi::random::random::get_random_u64;
use super::ready;
use crate::time::Clock;

/// Hosts in JavaScript let longer timers fire at once.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

/// [`Clock`] over `wasi:clocks` and `wasi:random`.
#[derive(Clone, Copy, Debug)]
pub struct WasiClock;

impl Clock for WasiClock {
    fn now_ms(&self) -> f64 {
        let now = wall_clock::now();
        now.seconds as f64 * 1e3 + f64::from(now.nanoseconds) / 1e6
    }

    fn sleep(&self, ms: f64) -> LocalBoxFuture<'static, ()> {
        let nanoseconds = (ms.clamp(0.0, LONGEST_TIMER_MS) * 1e6).ceil() as u64;
        Box::pin(ready(monotonic_clock::subscribe_duration(nanoseconds)))
    }

    fn random(&self) -> f64 {
        (get_random_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}
