//! What both modules of the npm package have: how errors leave, who is told of a crash, stores of the caller's, answers that are read in
//! pieces, and how a workspace is opened.

#[cfg(feature = "web")]
pub(super) mod answer;
mod connection;
pub mod crash;
pub(super) mod errors;
pub(super) mod store;
mod tokens;

pub(super) use connection::open;
