//! A program as a document: steps, the data that flows between them, guards, and what comes out.
//!
//! The document is JSON (`pipeline/schema.json` describes it). Order comes from data flow: a step starts when what it
//! takes is there, so steps that do not need each other run side by side. Everything that can be wrong with a document
//! is found when it is loaded.
//!
//! A *guard* is a condition on earlier fields. As long as any guard has not let the program pass, what happens in the
//! steps is kept from the caller, save in those that are marked `live`; they run all the same. When a guard stops the
//! program, what was kept is never told.
//!
//! ```
//! use lakelet::Pipeline;
//! let pipeline = Pipeline::from_json(r#"{
//!     "lakelet": 1, "name": "greeter",
//!     "inputs": {"name": "str"},
//!     "steps": {
//!         "hello": {"do": "literal", "value": "Hello"},
//!         "greeting": {"do": "join", "values": ["hello.value", "name"], "separator": ", "}
//!     },
//!     "outputs": {"text": "greeting.text"}
//! }"#)?;
//! assert_eq!(pipeline.name(), "greeter");
//! # Ok::<(), lakelet::Error>(())
//! ```

mod document;
mod link;
mod passages;
mod reader;
mod schedule;
mod step;
mod steps;
mod types;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use serde_json::Value as Json;

use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::module::{Module, Predict};
use crate::nearest::offer;
use crate::run::Run;
use crate::screen::Rules;
use crate::signature::{Type, Types};
use crate::value::Value;
use reader::Reader;
use step::{Action, Outputs, Step};

/// The version of the document format that this crate reads.
pub const VERSION: u64 = 1;

/// The JSON Schema of documents (draft 2020-12), for editors.
pub const SCHEMA: &str = include_str!("pipeline/schema.json");

/// A program that was loaded from a document.
pub struct Pipeline {
    name: String,
    description: String,
    inputs: Vec<Input>,
    steps: Vec<Step>,
    outputs: Outputs,
    redact: Option<Rc<Rules>>,
}

/// An input of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub name: String,
    pub ty: Type,
    pub description: String,
    /// The value of an input that is not given; without one it must be given.
    pub default: Option<Value>,
    /// The text may stand in prompts as it is. Inputs that allow only a list of values are trusted.
    pub trusted: bool,
}

impl Input {
    /// Whether the input can have this value.
    pub fn accepts(&self, value: &Value) -> bool {
        types::accepts(&self.ty, value)
    }
}

/// What a program came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub prediction: Prediction,
    /// The guard that stopped the program, if one did.
    pub stopped_by: Option<Rc<str>>,
}

impl Pipeline {
    /// Loads a document.
    ///
    /// # Errors
    /// [`Pipeline`](ErrorKind::Pipeline), with the step, the field and what to do about it.
    pub fn from_json(text: &str) -> Result<Self> {
        Self::from_value(&document::parse(text)?)
    }

    /// Loads a document with changes to its steps, by name, as a JSON merge patch (RFC 7396):
    /// `{"steps": {"generate_answer": {"adapter": "json", "config": {"max_tokens": 160}}}}`.
    ///
    /// # Errors
    /// As [`Pipeline::from_json`].
    pub fn with_overlay(text: &str, overlay: &str) -> Result<Self> {
        let mut document = document::parse(text)?;
        document::overlay(&mut document, &document::parse(overlay)?)?;
        Self::from_value(&document)
    }

