//! Names: identifiers, keywords, and the normal form that makes two spellings one name.

use std::borrow::Cow;

use super::unicode;

/// `str.isidentifier()`.
pub fn is_identifier(name: &str) -> bool {
    if name.is_ascii() {
        let mut bytes = name.bytes();
        let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        return starts && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    }
    unicode::is_identifier(name)
}

/// Whether Python reserves the word, so that it cannot name a field.
pub fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}

/// The text in Unicode's normal form KC, which Python gives to every identifier.
///
/// ```
/// assert_eq!(lakelet::python::nfkc("ﬁeld"), "field");
/// ```
pub fn nfkc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(unicode::nfkc(text)) }
}
