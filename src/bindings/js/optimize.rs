//! Optimizations.

use std::rc::Rc;

use js_sys::{Function, Promise};
use serde_json::json;
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::evaluate::{examples, summary};
use super::found::Found;
use super::inner::Inner;
use super::optimizers;
use super::options::Options;
use super::run::Run;
use super::scoring::Metric;
use crate::error::{Error, Result};
use crate::evaluate;
use crate::example::Example;
use crate::json;
use crate::module::Module;
use crate::optimize::{self, Training};

mod observer;

/// What makes programs better.
#[wasm_bindgen]
pub struct Optimizer {
    pub(super) optimizer: Rc<dyn optimize::Optimizer>,
}

#[wasm_bindgen]
impl Optimizer {
    /// The optimizer that DSPy has under that name, see [`optimizers::read`].
    pub fn of(
        name: &str,
        metric: Option<Metric>,
        parts: Vec<Optimizer>,
        length: usize,
    ) -> std::result::Result<Self, JsValue> {
        let parts = parts.into_iter().map(|part| part.optimizer).collect();
        let read = Options::read(length)
            .and_then(|options| optimizers::read(name, metric.map(|metric| metric.metric), parts, &options));
        read.map(|optimizer| Self { optimizer }).map_err(|error| thrown(&error))
    }

    /// What the search comes to at most, as JSON text. The options are those of [`Run::optimize`].
    pub fn estimate(&self, student: Inner, length: usize) -> std::result::Result<String, JsValue> {
        let sets = Sets::read(length).map_err(|error| thrown(&error))?;
        let student: Rc<dyn Module> = Rc::new(student);
        let predictors = student.predictors().len();
        let estimate = self.optimizer.estimate(&sets.training(student));
        let (calls, proposals) = (estimate.program_calls, estimate.proposals);
        Ok(json::text(&json!({
            "programCalls": calls, "proposals": proposals, "modelCalls": calls * predictors + proposals,
        })))
    }
}

#[wasm_bindgen]
impl Run {
    /// Starts a search for a better program: `{trainset, valset?, inputs, optional?}`. The observer is a function to promises, see
    /// [`observer`]. The promise is of what is [`Found`].
    pub fn optimize(
        &self,
        by: &Optimizer,
        student: Inner,
        teacher: Option<Inner>,
        watch: Option<Function>,
        length: usize,
    ) -> std::result::Result<Promise, JsValue> {
        let sets = Sets::read(length).map_err(|error| thrown(&error))?;
        let (run, optimizer) = (self.step(None), Rc::clone(&by.optimizer));
        Ok(self.start(async move {
            let mut training = sets.training(Rc::new(student));
            training.teacher = teacher.map(|teacher| Rc::new(teacher) as Rc<dyn Module>);
            training.observer = watch.map(observer::of);
            let optimized = run.in_time(optimizer.compile(&run, training)).await?;
            Ok(Found::from(optimized))
        }))
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
