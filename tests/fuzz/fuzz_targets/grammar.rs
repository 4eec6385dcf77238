#![no_main]

#[allow(dead_code)] // the other checks
#[path = "../../properties/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::grammar::check(bytes));
