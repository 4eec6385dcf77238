//! Programs run as their users run them, with scripted models and retrievers and a clock that the test owns.
//!
//! Each file lists its tests: here they are Rust's, and in WebAssembly they are called by their names (`tests/runtimes`).

/// A test's name, and the test: it panics when it fails.
#[cfg(not(test))]
pub type Test = (&'static str, fn());

macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        #[cfg(not(test))]
        pub const TESTS: &[super::Test] = &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*];

        #[cfg(test)]
        mod tests {
            $(#[test]
            fn $name() {
                super::$name();
            })*
        }
    };
}

mod agents;
mod assistant;
mod batches;
mod better_together;
mod cache;
mod composite;
mod documents;
mod evaluate;
mod events;
mod gepa;
mod judges;
mod limits;
mod mipro;
mod optimizers;
mod parallel;
mod pipeline;
mod predict;
mod program_of_thought;
mod serving;
mod simba;
mod state;
mod support;
mod tries;

/// The tests of all files, for a host that has no test runner of Rust's.
#[cfg(not(test))]
pub fn tests() -> impl Iterator<Item = &'static Test> {
    let files = [
        agents::TESTS,
        assistant::TESTS,
        batches::TESTS,
        better_together::TESTS,
        cache::TESTS,
        composite::TESTS,
        documents::TESTS,
        evaluate::TESTS,
        events::TESTS,
        gepa::TESTS,
        judges::TESTS,
        limits::TESTS,
        mipro::TESTS,
        optimizers::TESTS,
        parallel::TESTS,
        pipeline::TESTS,
        predict::TESTS,
        program_of_thought::TESTS,
        serving::TESTS,
        simba::TESTS,
        state::TESTS,
        tries::TESTS,
    ];
    files.into_iter().flatten()
}
