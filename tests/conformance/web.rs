//! The recorded cases inside WebAssembly: `harness.mjs` builds this, `node.mjs` and `browser.mjs` run it.
#![cfg(target_arch = "wasm32")]

mod suite;

use serde_json::json;
use wasm_bindgen::prelude::*;

/// Runs the cases of a file: `[[id, "category/op", problem or null], ...]` as JSON text.
#[wasm_bindgen]
pub fn run_case_file(text: &str) -> Result<String, String> {
    let lines = suite::run_file(text)?.into_iter().map(|case| {
        let problem = case.outcome.err().map(|problem| suite::shorten(&problem));
        json!([case.id, format!("{}/{}", case.category, case.op), problem])
    });
    Ok(serde_json::Value::from_iter(lines).to_string())
}
