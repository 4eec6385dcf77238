//! Any text is a state that loads, and is then saved as it was loaded, or tells why not and changes nothing.

use lakelet::{ChainOfThought, ErrorKind, Signature, state};

use super::input::Input;

pub fn check(bytes: &[u8]) {
    let text = Input(bytes).text();
    let signature = Signature::parse("question -> answer").expect("a signature");
    let mut program = ChainOfThought::new(&signature).expect("a program");
    let before = state::dump(&program).expect("a new program can be saved");
    let loaded = state::load(&mut program, &text);
    let after = state::dump(&program).expect("what was loaded can be saved");
    match loaded {
        Ok(()) => {
            state::load(&mut program, &after).expect("what was saved can be loaded");
            assert_eq!(state::dump(&program).ok(), Some(after), "{text:?}");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::State, "{text:?}");
            assert_eq!(after, before, "{text:?}");
        }
    }
}
