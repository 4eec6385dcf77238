//! Signatures.

use serde_json::{Map as Object, Value as Json};
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::options::Options;
use super::types;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::signature::{self, Field, Io, Types};

/// A signature in wasm memory, with the types that it may name.
#[wasm_bindgen]
pub struct Signature {
    pub(super) signature: signature::Signature,
    types: Types,
}

#[wasm_bindgen]
impl Signature {
    /// Reads `{text?, fields?, instructions?, types?}`: a signature string, or [fields](field).
    pub fn read(length: usize) -> std::result::Result<Self, JsValue> {
        Options::read(length).and_then(|options| read(&options)).map_err(|error| thrown(&error))
    }

    /// The same signature, to be given away.
    pub fn copy(&self) -> Self {
        Self { signature: self.signature.clone(), types: self.types.clone() }
    }

    /// Another signature: `{op, ...}` names one of DSPy's edits and brings what it takes.
    pub fn edit(&self, length: usize) -> std::result::Result<Self, JsValue> {
        let edited = || Ok(Self { signature: self.edited(&Options::read(length)?)?, types: self.types.clone() });
        edited().map_err(|error: Error| thrown(&error))
    }

    /// `{text, instructions, fields: [{name, io, type, desc, prefix, constraints?}], state}`.
    pub fn describe(&self) -> String {
        let signature = &self.signature;
        let mut out = Object::new();
        out.insert("text".to_owned(), signature.to_text().into());
        out.insert("instructions".to_owned(), (*signature.instructions).into());
        out.insert("fields".to_owned(), signature.fields.iter().map(describe).collect());
        out.insert("state".to_owned(), signature.dump_state());
        json::text(&Json::Object(out))
    }

    /// DSPy's comparison, which looks at neither types nor order.
    pub fn equals(&self, other: &Signature) -> bool {
        self.signature.equals(&other.signature)
    }
}

impl From<signature::Signature> for Signature {
    fn from(signature: signature::Signature) -> Self {
        Self { signature, types: types::known() }
    }
}

impl Signature {
    fn edited(&self, options: &Options) -> Result<signature::Signature> {
        let signature = &self.signature;
        let text = |name: &str| -> Result<&str> { Ok(options.text(name)?.unwrap_or_default()) };
        let field = || field(options, &self.types);
        match text("op")? {
            "insert" => signature.insert(options.integer("index")?.unwrap_or_default(), field()?),
            "append" => signature.append(field()?),
            "prepend" => signature.prepend(field()?),
            "delete" => signature.delete(text("name")?),
            "withInstructions" => signature.with_instructions(text("instructions")?),
            "appendInstructions" => signature.append_instructions(text("instructions")?),
            "withUpdatedFields" => {
                let ty = options.value("type").map(|_| types::read(options, "type", &self.types)).transpose()?;
                let (desc, prefix) = (options.text("desc")?, options.text("prefix")?);
                signature.with_updated_field(text("name")?, |field| {
                    field.desc = desc.map_or_else(|| field.desc.clone(), str::to_owned);
                    field.prefix = prefix.map_or_else(|| field.prefix.clone(), str::to_owned);
                    field.ty = ty.unwrap_or_else(|| field.ty.clone());
                })
            }
            "loadState" => signature.load_state(&Json::Object(options.json("state")?.unwrap_or_default())),
            other => Err(Error::new(ErrorKind::Unsupported, format!("no edit is called {other}"))),
        }
    }
}

fn read(options: &Options) -> Result<Signature> {
    let mut types = types::known();
    types::declare(options, &mut types)?;
    let instructions = options.text("instructions")?;
    let signature = match options.text("text")? {
        Some(text) => {
            let signature = signature::Signature::parse_with(text, &types)?;
            match instructions {
                Some(instructions) => signature.with_instructions(instructions)?,
                None => signature,
            }
        }
        None => {
            let fields = options.list("fields")?.iter().map(|spec| field(&Options::of(spec.clone())?, &types));
            signature::Signature::from_fields(fields.collect::<Result<_>>()?, instructions)?
        }
    };
    Ok(Signature { signature, types })
}

/// `{name, io, type?, desc?, prefix?, default?, constraints?}`.
fn field(options: &Options, types: &Types) -> Result<Field> {
    let name = options.text("name")?.unwrap_or_default();
    let ty = types::read(options, "type", types).map_err(|error| error.at_field(name))?;
    let mut field =
        if options.text("io")? == Some("output") { Field::output(name, ty) } else { Field::input(name, ty) };
    for (constraint, limit) in options.object("constraints")?.into_iter().flatten() {
        field = field.with_constraint(constraint, limit.clone());
    }
    if let Some(desc) = options.text("desc")? {
        field = field.with_desc(desc);
    }
    if let Some(prefix) = options.text("prefix")? {
        field = field.with_prefix(prefix);
    }
    if let Some(default) = options.value("default") {
        field = field.with_default(default.clone());
    }
    Ok(field)
}

fn describe(field: &Field) -> Json {
    let io = if field.io == Io::Input { "input" } else { "output" };
    let ty = field.ty.annotation_name();
    let constraints = field.constraints.as_deref().map(|constraints| ("constraints", constraints));
    let members =
        [("name", field.name.as_str()), ("io", io), ("type", &ty), ("desc", &field.desc), ("prefix", &field.prefix)];
    Json::Object(members.into_iter().chain(constraints).map(|(name, text)| (name.to_owned(), text.into())).collect())
}
