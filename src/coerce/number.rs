//! Whole numbers, floats, truth values and complex numbers.

use std::borrow::Cow;

use super::validate::Validator;
use crate::literal::whole_number;
use crate::python::{float_repr, strip};
use crate::value::Value;

impl Validator {
    pub(super) fn check_int(&mut self, value: &Value) -> Option<Value> {
        match value {
            Value::Int(_) | Value::BigInt(_) => Some(value.clone()),
            Value::Bool(truth) => self.lax(Value::Int(i64::from(*truth))),
            Value::Float(number) => match float_as_int(*number) {
                Ok(whole) => self.lax(whole),
                Err(kind) => self.fail(kind),
            },
            _ => match self.text_of(value, "int_type", "int_parsing").map(str_as_int)? {
                Ok(whole) => self.lax(whole),
                Err(kind) => self.fail(kind),
            },
        }
    }

    pub(super) fn check_float(&mut self, value: &Value) -> Option<Value> {
        match value {
            Value::Float(_) => Some(value.clone()),
            Value::Int(whole) => self.strict(Value::Float(*whole as f64)),
            Value::BigInt(digits) => match digits.parse::<f64>() {
                Ok(number) if number.is_finite() => self.strict(Value::Float(number)),
                _ => self.fail("float_type"),
            },
            Value::Bool(truth) => self.lax(Value::Float(f64::from(u8::from(*truth)))),
            _ => match str_as_float(self.text_of(value, "float_type", "float_parsing")?) {
                Some(number) => self.lax(Value::Float(number)),
                None => self.fail("float_parsing"),
            },
        }
    }

    pub(super) fn check_bool(&mut self, value: &Value) -> Option<Value> {
        let truth = match value {
            Value::Bool(_) => return Some(value.clone()),
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            Value::Int(_) => None,
            Value::Float(number) => match float_as_int(*number) {
                Ok(whole) => return self.check_bool(&whole),
                Err(_) => return self.fail("bool_type"),
            },
            _ => str_as_bool(self.text_of(value, "bool_type", "bool_parsing")?),
        };
        match truth {
            Some(truth) => self.lax(Value::Bool(truth)),
            None => self.fail("bool_parsing"),
        }
    }

    /// Complex numbers stay the text that writes them.
    pub(super) fn check_complex(&mut self, value: &Value) -> Option<Value> {
        match value {
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_) => {
                let Some(Value::Float(real)) = self.check_float(value) else { return None };
                let real = float_repr(real);
                self.lax(Value::Str(format!("({}+0j)", real.strip_suffix(".0").unwrap_or(&real))))
            }
            Value::Str(text) if is_complex(text) => self.lax(Value::Str(strip(text).to_owned())),
            _ => self.fail("complex_type"),
        }
    }

    /// The text of a text or of bytes.
    fn text_of<'a>(&mut self, value: &'a Value, not_text: &'static str, not_utf8: &'static str) -> Option<&'a str> {
        match value {
            Value::Str(text) => Some(text),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().or_else(|| self.fail(not_utf8)),
            _ => self.fail(not_text),
        }
    }
}

fn float_as_int(number: f64) -> Result<Value, &'static str> {
    if !number.is_finite() {
        return Err("finite_number");
    }
    if number.fract() != 0.0 {
        return Err("int_from_float");
    }
    // Beyond 64 bits, as pydantic has it.
    if number.abs() >= 9_223_372_036_854_775_808.0 { Err("int_parsing_size") } else { Ok(Value::Int(number as i64)) }
}

/// A whole number as people write it: a sign, leading zeros, underscores, a fraction of zeros.
pub(super) fn str_as_int(text: &str) -> Result<Value, &'static str> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = match unsigned.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') => whole,
        _ => unsigned,
    };
    let digits =
        without_underscores(whole).filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let Some(digits) = digits else { return Err("int_parsing") };
    let digits = digits.trim_start_matches('0');
    let sign = if text.starts_with('-') { "-" } else { "" };
    whole_number(&format!("{sign}{}", if digits.is_empty() { "0" } else { digits })).ok_or("int_parsing_size")
}

/// A float as Rust and Python both write it, with underscores.
fn str_as_float(text: &str) -> Option<f64> {
    let text = text.trim();
    text.parse().ok().or_else(|| without_underscores(text)?.parse().ok())
}

/// The text without its single inner underscores.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let misplaced = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    (!misplaced).then(|| Cow::Owned(text.replace('_', "")))
}

fn str_as_bool(text: &str) -> Option<bool> {
    let is_any = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_any(&["0", "off", "f", "false", "n", "no"]) {
        return Some(false);
    }
    is_any(&["1", "on", "t", "true", "y", "yes"]).then_some(true)
}

fn is_complex(text: &str) -> bool {
    let text = strip(text);
    let text = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(text);
    let Some(body) = text.strip_suffix(['j', 'J']) else { return str_as_float(text).is_some() };
    let split = body.char_indices().skip(1).filter(|(_, c)| matches!(c, '+' | '-')).map(|(i, _)| i).last();
    let (real, imaginary) = split.and_then(|i| Some((body.get(..i)?, body.get(i..)?))).unwrap_or(("0", body));
    let is_number = |text: &str| matches!(text, "" | "+" | "-") || text.parse::<f64>().is_ok();
    is_number(real) && is_number(imaginary)
}