    fn from_value(json: &Json) -> Result<Self> {
        let document = Reader::document(json)?;
        document.only(&["$schema", "lakelet", "name", "description", "inputs", "steps", "outputs", "redact"])?;
        if document.get("lakelet").and_then(Json::as_u64) != Some(VERSION) {
            let error = document.error("lakelet", "the version of the document is missing or not known");
            return Err(error.with_hint(format!("write \"lakelet\": {VERSION}")));
        }
        let inputs = read_inputs(&document.object("inputs")?)?;
        let (steps, outputs) = link::read_steps(&document, &inputs)?;
        let redact = document.object("redact")?;
        redact.only(&["rules", "allow"])?;
        let redact = document.get("redact").map(|_| steps::read_rules(&redact)).transpose()?;
        Ok(Self {
            name: document.need_text("name")?.to_owned(),
            description: document.text("description")?.unwrap_or_default().to_owned(),
            inputs,
            steps,
            outputs,
            redact: redact.map(Rc::new),
        })
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the program is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What the program is given.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Its steps by name and kind (`predict`, `retrieve`, `guard` ...), in the order of the document; they run in the order of
    /// the data.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.steps.iter().map(|step| (&*step.name, step.action.kind()))
    }

    /// The names of its outputs when no guard stops it.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, _)| name.as_str())
    }

    /// Runs the program, and says which guard stopped it, if one did.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) before anything runs; or what a step failed with. What a model or a service wrote is
    /// left out of the error of a step that the caller may not see.
    pub async fn run(&self, run: &Run, inputs: Example) -> Result<Outcome> {
        let inputs = self.check_inputs(inputs)?;
        schedule::run(self, run, inputs).await
    }

    /// The inputs in the order of the document, defaults filled in.
    fn check_inputs(&self, mut given: Example) -> Result<Vec<Value>> {
        let known = || self.inputs.iter().map(|input| input.name.as_str());
        if let Some(name) = given.fields.keys().find(|name| !known().any(|known| known == *name)) {
            let error = Error::new(ErrorKind::Input, format!("`{}` has no input `{name}`", self.name));
            return Err(error.at_field(name).with_hint(offer(name, known())));
        }
        let mut values = Vec::new();
        for input in &self.inputs {
            let value = given.fields.shift_remove(&input.name).or_else(|| input.default.clone());
            let error = |message: String| Error::new(ErrorKind::Input, message).at_field(&input.name);
            let value = value.ok_or_else(|| error(format!("`{}` needs the input `{}`", self.name, input.name)))?;
            if !input.accepts(&value) {
                let error = error(format!("the input must be {}", input.ty.annotation_name()));
                return Err(match (&input.ty, &value) {
                    (Type::Literal(values), Value::Str(text)) => {
                        error.with_hint(offer(text, values.iter().filter_map(Value::as_str)))
                    }
                    _ => error,
                });
            }
            values.push(value);
        }
        Ok(values)
    }
}

fn read_inputs(section: &Reader) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for (name, json) in section.entries() {
        let (ty, description, default, trusted) = match json {
            Json::String(ty) => (ty.as_str(), "", None, false),
            _ => {
                let input = section.object(name)?;
                input.only(&["type", "description", "default", "trusted"])?;
                let description = input.text("description")?.unwrap_or_default();
                (
                    input.text("type")?.unwrap_or("str"),
                    description,
                    input.get("default").map(Value::from),
                    input.flag("trusted")?,
                )
            }
        };
        let ty = Type::parse(ty, &Types::new()).map_err(|error| {
            section.error(name, error.message()).with_hint(error.hint().unwrap_or("write a Python type"))
        })?;
        if default.as_ref().is_some_and(|default| !types::accepts(&ty, default)) {
            return Err(
                section.error(&format!("{name}.default"), format!("the default must be {}", ty.annotation_name()))
            );
        }
        let trusted = trusted || matches!(ty, Type::Literal(_));
        inputs.push(Input { name: name.to_owned(), ty, description: description.to_owned(), default, trusted });
    }
    Ok(inputs)
}

impl Module for Pipeline {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move { Ok(self.run(run, inputs).await?.prediction) })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        let predictors = self.steps.iter().filter_map(|step| match &step.action {
            Action::Predict(asks) => Some((asks.path(&step.name), asks.predict())),
            _ => None,
        });
        predictors.collect()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        let predictors = self.steps.iter_mut().filter_map(|step| match &mut step.action {
            Action::Predict(asks) => Some((asks.path(&step.name), asks.predict_mut())),
            _ => None,
        });
        predictors.collect()
    }
}
