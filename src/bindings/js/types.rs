//! The types that a signature may name: those that the caller declares, beside DSPy's.

use std::rc::Rc;

use serde_json::Value as Json;

use super::options::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::signature::{EnumType, ModelField, ModelType, Special, Type, Types};
use crate::value::Value;

/// What can be named beyond Python's own types: these two are to be imported from `dspy.experimental` in DSPy 3.4.1.
pub(super) fn known() -> Types {
    let mut types = Types::new();
    types.insert("Document", Type::Special(Special::Document));
    types.insert("Citations", Type::Special(Special::Citations));
    types
}

/// Adds the types of the option `types`, each under its name: `{enum, base?}`, `{model, doc?, extra?}` or `{typedDict}`.
/// A type may name those before it, and itself.
pub(super) fn declare(options: &Options, types: &mut Types) -> Result<()> {
    for (name, spec) in options.object("types")?.into_iter().flatten() {
        let ty = declared(name, &Options::of(spec.clone())?, types).map_err(|error| error.at_field(name))?;
        types.insert(name, ty);
    }
    Ok(())
}

fn declared(name: &str, spec: &Options, types: &Types) -> Result<Type> {
    if let Some(members) = spec.object("enum")? {
        let base = spec.text("base")?.unwrap_or("Enum").to_owned();
        let members = members.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        return Ok(Type::Enum(Rc::new(EnumType { name: name.to_owned(), base, members })));
    }
    let mut types = types.clone();
    types.insert(name, Type::ModelRef(name.to_owned()));
    let model = spec.object("model")?;
    let fields = model.or(spec.object("typedDict")?).ok_or_else(|| {
        Error::new(ErrorKind::Signature, format!("the type `{name}` is of no known kind"))
            .with_hint("declare it as { enum: ... }, { model: ... } or { typedDict: ... }")
    })?;
    Ok(Type::Model(Rc::new(ModelType {
        name: name.to_owned(),
        doc: spec.text("doc")?.map(str::to_owned),
        extra: spec.text("extra")?.map(str::to_owned),
        typed_dict: model.is_none(),
        fields: fields.iter().map(|(name, spec)| field(name, spec, &types)).collect::<Result<_>>()?,
    })))
}

fn field(name: &str, spec: &Value, types: &Types) -> Result<ModelField> {
    let spec = Options::of(spec.clone())?;
    let text = |name: &str| -> Result<_> { Ok(spec.text(name)?.map(str::to_owned)) };
    Ok(ModelField {
        name: name.to_owned(),
        ty: read(&spec, "type", types)?,
        description: text("description")?,
        default: spec.value("default").cloned(),
        alias: text("alias")?,
        title: text("title")?,
        constraints: spec.object("constraints")?.cloned().unwrap_or_default().into_iter().collect(),
    })
}

/// The type in an option: an annotation, or a JSON Schema whose `title` names it. Without one it is `str`.
pub(super) fn read(options: &Options, name: &str, types: &Types) -> Result<Type> {
    match options.value(name) {
        Some(Value::Str(annotation)) => Type::parse(annotation, types),
        Some(Value::Dict(schema)) => {
            let title = schema.get("title").and_then(Value::as_str).unwrap_or("object").to_owned();
            let schema = options.json(name)?.unwrap_or_default();
            Ok(Type::JsonSchema(Rc::new((title, Json::Object(schema)))))
        }
        _ => Ok(Type::Str),
    }
}
