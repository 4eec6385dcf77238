//! Properties: what holds for every input, over random ones that are the same in every run, and over the kept corpus.

#[allow(dead_code)] // what other tests take
#[path = "../support/chance.rs"]
mod chance;
mod checks;
mod corpus;
mod depth;
mod random;
