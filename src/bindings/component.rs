//! The WIT door: the package `lakelet:programs` of `wit/`. Names and conversions, no logic.

use serde_json::Value as Json;

use crate::adapter::jsonable::{JsonStyle, write_json};
use crate::adapter::{Adapter, ChatAdapter, JsonAdapter};
use crate::lm::write_messages;
use crate::{Error, ErrorKind, Example, Signature, Value};

wit_bindgen::generate!({ path: "wit", world: "library" });

use exports::lakelet::programs::{adapters, signatures, types};

struct Library;
export!(Library);

impl signatures::Guest for Library {
    type Signature = Signature;
}

impl signatures::GuestSignature for Signature {
    fn parse(text: String, instructions: Option<String>) -> Result<signatures::Signature, types::Error> {
        let mut signature = Signature::parse(&text).map_err(outward)?;
        if let Some(instructions) = instructions {
            signature = signature.with_instructions(&instructions).map_err(outward)?;
        }
        Ok(signatures::Signature::new(signature))
    }

    fn instructions(&self) -> String {
        self.instructions.to_string()
    }

    fn inputs(&self) -> Vec<signatures::Field> {
        self.inputs().map(field).collect()
    }

    fn outputs(&self) -> Vec<signatures::Field> {
        self.outputs().map(field).collect()
    }
}

fn field(field: &crate::signature::Field) -> signatures::Field {
    signatures::Field {
        name: field.name.clone(),
        annotation: field.ty.annotation_name(),
        description: field.desc.clone(),
        prefix: field.prefix.clone(),
    }
}

impl adapters::Guest for Library {
    fn format(
        adapter: adapters::Adapter,
        signature: signatures::SignatureBorrow<'_>,
        demos: String,
        inputs: String,
    ) -> Result<String, types::Error> {
        format(adapter, signature.get(), &demos, &inputs).map_err(outward)
    }

    fn parse(
        adapter: adapters::Adapter,
        signature: signatures::SignatureBorrow<'_>,
        reply: String,
    ) -> Result<String, types::Error> {
        let fields = inner(adapter).parse(signature.get(), &reply).map_err(outward)?;
        let mut object = String::new();
        write_json(&mut object, &Value::Dict(fields), JsonStyle::OneLine);
        Ok(object)
    }
}

fn format(adapter: adapters::Adapter, signature: &Signature, demos: &str, inputs: &str) -> crate::Result<String> {
    let (adapter, demos, inputs) = (inner(adapter), examples(demos)?, example("inputs", &json("inputs", inputs)?)?);
    let mut messages = adapter.prefix(signature, &demos)?;
    messages.extend(adapter.turns(signature, &inputs)?);
    let mut array = String::from("[");
    write_messages(&messages, &mut array);
    array.push(']');
    Ok(array)
}

fn inner(adapter: adapters::Adapter) -> Box<dyn Adapter> {
    match adapter {
        adapters::Adapter::Chat => Box::new(ChatAdapter::default()),
        adapters::Adapter::Json => Box::new(JsonAdapter::default()),
    }
}

fn examples(demos: &str) -> crate::Result<Vec<Example>> {
    match json("demos", demos)? {
        Json::Array(demos) => demos.iter().map(|demo| example("demos", demo)).collect(),
        _ => Err(unreadable("demos", "they are not a JSON array")),
    }
}

fn example(what: &str, json: &Json) -> crate::Result<Example> {
    match Value::from(json) {
        Value::Dict(fields) => Ok(Example::from(fields)),
        _ => Err(unreadable(what, "not a JSON object")),
    }
}

fn json(what: &str, text: &str) -> crate::Result<Json> {
    crate::json::read(text).map_err(|error| unreadable(what, &error.to_string()))
}

fn unreadable(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Input, format!("the {what} cannot be read: {why}"))
        .with_hint("demos are a JSON array of objects, inputs a JSON object, by field name")
}

fn outward(error: Error) -> types::Error {
    types::Error {
        code: error.kind().as_str().to_owned(),
        message: error.message().to_owned(),
        hint: error.hint().map(str::to_owned),
        field: error.field().map(str::to_owned),
        reply: error.reply().map(|reply| reply.text.clone()),
    }
}
