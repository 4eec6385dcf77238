//! Whole chat answers, in the forms that Databricks gives them.

use lakelet::ErrorKind;
use lakelet::databricks::{Credential, Workspace};
use lakelet::lm::{ChatRequest, ChatResponse, LanguageModel, Prompt};
use serde_json::{Value as Json, json};

use crate::{ADDRESS, Answer, LLAMA, TestHost, hi, says, workspace};

fn read(answer: Answer) -> lakelet::Result<ChatResponse> {
    let host = TestHost::new([answer]);
    host.run(workspace(&host).chat(LLAMA).unwrap().complete(hi()))
}

fn message(message: Json) -> Answer {
    Answer::json(json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
}

#[test]
fn content_may_be_text_parts_or_nothing() {
    let parts = json!([
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Think"}, {"type": "summary_text", "text": "ing."}]},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo!"},
    ]);
    for (content, text, reasoning) in [
        (json!({"content": "Hello!"}), Some("Hello!"), None),
        (json!({"content": parts}), Some("Hello!"), Some("Thinking.")),
        (json!({"content": "Hello!", "reasoning_content": "Hm."}), Some("Hello!"), Some("Hm.")),
        (json!({"content": null}), None, None),
        (json!({"content": []}), None, None),
        (json!({}), None, None),
    ] {
        let answer = read(message(content.clone())).unwrap();
        assert_eq!(answer.completions[0].text.as_deref(), text, "{content}");
        assert_eq!(answer.completions[0].reasoning.as_deref(), reasoning, "{content}");
        assert_eq!(answer.usage, Default::default(), "usage was not told");
    }
}

#[test]
fn everything_of_an_answer_is_read() {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let answer = read(Answer::json(json!({
        "model": "llama-v1",
        "choices": [
            {"index": 0, "message": {"content": "cut of"}, "finish_reason": "length"},
            {"index": 1, "message": {"content": null, "tool_calls": [call]}, "finish_reason": "tool_calls"},
        ],
        "usage": {
            "prompt_tokens": 14, "completion_tokens": 5, "total_tokens": 19,
            "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 3}
        }
    })))
    .unwrap();
    assert_eq!(answer.model, "llama-v1");
    assert_eq!(answer.completions[0].finish_reason.as_deref(), Some("length"));
    assert_eq!(answer.completions[1].tool_calls, [call]);
    assert_eq!((answer.usage.cached_tokens, answer.usage.reasoning_tokens), (8, 3));
}

#[test]
fn the_model_is_named_by_the_body_the_header_or_the_endpoint() {
    let bare = || message(json!({"content": ""}));
    assert_eq!(read(bare().header("served-model-name", "llama-v2")).unwrap().model, "llama-v2");
    assert_eq!(read(bare()).unwrap().model, LLAMA);
}

#[test]
fn the_body_holds_the_prompt_as_it_is_and_the_call_outdoes_the_default() {
    let host = TestHost::new([says("")]);
    let model = workspace(&host).chat("databricks/my endpoint").unwrap();
    let model = model.with_option("temperature", json!(0)).with_option("max_tokens", json!(64));
    let mut request = hi();
    request.prompt = Prompt {
        prefix: r#"{"role":"system","content":"A \u00e9"}"#.into(),
        tail: r#"{"role":"user","content":"B"}"#.to_owned(),
    };
    request.options.insert("temperature".to_owned(), json!(1.5));
    request.response_format = Some(r#"{"type":"json_object"}"#.into());
    host.run(model.complete(request)).unwrap();
    let sent = host.requests().remove(0);
    assert_eq!(sent.url, format!("{ADDRESS}/serving-endpoints/my%20endpoint/invocations"));
    assert_eq!(
        String::from_utf8(sent.body).unwrap(),
        r#"{"messages":[{"role":"system","content":"A \u00e9"},{"role":"user","content":"B"}],"max_tokens":64,"temperature":1.5,"response_format":{"type":"json_object"}}"#
    );
}

#[test]
fn options_cannot_replace_what_the_call_writes() {
    for name in ["messages", "model", "stream"] {
        let host = TestHost::new([]);
        let mut request = ChatRequest::default();
        request.options.insert(name.to_owned(), json!(true));
        let error = host.run(workspace(&host).chat(LLAMA).unwrap().complete(request)).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(name)));
        assert!(host.requests().is_empty());
    }
}

