//! What runs in every runtime of WebAssembly: the recorded cases, and the tests of programs.

#[path = "../conformance"]
mod conformance {
    pub mod suite;
}

#[path = "../programs/main.rs"]
mod programs;

use conformance::suite;
use serde_json::json;

/// Runs the cases of a file: `[[id, "category/op", problem or null], ...]` as JSON text.
pub fn cases(file: &str) -> Result<String, String> {
    let lines = suite::run_file(file)?.into_iter().map(|case| {
        let problem = case.outcome.err().map(|problem| suite::shorten(&problem));
        json!([case.id, format!("{}/{}", case.category, case.op), problem])
    });
    Ok(serde_json::Value::from_iter(lines).to_string())
}

/// The names of the tests of programs: `file::test`.
pub fn tests() -> Vec<String> {
    programs::tests().map(|(name, _)| short(name).to_owned()).collect()
}

/// Runs a test. A failing test panics, and the instance is of no use after that.
pub fn test(name: &str) {
    let found = programs::tests().find(|(full, _)| short(full) == name);
    let (_, test) = found.unwrap_or_else(|| panic!("there is no test {name}"));
    test();
}

/// Hands the message of a panic to the host, which leaves the instance with it.
pub fn tell_panics(leave: fn(&str)) {
    std::panic::set_hook(Box::new(move |info| leave(&info.to_string())));
}

fn short(name: &str) -> &str {
    name.rsplit_once("programs::").map_or(name, |(_, short)| short)
}
