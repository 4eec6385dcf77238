//! What one call carries.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable};
use js_sys::Promise;
use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::custom::Opened;
use super::errors::thrown;
use super::inner::Inner;
use super::model::Model;
use super::options::Options;
use super::program::example;
use super::records;
use super::store::Store;
use super::workspace::Retriever;
use crate::cache::Journal;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::module::{Module, Parallel};
use crate::platform::js::JsClock;
use crate::report;
use crate::run::{self, Budget, Spent, Stop};
use crate::value::Value;

/// What programs may reach.
#[wasm_bindgen]
pub struct Services {
    services: Rc<run::Services>,
}

#[wasm_bindgen]
impl Services {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { services: Rc::new(run::Services::new(Rc::new(JsClock))) }
    }

    pub fn add_model(&mut self, name: &str, model: &Model) {
        Rc::make_mut(&mut self.services).models.insert(name.to_owned(), Rc::clone(&model.model));
    }

    pub fn add_retriever(&mut self, name: &str, retriever: &Retriever) {
        Rc::make_mut(&mut self.services).retrievers.insert(name.to_owned(), Rc::clone(&retriever.retriever));
    }
}

/// One call of a program and everything that is called on its behalf.
#[wasm_bindgen]
pub struct Run {
    run: run::Run,
    calls: Rc<RefCell<Vec<AbortHandle>>>,
    stop: Stop,
}

#[wasm_bindgen]
impl Run {
    /// `sink` is called with every event as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(services: &Services, timeout_ms: Option<f64>, sink: Option<js_sys::Function>) -> Self {
        let services = Rc::clone(&services.services);
        let run = match sink {
            Some(sink) => run::Run::watched(
                services,
                Rc::new(move |event| {
                    // A listener that throws must not stop the program.
                    let _ = sink.call1(&JsValue::NULL, &JsValue::from_str(&report::event(&event)));
                }),
            ),
            None => run::Run::new(services),
        };
        let run = match timeout_ms {
            Some(ms) => run.within_ms(ms),
            None => run,
        };
        run.into()
    }

    /// Limits what it may spend: `{calls?, tokens?, dollars?, seconds?, prices?}`.
    pub fn limit(&mut self, length: usize) -> std::result::Result<(), JsValue> {
        let limited = budget(length).and_then(|budget| {
            let until = Some(self.stop.clone());
            self.run.clone().within_budget(Budget { until, ..budget })
        });
        self.run = limited.map_err(|error| thrown(&error))?;
        Ok(())
    }

    /// Spends no more, when its spending is [limited](Run::limit).
    pub fn stop(&self) {
        self.stop.now();
    }

    /// Keeps the answers of models in a store, as those of the work `job`, and takes them from there.
    pub fn record(&mut self, store: &Store, job: &str) {
        self.run = self.run.clone().recorded_in(Journal::new(Rc::clone(&store.cache), job));
    }

    /// What was spent of the budget, as JSON text, if there is one.
    pub fn spent(&self) -> Option<String> {
        let Spent { calls, tokens, dollars } = self.run.spent()?;
        Some(json::text(&json!({"calls": calls, "tokens": tokens, "dollars": dollars})))
    }

    /// How many failures the work went on after.
    pub fn failed(&self) -> f64 {
        self.run.failed() as f64
    }

    /// The last one of them, as it would be thrown.
    pub fn last_failure(&self) -> JsValue {
        self.run.last_failure().map_or(JsValue::UNDEFINED, |error| thrown(&error))
    }

    /// Abandons everything that this run has under way.
    pub fn cancel(&self) {
        for call in self.calls.take() {
            call.abort();
        }
    }

    /// Starts calls of programs, a few at a time: `{inputs, numThreads?, maxErrors?}`. The promise is of the outputs as records,
    /// none for calls that failed.
    pub fn parallel(
        &self,
        step: Option<String>,
        parts: Vec<Inner>,
        length: usize,
    ) -> std::result::Result<Promise, JsValue> {
        let options = Options::read(length).map_err(|error| thrown(&error))?;
        let run = self.step(step);
        Ok(self.start(async move { run.in_time(parallel(&run, &parts, &options)).await }))
    }

    /// The tokens of all model calls so far, and what the services told by model, as JSON text.
    pub fn usage(&self) -> String {
        report::usage(&self.run)
    }

    /// What was recorded and may be shown, as JSON text: a list of spans.
    pub fn spans(&self) -> String {
        report::spans(&self.run.shown_spans(), report::error)
    }

    /// Everything that was recorded, for logs on a server.
    pub fn all_spans(&self) -> String {
        report::spans(&self.run.spans(), report::error)
    }
}

fn budget(length: usize) -> Result<Budget> {
    let options = Options::read(length)?;
    let prices = options.prices("prices")?;
    let (dollars, seconds) = (options.number("dollars")?, options.number("seconds")?);
    let (calls, tokens) = (options.size("calls")?, options.size("tokens")?);
    Ok(Budget { calls, tokens, dollars, seconds, prices, until: None })
}

async fn parallel(run: &run::Run, parts: &[Inner], options: &Options) -> Result<String> {
    let mut parallel = Parallel::default();
    for (name, number) in [("numThreads", &mut parallel.num_threads), ("maxErrors", &mut parallel.max_errors)] {
        *number = options.count(name)?.map_or(*number, |count| count as usize);
    }
    let inputs = options.list("inputs")?.iter().map(example).collect::<Result<Vec<_>>>()?;
    let calls = parts.iter().map(|part| part as &dyn Module).zip(inputs);
    let results = parallel.run(run, calls).await?.into_iter();
    let records = results.map(|result| result.map_or(Value::None, |prediction| Value::Dict(prediction.fields)));
    Ok(records::records(records.collect(), Opened::plain()))
}

impl From<run::Run> for Run {
    fn from(run: run::Run) -> Self {
        Self { run, calls: Rc::default(), stop: Stop::default() }
    }
}

impl Run {
    /// The same run, and the same calls.
    pub(super) fn shared(&self) -> Self {
        Self { run: self.run.clone(), calls: Rc::clone(&self.calls), stop: self.stop.clone() }
    }

    /// The run inside a step, which stands below the one that the run is in.
    pub(super) fn step(&self, step: Option<String>) -> run::Run {
        match step {
            Some(step) if self.run.step().is_empty() => self.run.clone().at_step(&step.into()),
            Some(step) => self.run.clone().at_step(&[self.run.step(), ".", &step].concat().into()),
            None => self.run.clone(),
        }
    }

    /// Starts work that this run can abandon; the promise is of what it gives.
    pub(super) fn start<T: Into<JsValue> + 'static>(&self, work: impl Future<Output = Result<T>> + 'static) -> Promise {
        let (work, handle) = abortable(work);
        self.calls.borrow_mut().push(handle);
        future_to_promise(async move {
            let ended = work.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")));
            ended.map(Into::into).map_err(|error| thrown(&error))
        })
    }
}
