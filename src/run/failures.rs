//! What failed in a run without ending it.

use std::cell::{Cell, RefCell};

use crate::error::Error;

/// Counts failures that the work went on after, and knows the last one. All that is done for the same caller has the same one.
#[derive(Default)]
pub(super) struct Failures {
    count: Cell<u64>,
    last: RefCell<Option<Error>>,
}

impl Failures {
    pub fn add(&self, error: &Error) {
        self.count.set(self.count.get() + 1);
        self.last.replace(Some(error.clone()));
    }

    pub fn count(&self) -> u64 {
        self.count.get()
    }

    pub fn last(&self) -> Option<Error> {
        self.last.borrow().clone()
    }
}
