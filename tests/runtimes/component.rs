//! The suite for component runtimes: the core alone, which asks nothing of its host.
#![cfg(target_arch = "wasm32")]

mod suite;

wit_bindgen::generate!({ path: "tests/runtimes/suite.wit", world: "suite" });

struct Suite;
export!(Suite);

impl Guest for Suite {
    fn cases(file: String) -> Result<String, String> {
        suite::cases(&file)
    }

    fn tests() -> Vec<String> {
        suite::tests()
    }

    fn test(name: String) {
        suite::tell_panics(leave);
        suite::test(&name);
    }
}
