//! What a call is given, made ready: defaults, what is meant for the model, and what the caller should know.

use serde_json::{Map as JsonMap, Value as Json};

use super::Predict;
use crate::adapter::to_json;
use crate::coerce::fits;
use crate::error::{Error, ErrorKind, Result};
use crate::signature::{Signature, Type};
use crate::value::{Map, Value};

impl Predict {
    /// The error for inputs that come without their names, for doors through which they can.
    pub fn unnamed_inputs(&self) -> Error {
        let names: Vec<&str> = self.signature.inputs().map(|field| field.name.as_str()).collect();
        let message = format!(
            "Positional arguments are not allowed when calling `dspy.Predict`, must use keyword arguments that match your \
             signature input fields: '{}'. For example: `predict({}=input_value, ...)`.",
            names.join(", "),
            names.first().unwrap_or(&"")
        );
        Error::new(ErrorKind::Input, message).with_python_class("ValueError")
    }
}

/// Takes what is no input out of the inputs, fills in defaults, and returns what seems wrong; nothing of it stops the call.
pub(super) fn prepare(
    signature: &Signature,
    inputs: &mut Map,
    config: &mut JsonMap<String, Json>,
) -> Result<Vec<String>> {
    if inputs.contains_key("new_signature") {
        let message = "new_signature is no longer a valid keyword argument.";
        return Err(Error::new(ErrorKind::Input, message)
            .at_field("new_signature")
            .with_hint("give the signature with the call, not among its inputs")
            .with_python_class("AssertionError"));
    }
    // A predicted output, in the form that the API takes it, goes to the model.
    if let Some(prediction) = inputs.shift_remove("prediction") {
        match is_content(&prediction) {
            true => _ = config.insert("prediction".to_owned(), to_json(&prediction)),
            false => _ = inputs.insert("prediction".to_owned(), prediction),
        }
    }
    for field in signature.inputs() {
        if let Some(default) = field.default.as_ref().filter(|_| !inputs.contains_key(&field.name)) {
            inputs.insert(field.name.clone(), default.clone());
        }
    }
    Ok(warnings(signature, inputs))
}

/// `{"type": "content", "content": ...}`.
fn is_content(value: &Value) -> bool {
    let Value::Dict(value) = value else { return false };
    value.get("type").and_then(Value::as_str) == Some("content") && value.contains_key("content")
}

fn warnings(signature: &Signature, inputs: &Map) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_input = |name: &str| signature.inputs().any(|field| field.name == name);
    for name in inputs.keys().filter(|name| !is_input(name)) {
        warnings.push(["the signature has no input `", name, "`: it is ignored"].concat());
    }
    for field in signature.inputs() {
        match inputs.get(&field.name) {
            None if !field.ty.allows_none() => {
                warnings.push(["the input `", &field.name, "` is not given: the prompt will lack it"].concat());
            }
            Some(value) if *value != Value::None && !field.type_undefined && !is_of(value, &field.ty) => {
                let ty = field.ty.annotation_name();
                warnings.push(["the input `", &field.name, "` is not of its type ", &ty].concat());
            }
            _ => {}
        }
    }
    warnings
}

/// Whether a value has the type that its field says, as DSPy sees it: a list of texts may stand for a text.
fn is_of(value: &Value, ty: &Type) -> bool {
    match value {
        Value::List(items) if *ty == Type::Str => items.iter().all(|item| matches!(item, Value::Str(_))),
        _ => fits(value, ty),
    }
}
