//! Signatures from text and from fields.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::grammar::{Parameter, parse_fields};
use super::names::infer_prefix;
use super::registry::Types;
use super::resolve::{Meaning, resolve};
use super::types::Type;
use super::{Field, Io, Signature};
use crate::error::{Error, ErrorKind, Result};
use crate::python::{cleandoc, is_identifier, write_str};
use crate::value::Value;

impl Signature {
    /// Reads a signature as DSPy writes them: `context: list[str], question -> answer`.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), with a hint, and with the exception that DSPy 3.4.1 raises for the same text.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &Types::new())
    }

    /// Reads a signature that names types of one's own.
    ///
    /// # Errors
    /// As [`Signature::parse`].
    pub fn parse_with(text: &str, types: &Types) -> Result<Self> {
        let Some((inputs, outputs)) = text.split_once("->").filter(|(_, outputs)| !outputs.contains("->")) else {
            return Err(Error::new(
                ErrorKind::Signature,
                format!("Invalid signature format: '{text}', must contain exactly one '->'."),
            )
            .with_hint("Write the inputs, `->`, and the outputs: `question -> answer`.")
            .with_python_class("ValueError"));
        };
        let inputs = parse_side(inputs, types)?;
        let outputs = parse_side(outputs, types)?;
        let mut names: Vec<&str> = inputs.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        let mut shared: Vec<&str> = outputs.iter().map(|(name, _)| name.as_ref()).collect();
        shared.retain(|name| names.binary_search(name).is_ok());
        if !shared.is_empty() {
            shared.sort_unstable();
            shared.dedup();
            return Err(Error::new(
                ErrorKind::Signature,
                format!(
                    "Input and output fields must have distinct names, but found duplicates: '{}'.",
                    shared.join(", ")
                ),
            )
            .with_hint("Rename the output, `refined_query` for a `query` for instance.")
            .with_python_class("ValueError"));
        }
        let mut fields = Vec::with_capacity(inputs.len() + outputs.len());
        for (io, side) in [(Io::Input, inputs), (Io::Output, outputs)] {
            for (name, meaning) in side {
                let type_undefined = meaning.is_none() && io == Io::Input;
                let ty = match meaning {
                    Some(meaning) => meaning.into_field_type().map_err(|error| error.at_field(&name))?,
                    None => Type::Str,
                };
                fields.push(Field { type_undefined, ..Field::new(name.into_owned(), io, ty) });
            }
        }
        Self::from_fields(fields, None)
    }

    /// A signature of fields. Inputs come before outputs, whatever the order; of two fields with one name the later counts.
    /// Without instructions, or with empty ones, DSPy's sentence stands in.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when a name is none, or one that DSPy 3.4.1 keeps for itself.
    ///
    /// ```
    /// use lakelet::Signature;
    /// use lakelet::signature::{Field, Type};
    /// # fn main() -> lakelet::Result<()> {
    /// let question = Field::input("question", Type::Str).with_desc("what the user asks");
    /// let score = Field::output("score", Type::Float).with_constraint("ge", 0.0).with_constraint("le", 1.0);
    /// let signature = Signature::from_fields(vec![question, score], Some("Rate the question."))?;
    /// let constraints = signature.field("score").and_then(|field| field.constraints.as_deref());
    /// assert_eq!(constraints, Some("greater than or equal to: 0.0, less than or equal to: 1.0"));
    /// # Ok(()) }
    /// ```
    pub fn from_fields(fields: Vec<Field>, instructions: Option<&str>) -> Result<Self> {
        for field in &fields {
            check_name(&field.name)?;
        }
        let (mut fields, outputs): (Vec<_>, Vec<_>) =
            unique(fields).into_iter().partition(|field| field.io == Io::Input);
        fields.extend(outputs);
        let instructions = match instructions {
            None | Some("") => default_instructions(&fields),
            Some(given) => cleandoc(given),
        };
        Ok(Self { instructions: instructions.into(), fields: fields.into() })
    }

    /// The signature as text, without types: `context, question -> answer`.
    pub fn to_text(&self) -> String {
        let names = |io| {
            let side: Vec<&str> = self.fields.iter().filter(|f| f.io == io).map(|f| f.name.as_str()).collect();
            side.join(", ")
        };
        format!("{} -> {}", names(Io::Input), names(Io::Output))
    }
}

