//! A program that runs for a caller.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use futures_core::future::LocalBoxFuture;
use serde_json::{Map as Object, Value as Json, json};

use super::failure::Failure;
use crate::error::{Error, Result};
use crate::example::Example;
use crate::json;
use crate::lm::Usage;
use crate::pipeline::{Outcome, Pipeline};
use crate::report::{self, object, with_raw};
use crate::run::{Event, Run, Services};
use crate::value::Map;

/// A run whose events are asked for one by one. It gets on while it is asked, and no faster than its events are taken;
/// dropped, it is abandoned with everything that it has under way.
pub(super) struct Running {
    told: Rc<RefCell<VecDeque<Event>>>,
    work: Option<LocalBoxFuture<'static, Result<Outcome>>>,
    failure: Option<Error>,
    run: Run,
}

impl Running {
    pub fn begin(program: Rc<Pipeline>, services: Rc<Services>, inputs: Example) -> Self {
        let told = Rc::<RefCell<VecDeque<Event>>>::default();
        let listener = Rc::clone(&told);
        let run = Run::watched(services, Rc::new(move |event| listener.borrow_mut().push_back(event)));
        let run_there = run.clone();
        let work = Box::pin(async move { program.run(&run_there, inputs).await });
        Self { told, work: Some(work), failure: None, run }
    }

    /// The next event; the result is the last one. A failure comes after everything that was told before it.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        poll_fn(|context| {
            if let Some(work) = &mut self.work
                && self.told.borrow().is_empty()
                && let Poll::Ready(ended) = work.as_mut().poll(context)
            {
                self.work = None;
                self.failure = ended.err();
            }
            match self.told.borrow_mut().pop_front() {
                Some(event) => Poll::Ready(Some(Ok(event))),
                None if self.work.is_some() => Poll::Pending,
                None => Poll::Ready(self.failure.take().map(Err)),
            }
        })
        .await
    }

    /// The tokens so far.
    pub fn usage(&self) -> Usage {
        self.run.usage()
    }

    /// The name and the members of an event; the result comes with the trace of the steps.
    pub fn described(&self, event: &Event) -> (&'static str, String) {
        let (name, members) = report::named_event(event, in_words);
        match (event, members.strip_suffix('}')) {
            (Event::Result { .. }, Some(open)) => (name, format!("{open},\"trace\":{}}}", self.trace())),
            _ => (name, members),
        }
    }

    /// The result as one answer: `{stoppedBy, prediction, trace, request_id}`.
    pub fn answer(&self, fields: &Map, stopped_by: Option<&str>, request_id: &str) -> String {
        let members =
            [("prediction", object(fields)), ("trace", self.trace()), ("request_id", json::text(&request_id.into()))];
        with_raw(json!({"stoppedBy": stopped_by}), &members)
    }

    fn trace(&self) -> String {
        report::spans(&self.run.shown_spans(), in_words)
    }
}

/// The failure of a step in the words of an answer: the whole one names what stands behind the gateway.
fn in_words(error: &Error) -> Object<String, Json> {
    let mut described = report::error(error);
    described.retain(|name, _| matches!(name.as_str(), "code" | "retryable" | "step" | "field"));
    let told = Failure::of(error);
    described.insert("message".to_owned(), told.message.into());
    if let Some(hint) = told.hint {
        described.insert("hint".to_owned(), hint.into());
    }
    described
}
