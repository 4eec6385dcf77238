//! Python's literals: numbers and strings.

use crate::value::Value;

/// The value of a number as written, or `None` when Python refuses it.
pub(super) fn number(text: &str) -> Option<Value> {
    let lower = text.to_ascii_lowercase();
    let radix = match lower.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return decimal(&lower),
    };
    let digits = without_underscores(lower.get(2..)?, true)?;
    match i64::from_str_radix(&digits, radix) {
        Ok(value) => Some(Value::Int(value)),
        // Larger ones cannot be told in decimal without long arithmetic, and no type needs them.
        Err(_) => None,
    }
}

fn decimal(text: &str) -> Option<Value> {
    let digits = without_underscores(text, false)?;
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        // `00` is zero, but `07` might be meant as octal.
        if digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|b| b != b'0') {
            return None;
        }
        return Some(digits.parse().map_or_else(|_| Value::BigInt(digits.clone()), Value::Int));
    }
    let shape = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-');
    if !digits.bytes().all(shape) {
        return None;
    }
    digits.parse().ok().map(Value::Float)
}

/// The digits, when every underscore stands between two of them (or between a prefix like `0x` and one).
fn without_underscores(text: &str, prefixed: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let digit_at =
        |i: usize| bytes.get(i).is_some_and(|b| if prefixed { b.is_ascii_hexdigit() } else { b.is_ascii_digit() });
    let placed = |i: usize| digit_at(i + 1) && i.checked_sub(1).map_or(prefixed, digit_at);
    let sound = !bytes.is_empty() && bytes.iter().enumerate().all(|(i, b)| *b != b'_' || placed(i));
    sound.then(|| text.replace('_', ""))
}

/// The value of a string as written, with prefix and quotes; `None` when an escape in it is broken.
pub(super) fn text(token: &str) -> Option<Value> {
    let quote = token.find(['\'', '"'])?;
    let (prefix, quoted) = token.split_at_checked(quote)?;
    let marks = if quoted.len() >= 6 && (quoted.starts_with("'''") || quoted.starts_with("\"\"\"")) { 3 } else { 1 };
    let inner = quoted.get(marks..quoted.len().checked_sub(marks)?)?;
    let inner = if inner.contains('\r') { inner.replace("\r\n", "\n").replace('\r', "\n") } else { inner.to_owned() };
    let has = |letter: char| prefix.contains([letter, letter.to_ascii_uppercase()]);
    match (has('b'), has('r')) {
        (true, _) if !inner.is_ascii() => None,
        (true, true) => Some(Value::Bytes(inner.into_bytes())),
        (true, false) => {
            let decoded = unescape(&inner, true)?;
            decoded.chars().map(|c| u8::try_from(c as u32).ok()).collect::<Option<_>>().map(Value::Bytes)
        }
        (false, true) => Some(Value::Str(inner)),
        (false, false) => unescape(&inner, false).map(Value::Str),
    }
}

/// Resolves escapes. Python leaves the ones that it does not know as they are; a character by name needs a table of
/// names that is not here.
fn unescape(text: &str, bytes: bool) -> Option<String> {
    if !text.contains('\\') {
        return Some(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let letter = after.chars().next()?;
        let mut used = letter.len_utf8();
        let mut by_code = |digits: usize| -> Option<char> {
            let code = after.get(1..=digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))?;
            used += digits;
            char::from_u32(u32::from_str_radix(code, 16).ok()?)
        };
        match letter {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(letter),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            'x' => out.push(by_code(2)?),
            'u' if !bytes => out.push(by_code(4)?),
            'U' if !bytes => out.push(by_code(8)?),
            'N' if !bytes => return None,
            '0'..='7' => {
                let octal: String = after.chars().take(3).take_while(|c| matches!(c, '0'..='7')).collect();
                used = octal.len();
                let code = u32::from_str_radix(&octal, 8).ok()?;
                out.push(char::from_u32(if bytes { code & 0xff } else { code })?);
            }
            _ => {
                out.push('\\');
                out.push(letter);
            }
        }
        rest = after.get(used..)?;
    }
    out.push_str(rest);
    Some(out)
}
