//! The host of a component: WASI 0.2.
//!
//! WASI tells when something is ready, and blocks until then. What waits for it are futures ([`ready`]); [`block_on`] polls
//! them, and lets the host block only when none of them can get on. So requests of one program run side by side, and so do
//! programs.

mod clock;
mod executor;
mod failure;
mod fetch;
mod pollables;
pub mod streams;

/// What the world `imports` of `wit/` names.
pub mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "imports", generate_all });
}

pub use clock::WasiClock;
pub use executor::{Task, block_on, spawn};
pub use fetch::WasiFetch;
pub use pollables::{Ready, ready};

use std::rc::Rc;

use crate::host::Host;

/// The host around us.
pub fn host() -> Host {
    Host { fetch: Rc::new(WasiFetch), clock: Rc::new(WasiClock) }
}
