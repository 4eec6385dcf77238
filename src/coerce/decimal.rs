//! Decimal numbers, as Python's `decimal.Decimal` reads and writes them.

use super::validate::Validator;
use crate::python::{decimal_digit, float_repr, strip};
use crate::value::{ScalarKind, Value};

impl Validator {
    pub(super) fn check_decimal(&mut self, value: &Value) -> Option<Value> {
        let text = match value {
            Value::Scalar(ScalarKind::Decimal, _) => return Some(value.clone()),
            Value::Int(number) => number.to_string(),
            Value::BigInt(digits) => digits.clone(),
            Value::Float(number) => float_repr(*number),
            Value::Str(text) => text.clone(),
            _ => return self.fail("decimal_type"),
        };
        match decimal(&text) {
            Some(decimal) => self.lax(Value::Scalar(ScalarKind::Decimal, decimal)),
            None if is_not_finite(&text) => self.fail("finite_number"),
            None => self.fail("decimal_parsing"),
        }
    }
}

/// `str(Decimal(text))` of a finite number.
fn decimal(text: &str) -> Option<String> {
    let plain = |c| decimal_digit(c).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c).to_ascii_lowercase();
    let text: String = strip(text).chars().filter(|c| *c != '_').map(plain).collect();
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (mantissa, exponent) = match unsigned.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        significant => significant,
    };
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let length = i32::try_from(digits.len()).ok()?;
    let point = exponent.checked_add(length)?;
    if exponent <= 0 && point > -6 {
        return Some(match usize::try_from(point) {
            _ if exponent == 0 => format!("{sign}{digits}"),
            Ok(point) if point > 0 => format!("{sign}{}.{}", digits.get(..point)?, digits.get(point..)?),
            _ => format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
        });
    }
    let (first, rest) = digits.split_at_checked(1)?;
    let dot = if rest.is_empty() { "" } else { "." };
    Some(format!("{sign}{first}{dot}{rest}E{:+}", point - 1))
}

fn is_not_finite(text: &str) -> bool {
    let text = strip(text).to_ascii_lowercase();
    let text = text.strip_prefix(['+', '-']).unwrap_or(&text);
    matches!(text, "inf" | "infinity")
        || text.trim_start_matches('s').strip_prefix("nan").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}
