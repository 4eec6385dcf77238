//! Tokens of other issuers, and tokens of the host.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::future::{LocalBoxFuture, join_all};
use lakelet::databricks::{Credential, HostToken, TokenSource, Workspace};
use lakelet::http::Request;
use lakelet::lm::LanguageModel;
use lakelet::{Error, ErrorKind, Result};
use serde_json::json;

use crate::recorded::{answer, recorded};
use crate::{ADDRESS, Answer, LLAMA, TestHost, hi, says};

/// Gives one token after the other, and counts how often it is asked.
#[derive(Default)]
struct Tokens {
    texts: RefCell<Vec<&'static str>>,
    life_ms: Option<f64>,
    asked: Cell<usize>,
}

impl Tokens {
    fn new(texts: &[&'static str], life_ms: Option<f64>) -> Rc<Self> {
        let texts = RefCell::new(texts.iter().rev().copied().collect());
        Rc::new(Self { texts, life_ms, asked: Cell::new(0) })
    }
}

impl TokenSource for Tokens {
    fn token(&self) -> LocalBoxFuture<'static, Result<HostToken>> {
        self.asked.set(self.asked.get() + 1);
        let (text, expires_in_ms) = (self.texts.borrow_mut().pop(), self.life_ms);
        Box::pin(async move {
            let text = text.ok_or_else(|| Error::new(ErrorKind::Auth, "nobody is signed in"))?;
            Ok(HostToken { token: text.into(), expires_in_ms })
        })
    }
}

fn open(credential: Credential, host: &TestHost) -> Workspace {
    Workspace::new(ADDRESS, credential, host.host()).unwrap().with_longest_call_ms(1e9)
}

