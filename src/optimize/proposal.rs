//! Texts that a model proposes: instructions, descriptions.

use crate::error::{Error, ErrorKind, Result};
use crate::example::Prediction;
use crate::python::{is_space, is_word};
use crate::value::Value;

/// A proposal without the label that models like to put before it (`Instruction: `, up to five words), and without the
/// quotes around it.
///
/// ```
/// use lakelet::optimize::proposal::strip_prefix;
/// assert_eq!(strip_prefix("**New instruction:** \"Be brief.\""), "** \"Be brief.");
/// assert_eq!(strip_prefix("Note: \"Be brief.\""), "Be brief.");
/// assert_eq!(strip_prefix("1. Answer: shortly"), "1. Answer: shortly");
/// ```
pub fn strip_prefix(text: &str) -> &str {
    without_label(text).unwrap_or(text).trim_matches('"')
}

/// What follows a label of one to five words and a colon.
fn without_label(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches(|c| c == '*' || is_space(c));
    for _ in 0..5 {
        let behind = rest.trim_start_matches(|c| is_word(c) || matches!(c, '\'' | '-'));
        if behind.len() == rest.len() {
            return None;
        }
        if let Some(labelled) = behind.strip_prefix(':') {
            return Some(labelled.trim_start_matches(is_space));
        }
        rest = behind.trim_start_matches(is_space);
        if rest.len() == behind.len() {
            return None;
        }
    }
    None
}

/// The text that a model gave for a field.
pub(super) fn text(prediction: &Prediction, field: &str) -> Result<String> {
    let text = prediction.get(field).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::new(ErrorKind::Parse, "the model gave no text").at_field(field))
}
