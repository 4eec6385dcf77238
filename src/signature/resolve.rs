//! From expressions to types: what names mean, and what may stand in brackets behind them.

use std::borrow::Cow;
use std::rc::Rc;

use super::grammar::{DEPTH, Expr, parse_type, refused};
use super::registry::Types;
use super::types::{Special, Type};
use crate::error::{Error, ErrorKind, Result};
use crate::python::{repr, str_of, str_repr};
use crate::value::{ScalarKind, Value};

impl Type {
    /// Reads a type as signatures write it: `list[str]`, `Literal['a', 'b'] | None`, `dict[str, Address]`.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), with the exception that DSPy 3.4.1 raises for the same text.
    ///
    /// ```
    /// use lakelet::signature::{Type, Types};
    /// # fn main() -> lakelet::Result<()> {
    /// let ty = Type::parse("int | None", &Types::new())?;
    /// assert_eq!(ty, Type::Union(vec![Type::Int, Type::None]));
    /// assert!(Type::parse("integer", &Types::new()).is_err());
    /// # Ok(()) }
    /// ```
    pub fn parse(text: &str, types: &Types) -> Result<Self> {
        resolve(&parse_type(text)?, types)?.into_field_type()
    }
}

/// What an expression stands for.
pub(super) enum Meaning {
    Type(Type),
    Constant(Value),
    Ellipsis,
    Tuple(Vec<Meaning>),
    Module(&'static str),
    /// `Optional`, `Union`, `Literal`, `Annotated`: nothing by itself.
    Form(&'static str),
    /// A generic class of `typing`, which wants brackets: its name.
    Generic(&'static str),
    /// Something else of Python's: how Python shows it, and the class of it.
    Other(String, &'static str),
}

impl Meaning {
    /// The type of a field.
    pub(super) fn into_field_type(self) -> Result<Type> {
        match self {
            Self::Type(Type::Alias(alias)) if alias.0.starts_with("Annotated[") => Ok(alias.1.clone()),
            Self::Type(ty) => Ok(ty),
            // Python takes it for "no annotation".
            Self::Constant(Value::None) => Ok(Type::Str),
            Self::Form(name) => Err(no_schema(&format!("typing.{name}"))),
            other => {
                let (shown, class) = other.shown();
                Err(value_error(format!("Field types must be types, but received: {shown} of type <class '{class}'>."))
                    .with_hint("Name a type: `str`, `int`, `list[str]`, `Literal['a', 'b']` ..."))
            }
        }
    }

    /// `str` of the Python object, and the name of its class.
    fn shown(&self) -> (String, &'static str) {
        match self {
            Self::Type(ty) => (class_repr(ty), "type"),
            Self::Constant(value) => (
                str_of(value),
                match value {
                    Value::None => "NoneType",
                    Value::Bool(_) => "bool",
                    Value::Int(_) | Value::BigInt(_) => "int",
                    Value::Float(_) => "float",
                    Value::Bytes(_) => "bytes",
                    _ => "str",
                },
            ),
            Self::Ellipsis => ("Ellipsis".to_owned(), "ellipsis"),
            Self::Tuple(items) => {
                let shown: Vec<_> = items.iter().map(Self::repr).collect();
                (format!("({}{})", shown.join(", "), if items.len() == 1 { "," } else { "" }), "tuple")
            }
            Self::Module(name) => (format!("<module '{name}'>"), "module"),
            Self::Form(name) => (format!("typing.{name}"), "typing._SpecialForm"),
            Self::Generic("Tuple") => ("typing.Tuple".to_owned(), "typing._TupleType"),
            Self::Generic("Callable") => ("typing.Callable".to_owned(), "typing._CallableType"),
            Self::Generic(name) => (format!("typing.{name}"), "typing._SpecialGenericAlias"),
            Self::Other(shown, class) => (shown.clone(), class),
        }
    }

    fn repr(&self) -> String {
        match self {
            Self::Constant(value) => repr(value),
            other => other.shown().0,
        }
    }

    /// A type in brackets or in a union. There `None` is the type of it, and a text names a type that may come later.
    fn into_argument(self, types: &Types) -> Result<Type> {
        match self {
            Self::Type(ty) => Ok(ty),
            Self::Constant(Value::None) => Ok(Type::None),
            Self::Constant(Value::Str(name)) => Ok(forward_reference(name, types, false)),
            Self::Generic(name) => match generic(name) {
                Some((shown, _)) => Ok(alias(format!("{shown}[]"), bare(name))),
                None => Err(no_schema(&format!("typing.{name}"))),
            },
            Self::Tuple(items) => {
                Err(type_error(format!("each arg must be a type. Got {}.", Self::Tuple(items).repr())))
            }
            other => Err(no_schema(&other.repr())),
        }
    }
}

/// A type named in quotes. Python looks the name up late, so an unknown one is no error until the type is used.
fn forward_reference(name: String, types: &Types, in_builtin: bool) -> Type {
    let found = parse_type(&name).and_then(|expr| match expr {
        Expr::Constant(Value::Str(_)) => Err(no_schema(&name)),
        expr => resolve(&expr, types)?.into_argument(types),
    });
    found.unwrap_or_else(|_| {
        let shown = if in_builtin { name.clone() } else { format!("ForwardRef({})", str_repr(&name)) };
        alias(shown, Type::ModelRef(name))
    })
}

fn alias(shown: String, ty: Type) -> Type {
    Type::Alias(Rc::new((shown, ty)))
}

/// What an expression stands for.
pub(super) fn resolve(expr: &Expr, types: &Types) -> Result<Meaning> {
    match expr {
        Expr::Name(name) => name_meaning(name, types),
        Expr::Constant(value) => Ok(Meaning::Constant(value.clone())),
        Expr::Ellipsis => Ok(Meaning::Ellipsis),
        Expr::Attribute(base, name) => attribute(base, name, types),
        Expr::Subscript(base, index) => {
            let base = resolve(base, types)?;
            let args = match index.as_ref() {
                Expr::Tuple(items) => items.iter().map(|item| resolve(item, types)).collect::<Result<_>>()?,
                single => vec![resolve(single, types)?],
            };
            subscript(base, args, types)
        }
        Expr::Tuple(items) => items.iter().map(|item| resolve(item, types)).collect::<Result<_>>().map(Meaning::Tuple),
        Expr::Union(members) => {
            let mut members = members.iter();
            let first = match members.next() {
                Some(first) => resolve(first, types)?,
                None => return Err(refused("BinOp()")),
            };
            members.try_fold(first, |left, right| {
                let right = resolve(right, types)?;
                // DSPy makes an Optional of it, in which `None` comes last, only when the class is written out.
                let flip = matches!(left, Meaning::Type(Type::None)) && !matches!(right, Meaning::Type(Type::None));
                let pair = if flip { vec![right, left] } else { vec![left, right] };
                union(pair, types)
            })
        }
        Expr::Field(given) => field_description(given, types),
        Expr::Other(dump) => Err(refused(dump)),
    }
}

fn name_meaning(name: &str, types: &Types) -> Result<Meaning> {
    if let Some(ty) = types.get(name) {
        return Ok(Meaning::Type(ty.clone()));
    }
    if let Some(meaning) = typing_name(name) {
        return Ok(meaning);
    }
    if name == "bytearray" {
        return Err(no_schema("<class 'bytearray'>"));
    }
    if let Some(ty) = builtin(name) {
        return Ok(Meaning::Type(ty));
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

fn builtin(name: &str) -> Option<Type> {
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
    let form = ["Optional", "Union", "Literal", "Annotated", "NoReturn", "Never", "Generic", "Protocol"];
    Some(match name {
        "Any" => Meaning::Type(Type::Any),
        "Text" => Meaning::Type(Type::Str),
        "NoneType" => Meaning::Type(Type::None),
        "AnyStr" | "T" => Meaning::Other(format!("~{name}"), "typing.TypeVar"),
        _ => match form.iter().find(|form| **form == name) {
            Some(form) => Meaning::Form(form),
            None => Meaning::Generic(GENERICS.iter().find(|(generic, ..)| *generic == name)?.0),
        },
    })
}

/// What a generic class holds.
#[derive(Clone, Copy)]
enum Holds {
    Items,
    Pairs,
    Anything,
}

/// The generic classes of `typing`: name, name in prompts, what they hold. Those without a name in prompts are known by
/// name only.
const GENERICS: [(&str, &str, Holds); 24] = [
    ("List", "list", Holds::Items),
    ("Set", "set", Holds::Items),
    ("FrozenSet", "frozenset", Holds::Items),
    ("Tuple", "tuple", Holds::Anything),
    ("Dict", "dict", Holds::Pairs),
    ("Sequence", "Sequence", Holds::Items),
    ("MutableSequence", "MutableSequence", Holds::Items),
    ("Iterable", "Iterable", Holds::Items),
    ("Deque", "deque", Holds::Items),
    ("Mapping", "Mapping", Holds::Pairs),
    ("MutableMapping", "MutableMapping", Holds::Pairs),
    ("DefaultDict", "defaultdict", Holds::Pairs),
    ("OrderedDict", "OrderedDict", Holds::Pairs),
    ("Callable", "", Holds::Anything),
    ("Type", "", Holds::Anything),
    ("Collection", "", Holds::Anything),
    ("Container", "", Holds::Anything),
    ("Iterator", "", Holds::Anything),
    ("Generator", "", Holds::Anything),
    ("Awaitable", "", Holds::Anything),
    ("Hashable", "", Holds::Anything),
    ("Sized", "", Holds::Anything),
    ("ByteString", "", Holds::Anything),
    ("Pattern", "", Holds::Anything),
];

/// The name in prompts of a generic class that fields may have.
fn generic(name: &str) -> Option<(&'static str, Holds)> {
    GENERICS
        .iter()
        .find(|(generic, shown, _)| *generic == name && !shown.is_empty())
        .map(|(_, shown, holds)| (*shown, *holds))
}

/// A generic class of which the items are not told.
fn bare(name: &str) -> Type {
    match name {
        "Set" => Type::Set(None),
        "FrozenSet" => Type::FrozenSet(None),
        "Tuple" => Type::Tuple(None),
        _ => match generic(name) {
            Some((_, Holds::Pairs)) => Type::Dict(None),
            _ => Type::List(None),
        },
    }
}

/// Modules that a Python signature can name. Only some hold types that are known here.
const MODULES: [&str; 21] = [
    "typing",
    "builtins",
    "types",
    "datetime",
    "decimal",
    "uuid",
    "collections",
    "dspy",
    "array",
    "copy",
    "enum",
    "functools",
    "io",
    "json",
    "math",
    "os",
    "re",
    "string",
    "sys",
    "time",
    "random",
];

fn attribute(base: &Expr, name: &str, types: &Types) -> Result<Meaning> {
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

/// `base[args]`
fn subscript(base: Meaning, mut args: Vec<Meaning>, types: &Types) -> Result<Meaning> {
    let ty = match base {
        Meaning::Form("Optional") => {
            if args.len() != 1 {
                return Err(value_error("Optional must have exactly one type argument".to_owned())
                    .with_hint("For several types write `A | B | None`."));
            }
            args.push(Meaning::Constant(Value::None));
            return union(args, types);
        }
        Meaning::Form("Union") if args.is_empty() => {
            return Err(type_error("Cannot take a Union of no types.".to_owned()));
        }
        Meaning::Form("Union") => return union(args, types),
        Meaning::Form("Literal") => literal(args)?,
        Meaning::Form("Annotated") => return annotated(args, types),
        Meaning::Generic(name) => {
            let Some((shown, holds)) = generic(name) else {
                return Err(no_schema(&format!("typing.{name}[...]")));
            };
            let wanted = match holds {
                Holds::Items => 1,
                Holds::Pairs => 2,
                Holds::Anything => args.len(),
            };
            if args.len() != wanted {
                let problem = if args.len() < wanted { "few" } else { "many" };
                let got = args.len();
                return Err(type_error(format!(
                    "Too {problem} arguments for typing.{name}; actual {got}, expected {wanted}"
                )));
            }
            let named = builtin(shown).is_some();
            let (arguments, shown) = arguments(shown, args, types, false)?;
            let ty = container(bare(name), arguments)?;
            if named && ty != Type::Tuple(Some(Vec::new())) { ty } else { alias(shown, ty) }
        }
        Meaning::Type(Type::Special(Special::Code(None))) => match args.as_slice() {
            [Meaning::Constant(Value::Str(language))] => Type::Special(Special::Code(Some(language.clone()))),
            _ => return Err(type_error("`dspy.Code[...]` takes the name of one language, in quotes".to_owned())),
        },
        Meaning::Type(
            ty @ (Type::List(None) | Type::Dict(None) | Type::Tuple(None) | Type::Set(None) | Type::FrozenSet(None)),
        ) => {
            let count = args.len();
            let (arguments, shown) = arguments(&ty.annotation_name(), args, types, true)?;
            let is_plain = match ty {
                Type::Dict(_) if count < 2 => {
                    return Err(type_error(format!("Expected two type arguments for <class 'dict'>, got {count}")));
                }
                Type::Dict(_) => count == 2,
                Type::Tuple(_) => count > 0,
                _ => count == 1,
            };
            let ty = container(ty, arguments)?;
            // Python keeps what it has no use for, and prompts show it.
            if is_plain { ty } else { alias(shown, ty) }
        }
        Meaning::Type(ty) => return Err(type_error(format!("type '{}' is not subscriptable", ty.annotation_name()))),
        other => return Err(type_error(format!("{} is not subscriptable", other.repr()))),
    };
    Ok(Meaning::Type(ty))
}

/// The items of a container, and the container as prompts show it.
fn arguments(name: &str, args: Vec<Meaning>, types: &Types, in_builtin: bool) -> Result<(Vec<Argument>, String)> {
    let mut shown = format!("{name}[");
    let mut arguments = Vec::with_capacity(args.len());
    for (i, arg) in args.into_iter().enumerate() {
        shown.push_str(if i > 0 { ", " } else { "" });
        let argument = match arg {
            Meaning::Ellipsis => {
                shown.push_str("Ellipsis");
                arguments.push(Argument::Ellipsis);
                continue;
            }
            Meaning::Constant(Value::None) if in_builtin => alias("None".to_owned(), Type::None),
            Meaning::Constant(Value::Str(name)) => forward_reference(name, types, in_builtin),
            other => other.into_argument(types)?,
        };
        argument.write_annotation_name(&mut shown);
        arguments.push(Argument::Type(argument));
    }
    shown.push(']');
    Ok((arguments, shown))
}

enum Argument {
    Type(Type),
    Ellipsis,
}

/// A container with its items; what is too many is dropped.
fn container(bare: Type, arguments: Vec<Argument>) -> Result<Type> {
    if let (Type::Tuple(_), [Argument::Type(_), Argument::Ellipsis]) = (&bare, arguments.as_slice()) {
        let item = arguments.into_iter().next();
        return match item {
            Some(Argument::Type(item)) => Ok(Type::TupleOf(Box::new(item))),
            _ => Err(no_schema("Ellipsis")),
        };
    }
    if let (Type::Tuple(_), Some(Argument::Ellipsis)) = (&bare, arguments.last()) {
        return Err(
            value_error("Variable tuples can only have one type".to_owned()).with_hint("Write `tuple[T, ...]`.")
        );
    }
    let mut items = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument {
            Argument::Type(ty) => items.push(ty),
            Argument::Ellipsis => return Err(no_schema("Ellipsis")),
        }
    }
    if let Type::Tuple(_) = bare {
        return Ok(Type::Tuple(Some(items)));
    }
    let mut items = items.into_iter();
    let first = items.next();
    Ok(match bare {
        Type::Set(_) => Type::Set(first.map(Box::new)),
        Type::FrozenSet(_) => Type::FrozenSet(first.map(Box::new)),
        Type::Dict(_) => Type::Dict(first.zip(items.next()).map(Box::new)),
        _ => Type::List(first.map(Box::new)),
    })
}

/// A union is flat, and holds each type once; a union of one type is that type.
fn union(members: Vec<Meaning>, types: &Types) -> Result<Meaning> {
    let mut flat: Vec<Type> = Vec::with_capacity(members.len());
    for member in members {
        let parts = match member.into_argument(types)? {
            Type::Union(parts) => parts,
            single => vec![single],
        };
        for part in parts {
            if !flat.contains(&part) {
                flat.push(part);
            }
        }
        if flat.len() > DEPTH {
            return Err(Error::new(ErrorKind::Signature, format!("a union has more than {DEPTH} members"))
                .with_hint("For a choice between texts use `Literal['a', 'b', ...]`."));
        }
    }
    Ok(Meaning::Type(match flat.pop() {
        Some(single) if flat.is_empty() => single,
        last => {
            flat.extend(last);
            Type::Union(flat)
        }
    }))
}

fn literal(args: Vec<Meaning>) -> Result<Type> {
    // By representation, for which 1 and True are two.
    let mut values = indexmap::IndexMap::new();
    for arg in args {
        match arg {
            Meaning::Constant(value) => _ = values.insert(repr(&value), value),
            Meaning::Type(Type::Literal(inner)) => values.extend(inner.into_iter().map(|value| (repr(&value), value))),
            other => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`Literal[...]` holds constants, but received: {}", other.repr()),
                )
                .with_hint("Put texts in quotes: `Literal['yes', 'no']`."));
            }
        }
    }
    if values.is_empty() {
        return Err(Error::new(ErrorKind::Signature, "literal \"expected\" cannot be empty, obj=typing.Literal[()]")
            .with_hint("Name at least one: `Literal['yes', 'no']`.")
            .with_python_class("AssertionError"));
    }
    Ok(Type::Literal(values.into_values().collect()))
}

/// `Annotated[T, ...]`: as a field's type it is `T`; inside of others prompts show all of it.
fn annotated(args: Vec<Meaning>, types: &Types) -> Result<Meaning> {
    if args.len() < 2 {
        return Err(type_error(
            "Annotated[...] should be used with at least two arguments (a type and an annotation).".to_owned(),
        ));
    }
    let mut shown = "Annotated[".to_owned();
    let mut inner = None;
    for arg in args {
        match inner {
            None => {
                let ty = arg.into_argument(types)?;
                ty.write_annotation_name(&mut shown);
                inner = Some(ty);
            }
            Some(_) => {
                shown.push_str(", ");
                match arg {
                    Meaning::Type(ty) => ty.write_annotation_name(&mut shown),
                    other => shown.push_str(&other.shown().0),
                }
            }
        }
    }
    shown.push(']');
    Ok(Meaning::Type(alias(shown, inner.unwrap_or(Type::Any))))
}

/// `Field(...)`, which is a description of a field and no type.
fn field_description(given: &[(Cow<str>, Expr)], types: &Types) -> Result<Meaning> {
    let mut description = String::new();
    let mut extra = Vec::new();
    for (name, value) in given {
        let value = resolve(value, types)?.repr();
        match name.as_ref() {
            "description" | "title" | "alias" => description += &format!(" {name}={value}"),
            _ => extra.push(format!("'{name}': {value}")),
        }
    }
    if !extra.is_empty() {
        description += &format!(" json_schema_extra={{{}}}", extra.join(", "));
    }
    Ok(Meaning::Other(format!("annotation=NoneType required=True{description}"), "pydantic.fields.FieldInfo"))
}

fn class_repr(ty: &Type) -> String {
    match ty {
        Type::Scalar(kind) => {
            let module = match kind {
                ScalarKind::Decimal => "decimal",
                ScalarKind::Uuid => "uuid",
                _ => "datetime",
            };
            format!("<class '{module}.{}'>", kind.name())
        }
        Type::Special(special) => {
            let module = match special {
                Special::ToolCalls => "tool".to_owned(),
                Special::Citations => "citation".to_owned(),
                _ => special.name().to_ascii_lowercase(),
            };
            format!("<class 'dspy.adapters.types.{module}.{}'>", special.name())
        }
        Type::List(Some(_)) | Type::Dict(Some(_)) | Type::Tuple(Some(_)) | Type::Set(Some(_)) => ty.annotation_name(),
        Type::Union(_) | Type::Literal(_) | Type::Any => format!("typing.{}", ty.annotation_name()),
        _ => format!("<class '{}'>", ty.annotation_name()),
    }
}

fn value_error(message: String) -> Error {
    Error::new(ErrorKind::Signature, message).with_python_class("ValueError")
}

fn type_error(message: String) -> Error {
    Error::new(ErrorKind::Signature, message)
        .with_hint("Brackets take types: `list[T]`, `dict[K, V]`, `tuple[A, B]`, `set[T]`, `Optional[T]`.")
        .with_python_class("TypeError")
}

fn no_schema(shown: &str) -> Error {
    Error::new(ErrorKind::Signature, format!("Unable to generate pydantic-core schema for {shown}."))
        .with_hint("Use a type that JSON can carry.")
        .with_python_class("PydanticSchemaGenerationError")
}
