//! `ChainOfThought`: think first, then answer.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Module, Predict};
use crate::adapter::Adapter;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;
use crate::signature::{Field, Io, Signature, Type};

/// A [`Predict`] whose first output is `reasoning`, as DSPy 3.4 has it.
pub struct ChainOfThought {
    pub predict: Predict,
}

impl ChainOfThought {
    /// Lets a model reason before it fills the outputs of `signature`.
    pub fn new(signature: &Signature, adapter: Rc<dyn Adapter>) -> Self {
        let mut fields = signature.fields.to_vec();
        let first_output = fields.iter().position(|field| field.io == Io::Output).unwrap_or(fields.len());
        fields.insert(first_output, reasoning());
        let signature = Signature { instructions: Rc::clone(&signature.instructions), fields: fields.into() };
        Self { predict: Predict::of_kind("chain_of_thought", signature, adapter) }
    }
}

fn reasoning() -> Field {
    Field {
        name: "reasoning".to_owned(),
        io: Io::Output,
        ty: Type::Str,
        desc: "${reasoning}".to_owned(),
        prefix: "Reasoning:".to_owned(),
        constraints: None,
        default: None,
        type_undefined: false,
    }
}

impl Module for ChainOfThought {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        self.predict.call(run, inputs)
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![("predict".to_owned(), &self.predict)]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![("predict".to_owned(), &mut self.predict)]
    }
}
