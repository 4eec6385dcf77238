//! The names that Python knows: built-in types, `typing`, and the modules that hold types.

use super::{Meaning, no_schema, resolve, value_error};
use crate::error::Result;
use crate::signature::grammar::Expr;
use crate::signature::registry::Types;
use crate::signature::types::{Special, Type};
use crate::value::{ScalarKind, Value};

pub(super) fn meaning(name: &str, types: &Types) -> Result<Meaning> {
    if let Some(ty) = types.get(name) {
        return Ok(Meaning::Type(ty.clone()));
    }
    if let Some(ty) = builtin(name) {
        return Ok(Meaning::Type(ty));
    }
    if let Some(meaning) = typing_name(name) {
        return Ok(meaning);
    }
    if name == "bytearray" {
        return Err(no_schema("<class 'bytearray'>"));
    }
    match MODULES.iter().find(|module| **module == name) {
        Some(module) => Ok(Meaning::Module(module)),
        None => {
            let hint = match name {
                "integer" | "number" => "Python's number types are `int` and `float`.".to_owned(),
                "boolean" => "Python's name is `bool`.".to_owned(),
                _ => format!("Use a type of Python, or register a type under the name `{name}`."),
            };
            Err(value_error(format!("Unknown name: {name}")).with_hint(hint))
        }
    }
}

pub(super) fn builtin(name: &str) -> Option<Type> {
    Some(match name {
        "str" => Type::Str,
        "int" => Type::Int,
        "float" => Type::Float,
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "complex" => Type::Complex,
        "list" => Type::List(None),
        "dict" => Type::Dict(None),
        "tuple" => Type::Tuple(None),
        "set" => Type::Set(None),
        "frozenset" => Type::FrozenSet(None),
        _ => return None,
    })
}

/// A name out of Python's `typing`.
fn typing_name(name: &str) -> Option<Meaning> {
    Some(match name {
        "Any" => Meaning::Type(Type::Any),
        "Text" => Meaning::Type(Type::Str),
        "NoneType" => Meaning::Type(Type::None),
        "AnyStr" | "T" => Meaning::Other(format!("~{name}"), "typing.TypeVar"),
        _ => match FORMS.iter().find(|form| **form == name) {
            Some(form) => Meaning::Form(form),
            None => Meaning::Generic(GENERICS.iter().find(|(generic, ..)| *generic == name)?.0),
        },
    })
}

/// What `typing` has that is no class: types only in brackets, if at all.
const FORMS: [&str; 18] = [
    "Optional",
    "Union",
    "Literal",
    "Annotated",
    "Required",
    "NotRequired",
    "Unpack",
    "Concatenate",
    "LiteralString",
    "TypeAlias",
    "TypeGuard",
    "NoReturn",
    "Never",
    "Generic",
    "Protocol",
    "IO",
    "re",
    "io",
];

/// What a generic class holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    Items,
    Pairs,
    Anything,
}

/// The generic classes of `typing`: name, name in prompts, what they hold. Those without a name in prompts are known by
/// name only.
const GENERICS: [(&str, &str, Holds); 40] = [
    ("List", "list", Holds::Items),
    ("Set", "set", Holds::Items),
    ("FrozenSet", "frozenset", Holds::Items),
    ("Tuple", "tuple", Holds::Anything),
    ("Dict", "dict", Holds::Pairs),
    ("Sequence", "Sequence", Holds::Items),
    ("MutableSequence", "MutableSequence", Holds::Items),
    ("Iterable", "Iterable", Holds::Items),
    ("Deque", "deque", Holds::Items),
    ("AbstractSet", "Set", Holds::Items),
    ("MutableSet", "MutableSet", Holds::Items),
    ("Mapping", "Mapping", Holds::Pairs),
    ("MutableMapping", "MutableMapping", Holds::Pairs),
    ("DefaultDict", "defaultdict", Holds::Pairs),
    ("OrderedDict", "OrderedDict", Holds::Pairs),
    ("Counter", "Counter", Holds::Items),
    ("Callable", "", Holds::Anything),
    ("Type", "", Holds::Anything),
    ("Collection", "", Holds::Anything),
    ("Container", "", Holds::Anything),
    ("Reversible", "", Holds::Anything),
    ("Iterator", "", Holds::Anything),
    ("Generator", "", Holds::Anything),
    ("Awaitable", "", Holds::Anything),
    ("Coroutine", "", Holds::Anything),
    ("AsyncIterable", "", Holds::Anything),
    ("AsyncIterator", "", Holds::Anything),
    ("AsyncGenerator", "", Holds::Anything),
    ("ContextManager", "", Holds::Anything),
    ("AsyncContextManager", "", Holds::Anything),
    ("KeysView", "", Holds::Anything),
    ("ItemsView", "", Holds::Anything),
    ("ValuesView", "", Holds::Anything),
    ("MappingView", "", Holds::Anything),
    ("ChainMap", "", Holds::Anything),
    ("Hashable", "", Holds::Anything),
    ("Sized", "", Holds::Anything),
    ("ByteString", "", Holds::Anything),
    ("Pattern", "", Holds::Anything),
    ("Match", "", Holds::Anything),
];