impl std::str::FromStr for Signature {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// The fields of one side, and what their types stand for.
fn parse_side<'a>(text: &'a str, types: &Types) -> Result<Vec<(Cow<'a, str>, Option<Meaning>)>> {
    let field = |Parameter { name, ty }: Parameter<'a>| {
        let meaning = ty.map(|expr| resolve(&expr, types).map_err(|error| error.at_field(&name))).transpose()?;
        Ok((name, meaning))
    };
    parse_fields(text)?.into_iter().map(field).collect()
}

/// Of fields with one name, the last, in the place of the first.
fn unique(fields: Vec<Field>) -> Vec<Field> {
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    let repeats = names.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    if !repeats {
        return fields;
    }
    let by_name: IndexMap<String, Field> = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
    by_name.into_values().collect()
}

fn default_instructions(fields: &[Field]) -> String {
    let mut text = "Given the fields ".to_owned();
    push_names(&mut text, fields, Io::Input);
    text.push_str(", produce the fields ");
    push_names(&mut text, fields, Io::Output);
    text.push('.');
    text
}

fn push_names(text: &mut String, fields: &[Field], io: Io) {
    for (i, field) in fields.iter().filter(|field| field.io == io).enumerate() {
        text.push_str(if i > 0 { ", `" } else { "`" });
        text.push_str(&field.name);
        text.push('`');
    }
}

/// Refuses what cannot name a field, and what DSPy's own class of signatures uses.
fn check_name(name: &str) -> Result<()> {
    let (problem, class) = match name {
        "signature" | "fields" | "input_fields" | "output_fields" | "instructions" | "model_config" => {
            ("is a name that DSPy keeps for itself", "TypeError")
        }
        "model_dump" | "model_dump_json" | "model_validate" | "model_validate_json" | "model_validate_strings" => {
            ("is a name that pydantic keeps for itself", "ValueError")
        }
        _ if name.starts_with('_') => ("begins with an underscore", "PydanticUserError"),
        _ if !is_identifier(name) => ("is not made of letters, digits and underscores", "ValueError"),
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Signature, format!("the field name `{name}` {problem}"))
        .with_hint("Choose another name.")
        .at_field(name)
        .with_python_class(class))
}

impl Field {
    /// A field that is given to the predictor.
    pub fn input(name: impl Into<String>, ty: Type) -> Self {
        Self::new(name.into(), Io::Input, ty)
    }

    /// A field that the predictor produces.
    pub fn output(name: impl Into<String>, ty: Type) -> Self {
        Self::new(name.into(), Io::Output, ty)
    }

    fn new(name: String, io: Io, ty: Type) -> Self {
        let mut prefix = infer_prefix(&name);
        prefix.push(':');
        let desc = ["${", &name, "}"].concat();
        Self { name, io, ty, desc, prefix, constraints: None, default: None, type_undefined: false }
    }

    /// Says what the field holds.
    pub fn with_desc(mut self, desc: impl Into<String>) -> Self {
        self.desc = desc.into();
        self
    }

    /// Sets the prefix, which DSPy saves with a program and shows nowhere.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the value that stands in for an absent one.
    pub fn with_default(mut self, default: impl Into<Value>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// Adds a constraint by pydantic's name: `gt`, `ge`, `lt`, `le`, `min_length`, `max_length`, `multiple_of`,
    /// `allow_inf_nan`. Prompts state it; others are nothing to prompts and are left out.
    pub fn with_constraint(mut self, name: &str, value: impl Into<Value>) -> Self {
        let words = match name {
            "gt" => "greater than: ",
            "ge" => "greater than or equal to: ",
            "lt" => "less than: ",
            "le" => "less than or equal to: ",
            "min_length" => "minimum length: ",
            "max_length" => "maximum length: ",
            "multiple_of" => "a multiple of the given number: ",
            "allow_inf_nan" => "allow 'inf', '-inf', 'nan' values: ",
            _ => return self,
        };
        let constraints = self.constraints.get_or_insert_default();
        if !constraints.is_empty() {
            constraints.push_str(", ");
        }
        constraints.push_str(words);
        write_str(constraints, &value.into());
        self
    }
}
