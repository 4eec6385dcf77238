//! A router: which model answers when another one is throttled or fails.

use std::cell::RefCell;
use std::rc::Rc;

use futures::StreamExt;
use lakelet::http::retry::Policy;
use lakelet::lm::{ChatRequest, LanguageModel, Router};
use lakelet::run::{Run, Services};
use lakelet::{ErrorKind, Example, Module, Predict, Signature};

use crate::{Answer, TestHost, hi, says, workspace};

/// A router over the endpoints `one` and `two`.
fn router(host: &TestHost) -> Router {
    let of = |name| Rc::new(workspace(host).chat(name).unwrap()) as Rc<dyn LanguageModel>;
    Router::new(host.host().clock, vec![of("one"), of("two")]).unwrap()
}

fn throttled(seconds: &str) -> Answer {
    Answer::new(429, r#"{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow down"}"#)
        .header("retry-after", seconds)
}

/// The endpoints that were asked, in order.
fn asked(host: &TestHost) -> Vec<String> {
    let name = |url: &str| url.split('/').nth_back(1).unwrap().to_owned();
    host.requests().iter().map(|request| name(&request.url)).collect()
}

fn by(host: &TestHost, router: &Router) -> String {
    host.run(router.complete(hi())).unwrap().answered_by.unwrap().to_string()
}

#[test]
fn the_first_model_answers_as_long_as_it_can() {
    let host = TestHost::new([says("a"), says("b")]);
    let router = router(&host);
    assert_eq!(router.name(), "one | two");
    assert_eq!((by(&host, &router), by(&host, &router)), ("one".to_owned(), "one".to_owned()));
}

#[test]
fn a_throttled_model_is_passed_over_until_the_time_it_named() {
    let host = TestHost::new([throttled("30"), says("a"), says("b"), says("c")]);
    let told = Rc::new(RefCell::new(Vec::new()));
    let listener = told.clone();
    let router =
        router(&host).telling(move |passed| listener.borrow_mut().push((passed.model.to_string(), passed.for_ms)));
    assert_eq!((by(&host, &router), by(&host, &router)), ("two".to_owned(), "two".to_owned()));
    assert_eq!(*told.borrow(), [("one".to_owned(), 30_000.0)]);
    assert_eq!(host.now(), 0.0, "nothing waits");
    let clock = host.host().clock;
    host.run(async move { clock.sleep(30_000.0).await });
    assert_eq!(by(&host, &router), "one");
    assert_eq!(asked(&host), ["one", "two", "two", "one"]);
}

#[test]
fn what_does_not_answer_is_passed_over_for_longer_each_time() {
    let host = TestHost::new([Answer::refused(), says("a"), Answer::new(500, ""), says("b"), says("c")]);
    let told = Rc::new(RefCell::new(Vec::new()));
    let listener = told.clone();
    let router = router(&host).telling(move |passed| listener.borrow_mut().push(passed.for_ms));
    for _ in 0..2 {
        assert_eq!(by(&host, &router), "two");
        let clock = host.host().clock;
        host.run(async move { clock.sleep(1000.0).await });
    }
    assert_eq!(*told.borrow(), [1000.0, 2000.0]);
    assert_eq!(by(&host, &router), "two", "and is not asked meanwhile");
}

#[test]
fn when_nobody_can_answer_the_router_waits_for_the_first_who_can() {
    let host = TestHost::new([throttled("60"), throttled("5"), says("a"), says("b")]);
    let router = router(&host);
    assert_eq!(by(&host, &router), "two");
    assert_eq!((asked(&host), host.now()), (vec!["one".to_owned(), "two".to_owned(), "two".to_owned()], 5250.0));

    let host = TestHost::new([throttled("60"), throttled("5")]);
    let late = ChatRequest { deadline_ms: Some(3000.0), ..hi() };
    let error = host.run(self::router(&host).complete(late)).unwrap_err();
    assert_eq!((error.kind(), error.service().unwrap().retry_after_ms), (ErrorKind::RateLimited, Some(5000.0)));
    assert!(error.hint().unwrap().contains("Not tried again"), "{error}");

    let host = TestHost::new(std::iter::repeat_n(throttled("1"), 9));
    let router = self::router(&host).with_retries(Policy { tries: 3, ..Policy::default() });
    assert_eq!(host.run(router.complete(hi())).unwrap_err().kind(), ErrorKind::RateLimited);
    assert_eq!(host.requests().len(), 6);
}

#[test]
fn a_request_that_is_wrong_is_wrong_for_all() {
    for (status, kind) in [(400, ErrorKind::BadRequest), (401, ErrorKind::Auth), (403, ErrorKind::Permission)] {
        let host = TestHost::new([Answer::new(status, ""), says("a")]);
        assert_eq!(host.run(router(&host).complete(hi())).unwrap_err().kind(), kind);
        assert_eq!(host.requests().len(), 1);
    }
    // A model that is gone is not.
    let host = TestHost::new([Answer::new(404, ""), says("a")]);
    assert_eq!(by(&host, &router(&host)), "two");
}

#[test]
fn a_stream_falls_back_before_its_first_piece_and_never_after() {
    let piece = |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let whole = Answer::new(200, piece("b") + end);
    for first in [
        throttled("9"),
        Answer::new(200, "").broken(),
        Answer::new(200, "data: {\"error_code\": \"INTERNAL_ERROR\", \"message\": \"m\"}\n\n"),
    ] {
        let host = TestHost::new([first, whole.clone()]);
        let deltas: Vec<_> = host.run(router(&host).stream(hi()).collect());
        let deltas: Vec<_> = deltas.into_iter().map(Result::unwrap).collect();
        assert!(deltas.iter().all(|delta| delta.answered_by.as_deref() == Some("two") && !delta.begins_anew));
        assert_eq!(deltas.iter().map(|delta| delta.text.as_str()).collect::<String>(), "b");
    }
    // Once it has begun, what is cut begins anew with the same model.
    let host = TestHost::new([Answer::new(200, piece("a")).broken(), whole]);
    let deltas: Vec<_> = host.run(router(&host).stream(hi()).collect());
    assert!(deltas.iter().all(|delta| delta.as_ref().unwrap().answered_by.as_deref() == Some("one")));
    assert!(deltas[1].as_ref().unwrap().begins_anew);
    assert_eq!(asked(&host), ["one", "one"]);
}

#[test]
fn what_was_used_is_counted_for_the_model_that_answered() {
    let host = TestHost::new([throttled("9"), says("[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]")]);
    let services = Services::new(host.host().clock).with_model("lm", Rc::new(router(&host)));
    let run = Run::new(Rc::new(services));
    let seen = run.clone();
    host.run(async move {
        let predict = Predict::new(Signature::parse("question -> answer").unwrap());
        predict.call(&run, Example::new().with("question", "2+2?")).await.unwrap();
    });
    let usage = seen.usage_by_model();
    assert_eq!(usage.models().keys().collect::<Vec<_>>(), ["two"]);
    assert_eq!(seen.spans()[0].calls[0].model, "llama-v1");
}

#[test]
fn a_router_needs_a_model() {
    let host = TestHost::new([]);
    let error = Router::new(host.host().clock, Vec::new()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
}
