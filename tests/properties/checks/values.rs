//! Any text is a value of a type or tells why not, and a value of a type is one.

use lakelet::Value;
use lakelet::coerce::{parse_value, validate};
use lakelet::python::repr;
use lakelet::signature::Type;

use super::input::Input;

pub const TYPES: [&str; 32] = [
    "Any",
    "str",
    "int",
    "float",
    "bool",
    "bytes",
    "None",
    "list",
    "dict",
    "list[int]",
    "list[str]",
    "list[float]",
    "dict[str, Any]",
    "dict[int, bool]",
    "set[str]",
    "frozenset[int]",
    "tuple[int, str]",
    "tuple[float, ...]",
    "Literal['a', 'b', 1, True]",
    "datetime.datetime",
    "datetime.date",
    "datetime.time",
    "datetime.timedelta",
    "decimal.Decimal",
    "uuid.UUID",
    "Optional[int]",
    "Optional[str]",
    "Union[int, list[str], dict[str, float]]",
    "list[list[Union[int, str]]]",
    "dspy.Code",
    "dspy.ToolCalls",
    "dspy.Image",
];

pub fn check(bytes: &[u8]) {
    let mut input = Input(bytes);
    let name = input.of(&TYPES);
    let ty = Type::parse(name, &Default::default()).expect(name);
    let text = input.text();
    match parse_value(&Value::from(&*text), &ty) {
        // As texts, because NaN is not itself.
        Ok(value) => match validate(&value, &ty) {
            Ok(again) => assert_eq!(repr(&again), repr(&value), "{name} {text:?}"),
            Err(mismatch) => panic!("{name} {text:?} {value:?} {mismatch:?}"),
        },
        Err(mismatch) => assert!(!mismatch.message.is_empty(), "{name} {text:?}"),
    }
}
