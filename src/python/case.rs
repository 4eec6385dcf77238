//! Upper, lower and title case.

use super::unicode;

/// `str.lower()`.
pub fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { unicode::lower(text) }
}

/// `str.capitalize()`: the first character in title case, the others in lower case.
///
/// ```
/// assert_eq!(lakelet::python::capitalize("ßETA"), "Sseta");
/// ```
pub fn capitalize(text: &str) -> String {
    let Some(first) = text.chars().next() else {
        return String::new();
    };
    if text.is_ascii() {
        let mut out = text.to_ascii_lowercase();
        if let Some(first) = out.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        return out;
    }
    let mut out = String::with_capacity(text.len());
    push_title(&mut out, first);
    // The whole text is lowered, because a final sigma depends on what comes before it.
    let skip = lower_char(first).len();
    out.push_str(lower(text).get(skip..).unwrap_or(""));
    out
}

/// `str.title()`: in each run of letters the first in title case, the others in lower case.
///
/// ```
/// assert_eq!(lakelet::python::title("zip_code2text userName"), "Zip_Code2Text Username");
/// ```
pub fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for c in text.chars() {
        let cased = c.is_lowercase() || c.is_uppercase() || is_title(c);
        if !cased {
            out.push(c);
        } else if within {
            out.push_str(&lower_char(c));
        } else {
            push_title(&mut out, c);
        }
        within = cased;
    }
    out
}

/// `str.isupper()`: no character is in lower or title case, and at least one is in upper case.
pub fn is_upper(text: &str) -> bool {
    let mut upper = false;
    for c in text.chars() {
        if c.is_lowercase() || is_title(c) {
            return false;
        }
        upper |= c.is_uppercase();
    }
    upper
}

/// Unicode's category Lt.
fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | 'ᾈ'..='ᾏ' | 'ᾘ'..='ᾟ' | 'ᾨ'..='ᾯ' | 'ᾼ' | 'ῌ' | 'ῼ')
}

/// Adds a character in title case. It is the upper case, but for digraphs, Greek iotas and Georgian.
fn push_title(out: &mut String, c: char) {
    match c {
        'Ǆ'..='ǆ' => out.push('ǅ'),
        'Ǉ'..='ǉ' => out.push('ǈ'),
        'Ǌ'..='ǌ' => out.push('ǋ'),
        'Ǳ'..='ǳ' => out.push('ǲ'),
        'ა'..='ჺ' | 'ჽ'..='ჿ' => out.push(c),
        'ᾀ'..='ᾯ' => out.push(char::from_u32(c as u32 | 8).unwrap_or(c)),
        'ᾳ' | 'ᾼ' => out.push('ᾼ'),
        'ῃ' | 'ῌ' => out.push('ῌ'),
        'ῳ' | 'ῼ' => out.push('ῼ'),
        'ŉ' => out.push_str("ʼN"),
        'ᾲ' | 'ᾴ' | 'ᾷ' | 'ῂ' | 'ῄ' | 'ῇ' | 'ῲ' | 'ῴ' | 'ῷ' => {
            out.push_str(&upper_char(c).replace('Ι', "\u{345}"));
        }
        _ => {
            let upper = upper_char(c);
            let mut upper = upper.chars();
            out.extend(upper.next());
            out.push_str(&lower(upper.as_str()));
        }
    }
}

fn lower_char(c: char) -> String {
    lower(c.encode_utf8(&mut [0; 4]))
}

fn upper_char(c: char) -> String {
    if c.is_ascii() { c.to_ascii_uppercase().to_string() } else { unicode::upper(c.encode_utf8(&mut [0; 4])) }
}
