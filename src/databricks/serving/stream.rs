//! Streamed chat answers: server-sent events become [`Delta`]s.

use std::pin::pin;
use std::rc::Rc;

use futures_core::stream::LocalBoxStream;
use futures_util::future::select;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value as Json};

use super::super::error::{cut_short, ended_early, unreadable};
use super::super::{Call, Workspace};
use super::reply;
use crate::error::Result;
use crate::http::deadline::Deadline;
use crate::http::{retry, sse};
use crate::json;
use crate::lm::{Delta, Usage, wire};

/// How long the end of a body may follow the end of the answer in it.
const LONGEST_END_MS: f64 = 50.0;

/// Sends a call and yields its answer. What is cut is tried again, from the beginning.
pub(super) fn deltas(
    workspace: Workspace,
    call: Result<Call>,
    deadline_ms: Option<f64>,
    is_hurried: bool,
) -> LocalBoxStream<'static, Result<Delta>> {
    match call {
        Ok(call) => {
            let deadline = workspace.deadline(deadline_ms);
            let tries = workspace.tries(deadline.at_ms());
            let call = Rc::new(call);
            let attempt = Attempt { workspace, call, tries, is_hurried, wait_ms: 0.0, chunks: None, told: false };
            stream::try_unfold((attempt, deadline), next).boxed_local()
        }
        Err(error) => stream::iter([Err(error)]).boxed_local(),
    }
}

async fn next((mut attempt, mut deadline): (Attempt, Deadline)) -> Result<Option<(Delta, (Attempt, Deadline))>> {
    let delta = deadline.bound(attempt.next()).await?;
    Ok(delta.map(|delta| (delta, (attempt, deadline))))
}

/// The try that is under way.
struct Attempt {
    workspace: Workspace,
    call: Rc<Call>,
    tries: retry::Tries,
    /// What fails before a piece of the answer is out fails for good.
    is_hurried: bool,
    /// How long to wait before the call is sent.
    wait_ms: f64,
    /// `None` until the answer has begun.
    chunks: Option<Chunks>,
    /// A piece of the answer is out.
    told: bool,
}

impl Attempt {
    async fn next(&mut self) -> Result<Option<Delta>> {
        loop {
            match self.read().await {
                Ok(delta) => {
                    self.told |= delta.is_some();
                    self.is_hurried &= !self.told;
                    return Ok(delta);
                }
                Err(error) if self.is_hurried => return Err(error),
                Err(error) => {
                    self.wait_ms = self.tries.next_in_ms(&*self.workspace.host.clock, error)?;
                    self.chunks = None;
                    if std::mem::take(&mut self.told) {
                        return Ok(Some(Delta { begins_anew: true, ..Delta::default() }));
                    }
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Delta>> {
        if let Some(chunks) = &mut self.chunks {
            let delta = chunks.next().await?;
            if delta.is_none() {
                let enough = self.workspace.host.clock.sleep(LONGEST_END_MS);
                select(pin!(chunks.read_to_end()), enough).await;
            }
            return Ok(delta);
        }
        if self.wait_ms > 0.0 {
            self.workspace.host.clock.sleep(self.wait_ms).await;
        }
        let response = self.workspace.open(&self.call).await?;
        let chunks = Chunks::new(response.body.chunks(), Rc::clone(&self.call));
        self.chunks.insert(chunks).next().await
    }
}

/// The chunks of one answer.
struct Chunks {
    call: Rc<Call>,
    bytes: stream::Fuse<LocalBoxStream<'static, Result<Vec<u8>>>>,
    events: sse::Decoder,
    /// What came before the first event, in case that none comes: an endpoint that does not stream, or no endpoint.
    head: Option<Vec<u8>>,
    model: Option<String>,
    /// The last that was told: some endpoints tell it with every chunk, some once, some never.
    usage: Option<Map<String, Json>>,
    /// The model has said why it stopped.
    finished: bool,
    over: bool,
}

impl Chunks {
    fn new(bytes: LocalBoxStream<'static, Result<Vec<u8>>>, call: Rc<Call>) -> Self {
        let (bytes, events) = (bytes.fuse(), sse::Decoder::default());
        Self { call, bytes, events, head: Some(Vec::new()), model: None, usage: None, finished: false, over: false }
    }

    /// Reads what stands behind the end of the answer: nothing, but a body that was read to its own end leaves its connection to the next call.
    async fn read_to_end(&mut self) {
        while let Some(Ok(_)) = self.bytes.next().await {}
    }

    async fn next(&mut self) -> Result<Option<Delta>> {
        while !self.over {
            while let Some(event) = self.events.next() {
                self.head = None;
                if event == b"[DONE]" {
                    return Ok(self.end());
                }
                let json = json::read(&event)
                    .map_err(|_| unreadable(&self.call.target, &event, "a chunk of a chat completion"))?;
                if let Some(delta) = self.read(&json)? {
                    return Ok(Some(delta));
                }
            }
            match self.bytes.next().await {
                Some(Ok(bytes)) => {
                    self.events.push(&bytes)?;
                    self.head.iter_mut().for_each(|head| head.extend_from_slice(&bytes));
                }
                Some(Err(error)) => return Err(cut_short(&self.call.target, error)),
                None => return self.ended(),
            }
        }
        Ok(None)
    }

    /// One chunk. `None` when it brings nothing to tell yet: the role, an empty text, usage, a filter's verdict.
    fn read(&mut self, json: &Json) -> Result<Option<Delta>> {
        let Some(mut delta) = wire::delta(json) else {
            return match reply::error_within(json, self.call.target.name()) {
                Some(error) => Err(error),
                None => Ok(None),
            };
        };
        let reported = std::mem::take(&mut delta.reported);
        if delta.usage.take().is_some() {
            self.usage = Some(reported);
        }
        self.finished |= delta.finish_reason.is_some();
        self.model = self.model.take().or(delta.model);
        delta.model = None;
        if delta == Delta::default() {
            return Ok(None);
        }
        delta.model.clone_from(&self.model);
        Ok(Some(delta))
    }

    /// The bytes have ended without `[DONE]`. What stands in the last, unfinished event may still be whole.
    fn ended(&mut self) -> Result<Option<Delta>> {
        if let Some(head) = self.head.take_if(|head| matches!(head.trim_ascii_start().first(), Some(b'{' | b'<'))) {
            return self.read_whole(&head).map(Some);
        }
        let last = self.events.finish();
        if last.as_deref() == Some(b"[DONE]") {
            return Ok(self.end());
        }
        let delta = match last.and_then(|event| json::read(&event).ok()) {
            Some(json) => self.read(&json)?,
            None => None,
        };
        if !self.finished {
            return Err(ended_early(&self.call.target, "the stream stopped before the model was done"));
        }
        match delta {
            Some(delta) => Ok(Some(delta)), // and `end` comes with the next call, when the bytes end again
            None => Ok(self.end()),
        }
    }

    /// An answer that came whole, though a stream was asked for.
    fn read_whole(&mut self, body: &[u8]) -> Result<Delta> {
        let answer = reply::read(body, None, self.call.target.name())?;
        self.over = true;
        Ok(answer.into())
    }

    fn end(&mut self) -> Option<Delta> {
        self.over = true;
        let reported = self.usage.take()?;
        Some(Delta { usage: Some(Usage::of(&reported)), reported, model: self.model.take(), ..Delta::default() })
    }
}
