//! What a caller may see of a run, and when.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Event, Sink, Span};
use crate::screen::{Redactor, Rules};

/// Stands between a part of a run and the caller.
///
/// An open gate lets events through. A closed one keeps them, save that a step has started, until [`Gate::release`] lets
/// them out in order; a gate that is never released lets nothing of its steps out. With rules, all that goes through is
/// redacted by them, text that is still being written as well; lists and objects show once they are complete.
pub struct Gate {
    outer: Option<Rc<Gate>>,
    sink: Option<Sink>,
    released: Cell<bool>,
    held: RefCell<Vec<Event>>,
    rules: Option<Rc<Rules>>,
    /// The few texts that are being written, each with its span and field.
    writing: RefCell<Vec<(usize, Rc<str>, Redactor)>>,
    /// Spans as they are, and redacted: each is told once and shown once.
    redacted: RefCell<Vec<(Rc<Span>, Rc<Span>)>>,
}

impl Gate {
    /// A gate that lets everything through to `sink`.
    pub fn open(sink: Option<Sink>) -> Self {
        let (held, writing, redacted) = Default::default();
        Self { outer: None, sink, released: Cell::new(true), held, rules: None, writing, redacted }
    }

    /// A gate behind another one, open or closed.
    pub fn inside(outer: &Rc<Gate>, open: bool, rules: Option<Rc<Rules>>) -> Rc<Self> {
        let way_out = Rc::clone(outer);
        let sink = outer.sink.is_some().then(|| Rc::new(move |event| way_out.tell(event)) as Sink);
        let (held, writing, redacted) = Default::default();
        Rc::new(Self { outer: Some(Rc::clone(outer)), sink, released: Cell::new(open), held, rules, writing, redacted })
    }

    /// Whether anybody listens.
    pub fn is_watched(&self) -> bool {
        self.sink.is_some()
    }

    /// Whether the caller may see what happens behind the gate.
    pub fn is_released(&self) -> bool {
        self.released.get() && self.outer.as_ref().is_none_or(|outer| outer.is_released())
    }

    /// Lets an event out, or keeps it.
    pub fn tell(&self, event: Event) {
        if self.sink.is_none() {
            return;
        }
        let Some(rules) = &self.rules else { return self.pass(event) };
        match event {
            Event::Text { id, step, field, text } => {
                let text = self.redactor(rules, id, &field, |redactor| redactor.push(&text));
                if !text.is_empty() {
                    self.pass(Event::Text { id, step, field, text });
                }
            }
            Event::Value { id, step, field, mut value } => {
                let text = self.redactor(rules, id, &field, Redactor::finish);
                if !text.is_empty() {
                    self.pass(Event::Text { id, step: Rc::clone(&step), field: Rc::clone(&field), text });
                }
                rules.redact_value(&mut value);
                self.pass(Event::Value { id, step, field, value });
            }
            Event::Warning { id, step, message } => {
                self.pass(Event::Warning { id, step, message: rules.redact(&message).into_owned() });
            }
            Event::Retracted { id, .. } => {
                self.writing.borrow_mut().retain(|(span, ..)| *span != id);
                self.pass(event);
            }
            // Rules judge what is whole.
            Event::Partial { .. } => {}
            Event::Finished(span) => self.pass(Event::Finished(self.redacted(&span, rules))),
            other => self.pass(other),
        }
    }

    fn redactor<T>(&self, rules: &Rc<Rules>, id: usize, field: &Rc<str>, with: impl FnOnce(&mut Redactor) -> T) -> T {
        let mut writing = self.writing.borrow_mut();
        match writing.iter_mut().find(|(span, name, _)| *span == id && name == field) {
            Some((_, _, redactor)) => with(redactor),
            None => {
                let mut redactor = Redactor::new(Rc::clone(rules));
                let written = with(&mut redactor);
                writing.push((id, Rc::clone(field), redactor));
                written
            }
        }
    }

    fn pass(&self, event: Event) {
        let Some(sink) = &self.sink else { return };
        match event {
            Event::Started { .. } => sink(event),
            _ if self.released.get() => sink(event),
            Event::Retracted { id, .. } => {
                self.retract(id);
            }
            // What is let out later is complete by then, or goes on to grow.
            Event::Partial { .. } => {}
            _ => self.held.borrow_mut().push(event),
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
        if self.released.get() {
            return false;
        }
        self.writing.borrow_mut().retain(|(span, ..)| *span != id);
        self.held.borrow_mut().retain(
            |event| !matches!(event, Event::Text { id: span, .. } | Event::Value { id: span, .. } if *span == id),
        );
        true
    }

    /// What may be shown of a span.
    pub fn show(&self, span: &Rc<Span>) -> Rc<Span> {
        match &self.rules {
            _ if !self.is_released() => Rc::new(span.withheld()),
            Some(rules) => self.redacted(span, rules),
            None => Rc::clone(span),
        }
    }

    /// A span that is changed later is another one: whoever changes it makes a copy while it is kept here.
    fn redacted(&self, span: &Rc<Span>, rules: &Rules) -> Rc<Span> {
        let mut known = self.redacted.borrow_mut();
        if let Some((_, redacted)) = known.iter().find(|(of, _)| Rc::ptr_eq(of, span)) {
            return Rc::clone(redacted);
        }
        let redacted = Rc::new(span.redacted(rules));
        known.push((Rc::clone(span), Rc::clone(&redacted)));
        redacted
    }
}
