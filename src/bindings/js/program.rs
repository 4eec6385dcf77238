//! Programs: predictors now, and whatever else is a module.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::inner::Inner;
use super::model::Model;
use super::modules;
use super::options::Options;
use super::records;
use super::run::Run;
use super::signature::Signature;
use super::values;
use crate::bindings::loaded::Loaded;
use crate::databricks::ServingChat;
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json;
use crate::module::{Call, Module, Predict, Variant};
use crate::pipeline::Pipeline;
use crate::report;
use crate::state::{self, Part};
use crate::value::Value;

/// The state of a program, of the states of its parts.
#[wasm_bindgen]
pub fn join_states(parts: Vec<String>) -> std::result::Result<String, JsValue> {
    state::join(&parts).map_err(|error| thrown(&error))
}

/// A program in wasm memory, compiled: what stays the same between its calls is rendered once.
#[wasm_bindgen]
pub struct Program {
    loaded: Loaded,
}

#[wasm_bindgen]
impl Program {
    /// A module that asks a model for the outputs of a signature, see [`modules::asking`].
    pub fn asking(
        kind: &str,
        signature: &Signature,
        functions: Vec<Function>,
        extraction_model: Option<Model>,
        length: usize,
    ) -> std::result::Result<Self, JsValue> {
        made(modules::asking(kind, &signature.signature, functions, extraction_model, length))
    }

    /// A program around others, with functions of the caller's and options, see [`modules::around`].
    pub fn around(
        kind: &str,
        parts: Vec<Inner>,
        functions: Vec<Function>,
        extraction_model: Option<Model>,
        length: usize,
    ) -> std::result::Result<Self, JsValue> {
        made(modules::around(kind, parts, functions, extraction_model, length))
    }

    /// A program that is a document, with changes to its steps.
    pub fn pipeline(document: &str, changes: Option<String>) -> std::result::Result<Self, JsValue> {
        let read = match changes {
            Some(changes) => Pipeline::with_overlay(document, &changes),
            None => Pipeline::from_json(document),
        };
        read.map(|pipeline| Self { loaded: Loaded::Pipeline(Rc::new(pipeline)) }).map_err(|error| thrown(&error))
    }

    /// The paths of the predictors inside, as JSON text.
    pub fn predictors(&self) -> String {
        let names = self.loaded.module().predictors().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        json::text(&serde_json::Value::from(names))
    }

    /// The settings of the predictor of that path.
    pub fn settings(&self, path: &str) -> std::result::Result<String, JsValue> {
        named(self.loaded.module(), path).map(records::settings).map_err(|error| thrown(&error))
    }

    /// The signature of the predictor of that path.
    pub fn signature(&self, path: &str) -> std::result::Result<Signature, JsValue> {
        named(self.loaded.module(), path).map(|it| it.signature().clone().into()).map_err(|error| thrown(&error))
    }

    /// Changes settings of the predictor of that path: `{config?, demos?}`, and its signature.
    pub fn set(&mut self, path: &str, length: usize, signature: Option<Signature>) -> std::result::Result<(), JsValue> {
        self.change(path, length, signature).map_err(|error| thrown(&error))
    }

    /// Sets the predictors to what those of a program of the same kind are, and the retrievers.
    pub fn be_like(&mut self, other: &Program) -> std::result::Result<(), JsValue> {
        let predictors: Vec<Predict> =
            other.loaded.module().predictors().into_iter().map(|(_, predict)| predict.clone()).collect();
        self.take(&predictors).map_err(|error| thrown(&error))?;
        for ((_, mine), (_, theirs)) in
            self.loaded.module().retrieves().into_iter().zip(other.loaded.module().retrieves())
        {
            mine.set_k(theirs.k());
        }
        Ok(())
    }

    /// Forgets what its predictors have learned.
    pub fn reset(&mut self) -> std::result::Result<(), JsValue> {
        let learned = Variant::reset_copy_of(&self.shared()).into_predictors();
        self.take(&learned).map_err(|error| thrown(&error))
    }

    /// DSPy's saved state of the program, as the part `path` of a larger one; empty for the whole.
    pub fn dump(&mut self, path: &str) -> std::result::Result<String, JsValue> {
        self.part(path).and_then(|part| state::dump(&part)).map_err(|error| thrown(&error))
    }

    /// Loads the part `path` of a state that DSPy or `dump` saved. A trusted one may say where models are.
    pub fn load(&mut self, path: &str, text: &str, trusted: bool) -> std::result::Result<(), JsValue> {
        let load = if trusted { state::load_trusted } else { state::load };
        self.part(path).and_then(|mut part| load(&mut part, text)).map_err(|error| thrown(&error))
    }

    /// The messages that every call begins with: JSON objects joined by commas. Only `load` changes them.
    pub fn prefix(&self) -> std::result::Result<String, JsValue> {
        predictor(&self.loaded)
            .and_then(|it| it.prefix().map(|prefix| prefix.to_string()))
            .map_err(|error| thrown(&error))
    }

    /// The messages that a call adds to them, likewise. The inputs are the first `length` bytes of the buffer.
    pub fn turns(&self, length: usize) -> std::result::Result<String, JsValue> {
        self.tail(length).map_err(|error| thrown(&error))
    }

