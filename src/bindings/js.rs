//! The JavaScript door, as the package in `js/` uses it. Names and conversions, no logic.
//!
//! Programs stay in wasm memory. Inputs come in as tagged values in a buffer that both sides share ([`values`]); outputs and
//! events go out as JSON text; errors are thrown as JSON text too, which the package turns into `LakeletError`s.

mod crash;
mod errors;
mod values;

pub use crash::on_crash;
pub use values::buffer;
