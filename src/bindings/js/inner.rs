//! Programs inside of others.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::callback;
use super::custom::Opened;
use super::errors::answered;
use super::program::Program;
use super::run::Run;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::module::{Module, Predict, at_path};
use crate::run;

/// A program as a part of another one. JavaScript runs it, or the core does where it has the whole of it.
#[wasm_bindgen]
pub struct Inner {
    forward: Option<Function>,
    /// What the core has of it, each under its path.
    programs: Vec<(String, Rc<dyn Module>)>,
    compiled: bool,
}

#[wasm_bindgen]
impl Inner {
    /// A program of the core's.
    pub fn of(program: &Program) -> Self {
        Self { forward: None, programs: vec![(String::new(), program.shared())], compiled: false }
    }

    /// A program of the caller's: a function from a [`Run`] and inputs to a promise of a record.
    pub fn calling(forward: Function) -> Self {
        Self { forward: Some(forward), programs: Vec::new(), compiled: false }
    }

    /// Tells what the core has of it.
    pub fn add(&mut self, path: String, program: &Program) {
        self.programs.push((path, program.shared()));
    }

    /// Tells that an optimizer made it.
    pub fn compiled(&mut self) {
        self.compiled = true;
    }
}

/// Abandons what JavaScript does for a run that nobody waits for any longer.
struct Cancelling(Run);

impl Drop for Cancelling {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn forward(forward: &Function, run: &run::Run, inputs: &Example) -> Result<Prediction> {
    let run = Run::from(run.clone());
    let (guard, inputs) = (Cancelling(run.shared()), callback::given(&[&inputs.fields], Opened::exact()));
    let outputs = answered(forward.call2(&JsValue::NULL, &run.into(), &inputs)).await?;
    drop(guard);
    Ok(callback::record(&outputs)?.into())
}

impl Module for Inner {
    fn call<'a>(&'a self, run: &'a run::Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        match (&self.forward, self.programs.first()) {
            (None, Some((_, program))) => program.call(run, inputs),
            (Some(function), _) => Box::pin(async move { forward(function, run, &inputs).await }),
            (None, None) => Box::pin(async { Ok(Prediction::default()) }),
        }
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        self.programs.iter().flat_map(|(path, program)| at_path(path, program.predictors())).collect()
    }

    /// None: they are changed where they stand.
    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        Vec::new()
    }

    fn is_compiled(&self) -> bool {
        self.compiled
    }
}
