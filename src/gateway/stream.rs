//! Answers that are sent while they come to be: server-sent events.

use std::pin::pin;
use std::rc::Rc;

use futures_core::stream::LocalBoxStream;
use futures_util::future::{Either, select};
use futures_util::stream;

use super::call::Call;
use super::failure::{Failure, Told};
use super::running::Running;
use crate::error::Result;
use crate::run::Event;
use crate::time::Clock;

/// An answer under way.
struct Frames {
    running: Running,
    call: Rc<Call>,
    clock: Rc<dyn Clock>,
    heartbeat_ms: f64,
    /// The event that was waited for before the head of the answer was sent.
    first: Option<Event>,
    ended: bool,
}

/// Events as `event: TYPE`, `data: JSON`; a comment when nothing has happened for a while.
pub(super) fn server_sent_events(
    first: Event,
    running: Running,
    call: Rc<Call>,
    clock: Rc<dyn Clock>,
    heartbeat_ms: f64,
) -> LocalBoxStream<'static, Vec<u8>> {
    let frames = Frames { running, call, clock, heartbeat_ms, first: Some(first), ended: false };
    Box::pin(stream::unfold(frames, |mut frames| async move {
        let frame = frames.next().await?;
        Some((frame.into_bytes(), frames))
    }))
}

/// What came next.
enum News {
    Event(Event),
    /// Nothing for a while.
    Silence,
    End,
}

impl Frames {
    async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            return Some(self.event(&first));
        }
        if self.ended {
            return None;
        }
        let call = Rc::clone(&self.call);
        match call.within(self.news()).await {
            Ok(News::Event(event)) => Some(self.event(&event)),
            Ok(News::Silence) => Some(":\n\n".to_owned()),
            Ok(News::End) => {
                self.end(None);
                None
            }
            Err(failure) => {
                self.end(Some(&failure));
                Some(frame("error", &format!("{{\"error\":{}}}", failure.body(&self.call.id))))
            }
        }
    }

    async fn news(&mut self) -> Told<News> {
        let silence = self.clock.sleep(self.heartbeat_ms);
        let next: Option<Result<Event>> = match select(pin!(self.running.next()), silence).await {
            Either::Left((next, _)) => next,
            Either::Right(_) => return Ok(News::Silence),
        };
        match next {
            Some(Ok(event)) => Ok(News::Event(event)),
            Some(Err(error)) => Err(self.call.failed(&error)),
            None => Ok(News::End),
        }
    }

    fn event(&self, event: &Event) -> String {
        let (name, members) = self.running.described(event);
        frame(name, &members)
    }

    fn end(&mut self, failure: Option<&Failure>) {
        self.ended = true;
        self.call.usage.set(self.running.usage());
        self.call.end(200, failure);
    }
}

fn frame(event: &str, data: &str) -> String {
    format!("event: {event}\ndata: {data}\n\n")
}
