//! Programs: predictors now, and whatever else is a module.

use std::rc::Rc;

use futures_util::future::abortable;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::errors::thrown;
use super::options::Options;
use super::report;
use super::run::Run;
use super::signature;
use super::values;
use crate::adapter::{Adapter, ChatAdapter, JsonAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json;
use crate::module::{ChainOfThought, Module, Predict};
use crate::pipeline::Pipeline;
use crate::run;
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
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Module(Rc<dyn Module>),
    Pipeline(Rc<Pipeline>),
}

#[wasm_bindgen]
impl Program {
    /// Asks a model for the outputs of a signature ([`signature::read`]): `{adapter?, model?, config?, demos?}`.
    pub fn predict(
        text: &str,
        are_fields: bool,
        instructions: Option<String>,
        options: &str,
    ) -> std::result::Result<Self, JsValue> {
        made(options, || Ok(Predict::new(signature::read(text, are_fields, instructions)?)))
    }

    /// The same, with `reasoning` first.
    pub fn chain_of_thought(
        text: &str,
        are_fields: bool,
        instructions: Option<String>,
        options: &str,
    ) -> std::result::Result<Self, JsValue> {
        made(options, || ChainOfThought::new(&signature::read(text, are_fields, instructions)?))
    }

    /// A program that is a document, with changes to its steps.
    pub fn pipeline(document: &str, changes: Option<String>) -> std::result::Result<Self, JsValue> {
        let read = match changes {
            Some(changes) => Pipeline::with_overlay(document, &changes),
            None => Pipeline::from_json(document),
        };
        read.map(|pipeline| Self { kind: Kind::Pipeline(Rc::new(pipeline)) }).map_err(|error| thrown(&error))
    }

    /// The paths of the predictors inside, as JSON text.
    pub fn predictors(&self) -> String {
        let names = self.module().predictors().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        json::text(&serde_json::Value::from(names))
    }

    /// DSPy's saved state of the program, as the part `path` of a larger one; empty for the whole.
    pub fn dump(&mut self, path: &str) -> std::result::Result<String, JsValue> {
        self.part(path).and_then(|part| state::dump(&part)).map_err(|error| thrown(&error))
    }

    /// Loads the part `path` of a state that DSPy or `dump` saved.
    pub fn load(&mut self, path: &str, text: &str) -> std::result::Result<(), JsValue> {
        self.part(path).and_then(|mut part| state::load(&mut part, text)).map_err(|error| thrown(&error))
    }

    /// The messages that every call begins with: JSON objects joined by commas. Only `load` changes them.
    pub fn prefix(&self) -> std::result::Result<String, JsValue> {
        self.predictor().and_then(|it| it.prefix().map(str::to_owned)).map_err(|error| thrown(&error))
    }

    /// The messages that a call adds to them, likewise. The inputs are the first `length` bytes of the buffer.
    pub fn turns(&self, length: usize) -> std::result::Result<String, JsValue> {
        self.tail(length).map_err(|error| thrown(&error))
    }

    /// The outputs that a reply holds, as JSON text.
    pub fn read_reply(&self, reply: &str) -> std::result::Result<String, JsValue> {
        let read = self.predictor().and_then(|it| it.adapter().parse(it.signature(), reply));
        read.map(|fields| report::object(&fields)).map_err(|error| thrown(&error))
    }

    /// Starts a call. The inputs are the first `length` bytes of the buffer; the promise is of the outcome, as JSON text.
    pub fn call(&self, run: &Run, step: Option<String>, length: usize) -> std::result::Result<Promise, JsValue> {
        let inputs = values::record(length).map_err(|error| thrown(&error))?;
        let (kind, run_here) = (self.kind.clone(), run.step(step));
        let (work, handle) = abortable(async move { kind.call(&run_here, Example::from(inputs)).await });
        run.keep(handle);
        Ok(future_to_promise(async move {
            let ended = work.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")));
            ended.map(JsValue::from).map_err(|error| thrown(&error))
        }))
    }
}

impl Kind {
    async fn call(&self, run: &run::Run, inputs: Example) -> Result<String> {
        match self {
            Self::Module(module) => {
                let prediction = run.in_time(module.call(run, inputs)).await?;
                Ok(report::outcome(prediction, None))
            }
            Self::Pipeline(pipeline) => {
                let outcome = run.in_time(pipeline.run(run, inputs)).await?;
                Ok(report::outcome(outcome.prediction, outcome.stopped_by.as_deref()))
            }
        }
    }
}

impl Program {
    fn module(&self) -> &dyn Module {
        match &self.kind {
            Kind::Module(module) => &**module,
            Kind::Pipeline(pipeline) => &**pipeline,
        }
    }

    fn part<'a>(&'a mut self, path: &'a str) -> Result<Part<'a>> {
        let module: Option<&mut dyn Module> = match &mut self.kind {
            Kind::Module(module) => Rc::get_mut(module),
            Kind::Pipeline(pipeline) => Rc::get_mut(pipeline).map(|pipeline| pipeline as &mut dyn Module),
        };
        let module = module.ok_or_else(|| {
            Error::new(ErrorKind::State, "the program is running")
                .with_hint("wait for its calls to end, or make another one")
        })?;
        Ok(Part { path, module })
    }

    fn predictor(&self) -> Result<&Predict> {
        let (_, predictor) = self.module().predictors().into_iter().next().ok_or_else(no_predictor)?;
        Ok(predictor)
    }

    fn tail(&self, length: usize) -> Result<String> {
        Ok(self.predictor()?.prompt(&Example::from(values::record(length)?))?.tail)
    }
}

fn no_predictor() -> Error {
    Error::new(ErrorKind::Unsupported, "the program has no predictor of its own")
}

fn made<M: Module + 'static>(options: &str, make: impl FnOnce() -> Result<M>) -> std::result::Result<Program, JsValue> {
    let configured = || {
        let options = Options::read(options)?;
        let (adapter, fallback) = adapters(&options)?;
        let mut module = make()?;
        for (_, predictor) in module.predictors_mut() {
            predictor.set_adapter(Rc::clone(&adapter), fallback.clone());
            predictor.set_model(options.text("model")?.map(str::to_owned));
            predictor.set_config(options.object("config")?.cloned().unwrap_or_default());
            predictor.set_demos(options.list("demos")?.iter().map(demo).collect::<Result<_>>()?);
        }
        Ok(module)
    };
    configured().map(|module| Program { kind: Kind::Module(Rc::new(module)) }).map_err(|error: Error| thrown(&error))
}

/// An adapter, and what is tried when it cannot read a reply.
type Adapters = (Rc<dyn Adapter>, Option<Rc<dyn Adapter>>);

/// The adapter of that name, and what is tried when a reply cannot be read: as DSPy does, JSON after Chat.
fn adapters(options: &Options) -> Result<Adapters> {
    match options.text("adapter")? {
        None | Some("chat") => Ok((Rc::new(ChatAdapter::default()), Some(Rc::new(JsonAdapter::default())))),
        Some("json") => Ok((Rc::new(JsonAdapter::default()), None)),
        Some(other) => Err(Error::new(ErrorKind::Config, format!("the adapter `{other}` is not known"))
            .at_field("adapter")
            .with_hint("use `chat` or `json`")),
    }
}

fn demo(json: &serde_json::Value) -> Result<Example> {
    match Value::from(json) {
        Value::Dict(fields) => Ok(Example::from(fields)),
        _ => Err(Error::new(ErrorKind::Config, "a demo must be an object")
            .at_field("demos")
            .with_hint("give fields by name: { question: \"...\", answer: \"...\" }")),
    }
}
