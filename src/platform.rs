//! The hosts that Lakelet runs in: their HTTP, their timers, their chance.

#[cfg(feature = "web")]
pub mod js;

#[cfg(feature = "component")]
pub mod wasi;
