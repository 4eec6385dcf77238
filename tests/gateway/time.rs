//! What shows while time passes: deadlines, signs of life, callers that leave.

use std::rc::Rc;

use futures::stream::{self, StreamExt};
use lakelet::gateway::{Limits, Users};
use serde_json::Value as Json;

use crate::{TestHost, asking, body, gateway, says};

const EVENTS: &str = "text/event-stream";

fn audit(lines: &crate::Lines) -> Json {
    serde_json::from_str(lines.borrow().last().unwrap()).unwrap()
}

#[test]
fn a_silent_stream_shows_that_it_lives() {
    let host = TestHost::new([says("Ask Ada.").after(40_000.0)]);
    let (gateway, lines) = gateway(&host, Users::Page);
    let body = host.run(async move { body(gateway.answer(asking("Who?", EVENTS)).await).await });
    assert_eq!(body.matches(":\n\n").count(), 2, "{body}");
    assert!(body.contains("event: result\n"), "{body}");
    assert_eq!((audit(&lines)["status"].as_u64(), audit(&lines)["ms"].as_u64()), (Some(200), Some(40_000)));
}

#[test]
fn a_call_that_takes_too_long_is_given_up() {
    for (accept, status) in [("application/json", 504), (EVENTS, 200)] {
        let host = TestHost::new([says("Ask Ada.").after(10_000.0)]);
        let (mut gateway, lines) = gateway(&host, Users::Page);
        gateway.limits = Limits { timeout_ms: 2500.0, ..gateway.limits };
        let (answered, body) = host.run(async move {
            let response = gateway.answer(asking("Who?", accept)).await;
            (response.status, body(response).await)
        });
        assert_eq!(answered, status);
        assert!(body.contains("There was no complete answer within 2.5 s.") && !body.contains("event: result"));
        assert_eq!(audit(&lines)["error_code"], "DEADLINE_EXCEEDED");
        assert_eq!((host.aborted(), host.timers()), (1, 0), "the request of the model is aborted");
    }
}

#[test]
fn a_caller_that_leaves_ends_the_run() {
    let host = TestHost::new([says("Ask Ada.").after(10_000.0)]);
    let (gateway, lines) = gateway(&host, Users::Page);
    host.run(async move {
        let mut response = gateway.answer(asking("Who?", EVENTS)).await;
        let mut told = String::new();
        while !told.contains(r#""stage":"lm""#) {
            told.push_str(&String::from_utf8(response.body.next().await.unwrap()).unwrap());
        }
    });
    assert_eq!(host.aborted(), 1);
    assert_eq!(
        (audit(&lines)["status"].as_u64(), audit(&lines)["error_code"].as_str()),
        (Some(200), Some("CANCELLED"))
    );
}

#[test]
fn a_run_goes_no_further_than_its_events_are_read() {
    let host = TestHost::new([says("Ask Ada.").each_piece_after(100.0)]);
    let (gateway, _) = gateway(&host, Users::Page);
    let clock = host.host().clock;
    host.run(async move {
        let mut response = gateway.answer(asking("Who?", EVENTS)).await;
        response.body.next().await;
        clock.sleep(60_000.0).await;
    });
    assert_eq!(host.aborted(), 1, "the reply of the model was not read to its end");
}

#[test]
fn a_body_is_counted_and_not_believed() {
    let host = TestHost::new([]);
    let (gateway, _) = gateway(&host, Users::Page);
    let read = Rc::new(std::cell::Cell::new(0));
    let counter = read.clone();
    let mut request = asking("Who?", EVENTS);
    request.body = stream::repeat_with(move || {
        counter.set(counter.get() + 1);
        Ok(vec![b' '; 64])
    })
    .boxed_local();
    let status = host.run(async move { gateway.answer(request).await.status });
    assert_eq!((status, read.get()), (413, 16));
}

#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    let host = TestHost::new([]);
    let (gateway, lines) = gateway(&host, Users::Page);
    let mut request = asking("Who?", EVENTS);
    request.body = stream::pending().boxed_local();
    assert_eq!(host.run(async move { gateway.answer(request).await.status }), 408);
    assert_eq!((audit(&lines)["error_code"].as_str(), host.now()), (Some("REQUEST_TIMEOUT"), 15_000.0));
}

#[test]
fn other_names_are_not_answered() {
    for (authority, status) in [
        ("app.example", 200),
        ("APP.example:8443", 200),
        ("evil.example", 421),
        ("app.example.evil.example", 421),
        ("[::1]:80", 421),
        ("app.example@evil.example", 421),
        ("app.example:80@evil.example", 421),
        ("app.example:80.evil.example", 421),
        ("app.example:", 421),
        ("", 421),
    ] {
        let host = TestHost::new([]);
        let (gateway, _) = gateway(&host, Users::Page);
        let mut request = crate::request("GET", "/api/programs", &[], b"");
        request.authority = authority.to_owned();
        assert_eq!(host.run(async move { gateway.answer(request).await.status }), status, "{authority}");
    }
    let (gateway, _) = gateway(&TestHost::new([]), Users::Page);
    let request = crate::request("GET", "/api/programs", &[("host", "app.example"), ("host", "evil.example")], b"");
    assert_eq!(TestHost::new([]).run(async move { gateway.answer(request).await.status }), 421);
}
