//! Names of classes.

use std::borrow::Cow;

use crate::value::{Custom, ScalarKind, Value};

/// The class of a value, as Python prints it between `<class '` and `'>`; models and enums without their module.
///
/// ```
/// use lakelet::Value;
/// assert_eq!(lakelet::python::class_of(&Value::None), "NoneType");
/// ```
pub fn class_of(value: &Value) -> Cow<'_, str> {
    Cow::Borrowed(match value {
        Value::None => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::BigInt(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) => "str",
        Value::List(_) => "list",
        Value::Dict(_) | Value::MixedDict(_) => "dict",
        Value::Tuple(_) => "tuple",
        Value::Set(_) => "set",
        Value::Bytes(_) => "bytes",
        Value::Scalar(kind, _) => match kind {
            ScalarKind::Datetime => "datetime.datetime",
            ScalarKind::Date => "datetime.date",
            ScalarKind::Time => "datetime.time",
            ScalarKind::Timedelta => "datetime.timedelta",
            ScalarKind::Decimal => "decimal.Decimal",
            ScalarKind::Uuid => "uuid.UUID",
        },
        Value::Enum(ty, _) => &ty.name,
        Value::Model(ty, _) if ty.typed_dict => "dict",
        Value::Model(ty, _) => &ty.name,
        Value::Custom(custom) => match custom.as_ref() {
            Custom::History(_) => "dspy.adapters.types.history.History",
            Custom::Media(class, _) => {
                return Cow::Owned(format!("dspy.adapters.types.{}.{class}", class.to_ascii_lowercase()));
            }
            Custom::Code(_) => "dspy.adapters.types.code.Code",
            Custom::Reasoning(_) => "dspy.adapters.types.reasoning.Reasoning",
            Custom::ToolCalls(_) => "dspy.adapters.types.tool.ToolCalls",
            Custom::Tool(_) => "dspy.adapters.types.tool.Tool",
            Custom::Citations(_) => "dspy.adapters.types.citation.Citations",
            Custom::Decision(decision, _) => {
                return Cow::Owned(["dspy.adapters.types.decision.", decision.name()].concat());
            }
            Custom::Example(..) => "dspy.primitives.example.Example",
        },
    })
}
