//! The suite with the web door, for JavaScript: what the core asks of Unicode comes from there.
#![cfg(target_arch = "wasm32")]

mod suite;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(start)]
fn start() {
    suite::tell_panics(|message| wasm_bindgen::throw_str(message));
}

#[wasm_bindgen]
pub fn cases(file: &str) -> Result<String, String> {
    suite::cases(file)
}

#[wasm_bindgen]
pub fn tests() -> Vec<String> {
    suite::tests()
}

#[wasm_bindgen]
pub fn test(name: &str) {
    suite::test(name);
}
