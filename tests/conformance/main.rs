//! Runs recorded DSPy cases: `cargo run --release --example conformance -- DIR`.
//!
//! Takes every `*.json` file of the folder that has a list of `cases`, prints the failing ones, one a line, and ends with
//! `N passed, M failed`.

mod suite;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: conformance DIR");
        return ExitCode::from(2);
    };
    let results = match suite::run_folder(Path::new(&folder)) {
        Ok(results) => results,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let mut failed = 0;
    for result in &results {
        if let Err(reason) = &result.outcome {
            failed += 1;
            println!("{} {}/{}: {}", result.id, result.category, result.op, suite::shorten(reason));
        }
    }
    println!("{} passed, {failed} failed", results.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
