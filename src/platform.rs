//! The hosts that Lakelet runs in: their HTTP, their timers, their chance.

#[cfg(any(feature = "web", feature = "databricks"))]
pub mod js;

#[cfg(any(feature = "component", feature = "server"))]
pub mod wasi;
