//! Requests in flight: limits, turns, and what becomes of them when an endpoint says that it is asked too much.

use std::rc::Rc;

use futures::StreamExt;
use futures::future::join_all;
use lakelet::ErrorKind;
use lakelet::lm::{ChatRequest, LanguageModel, Limited, Limiter, Prompt};

use crate::{Answer, LLAMA, TestHost, hi, says, workspace};

fn limited(host: &TestHost, limiter: &Limiter) -> Limited {
    Limited::new(Rc::new(workspace(host).chat(LLAMA).unwrap()), limiter.clone())
}

fn asking(text: &str) -> ChatRequest {
    let tail = format!(r#"{{"role":"user","content":"{text}"}}"#);
    ChatRequest { prompt: Prompt { tail, ..Prompt::default() }, ..ChatRequest::default() }
}

/// What was asked, in order.
fn asked(host: &TestHost) -> Vec<String> {
    let text = |request: usize| host.body(request)["messages"][0]["content"].as_str().unwrap().to_owned();
    (0..host.requests().len()).map(text).collect()
}

fn slow(ms: f64) -> Answer {
    says("ok").after(ms)
}

#[test]
fn no_more_than_the_limit_are_in_flight_and_the_first_come_are_the_first_served() {
    let host = TestHost::new(std::iter::repeat_n(slow(100.0), 6));
    let limiter = Limiter::new(host.host().clock, 2);
    let model = limited(&host, &limiter);
    let names: Vec<String> = (0..6).map(|name| name.to_string()).collect();
    let calls: Vec<_> = names.iter().map(|name| model.complete(asking(name))).collect();
    let done = host.run(join_all(calls));
    assert!(done.iter().all(Result::is_ok));
    // Six calls of 100 ms, two at a time.
    assert_eq!((asked(&host), host.now()), (names, 300.0));
    assert_eq!((limiter.load().in_flight, limiter.load().waiting), (0, 0));
}

#[test]
fn callers_take_turns_however_many_requests_each_has() {
    let host = TestHost::new(std::iter::repeat_n(slow(10.0), 7));
    let limiter = Limiter::new(host.host().clock, 1);
    let (batch, user) = (limited(&host, &limiter), limited(&host, &limiter));
    let mut calls: Vec<_> = (0..5).map(|i| batch.complete(asking(&format!("batch {i}")))).collect();
    calls.extend((0..2).map(|i| user.complete(asking(&format!("user {i}")))));
    host.run(join_all(calls));
    assert_eq!(asked(&host), ["batch 0", "batch 1", "user 0", "batch 2", "user 1", "batch 3", "batch 4"]);
}

#[test]
fn a_complaint_stops_everybody_for_the_time_it_names_and_halves_the_limit_once() {
    let refusal = || Answer::new(429, "").header("retry-after", "3").after(10.0);
    let answers = [refusal(), refusal(), refusal(), refusal()].into_iter().chain(std::iter::repeat_n(slow(100.0), 8));
    let host = TestHost::new(answers);
    let limiter = Limiter::new(host.host().clock, 4);
    let model = limited(&host, &limiter);
    let seen = limiter.clone();
    let calls: Vec<_> = (0..8).map(|name| model.complete(asking(&name.to_string()))).collect();
    let done = host.run(async move { join_all(calls).await });
    assert!(done.iter().all(Result::is_ok));
    // Those that were refused go first, in their old order; two at a time, since the limit was halved.
    assert_eq!(seen.load().halvings, 1);
    assert!(asked(&host)[4..8].iter().all(|name| name.parse::<u32>().unwrap() < 4), "{:?}", asked(&host));
    assert!(host.now() >= 3010.0 + 300.0, "{}", host.now());
    assert_eq!(host.requests().len(), 12);
}

#[test]
fn the_limit_grows_again_with_every_answer() {
    let host = TestHost::new(
        [Answer::new(429, "").header("retry-after", "1")].into_iter().chain(std::iter::repeat_n(says("ok"), 30)),
    );
    let limiter = Limiter::new(host.host().clock, 8);
    let model = limited(&host, &limiter);
    host.run(model.complete(hi())).unwrap();
    assert_eq!((limiter.load().limit, limiter.load().most), (4, 8));
    for _ in 0..29 {
        host.run(model.complete(hi())).unwrap();
    }
    assert_eq!(limiter.load().limit, 8);
}

#[test]
fn who_gives_up_leaves_the_queue_and_what_is_in_flight_is_aborted() {
    let host = TestHost::new([slow(100.0), slow(100.0)]);
    let limiter = Limiter::new(host.host().clock, 1);
    let model = limited(&host, &limiter);
    let poll = |call: &mut futures::future::LocalBoxFuture<'static, _>| {
        let waker = std::task::Waker::noop();
        assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    };
    let mut calls: Vec<_> = (0..3).map(|name| model.complete(asking(&name.to_string()))).collect();
    calls.iter_mut().for_each(poll);
    assert_eq!((limiter.load().in_flight, limiter.load().waiting), (1, 2));
    drop(calls.remove(1));
    assert_eq!(limiter.load().waiting, 1);
    drop(calls.remove(0));
    assert_eq!(host.aborted(), 1);
    host.run(calls.remove(0)).unwrap();
    assert_eq!(asked(&host), ["0", "2"]);
    assert_eq!((limiter.load().in_flight, limiter.load().waiting, host.timers()), (0, 0, 0));
}

