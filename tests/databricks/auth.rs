//! OAuth for service principals.

use std::rc::Rc;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, join, join_all, select};
use lakelet::cache::{Cache, Memory};
use lakelet::databricks::{Credential, Workspace};
use lakelet::lm::LanguageModel;
use lakelet::{Error, ErrorKind, Result};
use serde_json::json;

use crate::recorded::{answer, recorded};
use crate::{ADDRESS, Answer, LLAMA, TestHost, hi, says};

fn token(text: &str, life_s: u32) -> Answer {
    Answer::json(json!({"access_token": text, "token_type": "Bearer", "expires_in": life_s}))
}

fn principal(host: &TestHost) -> Workspace {
    Workspace::new(ADDRESS, Credential::client("an-id", "a-secret"), host.host()).unwrap()
}

fn bearer(host: &TestHost, request: usize) -> String {
    let request = host.requests().remove(request);
    request.headers.into_iter().find(|(name, _)| *name == "authorization").unwrap().1
}

#[test]
fn a_token_is_used_until_shortly_before_it_ends() {
    let host =
        TestHost::new([token("one", 3600), says("a"), says("b").after(3_550_000.0), token("two", 3600), says("c")]);
    let model = principal(&host).with_longest_call_ms(1e9).chat(LLAMA).unwrap();
    for _ in 0..3 {
        host.run(model.complete(hi())).unwrap();
    }
    // The second call ended 50 s before the first token would have.
    assert_eq!(host.requests().len(), 5);
    assert_eq!((bearer(&host, 1).as_str(), bearer(&host, 2).as_str()), ("Bearer one", "Bearer one"));
    assert_eq!(bearer(&host, 4), "Bearer two");
}

#[test]
fn callers_share_one_refresh() {
    let host = TestHost::new([token("one", 3600).after(100.0), says("a"), says("b"), says("c")]);
    let workspace = principal(&host);
    let calls = (0..3).map(|_| workspace.chat(LLAMA).unwrap().complete(hi()));
    let answers = host.run(join_all(calls.collect::<Vec<_>>()));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(host.requests().len(), 4);
}

