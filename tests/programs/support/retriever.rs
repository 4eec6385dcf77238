//! A retriever that finds what the test wrote down.

use std::cell::RefCell;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use lakelet::Result;
use lakelet::retrieve::{Passage, Query, Retriever};
use lakelet::time::Clock;
use serde_json::json;

use super::VirtualClock;

pub struct ScriptedRetriever {
    clock: Rc<VirtualClock>,
    pub passages: RefCell<Vec<Passage>>,
    pub wait_ms: f64,
    pub asked: RefCell<Vec<Query>>,
}

impl ScriptedRetriever {
    pub fn new(clock: Rc<VirtualClock>) -> Self {
        Self { clock, passages: RefCell::default(), wait_ms: 10.0, asked: RefCell::default() }
    }

    pub fn holds(&self, id: &str, text: &str) {
        let columns = json!({"title": format!("Title of {id}"), "document": format!("{id}.md")});
        let columns = columns.as_object().cloned().unwrap_or_default();
        let mut passages = self.passages.borrow_mut();
        let score = 0.9 - 0.1 * passages.len() as f64;
        passages.push(Passage { id: id.to_owned(), text: text.to_owned(), score, columns });
    }
}

impl Retriever for ScriptedRetriever {
    fn retrieve(&self, query: Query) -> LocalBoxFuture<'static, Result<Vec<Passage>>> {
        let k = query.k.unwrap_or(3) as usize;
        self.asked.borrow_mut().push(query);
        let (sleep, found) = (self.clock.sleep(self.wait_ms), self.passages.borrow().iter().take(k).cloned().collect());
        Box::pin(async move {
            sleep.await;
            Ok(found)
        })
    }
}
