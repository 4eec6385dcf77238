//! The inputs that fuzzing kept: those that reach most of the code, and all that once failed.

use std::path::Path;

use super::checks::ALL;

#[test]
fn kept_inputs_pass_their_check() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, check) in ALL {
        let files = std::fs::read_dir(corpus.join(name)).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let mut count = 0;
        for file in files {
            let path = file.expect("a readable folder").path();
            check(&std::fs::read(&path).expect("a readable file"));
            count += 1;
        }
        assert!(count > 0, "{name} has no corpus");
    }
}
