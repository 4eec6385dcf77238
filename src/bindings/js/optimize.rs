//! Optimizations.

use std::rc::Rc;

use js_sys::{Function, Promise};
use serde_json::json;
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::evaluate::summary;
use super::examples::examples;
use super::inner::Inner;
use super::options::Options;
use super::run::Run;
use crate::error::{Error, Result};
use crate::evaluate;
use crate::example::Example;
use crate::json;
use crate::module::Module;
use crate::optimize::{Assumptions, Training};

mod found;
mod kind;
mod metric;
mod named;
mod observer;

pub use found::Found;
pub use metric::Metric;

use kind::Kind;

/// What makes programs better.
#[wasm_bindgen]
pub struct Optimizer {
    kind: Kind,
}

#[wasm_bindgen]
impl Optimizer {
    /// The optimizer that DSPy has under that name, see [`named::read`].
    pub fn of(
        name: &str,
        metric: Option<Metric>,
        parts: Vec<Optimizer>,
        length: usize,
    ) -> std::result::Result<Self, JsValue> {
        let parts = parts.into_iter().map(|part| part.kind.optimizer()).collect();
        let read = Options::read(length)
            .and_then(|options| named::read(name, metric.map(|metric| metric.metric), parts, &options));
        read.map(|kind| Self { kind }).map_err(|error| thrown(&error))
    }

    /// Starts a search for a better program: `{trainset, valset?, inputs, optional?}`. For the observer see [`observer::of`]. The promise is of
    /// what is [`Found`].
    pub fn compile(
        &self,
        run: &Run,
        student: Inner,
        teacher: Option<Inner>,
        watch: Option<Function>,
        length: usize,
    ) -> std::result::Result<Promise, JsValue> {
        let sets = Sets::read(length).map_err(|error| thrown(&error))?;
        let (inside, kind) = (run.step(None), self.kind.clone());
        Ok(run.start(async move {
            let mut training = sets.training(Rc::new(student));
            training.teacher = teacher.map(|teacher| Rc::new(teacher) as Rc<dyn Module>);
            training.observer = watch.map(observer::of);
            inside.in_time(kind.find(&inside, training)).await
        }))
    }

    /// What the search comes to at most, as JSON text. The options are those of [`Optimizer::compile`].
    pub fn estimate(&self, student: Inner, length: usize) -> std::result::Result<String, JsValue> {
        let told = || {
            let sets = Sets::read(length)?;
            let training = sets.training(Rc::new(student));
            let estimate = self.kind.optimizer().estimate(&training);
            let forecast = estimate.forecast(&training, Assumptions::default())?;
            Ok::<_, Error>(json::text(&json!({
                "programCalls": estimate.program_calls, "proposals": estimate.proposals, "modelCalls": forecast.model_calls,
                "promptTokens": forecast.prompt_tokens, "completionTokens": forecast.completion_tokens,
            })))
        };
        told().map_err(|error| thrown(&error))
    }
}

/// What is learned from, and what is scored on.
struct Sets {
    trainset: Vec<Example>,
    valset: Option<Vec<Example>>,
}

impl Sets {
    fn read(length: usize) -> Result<Self> {
        let options = Options::read(length)?;
        let set = |name: &str| {
            let rows = examples(&options, name)?;
            evaluate::complete(name, &rows)?;
            Ok::<_, Error>(rows)
        };
        let valset = options.value("valset").map(|_| set("valset")).transpose()?;
        Ok(Self { trainset: set("trainset")?, valset })
    }

    fn training(&self, student: Rc<dyn Module>) -> Training<'_> {
        Training { valset: self.valset.as_deref(), ..Training::new(student, &self.trainset) }
    }
}
