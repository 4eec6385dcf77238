//! What programs run on here: a virtual clock, a model and a retriever that follow a script.

mod clock;
mod model;
mod retriever;
pub mod schema;
pub mod script;
pub mod task;

pub use clock::VirtualClock;
pub use model::{ScriptedModel, server_error};
pub use retriever::ScriptedRetriever;

use std::cell::RefCell;
use std::rc::Rc;

use lakelet::run::{Event, Run, Services};

/// A clock, a model and a retriever, and everything that was told.
pub struct Stage {
    pub clock: Rc<VirtualClock>,
    pub model: Rc<ScriptedModel>,
    pub retriever: Rc<ScriptedRetriever>,
    pub events: Rc<RefCell<Vec<Event>>>,
}

impl Stage {
    pub fn new() -> Self {
        let clock = Rc::new(VirtualClock::default());
        let model = Rc::new(ScriptedModel::new(Rc::clone(&clock)));
        let retriever = Rc::new(ScriptedRetriever::new(Rc::clone(&clock)));
        Self { clock, model, retriever, events: Rc::default() }
    }

    pub fn services(&self) -> Rc<Services> {
        let services = Services::new(self.clock.clone())
            .with_model("scripted", self.model.clone())
            .with_retriever("handbook", self.retriever.clone());
        Rc::new(services)
    }

    /// A run that nobody watches.
    pub fn run(&self) -> Run {
        Run::new(self.services())
    }

    /// A run whose events are kept.
    pub fn watched(&self) -> Run {
        let events = Rc::clone(&self.events);
        Run::watched(self.services(), Rc::new(move |event| events.borrow_mut().push(event)))
    }

    /// Runs a future to its end; whenever nothing can go on, time jumps to the next timer.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.clock.wait(work)
    }
}