/// The name in prompts of a generic class that fields may have.
pub(super) fn generic(name: &str) -> Option<(&'static str, Holds)> {
    GENERICS
        .iter()
        .find(|(generic, shown, _)| *generic == name && !shown.is_empty())
        .map(|(_, shown, holds)| (*shown, *holds))
}

/// A generic class of which the items are not told.
pub(super) fn bare(name: &str) -> Type {
    match name {
        "Set" | "AbstractSet" | "MutableSet" => Type::Set(None),
        "FrozenSet" => Type::FrozenSet(None),
        "Tuple" => Type::Tuple(None),
        "Counter" => Type::Dict(None),
        _ => match generic(name) {
            Some((_, Holds::Pairs)) => Type::Dict(None),
            _ => Type::List(None),
        },
    }
}

/// Modules that a Python signature can name. Only some hold types that are known here.
const MODULES: [&str; 56] = [
    "typing",
    "builtins",
    "types",
    "datetime",
    "decimal",
    "uuid",
    "collections",
    "dspy",
    "abc",
    "array",
    "ast",
    "calendar",
    "code",
    "copy",
    "csv",
    "dataclasses",
    "email",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "html",
    "http",
    "inspect",
    "itertools",
    "json",
    "keyword",
    "locale",
    "logging",
    "math",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "platform",
    "profile",
    "queue",
    "random",
    "resource",
    "secrets",
    "select",
    "signal",
    "site",
    "statistics",
    "string",
    "struct",
    "sys",
    "textwrap",
    "time",
    "token",
    "unittest",
    "urllib",
    "warnings",
    "xml",
    "yaml",
];

pub(super) fn attribute(base: &Expr, name: &str, types: &Types) -> Result<Meaning> {
    if let Expr::Name(module) = base
        && let Some(ty) = types.get(&format!("{module}.{name}"))
    {
        return Ok(Meaning::Type(ty.clone()));
    }
    let base = resolve(base, types)?;
    let found = match &base {
        Meaning::Module(module) => member(module, name),
        Meaning::Type(Type::Enum(ty)) => {
            let member = ty.members.iter().position(|(member, _)| member == name);
            member.map(|member| Meaning::Constant(Value::Enum(ty.clone(), member)))
        }
        _ => None,
    };
    found.ok_or_else(|| {
        value_error(format!("Unknown attribute: {name} on {}", base.shown().0))
            .with_hint(format!("Register the type under a name of its own, and use that instead of `{name}`."))
    })
}

/// A member of a module.
fn member(module: &str, name: &str) -> Option<Meaning> {
    let scalar = |kind| Some(Meaning::Type(Type::Scalar(kind)));
    let special = |special| Some(Meaning::Type(Type::Special(special)));
    match (module, name) {
        ("typing", _) if name != "NoneType" && name != "T" => typing_name(name),
        ("builtins", _) => builtin(name).map(Meaning::Type),
        ("types", "NoneType") => Some(Meaning::Type(Type::None)),
        ("datetime", "datetime") => scalar(ScalarKind::Datetime),
        ("datetime", "date") => scalar(ScalarKind::Date),
        ("datetime", "time") => scalar(ScalarKind::Time),
        ("datetime", "timedelta") => scalar(ScalarKind::Timedelta),
        ("decimal", "Decimal") => scalar(ScalarKind::Decimal),
        ("uuid", "UUID") => scalar(ScalarKind::Uuid),
        ("collections", "deque") => Some(Meaning::Generic("Deque")),
        ("collections", "defaultdict") => Some(Meaning::Generic("DefaultDict")),
        ("collections", "OrderedDict") => Some(Meaning::Generic("OrderedDict")),
        ("dspy", "History") => special(Special::History),
        ("dspy", "Image") => special(Special::Image),
        ("dspy", "Audio") => special(Special::Audio),
        ("dspy", "File") => special(Special::File),
        ("dspy", "Code") => special(Special::Code(None)),
        ("dspy", "Reasoning") => special(Special::Reasoning),
        ("dspy", "Tool") => special(Special::Tool),
        ("dspy", "ToolCalls") => special(Special::ToolCalls),
        _ => None,
    }
}
