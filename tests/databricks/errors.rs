//! Refusals, in every form that Databricks gives them.

use lakelet::databricks::{Credential, Workspace};
use lakelet::lm::LanguageModel;
use lakelet::retrieve::{Query, Retriever};
use lakelet::{Error, ErrorKind};
use serde_json::json;

use crate::recorded::{answer, recorded};
use crate::{ADDRESS, Answer, LLAMA, TestHost, hi, workspace};

fn chat_error(endpoint: &str, answer: Answer) -> Error {
    // Each try gets the same answer, so that what is tried again fails as well.
    let host = TestHost::new(std::iter::repeat_n(answer, 7));
    host.run(workspace(&host).chat(endpoint).unwrap().complete(hi())).unwrap_err()
}

#[test]
fn recorded_refusals_are_understood() {
    for (name, kind, code, retryable) in [
        ("errors-400-invalid-parameter", ErrorKind::BadRequest, "INVALID_PARAMETER_VALUE", false),
        ("errors-403-permission-denied", ErrorKind::Permission, "PERMISSION_DENIED", false),
        ("errors-404-resource-does-not-exist", ErrorKind::NotFound, "RESOURCE_DOES_NOT_EXIST", false),
        ("errors-429-retry-after", ErrorKind::RateLimited, "REQUEST_LIMIT_EXCEEDED", true),
        ("errors-500-not-retried", ErrorKind::Server, "INTERNAL_ERROR", false),
        ("errors-empty-body", ErrorKind::NotFound, "", false),
        ("errors-serving-openai-429", ErrorKind::RateLimited, "REQUEST_LIMIT_EXCEEDED", true),
        ("errors-string-body", ErrorKind::BadRequest, "MALFORMED_REQUEST", false),
    ] {
        let fixture = recorded(name);
        let exchanges = fixture["exchanges"].as_array().unwrap();
        let exchange = exchanges.iter().find(|exchange| exchange["response"]["status"].as_u64() >= Some(400)).unwrap();
        // A 404 of `.well-known` may stand before the call proper.
        let exchange =
            exchanges.iter().rfind(|other| other["response"]["status"].as_u64() >= Some(400)).unwrap_or(exchange);
        let error = chat_error(LLAMA, answer(exchange));
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(error.service().unwrap().error_code, code, "{name}");
        assert_eq!(u64::from(error.service().unwrap().status), exchange["response"]["status"].as_u64().unwrap());
        assert_eq!(error.is_retryable(), retryable, "{name}");
    }
}