    /// The messages of every call with places for the inputs, and what else is sent and read, as JSON text: see [`to_json`](crate::module::Template::to_json).
    pub fn template(&self) -> std::result::Result<String, JsValue> {
        let template = predictor(&self.loaded).and_then(|it| it.template(ServingChat::CAPABILITIES));
        template.map(|template| json::text(&template.to_json())).map_err(|error| thrown(&error))
    }

    /// The outputs that a reply holds, as JSON text.
    pub fn read_reply(&self, reply: &str) -> std::result::Result<String, JsValue> {
        let read = predictor(&self.loaded).and_then(|it| it.adapter().parse(it.signature(), reply));
        read.map(|fields| report::object(&fields)).map_err(|error| thrown(&error))
    }

    /// Starts a call. The inputs are the first `length` bytes of the buffer; the promise is of the outcome, as JSON text.
    pub fn call(&self, run: &Run, step: Option<String>, length: usize) -> std::result::Result<Promise, JsValue> {
        let inputs = values::record(length).map_err(|error| thrown(&error))?;
        let (program, run_here) = (self.loaded.clone(), run.step(step));
        Ok(run.start(async move {
            let outcome = program.call(&run_here, Example::from(inputs)).await?;
            Ok(records::outcome(outcome.prediction, outcome.stopped_by.as_deref()))
        }))
    }

    /// Starts a call of a program with one predictor, with settings of its own: `{inputs, config?, demos?}`.
    pub fn ask(
        &self,
        run: &Run,
        step: Option<String>,
        length: usize,
        signature: Option<Signature>,
        model: Option<Model>,
    ) -> std::result::Result<Promise, JsValue> {
        let call = asked(length, signature, model).map_err(|error| thrown(&error))?;
        let (program, run_here) = (self.loaded.clone(), run.step(step));
        Ok(run.start(async move {
            let prediction = run_here.in_time(predictor(&program)?.ask(&run_here, call)).await?;
            Ok(records::outcome(prediction, None))
        }))
    }
}

fn asked(length: usize, signature: Option<Signature>, model: Option<Model>) -> Result<Call> {
    let options = Options::read(length)?;
    Ok(Call {
        config: options.json("config")?.unwrap_or_default(),
        demos: options.value("demos").map(|_| demos(&options)).transpose()?,
        signature: signature.map(|it| it.signature),
        model: model.map(|it| it.model),
        ..Call::from(Example::from(options.object("inputs")?.cloned().unwrap_or_default()))
    })
}

impl Program {
    /// The program as a part of another one.
    pub(super) fn shared(&self) -> Rc<dyn Module> {
        match &self.loaded {
            Loaded::Module(module) => Rc::clone(module),
            Loaded::Pipeline(pipeline) => Rc::clone(pipeline) as Rc<dyn Module>,
        }
    }

    /// Puts predictors in the place of its own, as many as there are.
    pub(super) fn take(&mut self, predictors: &[Predict]) -> Result<()> {
        for ((_, mine), other) in self.loaded.module_mut()?.predictors_mut().into_iter().zip(predictors) {
            *mine = other.clone();
        }
        Ok(())
    }

    fn part<'a>(&'a mut self, path: &'a str) -> Result<Part<'a>> {
        Ok(Part { path, module: self.loaded.module_mut()? })
    }

    fn change(&mut self, path: &str, length: usize, signature: Option<Signature>) -> Result<()> {
        let options = Options::read(length)?;
        let predictors = self.loaded.module_mut()?.predictors_mut();
        let predictor = predictors.into_iter().find(|(name, _)| name == path).map(|(_, predictor)| predictor);
        let predictor = predictor.ok_or_else(no_predictor)?;
        if let Some(config) = options.json("config")? {
            predictor.set_config(config);
        }
        if options.value("demos").is_some() {
            predictor.set_demos(demos(&options)?);
        }
        if let Some(signature) = signature {
            predictor.set_signature(signature.signature);
        }
        Ok(())
    }

    fn tail(&self, length: usize) -> Result<String> {
        Ok(predictor(&self.loaded)?.prompt(&Example::from(values::record(length)?))?.tail)
    }
}

fn predictor(program: &Loaded) -> Result<&Predict> {
    let first = program.module().predictors().into_iter().next().map(|(_, predictor)| predictor);
    first.ok_or_else(no_predictor)
}

fn named<'a>(module: &'a dyn Module, path: &str) -> Result<&'a Predict> {
    let found = module.predictors().into_iter().find(|(name, _)| name == path).map(|(_, predictor)| predictor);
    found.ok_or_else(no_predictor)
}

fn no_predictor() -> Error {
    Error::new(ErrorKind::Unsupported, "the program has no such predictor")
}

fn made(module: Result<Rc<dyn Module>>) -> std::result::Result<Program, JsValue> {
    module.map(|module| Program { loaded: Loaded::Module(module) }).map_err(|error| thrown(&error))
}

pub(super) fn demos(options: &Options) -> Result<Vec<Example>> {
    options.list("demos")?.iter().map(|demo| example(demo).map_err(|error| error.at_field("demos"))).collect()
}

/// The fields of an example.
pub(super) fn example(given: &Value) -> Result<Example> {
    match given {
        Value::Dict(fields) => Ok(Example::from(fields.clone())),
        _ => Err(Error::new(ErrorKind::Input, "an example must be an object")
            .with_hint("give fields by name: { question: \"...\", answer: \"...\" }")),
    }
}
