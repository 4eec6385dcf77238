//! Names: identifiers, keywords, and the normal form that makes two spellings one name.

use std::borrow::Cow;

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

/// In a page the host's tables serve: its own would weigh more than the rest of the parser.
#[cfg(all(feature = "web", target_arch = "wasm32"))]
mod unicode {
    use js_sys::{JsString, RegExp};

    pub fn is_identifier(name: &str) -> bool {
        RegExp::new(r"^[\p{XIDS}_]\p{XIDC}*$", "u").test(name)
    }

    pub fn nfkc(text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }
}

#[cfg(not(all(feature = "web", target_arch = "wasm32")))]
mod unicode {
    use unicode_normalization::UnicodeNormalization;

    pub fn is_identifier(name: &str) -> bool {
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
        starts && chars.all(unicode_ident::is_xid_continue)
    }

    pub fn nfkc(text: &str) -> String {
        text.nfkc().collect()
    }
}
