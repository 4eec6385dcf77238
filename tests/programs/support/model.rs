//! A model that answers what the test wrote down.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{FutureExt, StreamExt, stream};
use lakelet::lm::{Capabilities, ChatRequest, ChatResponse, Completion, Delta, LanguageModel, Usage};
use lakelet::time::Clock;
use lakelet::{Error, Result};
use serde_json::Value as Json;

use super::VirtualClock;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at_ms: f64,
    pub messages: Vec<Json>,
    pub response_format: Option<Json>,
    pub options: serde_json::Map<String, Json>,
    pub rollout_id: Option<Json>,
}

impl Asked {
    /// All messages as one text.
    pub fn text(&self) -> String {
        self.messages.iter().filter_map(|m| m["content"].as_str()).collect::<Vec<_>>().join("\n")
    }
}

struct Rule {
    needle: String,
    wait_ms: f64,
    /// Given in turn; the last one again and again.
    replies: Vec<Result<String>>,
    given: Cell<usize>,
}

/// Looks for the first rule whose needle is in the messages, waits and answers.
pub struct ScriptedModel {
    clock: Rc<VirtualClock>,
    rules: RefCell<Vec<Rule>>,
    pub asked: RefCell<Vec<Asked>>,
    /// Calls whose answer was waited for to the end.
    pub answered: Rc<Cell<usize>>,
    pub capabilities: Cell<Capabilities>,
    /// The next streamed reply is cut after so many pieces, and begins again.
    pub cut_after: Cell<Option<usize>>,
}

impl ScriptedModel {
    pub fn new(clock: Rc<VirtualClock>) -> Self {
        let (rules, asked) = Default::default();
        let capabilities = Cell::new(Capabilities { json_object: true, json_schema: true, ..Capabilities::default() });
        Self { clock, rules, asked, answered: Rc::default(), capabilities, cut_after: Cell::default() }
    }

    /// Messages that hold `needle` get `reply` after `wait_ms`.
    pub fn when(&self, needle: &str, wait_ms: f64, reply: &str) {
        self.when_in_turn(needle, wait_ms, vec![Ok(reply.to_owned())]);
    }

    /// Messages that hold `needle` get these replies, one a call.
    pub fn when_in_turn(&self, needle: &str, wait_ms: f64, replies: Vec<Result<String>>) {
        self.rules.borrow_mut().push(Rule { needle: needle.to_owned(), wait_ms, replies, given: Cell::new(0) });
    }

    /// Goes on with the rules of another model where its own end.
    pub fn take_rules(&self, other: &Self) {
        self.rules.borrow_mut().append(&mut other.rules.borrow_mut());
    }

    fn ask(&self, request: ChatRequest) -> (f64, Result<Vec<Option<String>>>) {
        let text = format!(
            "[{}{}{}]",
            request.prompt.prefix,
            if request.prompt.prefix.is_empty() { "" } else { "," },
            request.prompt.tail
        );
        let asked = Asked {
            at_ms: self.clock.now_ms(),
            messages: serde_json::from_str(&text).expect("messages are JSON"),
            response_format: request.response_format.map(|f| serde_json::from_str(&f).expect("format is JSON")),
            options: request.options,
            rollout_id: request.rollout_id,
        };
        let text = asked.text();
        let n = asked.options.get("n").and_then(Json::as_u64).unwrap_or(1);
        self.asked.borrow_mut().push(asked);
        let rules = self.rules.borrow();
        let rule = rules.iter().find(|rule| text.contains(&rule.needle));
        let rule = rule.unwrap_or_else(|| panic!("the script has no answer to:\n{text}"));
        let mut replies = Vec::new();
        for _ in 0..n {
            let turn = rule.given.replace(rule.given.get() + 1).min(rule.replies.len() - 1);
            match &rule.replies[turn] {
                Ok(reply) => replies.push((!reply.is_empty()).then(|| reply.clone())),
                Err(error) => return (rule.wait_ms, Err(error.clone())),
            }
        }
        (rule.wait_ms, Ok(replies))
    }
}

const USAGE: Usage =
    Usage { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cached_tokens: 0, reasoning_tokens: 0 };

/// The same with what `Usage` has no place for.
fn reported() -> serde_json::Map<String, Json> {
    serde_json::Map::from_iter([("total_tokens".to_owned(), 15.into()), ("cost".to_owned(), 0.5.into())])
}

impl LanguageModel for ScriptedModel {
    fn name(&self) -> &str {
        "scripted"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.get()
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let (wait_ms, replies) = self.ask(request);
        let (sleep, answered) = (self.clock.sleep(wait_ms), Rc::clone(&self.answered));
        Box::pin(async move {
            sleep.await;
            answered.set(answered.get() + 1);
            let completion = |text| Completion { text, ..Completion::default() };
            let completions = replies?.into_iter().map(completion).collect();
            Ok(ChatResponse {
                completions,
                model: "scripted-1".to_owned(),
                usage: USAGE,
                reported: reported(),
                ..ChatResponse::default()
            })
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let (wait_ms, replies) = self.ask(request);
        let answered = Rc::clone(&self.answered);
        let pieces: Vec<Result<Delta>> = match replies {
            Err(error) => vec![Err(error)],
            Ok(replies) => {
                let text: Vec<char> =
                    replies.into_iter().flatten().flat_map(|r| r.chars().collect::<Vec<_>>()).collect();
                let piece = |piece: &[char]| Ok(Delta { text: piece.iter().collect(), ..Delta::default() });
                let stopped = Some("stop".to_owned());
                let last =
                    Delta { usage: Some(USAGE), reported: reported(), finish_reason: stopped, ..Delta::default() };
                let cut = self.cut_after.take();
                let anew = cut.map(|_| Ok(Delta { begins_anew: true, ..Delta::default() }));
                let lost = text.chunks(7).take(cut.unwrap_or(0)).map(piece).chain(anew);
                lost.chain(text.chunks(7).map(piece)).chain([Ok(last)]).collect()
            }
        };
        let sleeps = self.clock.sleep(wait_ms).map(|()| None::<Result<Delta>>);
        let done = async move {
            answered.set(answered.get() + 1);
            None
        };
        let parts = stream::once(sleeps).chain(stream::iter(pieces.into_iter().map(Some))).chain(stream::once(done));
        Box::pin(parts.filter_map(|piece| async { piece }))
    }
}

/// An error as a service would give it.
pub fn server_error() -> Error {
    Error::new(lakelet::ErrorKind::Server, "the service is down").with_retryable(true)
}
