//! Text, bytes and UUIDs.

use super::validate::Validator;
use crate::value::{ScalarKind, Value};

impl Validator {
    pub(super) fn check_str(&mut self, value: &Value) -> Option<Value> {
        match value {
            Value::Str(_) => Some(value.clone()),
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => self.lax(Value::from(text)),
                Err(_) => self.fail("string_unicode"),
            },
            _ => self.fail("string_type"),
        }
    }

    pub(super) fn check_bytes(&mut self, value: &Value) -> Option<Value> {
        match value {
            Value::Bytes(_) => Some(value.clone()),
            Value::Str(text) => self.lax(Value::Bytes(text.clone().into_bytes())),
            _ => self.fail("bytes_type"),
        }
    }

    pub(super) fn check_uuid(&mut self, value: &Value) -> Option<Value> {
        let read = match value {
            Value::Scalar(ScalarKind::Uuid, _) => return Some(value.clone()),
            Value::Str(text) => uuid(text),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().and_then(uuid),
            _ => return self.fail("uuid_type"),
        };
        match read {
            Some(uuid) => self.lax(Value::Scalar(ScalarKind::Uuid, uuid)),
            None => self.fail("uuid_parsing"),
        }
    }
}

/// The usual form of a UUID written with or without hyphens, in braces or as a URN.
fn uuid(text: &str) -> Option<String> {
    let braced = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    let text = braced.or_else(|| text.strip_prefix("urn:uuid:")).unwrap_or(text);
    let digits = match text.len() {
        32 if braced.is_none() => text.to_owned(),
        36 if [8, 13, 18, 23].iter().all(|i| text.as_bytes().get(*i) == Some(&b'-')) => text.replace('-', ""),
        _ => return None,
    };
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.to_ascii_lowercase();
    let groups = [digits.get(..8)?, digits.get(8..12)?, digits.get(12..16)?, digits.get(16..20)?, digits.get(20..)?];
    Some(groups.join("-"))
}