#[test]
fn answers_that_are_no_completion_are_told_apart() {
    for (answer, kind, says) in [
        (Answer::new(200, "<html><title>Login</title></html>"), ErrorKind::Protocol, "a page of HTML"),
        (Answer::new(200, ""), ErrorKind::Protocol, "expected a chat completion"),
        (Answer::new(200, r#"{"choices":[{"mess"#), ErrorKind::Protocol, "expected a chat completion"),
        (Answer::json(json!({"predictions": [1]})), ErrorKind::Protocol, "expected a chat completion"),
        (Answer::json(json!({"error_code": "PERMISSION_DENIED", "message": "No."})), ErrorKind::Permission, "No."),
    ] {
        let error = read(answer).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(says), "{error}");
        assert!(error.message().contains(LLAMA) && error.hint().is_some(), "{error}");
    }
}

#[test]
fn an_embedder_sends_batches_and_keeps_the_order() {
    let texts: Vec<String> = (0..301).map(|n| n.to_string()).collect();
    let batch = |from: usize, to: usize| {
        // In reverse: the index counts, not the place.
        let data: Vec<Json> =
            (from..to).rev().map(|n| json!({"index": n - from, "embedding": [n as f64, 1.0]})).collect();
        Answer::json(json!({"model": "gte", "data": data, "usage": {"prompt_tokens": 10, "total_tokens": 10}}))
    };
    let host = TestHost::new([batch(0, 150), batch(150, 300), batch(300, 301)]);
    let embedder = workspace(&host).embedder("databricks-gte-large-en").unwrap();
    let answer = host.run(async move { embedder.embed(&texts, None).await }).unwrap();
    assert_eq!(answer.vectors.len(), 301);
    assert!(answer.vectors.iter().enumerate().all(|(n, vector)| vector[..] == [n as f64, 1.0]));
    assert_eq!((answer.usage.prompt_tokens, answer.model.as_str()), (30, "gte"));
    assert_eq!(host.requests().len(), 3);
}

#[test]
fn an_embedder_wants_a_vector_for_each_text() {
    for data in
        [json!([]), json!([{"index": 7, "embedding": [1.0]}]), json!([{"index": 0, "embedding": "AAAA"}]), json!(1)]
    {
        let host = TestHost::new([Answer::json(json!({"data": data}))]);
        let embedder = workspace(&host).embedder("gte").unwrap();
        let error = host.run(async move { embedder.embed(&["a".to_owned()], None).await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{data}");
    }
}

#[test]
fn names_stay_in_their_path_and_addresses_are_checked() {
    let host = TestHost::new([says("")]);
    let workspace = workspace(&host);
    host.run(workspace.chat("../../api/2.0/clusters?x#y").unwrap().complete(hi())).unwrap();
    let wanted = format!("{ADDRESS}/serving-endpoints/..%2F..%2Fapi%2F2.0%2Fclusters%3Fx%23y/invocations");
    assert_eq!(host.requests()[0].url, wanted);
    for name in ["", ".."] {
        assert_eq!(workspace.chat(name).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(workspace.embedder(name).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(workspace.index(name).unwrap_err().kind(), ErrorKind::Config);
    }
    let make = |address, credential| Workspace::new(address, credential, host.host());
    assert!(make("http://lake.example", Credential::None).is_err());
    assert!(make("/api/lakelet", Credential::token("t")).is_err(), "a page must not hold a token");
    assert_eq!(make("/api/lakelet/", Credential::None).unwrap().address(), "/api/lakelet");
    let plain = Workspace::over_plain_http("http://lake.example", Credential::None, host.host());
    assert_eq!(plain.unwrap().address(), "http://lake.example");
}

#[test]
fn a_gateway_is_sent_no_credential() {
    let host = TestHost::new([says("Hello!")]);
    let workspace = Workspace::new("/api/lakelet", Credential::None, host.host()).unwrap();
    host.run(workspace.chat(LLAMA).unwrap().complete(hi())).unwrap();
    let request = host.requests().remove(0);
    assert_eq!(request.url, format!("/api/lakelet/serving-endpoints/{LLAMA}/invocations"));
    assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
}
