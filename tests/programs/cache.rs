//! Models whose answers are kept.

use std::rc::Rc;

use futures::StreamExt;
use futures_core::future::LocalBoxFuture;
use lakelet::cache::{Cache, Cached, Memory};
use lakelet::lm::{ChatRequest, Delta, LanguageModel, Prompt, Usage};
use lakelet::{Error, ErrorKind, Result};
use serde_json::{Map, json};

use super::support::{Stage, server_error};

tests![
    the_same_request_is_asked_and_paid_for_once,
    what_makes_a_difference_is_asked_again,
    a_call_can_pass_the_cache_by,
    errors_are_not_kept,
    a_stream_is_kept_and_comes_back_in_one_piece,
    a_stream_that_is_left_is_not_kept,
    a_store_that_fails_fails_no_call,
];

fn request(text: &str) -> ChatRequest {
    let tail = json!({"role": "user", "content": text}).to_string();
    ChatRequest { prompt: Prompt { tail, ..Prompt::default() }, ..ChatRequest::default() }
}

fn with_options(options: serde_json::Value) -> ChatRequest {
    ChatRequest { options: options.as_object().cloned().unwrap_or_default(), ..request("q") }
}

fn cached(stage: &Stage) -> Cached {
    Cached::new(stage.model.clone(), Rc::new(Memory::default()))
}

fn asked(stage: &Stage) -> usize {
    stage.model.asked.borrow().len()
}

fn the_same_request_is_asked_and_paid_for_once() {
    let stage = Stage::new();
    stage.model.when_in_turn("q", 5.0, vec![Ok("first".to_owned()), Ok("second".to_owned())]);
    let model = cached(&stage);
    let first = stage.wait(model.complete(request("q"))).unwrap();
    let again = stage.wait(model.complete(request("q"))).unwrap();
    assert_eq!((&first.completions, &first.model, asked(&stage)), (&again.completions, &again.model, 1));
    assert_eq!((first.usage.total_tokens, again.usage, again.reported), (15, Usage::default(), Map::new()));
}

fn what_makes_a_difference_is_asked_again() {
    let stage = Stage::new();
    stage.model.when("q", 5.0, "a");
    let model = cached(&stage);
    let rollout = ChatRequest { rollout_id: Some(1.into()), ..request("q") };
    let format = ChatRequest { response_format: Some("{}".into()), ..request("q") };
    let others = [request("q2"), with_options(json!({"temperature": 1})), with_options(json!({"temperature": 1.0}))];
    for request in [request("q"), rollout, format].into_iter().chain(others) {
        for _ in 0..2 {
            stage.wait(model.complete(request.clone())).unwrap();
        }
    }
    assert_eq!(asked(&stage), 6);
}

fn a_call_can_pass_the_cache_by() {
    let stage = Stage::new();
    stage.model.when("q", 5.0, "a");
    let model = cached(&stage);
    for cache in [true, false, false, true] {
        stage.wait(model.complete(with_options(json!({"cache": cache})))).unwrap();
    }
    assert_eq!(asked(&stage), 3);
}

fn errors_are_not_kept() {
    let stage = Stage::new();
    stage.model.when_in_turn("q", 5.0, vec![Err(server_error()), Ok("a".to_owned())]);
    let model = cached(&stage);
    assert!(stage.wait(model.complete(request("q"))).is_err());
    assert_eq!(stage.wait(model.complete(request("q"))).unwrap().completions[0].text.as_deref(), Some("a"));
}

fn a_stream_is_kept_and_comes_back_in_one_piece() {
    let stage = Stage::new();
    stage.model.when("q", 5.0, "a long answer in pieces");
    let model = cached(&stage);
    let stream = || stage.wait(model.stream(request("q")).collect::<Vec<Result<Delta>>>());
    let text = |pieces: &[Result<Delta>]| pieces.iter().flatten().map(|delta| delta.text.as_str()).collect::<String>();
    let (first, again) = (stream(), stream());
    assert!(first.len() > 3);
    assert_eq!((again.len(), text(&again), asked(&stage)), (1, text(&first), 1));
    assert_eq!(again[0].as_ref().unwrap().usage, Some(Usage::default()));
    let whole = stage.wait(model.complete(request("q"))).unwrap();
    assert_eq!((whole.completions[0].finish_reason.as_deref(), asked(&stage)), (Some("stop"), 1));
}

fn a_stream_that_is_left_is_not_kept() {
    let stage = Stage::new();
    stage.model.when("q", 5.0, "a long answer in pieces");
    let model = cached(&stage);
    let mut pieces = model.stream(request("q"));
    stage.wait(pieces.next()).unwrap().unwrap();
    drop(pieces);
    stage.wait(model.complete(request("q"))).unwrap();
    assert_eq!(asked(&stage), 2);
}

struct Broken;

impl Cache for Broken {
    fn get(&self, _key: &str) -> LocalBoxFuture<'static, Result<Option<String>>> {
        Box::pin(async { Err(Error::new(ErrorKind::Network, "the store is away")) })
    }

    fn put(&self, _key: &str, _text: String) -> LocalBoxFuture<'static, Result<()>> {
        Box::pin(async { Err(Error::new(ErrorKind::Network, "the store is full")) })
    }
}

fn a_store_that_fails_fails_no_call() {
    let stage = Stage::new();
    stage.model.when("q", 5.0, "a");
    let model = Cached::new(stage.model.clone(), Rc::new(Broken));
    for _ in 0..2 {
        stage.wait(model.complete(request("q"))).unwrap();
        assert!(stage.wait(model.stream(request("q")).collect::<Vec<_>>()).iter().all(Result::is_ok));
    }
    assert_eq!(asked(&stage), 4);
}
