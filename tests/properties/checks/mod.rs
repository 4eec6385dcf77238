//! What holds for every input: one check a reader, over bytes of any kind.
//!
//! Three things call these: random inputs and the kept corpus under `cargo test`, and libFuzzer (`tests/fuzz`).

pub mod documents;
pub mod events;
pub mod grammar;
pub mod input;
pub mod json_repair;
pub mod literal;
pub mod prompts;
pub mod replies;
pub mod round_trip;
pub mod states;
pub mod values;

/// A check: its name, which is that of its fuzz target and its corpus, and what it does with an input.
pub type Check = (&'static str, fn(&[u8]));

pub const ALL: [Check; 10] = [
    ("documents", documents::check),
    ("events", events::check),
    ("grammar", grammar::check),
    ("json_repair", json_repair::check),
    ("literal", literal::check),
    ("prompts", prompts::check),
    ("replies", replies::check),
    ("round_trip", round_trip::check),
    ("states", states::check),
    ("values", values::check),
];
