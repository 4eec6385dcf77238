//! Signatures.

use super::Library;
use super::errors::{Result, outward};
use super::wit::signatures;
use crate::signature::{self, Signature};

impl signatures::Guest for Library {
    type Signature = Signature;
}

impl signatures::GuestSignature for Signature {
    fn parse(text: String, instructions: Option<String>) -> Result<signatures::Signature> {
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

fn field(field: &signature::Field) -> signatures::Field {
    signatures::Field {
        name: field.name.clone(),
        annotation: field.ty.annotation_name(),
        description: field.desc.clone(),
        prefix: field.prefix.clone(),
    }
}
