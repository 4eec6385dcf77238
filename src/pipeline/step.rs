//! What a step is: values in by wire, an action, fields out.

use std::rc::Rc;

use super::steps::{Guard, Join, Literal, Lookup, PredictStep, Retrieve, Screen, Sources};
use crate::signature::Type;

/// A step, read and not yet wired to the others.
pub(super) struct Draft {
    pub action: Action,
    pub wants: Vec<Want>,
    /// The fields that it gives.
    pub gives: Vec<(String, Type)>,
}

/// A value that a step takes: under which name, from where, and what it must be.
pub(super) struct Want {
    pub argument: String,
    /// The place in the document, for errors.
    pub place: String,
    /// `question` for an input of the program, `retrieve.contexts` for a field of a step.
    pub from: String,
    pub kind: WantKind,
}

impl Want {
    pub fn new(place: impl Into<String>, from: &str, kind: WantKind) -> Self {
        let place = place.into();
        Self { argument: place.clone(), place, from: from.to_owned(), kind }
    }

    /// The value goes to the step under a name of its own.
    pub fn named(self, argument: &str) -> Self {
        Self { argument: argument.to_owned(), ..self }
    }
}

/// What a wanted value must be.
pub(super) enum WantKind {
    Any,
    Of(Type),
    /// `str` or `list[str]`.
    Texts,
    /// What `retrieve` and `screen` give as passages.
    Passages,
    /// Text that no model and no document wrote: an input of the program, a literal, a row of a table.
    Declared,
}

/// A step in its place.
pub(super) struct Step {
    pub name: Rc<str>,
    pub action: Action,
    pub wires: Vec<Wire>,
    /// Guards that must have let the program pass before the step starts.
    pub after: Vec<usize>,
    /// What happens in the step is shown at once, whatever guards come later.
    pub live: bool,
    pub timeout_ms: Option<f64>,
}

/// Where an argument of a step comes from.
pub(super) struct Wire {
    pub argument: String,
    pub from: Source,
    /// Text of users, documents or models: it must not pass for the structure of a prompt.
    pub untrusted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// An input of the program, by position.
    Input(usize),
    /// A field of a step, by the step's position.
    Field(usize, String),
}

/// The outputs of a program, and where they come from.
pub(super) type Outputs = Vec<(String, Source)>;

/// What a step does.
pub(super) enum Action {
    Predict(Box<PredictStep>),
    Retrieve(Retrieve),
    Guard(Guard),
    Literal(Literal),
    Join(Join),
    Lookup(Lookup),
    Screen(Screen),
    Sources(Sources),
}

impl Action {
    /// The name that documents and spans use.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Predict(step) => step.kind(),
            Self::Retrieve(_) => "retrieve",
            Self::Guard(_) => "guard",
            Self::Literal(_) => "literal",
            Self::Join(_) => "join",
            Self::Lookup(_) => "lookup",
            Self::Screen(_) => "screen",
            Self::Sources(_) => "sources",
        }
    }
}

/// `list[dict]`: how passages and sources travel from step to step.
pub(super) fn passages_type() -> Type {
    Type::List(Some(Box::new(Type::Dict(None))))
}

/// `list[str]`.
pub(super) fn texts_type() -> Type {
    Type::List(Some(Box::new(Type::Str)))
}
