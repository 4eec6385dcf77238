//! What a caller is told while a program runs.

use std::rc::Rc;

use super::Span;
use crate::value::{Map, Value};

/// News of a run, in the order in which the caller may know it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step has started. `id` is the position of its span.
    Started { id: usize, step: Rc<str>, kind: &'static str, at_ms: f64 },
    /// A text field of a model's reply has grown.
    Text { id: usize, step: Rc<str>, field: Rc<str>, text: String },
    /// A list, an object or the like in a model's reply has grown to this; it never goes back. A model shows as a dict.
    Partial { id: usize, step: Rc<str>, field: Rc<str>, value: Value },
    /// A field of a model's reply is complete.
    Value { id: usize, step: Rc<str>, field: Rc<str>, value: Value },
    /// Something seems wrong with what a step was given; it goes on.
    Warning { id: usize, step: Rc<str>, message: String },
    /// A step has ended, well or not.
    Finished(Rc<Span>),
    /// The program's result, released. `stopped_by` names the guard that decided it, when one did.
    Result { fields: Map, stopped_by: Option<Rc<str>> },
}
