//! What one call carries.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::AbortHandle;
use wasm_bindgen::prelude::*;

use super::model::Model;
use super::report;
use super::workspace::Retriever;
use crate::platform::js::JsClock;
use crate::run;

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

    /// Abandons everything that this run has under way.
    pub fn cancel(&self) {
        for call in self.calls.take() {
            call.abort();
        }
    }

    /// The tokens of all model calls so far, as JSON text.
    pub fn usage(&self) -> String {
        report::usage(&self.run.usage())
    }

    /// What was recorded and may be shown, as JSON text: a list of spans.
    pub fn spans(&self) -> String {
        report::spans(&self.run.shown_spans())
    }

    /// Everything that was recorded, for logs on a server.
    pub fn all_spans(&self) -> String {
        report::spans(&self.run.spans())
    }
}

impl From<run::Run> for Run {
    fn from(run: run::Run) -> Self {
        Self { run, calls: Rc::default() }
    }
}

impl Run {
    /// The same run, and the same calls.
    pub(super) fn shared(&self) -> Self {
        Self { run: self.run.clone(), calls: Rc::clone(&self.calls) }
    }

    /// The run inside a step, which stands below the one that the run is in.
    pub(super) fn step(&self, step: Option<String>) -> run::Run {
        match step {
            Some(step) if self.run.step().is_empty() => self.run.clone().at_step(&step.into()),
            Some(step) => self.run.clone().at_step(&[self.run.step(), ".", &step].concat().into()),
            None => self.run.clone(),
        }
    }

    pub(super) fn keep(&self, call: AbortHandle) {
        self.calls.borrow_mut().push(call);
    }
}