fn form(request: &Request) -> BTreeMap<String, String> {
    let text = String::from_utf8(request.body.clone()).unwrap().replace("%3A", ":").replace("%20", " ");
    text.split('&').map(|field| field.split_once('=').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

fn bearers(host: &TestHost) -> Vec<String> {
    let headers = |request: Request| request.headers.into_iter().find(|(name, _)| *name == "authorization");
    host.requests().into_iter().filter_map(headers).map(|(_, value)| value).collect()
}

#[test]
fn another_issuers_token_is_traded_in_as_the_sdk_does() {
    let fixture = recorded("auth-token-federation");
    let exchange = &fixture["exchanges"][2];
    let host = TestHost::new([answer(exchange), says("Hello!")]);
    let credential = Credential::federated(Some("{client_id}"), Tokens::new(&["header.idp-payload.sig"], None));
    // Braces cannot stand in an address as they are, so the placeholder is written as it is sent.
    host.run(open(credential, &host).chat(LLAMA).unwrap().complete(hi())).unwrap();
    let sent = &host.requests()[0];
    let wanted: BTreeMap<String, String> = exchange["request"]["body"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            (field[0].as_str().unwrap().to_owned(), field[1].as_str().unwrap().replace('{', "%7B").replace('}', "%7D"))
        })
        .collect();
    assert_eq!(form(sent), wanted);
    assert_eq!(sent.url, format!("{ADDRESS}{}", exchange["request"]["path"].as_str().unwrap()));
    assert_eq!(bearers(&host), ["Bearer eyJ-oauth-access"], "the token endpoint is shown no other credential");
}

#[test]
fn the_issuers_token_is_asked_for_anew_at_each_exchange() {
    let token = |text: &str| Answer::json(json!({"access_token": text, "expires_in": 3600}));
    let host = TestHost::new([token("one"), says("a"), says("b").after(3_600_000.0), token("two"), says("c")]);
    let tokens = Tokens::new(&["first", "second"], None);
    let model = open(Credential::federated(None, tokens.clone()), &host).chat(LLAMA).unwrap();
    for _ in 0..3 {
        host.run(model.complete(hi())).unwrap();
    }
    assert_eq!(tokens.asked.get(), 2);
    let requests = host.requests();
    assert_eq!(
        (form(&requests[0])["subject_token"].as_str(), form(&requests[3])["subject_token"].as_str()),
        ("first", "second")
    );
    assert!(!form(&requests[0]).contains_key("client_id"), "account-wide federation names no client");
}

#[test]
fn a_refused_exchange_says_what_to_check_and_not_the_token() {
    let refused = r#"{"error": "invalid_request", "error_description": "The token e.y.J is not trusted"}"#;
    let host = TestHost::new([Answer::new(400, refused)]);
    let credential = Credential::federated(Some("id"), Tokens::new(&["e.y.J"], None));
    let error = host.run(open(credential, &host).chat(LLAMA).unwrap().complete(hi())).unwrap_err();
    assert!(!error.to_string().contains("e.y.J"), "{error}");
    assert!(error.hint().unwrap().contains("federation policy"), "{error}");

    let host = TestHost::new([]);
    let error = host
        .run(open(Credential::federated(None, Tokens::new(&[""], None)), &host).chat(LLAMA).unwrap().complete(hi()));
    assert!(error.unwrap_err().hint().unwrap().contains("DATABRICKS_OIDC_TOKEN"));
    assert!(host.requests().is_empty());
}

#[test]
fn a_secret_of_few_scopes_says_which_to_name() {
    let fixture = recorded("auth-ai-search-scope-fallback");
    let host = TestHost::new([answer(&fixture["exchanges"][0]), answer(&fixture["exchanges"][2]), says("Hello!")]);
    let all = open(Credential::client("{client_id}", "{client_secret}"), &host);
    let error = host.run(all.chat(LLAMA).unwrap().complete(hi())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.hint().unwrap().contains("LAKELET_SCOPES"), "{error}");

    let credential = Credential::client("{client_id}", "{client_secret}").with_scopes([
        "vector-search",
        "model-serving",
        "vector-search",
    ]);
    host.run(open(credential, &host).chat(LLAMA).unwrap().complete(hi())).unwrap();
    // As the recorded client asks for them, but sorted as the SDK does.
    assert_eq!(form(&host.requests()[1])["scope"], "model-serving vector-search");
}

#[test]
fn the_hosts_token_is_kept_as_long_as_it_says() {
    let host = TestHost::new([says("a"), says("b").after(3_550_000.0), says("c")]);
    let tokens = Tokens::new(&["one", "two"], Some(3_600_000.0));
    let model = open(Credential::Host(tokens.clone()), &host).chat(LLAMA).unwrap();
    for _ in 0..3 {
        host.run(model.complete(hi())).unwrap();
    }
    assert_eq!(bearers(&host), ["Bearer one", "Bearer one", "Bearer two"]);

    let host = TestHost::new([says("a"), says("b")]);
    let tokens = Tokens::new(&["one", "two"], None);
    let model = open(Credential::Host(tokens), &host).chat(LLAMA).unwrap();
    for _ in 0..2 {
        host.run(model.complete(hi())).unwrap();
    }
    assert_eq!(bearers(&host), ["Bearer one", "Bearer two"], "a token of unknown life is asked for each time");
}

#[test]
fn callers_share_one_question_to_the_host() {
    let host = TestHost::new([says("a"), says("b"), says("c")]);
    let tokens = Tokens::new(&["one"], Some(3_600_000.0));
    let workspace = open(Credential::Host(tokens.clone()), &host);
    let calls: Vec<_> = (0..3).map(|_| workspace.chat(LLAMA).unwrap().complete(hi())).collect();
    assert!(host.run(join_all(calls)).iter().all(Result::is_ok));
    assert_eq!(tokens.asked.get(), 1);
}

#[test]
fn a_refused_token_of_the_host_is_asked_for_again() {
    let refused = Answer::new(401, r#"{"error_code": "UNAUTHENTICATED", "message": "one is expired"}"#);
    let host = TestHost::new([refused, says("Hello!")]);
    let model = open(Credential::Host(Tokens::new(&["one", "two"], Some(1e9))), &host).chat(LLAMA).unwrap();
    host.run(model.complete(hi())).unwrap();
    assert_eq!(bearers(&host), ["Bearer one", "Bearer two"]);
}

#[test]
fn what_the_host_cannot_give_is_told() {
    for (texts, told) in [(&[][..], "nobody is signed in"), (&["a b"], "is none"), (&[""], "is none")] {
        let host = TestHost::new([]);
        let model = open(Credential::Host(Tokens::new(texts, None)), &host).chat(LLAMA).unwrap();
        let error = host.run(model.complete(hi())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.message().contains(told), "{error}");
    }
}

#[test]
fn a_credential_shows_no_secret() {
    for credential in
        [Credential::token("secret-1"), Credential::client("id", "secret-1"), Credential::Host(Tokens::new(&[], None))]
    {
        assert!(!format!("{credential:?}").contains("secret-1"));
    }
}
