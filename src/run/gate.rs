//! What a caller may see of a run, and when.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Event, Sink, Span};

/// Stands between a part of a run and the caller.
///
/// An open gate lets events through. A closed one keeps them, save that a step has started, until [`Gate::release`] lets
/// them out in order; a gate that is never released lets nothing of its steps out.
pub struct Gate {
    outer: Option<Rc<Gate>>,
    sink: Option<Sink>,
    released: Cell<bool>,
    held: RefCell<Vec<Event>>,
}

impl Gate {
    /// A gate that lets everything through to `sink`.
    pub fn open(sink: Option<Sink>) -> Self {
        Self { outer: None, sink, released: Cell::new(true), held: RefCell::default() }
    }

    /// A closed gate in front of this one.
    pub fn closed(self: &Rc<Self>) -> Rc<Self> {
        let outer = Rc::clone(self);
        let sink = self.sink.is_some().then(|| Rc::new(move |event| outer.tell(event)) as Sink);
        Rc::new(Self { outer: Some(Rc::clone(self)), sink, released: Cell::new(false), held: RefCell::default() })
    }

    /// Whether anybody listens.
    pub fn is_watched(&self) -> bool {
        self.sink.is_some()
    }

    /// Whether events go out at once.
    pub fn is_released(&self) -> bool {
        self.released.get() && self.outer.as_ref().is_none_or(|outer| outer.is_released())
    }

    /// Lets an event out, or keeps it.
    pub fn tell(&self, event: Event) {
        let Some(sink) = &self.sink else { return };
        if self.released.get() || matches!(event, Event::Started { .. }) {
            sink(event);
        } else {
            self.held.borrow_mut().push(event);
        }
    }

    /// Lets out what was kept, in order, and from now on everything at once.
    pub fn release(&self) {
        self.released.set(true);
        let held = self.held.take();
        if let Some(sink) = &self.sink {
            held.into_iter().for_each(|event| sink(event));
        }
    }

    /// Forgets the fields that a step has streamed, if none of them was let out; tells whether they could be.
    pub fn retract(&self, id: usize) -> bool {
        !self.released.get() && {
            self.held
                .borrow_mut()
                .retain(|event| !matches!(event, Event::Text { id: i, .. } | Event::Value { id: i, .. } if *i == id));
            true
        }
    }

    /// What may be shown of a span.
    pub fn show(&self, span: &Span) -> Span {
        if self.is_released() { span.clone() } else { span.withheld() }
    }
}
