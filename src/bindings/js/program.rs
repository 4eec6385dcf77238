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
use super::signature::SignatureHandle;
use super::values;
use crate::adapter::{Adapter, ChatAdapter, JsonAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::module::{ChainOfThought, Module, Predict};
use crate::value::Value;

/// A program in wasm memory, compiled: what stays the same between its calls is rendered once.
#[wasm_bindgen]
pub struct Program {
    module: Rc<dyn Module>,
}

#[wasm_bindgen]
impl Program {
    /// Asks a model for the outputs of a signature: `{adapter?, model?, config?, demos?}`.
    pub fn predict(signature: &SignatureHandle, options: &str) -> std::result::Result<Self, JsValue> {
        let signature = signature.signature.clone();
        made(options, || Ok(Predict::new(signature)))
    }

    /// The same, with `reasoning` first.
    pub fn chain_of_thought(signature: &SignatureHandle, options: &str) -> std::result::Result<Self, JsValue> {
        made(options, || ChainOfThought::new(&signature.signature))
    }

    /// The paths of the predictors inside, as JSON text.
    pub fn predictors(&self) -> String {
        let names = self.module.predictors().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        serde_json::Value::from(names).to_string()
    }

    /// The messages that a call would send, as JSON text. The inputs are the first `length` bytes of the buffer.
    pub fn messages(&self, length: usize) -> std::result::Result<String, JsValue> {
        self.prompt(length).map_err(|error| thrown(&error))
    }

    /// The outputs that a reply holds, as JSON text.
    pub fn read_reply(&self, reply: &str) -> std::result::Result<String, JsValue> {
        let read = self.predictor().and_then(|it| it.adapter().parse(it.signature(), reply));
        read.map(|fields| report::object(&fields)).map_err(|error| thrown(&error))
    }

    /// Starts a call. The inputs are the first `length` bytes of the buffer; the promise is of the outcome, as JSON text.
    pub fn call(&self, run: &Run, step: Option<String>, length: usize) -> std::result::Result<Promise, JsValue> {
        let inputs = values::record(length).map_err(|error| thrown(&error))?;
        let (module, run_here) = (Rc::clone(&self.module), run.step(step));
        let (work, handle) =
            abortable(async move { run_here.in_time(module.call(&run_here, Example::from(inputs))).await });
        run.keep(handle);
        Ok(future_to_promise(async move {
            let ended = work.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")));
            match ended {
                Ok(prediction) => Ok(report::outcome(&prediction.fields, &prediction.others, None).into()),
                Err(error) => Err(thrown(&error)),
            }
        }))
    }
}

impl Program {
    fn predictor(&self) -> Result<&Predict> {
        let (_, predictor) = self.module.predictors().into_iter().next().ok_or_else(no_predictor)?;
        Ok(predictor)
    }

    fn prompt(&self, length: usize) -> Result<String> {
        let prompt = self.predictor()?.prompt(&Example::from(values::record(length)?))?;
        let mut out = String::new();
        prompt.write_json(&mut out);
        Ok(out)
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
    configured().map(|module| Program { module: Rc::new(module) }).map_err(|error: Error| thrown(&error))
}

/// The adapter of that name, and what is tried when a reply cannot be read: as DSPy does, JSON after Chat.
fn adapters(options: &Options) -> Result<(Rc<dyn Adapter>, Option<Rc<dyn Adapter>>)> {
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
