//! The recorded cases in `cases/`, against the ledger of those that fail: a listed case that passes fails the suite too.
#![cfg(not(target_arch = "wasm32"))]

mod suite;

use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Each line: the id of a case and the reason, or `op:CATEGORY/OP` for what is not built of an operation. `#` begins a comment.
const LEDGER: &str = include_str!("expected-failures.txt");

#[test]
fn every_case_does_what_the_ledger_says() {
    let listed: HashMap<&str, &str> = LEDGER
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').expect("an id and a reason"))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases");
    let results = suite::run_folder(&folder).expect("the cases can be read");
    assert!(!results.is_empty());

    let mut problems = Vec::new();
    let mut failing = HashSet::new();
    for result in &results {
        let op = format!("op:{}/{}", result.category, result.op);
        match &result.outcome {
            Ok(()) if listed.contains_key(result.id.as_str()) => problems.push(format!("{} passes now", result.id)),
            Ok(()) => {}
            Err(reason) => {
                let unbuilt = reason.starts_with("not built");
                let is_listed = |entry: &str| listed.contains_key(entry);
                if !(is_listed(&result.id) || unbuilt && is_listed(&op)) {
                    problems.push(format!("{} ({op}): {}", result.id, suite::shorten(reason)));
                }
                failing.insert(result.id.clone());
                if unbuilt {
                    failing.insert(op);
                }
            }
        }
    }
    let stale = listed.keys().filter(|entry| !failing.contains(**entry));
    problems.extend(stale.map(|entry| format!("{entry} is listed, and nothing of it fails")));
    assert!(problems.is_empty(), "{} surprises:\n{}", problems.len(), problems.join("\n"));
}
