//! Types in BAML's short notation, as `_render_type_str` of DSPy 3.4.1 writes them.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::python::{strip, write_str};
use crate::signature::{ModelField, ModelType, Type};
use crate::value::Value;

/// A type as a system message shows it.
pub(super) fn text(ty: &Type) -> Result<String> {
    let mut writer = Writer { out: String::new(), seen: Vec::new(), models: 0 };
    writer.ty(ty, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    /// The names of the models that the outermost model holds, itself included.
    seen: Vec<String>,
    /// How many models the place is in.
    models: usize,
}

impl Writer {
    fn ty(&mut self, ty: &Type, indent: usize) -> Result<()> {
        if let Some(model) = model_of(ty) {
            return self.model(&model, indent);
        }
        match ty {
            Type::Str => self.out.push_str("string"),
            Type::Bool => self.out.push_str("boolean"),
            Type::Union(members) => {
                let others = members.iter().filter(|member| **member != Type::None);
                for (i, member) in others.clone().enumerate() {
                    self.or(i);
                    self.ty(member, indent)?;
                }
                if others.count() < members.len() {
                    self.out.push_str(" or null");
                }
            }
            Type::Literal(values) => {
                for (i, value) in values.iter().enumerate() {
                    self.or(i);
                    self.constant(value);
                }
            }
            Type::List(Some(item)) => match model_of(item) {
                Some(model) => {
                    self.out.push_str("[\n");
                    self.model(&model, indent + 1)?;
                    self.line(indent);
                    self.out.push(']');
                }
                None => {
                    self.ty(item, indent)?;
                    self.out.push_str("[]");
                }
            },
            Type::Dict(Some(pair)) => {
                self.out.push_str("dict[");
                self.ty(&pair.0, indent)?;
                self.out.push_str(", ");
                self.ty(&pair.1, indent)?;
                self.out.push(']');
            }
            Type::ModelRef(_) => return Err(recursive()),
            other => self.out.push_str(&class_name(other)),
        }
        Ok(())
    }

    fn or(&mut self, index: usize) {
        self.out.push_str(if index > 0 { " or " } else { "" });
    }

    fn constant(&mut self, value: &Value) {
        match value {
            Value::Str(text) => self.out.extend(["\"", text, "\""]),
            Value::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Value::None => self.out.push_str("null"),
            other => write_str(&mut self.out, other),
        }
    }

    /// A model with its own indentation in front, also where the line has begun.
    fn model(&mut self, model: &ModelType, indent: usize) -> Result<()> {
        if self.models == 0 {
            self.seen.clear();
        }
        if self.seen.contains(&model.name) {
            return Err(recursive());
        }
        self.seen.push(model.name.clone());
        self.models += 1;
        if indent == 0 && self.doc(model, 0) {
            self.out.push('\n');
        }
        self.indent(indent);
        self.out.push('{');
        if model.fields.is_empty() {
            self.line(indent + 1);
            self.out.push_str("# No fields defined");
        }
        for field in &model.fields {
            self.field(field, indent + 1)?;
        }
        self.line(indent);
        self.out.push('}');
        self.models -= 1;
        Ok(())
    }

    fn field(&mut self, field: &ModelField, indent: usize) -> Result<()> {
        if let Some(description) = field.description.as_deref().filter(|text| !text.is_empty()) {
            self.line(indent);
            self.out.extend(["# ", description]);
        } else if let Some(alias) = field.alias.as_ref().filter(|alias| **alias != field.name) {
            self.line(indent);
            self.out.extend(["# alias: ", alias]);
        }
        if let Some(model) = model_of(field.ty.unless_none()) {
            self.out.push('\n');
            if !self.doc(&model, indent) {
                self.out.pop();
            }
        }
        self.line(indent);
        self.out.extend([&field.name, ": "]);
        self.ty(&field.ty, indent)?;
        self.out.push(',');
        Ok(())
    }

    /// The docstring of a model, as comments with a line break between; whether there is one.
    fn doc(&mut self, model: &ModelType, indent: usize) -> bool {
        let lines = model.doc.as_deref().unwrap_or_default().split('\n').map(strip).filter(|line| !line.is_empty());
        let mut found = false;
        for line in lines {
            self.out.push_str(if found { "\n" } else { "" });
            self.indent(indent);
            self.out.extend(["# ", line]);
            found = true;
        }
        found
    }

    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.indent(indent);
    }

    fn indent(&mut self, indent: usize) {
        (0..indent).for_each(|_| self.out.push_str("  "));
    }
}

