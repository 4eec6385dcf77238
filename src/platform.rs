//! The hosts that Lakelet runs in: their `fetch`, their timers, their chance.

#[cfg(feature = "web")]
pub mod js;
