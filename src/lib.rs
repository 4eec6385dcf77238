//! DSPy programs on Databricks, in WebAssembly.
//!
//! The core turns values into requests and responses into values. It never names a browser, a socket or a clock: I/O comes in
//! through [`http::Fetch`] and [`time::Clock`], and the doors (`web` for JavaScript, `component` for WIT) stand at the top.

pub mod adapter;
pub mod assistant;
pub mod batch;
pub mod bindings;
pub mod cache;
pub mod coerce;
pub mod databricks;
pub mod embed;
pub mod environment;
pub mod error;
pub mod evaluate;
pub mod example;
pub mod gateway;
pub mod host;
pub mod http;
pub mod interpreter;
pub mod json;
pub mod json_repair;
pub mod literal;
pub mod lm;
pub mod metric;
pub mod module;
mod nearest;
pub mod observe;
pub mod optimize;
pub mod pipeline;
pub mod platform;
pub mod python;
pub mod report;
pub mod resources;
pub mod retrieve;
pub mod run;
pub mod screen;
pub mod signature;
mod sort;
pub mod state;
mod text;
pub mod time;
pub mod tool;
pub mod value;

pub use error::{Error, ErrorKind, Result};
pub use evaluate::Evaluate;
pub use example::{Example, Prediction};
pub use host::Host;
pub use module::{ChainOfThought, Module, Predict};
pub use pipeline::Pipeline;
pub use run::{Run, Services};
pub use signature::Signature;
pub use value::Value;
