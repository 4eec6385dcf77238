//! Optimizers: what DSPy calls teleprompters.

pub mod gepa;
pub mod proposal;
