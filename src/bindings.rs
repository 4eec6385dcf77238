//! The doors: thin layers of names and conversions over the core, one for each kind of host.

#[cfg(feature = "web")]
pub mod js;

#[cfg(feature = "databricks")]
pub mod databricks;

#[cfg(any(feature = "web", feature = "databricks"))]
pub mod wasm;

#[cfg(feature = "component")]
mod component;

#[cfg(feature = "server")]
mod server;

#[cfg(any(feature = "web", feature = "component"))]
mod loaded;
