//! Literals and enums: one of a list of values.

use std::rc::Rc;

use super::equal::equal;
use super::number::str_as_int;
use super::validate::Validator;
use crate::signature::EnumType;
use crate::value::Value;

impl Validator {
    /// The member equal to the value, first of all one of its own type.
    pub(super) fn check_literal(&mut self, value: &Value, allowed: &[Value]) -> Option<Value> {
        let same = allowed.iter().find(|member| *member == value);
        match same.or_else(|| allowed.iter().rfind(|member| equal(member, value))) {
            Some(member) => Some(member.clone()),
            None if is_too_long(value, allowed.iter()) => self.fail("int_parsing_size"),
            None => self.fail("literal_error"),
        }
    }

    /// The member whose value this is. Enums of whole numbers and of text also take what can be made one.
    pub(super) fn check_enum(&mut self, value: &Value, enumeration: &Rc<EnumType>) -> Option<Value> {
        if matches!(value, Value::Enum(other, _) if other == enumeration) {
            return Some(value.clone());
        }
        let find = |wanted: &Value| enumeration.members.iter().position(|(_, member)| equal(member, wanted));
        let converted = || match (enumeration.base.as_str(), value) {
            ("int" | "IntEnum", Value::Str(text)) => find(&str_as_int(text).ok()?),
            ("str" | "StrEnum", Value::Bytes(bytes)) => find(&Value::from(std::str::from_utf8(bytes).ok()?)),
            _ => None,
        };
        match find(value).or_else(converted) {
            Some(member) => self.lax(Value::Enum(enumeration.clone(), member)),
            None if is_too_long(value, enumeration.members.iter().map(|(_, member)| member)) => {
                self.fail("int_parsing_size")
            }
            None => self.fail("enum"),
        }
    }
}

/// Whether pydantic cannot even look the number up among whole numbers.
fn is_too_long<'a>(value: &Value, mut choices: impl Iterator<Item = &'a Value>) -> bool {
    matches!(value, Value::BigInt(_)) && choices.any(|choice| matches!(choice, Value::Int(_)))
}
