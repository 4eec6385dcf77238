//! Words, as Python's regular expressions tell them from the rest.

use std::borrow::Cow;

use super::unicode;

/// What `\w` matches: letters and numbers of all scripts, and `_`; no combining marks.
pub fn is_word(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { unicode::is_word(c) }
}

/// The text in Unicode's normal form D: letters and their accents stand apart.
pub fn nfd(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(unicode::nfd(text)) }
}

/// The matches of `[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]`: runs of letters, numbers and marks, and every other visible
/// character for itself.
///
/// ```
/// assert_eq!(lakelet::python::tokens("don't, 3.5"), ["don", "'", "t", ",", "3", ".", "5"]);
/// ```
pub fn tokens(text: &str) -> Vec<String> {
    unicode::tokens(text)
}