#[test]
fn every_form_of_body_yields_code_and_message() {
    for (status, body, code, message) in [
        (400, "", "", "Bad Request"),
        (418, "", "", "refused without saying why"),
        (400, r#"{"error": "it broke"}"#, "", "it broke"),
        (
            400,
            r#"{"error": {"message": "too long", "code": "context_length_exceeded"}}"#,
            "context_length_exceeded",
            "too long",
        ),
        (400, r#"{"detail": "no such user", "status": "400", "scimType": "invalidValue"}"#, "SCIM_400", "no such user"),
        (400, "MALFORMED_REQUEST: vpc malformed", "MALFORMED_REQUEST", "vpc malformed"),
        (400, "just text: with a colon", "", "just text: with a colon"),
        (400, r#""quoted text""#, "", "quoted text"),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", "", "502 Bad Gateway"),
        (500, "<html><pre>java.lang.Oops</pre></html>", "", "java.lang.Oops"),
        (500, "<html></html>", "", "a page of HTML"),
        (500, r#"{"message": null, "error_code": 7}"#, "7", "Internal Server Error"),
        (500, "\u{0}\u{fffd}[1,2", "", "[1,2"),
    ] {
        let error = chat_error(LLAMA, Answer::new(status, body));
        assert_eq!(error.service().unwrap().error_code, code, "{body}");
        assert!(error.message().contains(message), "{body}: {error}");
        assert!(error.message().contains(&format!("HTTP {status}")), "{error}");
    }
}

#[test]
fn the_request_id_comes_from_body_or_headers() {
    let details = json!({"error_code": "X", "message": "m", "details": [
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "from-body"}
    ]});
    let plain = || Answer::new(400, "no").header("x-databricks-request-id", "from-header");
    for (answer, id) in [
        (Answer::new(400, details.to_string()).header("x-request-id", "from-header"), "from-body"),
        (plain(), "from-header"),
        (plain().header("x-request-id", "first"), "first"),
        (Answer::new(400, "no"), ""),
    ] {
        let error = chat_error(LLAMA, answer);
        assert_eq!(error.service().unwrap().request_id, id);
        assert!(error.message().contains(id));
    }
}

#[test]
fn hints_say_what_to_check() {
    let refusal = |status| Answer::new(status, r#"{"error_code": "", "message": "no"}"#);
    for (status, kind, hint) in [
        (401, ErrorKind::Auth, "DATABRICKS_TOKEN"),
        (403, ErrorKind::Permission, "CAN QUERY"),
        (404, ErrorKind::NotFound, "/api/2.0/serving-endpoints"),
        (429, ErrorKind::RateLimited, "max_tokens"),
        (302, ErrorKind::Config, "DATABRICKS_HOST"),
    ] {
        let error = chat_error(LLAMA, refusal(status));
        assert_eq!(error.kind(), kind);
        assert!(error.hint().unwrap().contains(hint), "{error}");
        assert!(error.message().contains(LLAMA), "{error}");
    }
    let retired = chat_error("databricks-dbrx-instruct", refusal(404));
    assert!(retired.hint().unwrap().contains("retired"), "{retired}");

    let host = TestHost::new([refusal(401)]);
    let gateway = Workspace::new("/api", Credential::None, host.host()).unwrap();
    let error = host.run(gateway.chat(LLAMA).unwrap().complete(hi())).unwrap_err();
    assert!(error.hint().unwrap().contains("gateway"), "{error}");

    let host = TestHost::new([refusal(403)]);
    let query = Query { text: Some("x".to_owned()), ..Query::default() };
    let error = host.run(workspace(&host).index("main.rag.docs").unwrap().retrieve(query)).unwrap_err();
    assert!(error.hint().unwrap().contains("SELECT on `main.rag.docs`"), "{error}");
}

#[test]
fn a_redirect_is_not_followed_but_told() {
    let error =
        chat_error(LLAMA, Answer::new(303, "").header("location", "/login.html?error=private-link-validation-error"));
    assert!(error.message().contains("private link"), "{error}");
}

#[test]
fn no_secret_is_ever_shown() {
    let echo = r#"{"message": "Bad token dapi-very-secret.", "error_code": "dapi-very-secret", "request_id": "dapi-very-secret"}"#;
    let host = TestHost::new([Answer::new(401, echo)]);
    let workspace = workspace(&host);
    let model = workspace.chat(LLAMA).unwrap();
    let error = host.run(model.complete(hi())).unwrap_err();
    let principal = Credential::client("an-id", "dapi-very-secret");
    let shown = format!("{error} {error:?} {workspace:?} {model:?} {principal:?} {:?}", host.requests());
    assert!(!shown.contains("very-secret"), "{shown}");
    assert!(error.message().contains("Bad token ***."));
}

#[test]
fn a_long_message_is_cut() {
    let error = chat_error(LLAMA, Answer::new(400, "é".repeat(5000)));
    assert!(error.message().chars().count() < 1200);
}

#[test]
fn a_connection_refused_names_the_host() {
    let error = chat_error(LLAMA, Answer::refused());
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.message().contains(ADDRESS) && error.message().contains("connection refused"), "{error}");
    assert!(error.hint().unwrap().contains("gateway"));
}

#[test]
fn a_prompt_that_is_too_long_is_told_apart() {
    let body = json!({"error_code": "BAD_REQUEST", "message": "prompt is too long: 212000 tokens > 200000 maximum"});
    let error = chat_error(LLAMA, Answer::new(400, body.to_string()));
    assert_eq!(error.kind(), ErrorKind::ContextWindow, "{error}");
    assert_eq!(error.python_class(), Some("ContextWindowExceededError"));
    assert!(!error.is_retryable());
}