#[test]
fn a_turn_that_was_given_to_somebody_who_has_left_goes_to_the_next() {
    let host = TestHost::new([slow(100.0), slow(100.0)]);
    let limiter = Limiter::new(host.host().clock, 1);
    let model = limited(&host, &limiter);
    let mut first = model.complete(asking("0"));
    let mut second = model.complete(asking("1"));
    let waker = std::task::Waker::noop();
    for call in [&mut first, &mut second] {
        assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    drop(first); // the turn is the second one's now, who does not look any more
    drop(second);
    host.run(model.complete(asking("2"))).unwrap();
    assert_eq!(limiter.load().in_flight, 0);
}

#[test]
fn everybody_hears_of_a_pause_and_nobody_depends_on_who_caused_it() {
    let host = TestHost::new([Answer::new(429, "").header("retry-after", "5").after(10.0), says("ok")]);
    let limiter = Limiter::new(host.host().clock, 1);
    let (one, two) = (limited(&host, &limiter), limited(&host, &limiter));
    let hurried = ChatRequest { is_hurried: true, ..asking("0") };
    let (first, second) = host.run(futures::future::join(one.complete(hurried), two.complete(asking("1"))));
    assert_eq!(first.unwrap_err().kind(), ErrorKind::RateLimited);
    assert!(second.is_ok());
    assert_eq!(host.now(), 5010.0);
}

#[test]
fn a_deadline_ends_the_wait_for_a_turn() {
    let host = TestHost::new([slow(5000.0)]);
    let limiter = Limiter::new(host.host().clock, 1);
    let model = limited(&host, &limiter);
    let late = ChatRequest { deadline_ms: Some(1000.0), ..asking("1") };
    let (first, second) = host.run(futures::future::join(model.complete(asking("0")), model.complete(late)));
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(asked(&host), ["0"]);
}

#[test]
fn a_stream_holds_its_turn_until_it_ends() {
    let frames = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let host = TestHost::new([Answer::new(429, "").header("retry-after", "1"), Answer::new(200, frames), says("ok")]);
    let limiter = Limiter::new(host.host().clock, 1);
    let model = limited(&host, &limiter);
    let mut deltas = model.stream(hi());
    let (first, deltas) = host.run(async move { (deltas.next().await, deltas) });
    assert_eq!(first.unwrap().unwrap().text, "a");
    assert_eq!(limiter.load().in_flight, 1);
    let rest: Vec<_> = host.run(deltas.collect());
    assert!(rest.iter().all(Result::is_ok));
    assert_eq!(limiter.load().in_flight, 0);
}

#[test]
fn what_fails_for_good_is_not_asked_again() {
    let host = TestHost::new([Answer::new(400, ""), says("ok")]);
    let limiter = Limiter::new(host.host().clock, 1);
    assert_eq!(host.run(limited(&host, &limiter).complete(hi())).unwrap_err().kind(), ErrorKind::BadRequest);
    assert_eq!((host.requests().len(), limiter.load().in_flight), (1, 0));
    let host = TestHost::new([Answer::refused(), says("ok")]);
    let limiter = Limiter::new(host.host().clock, 3);
    assert!(host.run(limited(&host, &limiter).complete(hi())).is_ok());
    assert_eq!((host.now(), limiter.load().halvings), (375.0, 0), "a host that is not there is no complaint");
}