/// The model that a type is.
fn model_of(ty: &Type) -> Option<Cow<'_, ModelType>> {
    match ty {
        Type::Model(model) if !model.typed_dict => Some(Cow::Borrowed(model)),
        Type::Special(special) => Some(Cow::Owned(special.model())),
        Type::Alias(alias) if !alias.0.starts_with("Annotated[") => model_of(&alias.1),
        _ => None,
    }
}

/// The name of the class, without what it holds.
fn class_name(ty: &Type) -> String {
    let name = ty.annotation_name();
    let class = name.split_once('[').map_or(name.as_str(), |(class, _)| class);
    match (ty, class) {
        (Type::Alias(_), "deque") => "Deque",
        (Type::Alias(_), "defaultdict") => "DefaultDict",
        (Type::Alias(_), "Set") => "AbstractSet",
        _ => class,
    }
    .to_owned()
}

fn recursive() -> Error {
    let message = "BAMLAdapter cannot handle recursive pydantic models, please use a different adapter.";
    Error::new(ErrorKind::Signature, message)
        .with_hint("Use JSONAdapter, or let no model occur twice in the type.")
        .with_python_class("ValueError")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::signature::Types;

    fn model(name: &str, doc: &str, fields: &[(&str, Type)]) -> Type {
        let field = |(name, ty): &(&str, Type)| ModelField {
            name: (*name).to_owned(),
            ty: ty.clone(),
            description: None,
            default: None,
            alias: Some(name.to_uppercase()),
            title: None,
            constraints: Vec::new(),
        };
        let fields = fields.iter().map(field).collect();
        Type::Model(Rc::new(ModelType {
            name: name.into(),
            doc: Some(doc.into()),
            extra: None,
            typed_dict: false,
            fields,
        }))
    }

    #[test]
    fn a_model_inside_another_keeps_its_own_indentation() {
        let inner = model("Inner", "Of the\n\n  inner one.", &[("x", Type::Float)]);
        let outer = model("Outer", "", &[("one", Type::optional(inner.clone())), ("n", Type::Int)]);
        assert_eq!(
            text(&outer).as_deref().ok(),
            Some(
                "{\n  # alias: ONE\n  # Of the\n  # inner one.\n  one:   {\n    # alias: X\n    x: float,\n  } or null,\n  \
                 # alias: N\n  n: int,\n}"
            )
        );
        assert_eq!(
            text(&Type::List(Some(Box::new(inner)))).as_deref().ok(),
            Some("[\n  {\n    # alias: X\n    x: float,\n  }\n]")
        );
    }

    #[test]
    fn a_model_that_comes_twice_is_refused_though_it_does_not_recur() {
        let inner = model("Inner", "", &[]);
        let twice = model("Twice", "", &[("a", inner.clone()), ("b", inner.clone())]);
        let error = text(&twice).unwrap_err();
        assert_eq!(error.python_class(), Some("ValueError"));
        assert!(text(&Type::Union(vec![inner.clone(), inner])).is_ok());
    }

    #[test]
    fn other_types_are_named() {
        for (ty, expected) in [
            ("Literal['a', 1, True, None]", "\"a\" or 1 or true or null"),
            ("list[int | None]", "int or null[]"),
            ("tuple[int, str]", "tuple"),
            ("typing.Deque[int]", "Deque"),
            ("datetime.date", "date"),
        ] {
            assert_eq!(text(&Type::parse(ty, &Types::new()).unwrap()).as_deref().ok(), Some(expected));
        }
    }
}
