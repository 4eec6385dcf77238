//! Optimizers: what DSPy calls teleprompters.

pub mod proposal;
