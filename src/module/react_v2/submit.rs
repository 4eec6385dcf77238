//! The tool that takes the outputs.

use serde_json::json;

use crate::coerce::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::signature::{Signature, Type};
use crate::tool::ToolSpec;
use crate::value::Map;

pub(super) const SUBMIT: &str = "submit";

/// `submit`, with an argument for each output.
pub(super) struct Submit {
    pub spec: ToolSpec,
    outputs: Vec<(String, Type)>,
}

impl Submit {
    pub fn new(signature: &Signature) -> Self {
        let schema = |ty: &Type| ty.json_schema().unwrap_or_else(|_| json!({"type": "string"}));
        let args = signature.outputs().map(|field| (field.name.clone(), schema(&field.ty))).collect();
        let spec = ToolSpec::new(SUBMIT, "Submit the final outputs for the task.", args);
        let outputs = signature.outputs().map(|field| (field.name.clone(), field.ty.clone())).collect();
        Self { spec, outputs }
    }

    /// The outputs, of their types. What is none of them is ignored.
    pub fn take(&self, mut args: Map) -> Result<Map> {
        args.retain(|name, _| self.spec.args.contains_key(name));
        self.spec.validate_args(&args)?;
        let (mut outputs, mut missing) = (Map::new(), Vec::new());
        for (name, ty) in &self.outputs {
            match args.get(name) {
                Some(value) => _ = outputs.insert(name.clone(), validate(value, ty)?),
                None => missing.push(name.as_str()),
            }
        }
        if !missing.is_empty() {
            let message = format!("Missing required final output field(s): {}", missing.join(", "));
            return Err(Error::new(ErrorKind::Input, message).with_python_class("ValueError"));
        }
        Ok(outputs)
    }
}
