//! Retries, deadlines and cancellation.

use futures::StreamExt;
use lakelet::ErrorKind;
use lakelet::http::retry::Policy;
use lakelet::lm::{ChatRequest, LanguageModel};

use crate::{Answer, LLAMA, TestHost, hi, says, workspace};

fn ask(host: &TestHost, request: ChatRequest) -> lakelet::Result<String> {
    let answer = host.run(workspace(host).chat(LLAMA).unwrap().complete(request))?;
    Ok(answer.completions[0].text.clone().unwrap())
}

fn within(ms: f64) -> ChatRequest {
    ChatRequest { deadline_ms: Some(ms), ..hi() }
}

#[test]
fn what_may_pass_is_tried_again() {
    // Chance is one half: waits of 375, 750 and 1500 ms.
    let cut_body = Answer::new(200, "{\"choices\"").broken();
    for (answers, now) in [
        (vec![Answer::new(429, "")], 375.0),
        (vec![Answer::new(503, ""), Answer::new(429, "")], 1125.0),
        (vec![Answer::refused(), Answer::refused(), Answer::refused()], 2625.0),
        (vec![Answer::new(400, r#"{"message": "Please try again later or try a faster operation."}"#)], 375.0),
        (vec![cut_body], 375.0),
    ] {
        let tries = answers.len() + 1;
        let host = TestHost::new(answers.into_iter().chain([says("Hello!")]));
        assert_eq!(ask(&host, hi()).unwrap(), "Hello!");
        assert_eq!((host.requests().len(), host.now()), (tries, now));
    }
}

#[test]
fn what_cannot_pass_is_not_tried_again() {
    for status in [400, 401, 403, 404, 409, 500, 501, 502, 504] {
        let host = TestHost::new([Answer::new(status, ""), says("Hello!")]);
        assert!(!ask(&host, hi()).unwrap_err().is_retryable());
        assert_eq!((host.requests().len(), host.now()), (1, 0.0), "{status}");
    }
}

#[test]
fn tries_are_limited_and_can_be_configured() {
    let host = TestHost::new(std::iter::repeat_n(Answer::new(429, ""), 9));
    assert_eq!(ask(&host, hi()).unwrap_err().kind(), ErrorKind::RateLimited);
    assert_eq!(host.requests().len(), 7);

    let host = TestHost::new([Answer::new(429, "")]);
    let once = workspace(&host).with_retries(Policy { tries: 1, ..Policy::default() });
    assert!(host.run(once.chat(LLAMA).unwrap().complete(hi())).is_err());
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn the_service_says_how_long_to_wait() {
    let details = r#"{"message": "m", "details": [{"@type": "google.rpc.RetryInfo", "retry_delay": "3s"}]}"#;
    for (answer, now) in [
        (Answer::new(429, "").header("retry-after", "2"), 2250.0),
        (Answer::new(503, "").header("retry-after", "Thu, 01 Jan 1970 00:00:05 GMT"), 5250.0),
        (Answer::new(429, "").header("retry-after", "0"), 250.0),
        (Answer::new(429, "").header("retry-after", "soon"), 375.0),
        (Answer::new(429, details), 3250.0),
    ] {
        let host = TestHost::new([answer, says("Hello!")]);
        assert_eq!(ask(&host, hi()).unwrap(), "Hello!");
        assert_eq!(host.now(), now);
    }
}

#[test]
fn a_wait_that_does_not_fit_is_not_begun() {
    let host = TestHost::new([Answer::new(429, "").header("retry-after", "60"), says("Hello!")]);
    let error = ask(&host, within(10_000.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.service().unwrap().retry_after_ms, Some(60_000.0));
    assert!(error.hint().unwrap().contains("Not tried again"), "{error}");
    assert_eq!((host.requests().len(), host.now(), host.timers()), (1, 0.0, 0));
}

#[test]
fn a_deadline_ends_a_call_wherever_it_waits() {
    for (answers, now) in [
        (vec![says("late").after(5000.0)], 1000.0),
        (vec![says("late").each_piece_after(5000.0)], 1000.0),
        (vec![Answer::new(503, "").after(300.0), says("late").after(5000.0)], 1000.0),
    ] {
        let host = TestHost::new(answers);
        let error = ask(&host, within(1000.0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline);
        assert!(error.message().contains("1000 ms"), "{error}");
        assert_eq!((host.now(), host.aborted(), host.timers()), (now, 1, 0));
    }
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let host = TestHost::new([says("Hello!")]);
    assert_eq!(ask(&host, within(0.0)).unwrap_err().kind(), ErrorKind::Deadline);
    assert!(host.requests().is_empty());
}

#[test]
fn a_deadline_ends_a_stream() {
    let frame = r#"data: {"choices":[{"delta":{"content":"a"}}]}"#.to_owned() + "\n\n";
    let host = TestHost::new([Answer::new(200, frame.repeat(100)).cut(frame.len()).each_piece_after(300.0)]);
    let deltas: Vec<_> = host.run(workspace(&host).chat(LLAMA).unwrap().stream(within(1000.0)).collect());
    let (last, good) = deltas.split_last().unwrap();
    assert!(good.iter().all(Result::is_ok) && good.len() == 3);
    assert_eq!(last.as_ref().unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!((host.now(), host.aborted(), host.timers()), (1000.0, 1, 0));
}

#[test]
fn no_call_waits_for_ever() {
    let host = TestHost::new([says("late").after(f64::from(u32::MAX))]);
    assert_eq!(ask(&host, hi()).unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(host.now(), 300_000.0);
}

#[test]
fn dropping_a_call_aborts_its_request_and_stops_its_timers() {
    let host = TestHost::new([says("late").after(5000.0)]);
    let mut call = workspace(&host).chat(LLAMA).unwrap().complete(hi());
    let waker = std::task::Waker::noop();
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    assert_eq!((host.requests().len(), host.timers()), (1, 2));
    drop(call);
    assert_eq!((host.aborted(), host.timers()), (1, 0));
}
