//! The hosts that Lakelet runs in: their HTTP, their timers, their chance.

#[cfg(feature = "web")]
pub mod js;

#[cfg(any(feature = "component", feature = "server"))]
pub mod wasi;
