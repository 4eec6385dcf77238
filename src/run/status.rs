//! What a run is doing, in words for its user.

use std::rc::Rc;

use super::{Event, Progress, Sink, Span, Stage};

/// Puts what happens in a run into words, as `dspy.streaming.StatusMessageProvider` does (DSPy 3.4.1).
///
/// Unless told otherwise, calls of tools have DSPy's words and the rest has none. `finish`, with which an agent ends, is no tool
/// to its user.
///
/// ```
/// use lakelet::run::{Event, Span, StatusMessages};
/// struct Words;
/// impl StatusMessages for Words {
///     fn module_start(&self, step: &str) -> Option<String> {
///         Some(format!("Working on {step}..."))
///     }
/// }
/// let started = |kind| Event::Started { id: 0, parent: None, step: "search".into(), kind, at_ms: 0.0 };
/// assert_eq!(Words.message(&started("predict")).as_deref(), Some("Working on search..."));
/// assert_eq!(Words.message(&started("tool")).as_deref(), Some("Calling tool search..."));
/// ```
pub trait StatusMessages {
    /// A tool is called.
    fn tool_start(&self, name: &str) -> Option<String> {
        Some(format!("Calling tool {name}..."))
    }

    /// A tool has answered, or failed.
    fn tool_end(&self, _span: &Span) -> Option<String> {
        Some("Tool calling finished! Querying the LLM with tool calling results...".to_owned())
    }

    /// A step has started.
    fn module_start(&self, _step: &str) -> Option<String> {
        None
    }

    /// A step has ended, well or not.
    fn module_end(&self, _span: &Span) -> Option<String> {
        None
    }

    /// A model is asked.
    fn lm_start(&self, _model: &str) -> Option<String> {
        None
    }

    /// A model has answered, or failed.
    fn lm_end(&self, _model: &str) -> Option<String> {
        None
    }

    /// The words for an event, if it has any.
    fn message(&self, event: &Event) -> Option<String> {
        match event {
            Event::Started { kind: "tool", step, .. } if &**step == "finish" => None,
            Event::Started { kind: "tool", step, .. } => self.tool_start(step),
            Event::Started { step, .. } => self.module_start(step),
            Event::Finished(span) if span.kind == "tool" && &*span.name == "finish" => None,
            Event::Finished(span) if span.kind == "tool" => self.tool_end(span),
            Event::Finished(span) => self.module_end(span),
            Event::Stage { stage: Stage::Model, progress: Progress::Started, name, .. } => self.lm_start(name),
            Event::Stage { stage: Stage::Model, name, .. } => self.lm_end(name),
            _ => None,
        }
    }
}

/// A sink that tells the messages too, each after the event that it is about.
///
/// What a caller may not see yet has no message yet: the messages are made of the events that come through.
pub fn with_status(sink: Sink, messages: Rc<dyn StatusMessages>) -> Sink {
    Rc::new(move |event| {
        let message = messages.message(&event);
        sink(event);
        if let Some(message) = message {
            sink(Event::Status(message));
        }
    })
}
