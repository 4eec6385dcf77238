//! The JavaScript door, as the package in `js/` uses it. Names and conversions, no logic.
//!
//! Programs stay in wasm memory. Inputs and options come in as tagged values in a buffer that both sides share ([`values`]);
//! outputs and events go out as JSON text; errors are thrown as JSON text too, which the package turns into `LakeletError`s.

mod adapter;
mod batches;
mod callback;
mod custom;
mod evaluate;
mod examples;
mod inner;
mod knn;
mod metric;
mod model;
mod modules;
#[cfg(feature = "optimize")]
mod optimize;
mod options;
mod program;
mod records;
mod resources;
mod reward;
mod run;
mod scoring;
mod signature;
mod tool;
mod types;
mod values;
mod workspace;

use super::wasm::{answer, errors, store};

pub use evaluate::{compared, written};
pub use inner::Inner;
pub use metric::measure;
pub use model::Model;
#[cfg(feature = "optimize")]
pub use optimize::{Found, Metric, Optimizer};
pub use program::{Program, join_states};
pub use resources::Resources;
pub use run::{Run, Services};
pub use signature::Signature;
pub use values::buffer;
pub use workspace::{Retriever, Workspace};