#[test]
fn who_stops_waiting_does_not_stop_the_others() {
    let host = TestHost::new([token("one", 3600).after(100.0), says("a")]);
    let workspace = principal(&host);
    let first = workspace.chat(LLAMA).unwrap().complete(hi());
    let second = workspace.chat(LLAMA).unwrap().complete(hi());
    let clock = host.host().clock;
    // The first caller begins the refresh, waits a little and goes.
    let impatient = select(first, clock.sleep(10.0)).map(drop);
    let (_, answer) = host.run(join(impatient, second));
    assert_eq!(answer.unwrap().completions[0].text.as_deref(), Some("a"));
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn a_refresh_that_everyone_left_is_taken_up_or_begun_anew() {
    let host = TestHost::new([token("one", 3600).after(100.0), token("two", 3600), says("a"), says("b")]);
    let workspace = principal(&host);
    let mut call = workspace.chat(LLAMA).unwrap().complete(hi());
    let waker = std::task::Waker::noop();
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    drop(call);
    let clock = host.host().clock;
    host.run(async move { clock.sleep(90_000.0).await });
    host.run(workspace.chat(LLAMA).unwrap().complete(hi())).unwrap();
    assert_eq!(bearer(&host, 2), "Bearer two");
}

#[test]
fn a_refused_token_is_renewed_once() {
    let refused = || Answer::new(401, r#"{"error_code": "UNAUTHENTICATED", "message": "expired"}"#);
    let host = TestHost::new([token("one", 3600), refused(), token("two", 3600), says("Hello!")]);
    host.run(principal(&host).chat(LLAMA).unwrap().complete(hi())).unwrap();
    assert_eq!(bearer(&host, 3), "Bearer two");

    let host = TestHost::new([token("one", 3600), refused(), token("two", 3600), refused(), says("Hello!")]);
    let error = host.run(principal(&host).chat(LLAMA).unwrap().complete(hi())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.hint().unwrap().contains("DATABRICKS_CLIENT_ID"), "{error}");
    assert_eq!(host.requests().len(), 4);
}

#[test]
fn kept_tokens_are_found_by_the_next_workspace() {
    let store = Rc::new(Memory::default());
    let refused = || Answer::new(401, r#"{"error_code": "UNAUTHENTICATED", "message": "expired"}"#);
    let host = TestHost::new([
        token("one", 3600),
        says("a"),
        says("b"),
        refused(),
        token("two", 3600),
        says("c"),
        says("d").after(3_550_000.0),
        token("three", 3600),
        says("e"),
    ]);
    let ask = |workspace: Workspace| {
        let workspace = workspace.with_token_store(store.clone()).with_longest_call_ms(1e9);
        host.run(workspace.chat(LLAMA).unwrap().complete(hi())).unwrap();
    };
    ask(principal(&host)); // fetches one
    ask(principal(&host)); // finds it
    ask(principal(&host)); // finds it, is refused, and does not find it again
    ask(principal(&host)); // finds the second
    ask(principal(&host)); // finds it at its end
    let sent: Vec<String> =
        (0..9).map(|request| bearer(&host, request)).filter(|it| it.starts_with("Bearer")).collect();
    assert_eq!(sent, ["one", "one", "one", "two", "two", "three"].map(|it| format!("Bearer {it}")));

    // Others have their own: another client, another workspace.
    let host = TestHost::new([token("four", 3600), says("f"), token("five", 3600), says("g")]);
    for (address, id) in [(ADDRESS, "another-id"), ("https://adb-9.azuredatabricks.net", "an-id")] {
        let other = Workspace::new(address, Credential::client(id, "a-secret"), host.host()).unwrap();
        host.run(other.with_token_store(store.clone()).chat(LLAMA).unwrap().complete(hi())).unwrap();
    }
    assert_eq!((bearer(&host, 1).as_str(), bearer(&host, 3).as_str()), ("Bearer four", "Bearer five"));
}

#[test]
fn what_is_no_token_is_not_found() {
    struct Holding(&'static str);
    impl Cache for Holding {
        fn get(&self, _: &str) -> LocalBoxFuture<'static, Result<Option<String>>> {
            let text = self.0.to_owned();
            Box::pin(async move { Ok(Some(text)) })
        }
        fn put(&self, _: &str, _: String) -> LocalBoxFuture<'static, Result<()>> {
            Box::pin(async { Err(Error::new(ErrorKind::Network, "gone")) })
        }
    }
    let kept = [
        "",
        "{}",
        "<html>",
        r#"{"access_token": "old", "renew_at_ms": 0}"#,
        r#"{"access_token": "a\nb", "renew_at_ms": 1e300}"#,
        r#"{"access_token": "old", "renew_at_ms": "soon"}"#,
    ];
    for text in kept {
        let host = TestHost::new([token("new", 3600), says("a")]);
        let workspace = principal(&host).with_token_store(Rc::new(Holding(text)));
        host.run(workspace.chat(LLAMA).unwrap().complete(hi())).unwrap();
        assert_eq!(bearer(&host, 1), "Bearer new", "{text}");
    }
}

#[test]
fn a_wrong_secret_is_told_as_such() {
    let fixture = recorded("auth-m2m-invalid-client");
    let exchange = fixture["exchanges"].as_array().unwrap().last().unwrap();
    let host = TestHost::new([answer(exchange)]);
    let error = host.run(principal(&host).chat(LLAMA).unwrap().complete(hi())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(error.service().unwrap().error_code, "invalid_client");
    assert!(error.message().contains("Client authentication failed"), "{error}");
    assert!(error.hint().unwrap().contains("DATABRICKS_CLIENT_SECRET"));
}

#[test]
fn a_token_endpoint_that_fails_is_tried_again_or_told() {
    let host = TestHost::new([Answer::new(503, ""), token("one", 3600), says("Hello!")]);
    assert!(host.run(principal(&host).chat(LLAMA).unwrap().complete(hi())).is_ok());

    for bad in [r#"{"access_token": "x"}"#, r#"{"access_token": "a b", "expires_in": 1}"#, "<html>", "[]", ""] {
        let host = TestHost::new([Answer::new(200, bad)]);
        let error = host.run(principal(&host).chat(LLAMA).unwrap().complete(hi())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{bad}");
    }
    let host = TestHost::new([Answer::new(400, r#"{"error": "x", "error_description": "secret a-secret"}"#)]);
    let error = host.run(principal(&host).chat(LLAMA).unwrap().complete(hi())).unwrap_err();
    assert!(!error.to_string().contains("a-secret"), "{error}");
}
