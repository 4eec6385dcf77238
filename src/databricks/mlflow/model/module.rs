//! A predictor as a document of one step, so that Python has one kind of program to run.

use serde_json::{Map, Value as Json, json};

use super::program::text;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline;
use crate::signature::Signature;

/// The only step.
const STEP: &str = "program";
/// What a `ChainOfThought` lets its predictor answer first.
const REASONING: &str = "reasoning";
const CHAIN_OF_THOUGHT: &str = "chain_of_thought";
/// How a limit of the length is told in a signature; documents have it as a number.
const MAX_LENGTH: &str = "maximum length: ";

/// The document of a module of that kind and signature.
pub(super) fn document(name: &str, kind: &str, signature: &Json) -> Result<Json> {
    if !["predict", CHAIN_OF_THOUGHT].contains(&kind) {
        let message = format!("a program of the kind `{kind}` cannot be logged as a model");
        return Err(Error::new(ErrorKind::Unsupported, message).with_hint(
            "Log a predictor, a chain of thought, or a pipeline document; other programs are written in Python there.",
        ));
    }
    let fields = signature.get("fields").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let of = |io: &str| fields.iter().filter(|field| text(field, "io") == io).collect::<Vec<_>>();
    let (inputs, mut outputs) = (of("input"), of("output"));
    let gives = outputs.iter().map(|field| text(field, "name"));
    let gives: Map<_, _> = gives.map(|name| (name.to_owned(), format!("{STEP}.{name}").into())).collect();
    if kind == CHAIN_OF_THOUGHT {
        outputs.retain(|field| text(field, "name") != REASONING);
    }
    let list = |fields: &[&Json]| {
        let typed = |field: &&Json| format!("{}: {}", text(field, "name"), text(field, "type"));
        fields.iter().map(typed).collect::<Vec<_>>().join(", ")
    };
    let written = format!("{} -> {}", list(&inputs), list(&outputs));
    Signature::parse(&written).map_err(|error| {
        let message = format!("the signature `{written}` cannot be logged as a model: {}", error.message());
        Error::new(ErrorKind::Unsupported, message)
            .with_hint("Use types that have a name in Python: str, int, list[str], Literal[...].")
    })?;
    let wires: Map<_, _> =
        inputs.iter().map(|field| (text(field, "name").to_owned(), text(field, "name").into())).collect();
    // What a predictor is given goes into its prompt as it is.
    let given = |field: &&Json| (text(field, "name").to_owned(), json!({"type": text(field, "type"), "trusted": true}));
    let mut step = json!({"do": kind, "signature": written, "inputs": wires});
    if let Some(instructions) = signature.get("instructions") {
        step["instructions"] = instructions.clone();
    }
    let limits = limits(fields)?;
    if !limits.is_empty() {
        step["fields"] = Json::Object(limits);
    }
    Ok(json!({
        "lakelet": pipeline::VERSION,
        "name": name,
        "inputs": inputs.iter().map(given).collect::<Map<_, _>>(),
        "steps": {STEP: step},
        "outputs": Json::Object(gives),
    }))
}

/// What documents can say of a field's limits.
fn limits(fields: &[Json]) -> Result<Map<String, Json>> {
    let limited = fields.iter().filter(|field| !text(field, "constraints").is_empty());
    let limit = |field: &Json| {
        let (name, told) = (text(field, "name"), text(field, "constraints"));
        let length: Option<u64> = told.strip_prefix(MAX_LENGTH).and_then(|length| length.parse().ok());
        let length = length.ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, format!("the limit `{told}` cannot be carried to Python"))
                .at_field(name)
                .with_hint("Say it in the description of the field, or leave it out.")
        })?;
        Ok((name.to_owned(), json!({"max_length": length})))
    };
    limited.map(limit).collect()
}

/// The state of a module, under the paths that its predictor has in the document.
pub(super) fn state(of: &Json, kind: &str) -> Json {
    let mut moved = of.as_object().cloned().unwrap_or_default();
    let metadata = moved.shift_remove("metadata");
    // A predictor that is the whole program has no name in its state.
    let predictor = if kind == CHAIN_OF_THOUGHT { moved.shift_remove("predict") } else { Some(Json::Object(moved)) };
    let path = if kind == CHAIN_OF_THOUGHT { format!("{STEP}.predict") } else { STEP.to_owned() };
    let parts = [(path, predictor), ("metadata".to_owned(), metadata)];
    Json::Object(parts.into_iter().filter_map(|(name, part)| Some((name, part?))).collect())
}
