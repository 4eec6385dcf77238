//! Programs that run while their events are read.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt;

use super::errors::{Result, outward};
use super::events;
use super::wit::events::{Event as WitEvent, Span, Usage};
use super::wit::programs;
use super::workspace::Workspace;
use crate::bindings::loaded::Loaded;
use crate::example::Example;
use crate::platform::wasi::{Task, block_on, spawn};
use crate::run::{Event, Run};

/// A program that runs; it is given up with the task.
pub struct EventStream {
    events: RefCell<UnboundedReceiver<crate::Result<Event>>>,
    run: Run,
    _task: Task,
}

impl EventStream {
    pub(super) fn start(
        program: Loaded,
        workspace: &Workspace,
        inputs: Example,
        options: &programs::RunOptions,
    ) -> Self {
        let (told, events) = unbounded();
        let sink = told.clone();
        // Nobody listens when the stream is being dropped.
        let run = workspace.begin(options, Some(Rc::new(move |event| _ = sink.unbounded_send(Ok(event)))));
        let run_here = run.clone();
        let task = spawn(async move {
            match program.call(&run_here, inputs).await {
                // A pipeline has told its result, when it was released.
                Ok(outcome) if matches!(program, Loaded::Module(_)) => {
                    run_here.tell(Event::Result { fields: outcome.prediction.fields, stopped_by: None });
                }
                Ok(_) => {}
                Err(error) => _ = told.unbounded_send(Err(error)),
            }
            told.close_channel();
        });
        Self { events: RefCell::new(events), run, _task: task }
    }
}

impl programs::GuestEventStream for EventStream {
    fn blocking_get_next(&self) -> Result<Option<WitEvent>> {
        let mut events = self.events.borrow_mut();
        let next = block_on(async {
            while let Some(event) = events.next().await.transpose()? {
                if let Some(event) = events::event(event) {
                    return Ok(Some(event));
                }
            }
            Ok(None)
        });
        next.map_err(outward)
    }

    fn usage(&self) -> Usage {
        events::usage(&self.run.usage())
    }

    fn trace(&self) -> Vec<Span> {
        self.run.shown_spans().iter().map(|span| events::span(span)).collect()
    }
}
