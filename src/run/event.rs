//! What a caller is told while a program runs.

use std::rc::Rc;

use super::Span;
use crate::value::{Map, Value};

/// News of a run, in the order in which the caller may know it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step has started. `id` is the position of its span, `parent` the one of the step that it is a part of.
    Started { id: usize, parent: Option<usize>, step: Rc<str>, kind: &'static str, at_ms: f64 },
    /// A part of a step's model call has started or ended; `call` is the position of the call in the step's span. `name` is
    /// the model's or the adapter's.
    Stage { id: usize, step: Rc<str>, call: usize, stage: Stage, progress: Progress, name: Rc<str>, at_ms: f64 },
    /// A text field of a model's reply has grown.
    Text { id: usize, step: Rc<str>, field: Rc<str>, text: String },
    /// A list, an object or the like in a model's reply has grown to this; it never goes back. A model shows as a dict.
    Partial { id: usize, step: Rc<str>, field: Rc<str>, value: Value },
    /// A field of a model's reply is complete.
    Value { id: usize, step: Rc<str>, field: Rc<str>, value: Value },
    /// What was told of the fields of a step's reply does not count: the reply was cut, and begins again.
    Retracted { id: usize, step: Rc<str> },
    /// Something seems wrong with what a step was given; it goes on.
    Warning { id: usize, step: Rc<str>, message: String },
    /// A step has ended, well or not.
    Finished(Rc<Span>),
    /// The program's result, released. `stopped_by` names the guard that decided it, when one did.
    Result { fields: Map, stopped_by: Option<Rc<str>> },
    /// What the run is doing, in words for a user: see [`StatusMessages`](super::StatusMessages).
    Status(String),
}

/// The parts of a model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The adapter makes messages of the inputs.
    Format,
    /// The model answers.
    Model,
    /// The adapter reads the answer.
    Parse,
}

/// How far a part of a model call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Started,
    Done,
    Failed,
}

impl Stage {
    /// DSPy's word for it in its callbacks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Format => "adapter_format",
            Self::Model => "lm",
            Self::Parse => "adapter_parse",
        }
    }
}

impl Progress {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}
