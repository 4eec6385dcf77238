//! GEPA: instructions that are rewritten by reflection on what they led to.

mod compact;
mod proposer;
mod skill;

pub use proposer::{InstructionProposer, ProposerOptions};
