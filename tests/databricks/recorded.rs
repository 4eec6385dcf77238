//! Our requests beside those that Databricks' own clients were recorded to send.

use futures::StreamExt;
use lakelet::databricks::{Credential, QueryType, VectorIndex, Workspace};
use lakelet::lm::{ChatRequest, LanguageModel, Prompt};
use lakelet::retrieve::{Query, Retriever};
use serde_json::{Map, Value as Json, json};

use crate::{ADDRESS, Answer, LLAMA, TestHost, hi, says, workspace};

pub fn recorded(name: &str) -> Json {
    let path = format!("{}/tests/databricks/recorded/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The answer of a recorded exchange.
pub fn answer(exchange: &Json) -> Answer {
    let response = &exchange["response"];
    let body = match &response["body"]["value"] {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        json => json.to_string(),
    };
    let mut answer = Answer::new(response["status"].as_u64().unwrap() as u16, body.replace("{host}", ADDRESS));
    for (name, value) in response["headers"].as_object().unwrap() {
        answer = answer.header(name, value.as_str().unwrap());
    }
    answer
}

/// What a client was recorded to exchange, without what it looks up before its first call.
pub fn exchanges(name: &str) -> Vec<Json> {
    let mut exchanges = recorded(name)["exchanges"].as_array().unwrap().clone();
    exchanges.retain(|exchange| !exchange["request"]["path"].as_str().unwrap().contains(".well-known"));
    exchanges
}

/// What was sent is what was recorded: method, path, query, and body.
pub fn assert_sent(host: &TestHost, exchanges: &[Json]) {
    let sent = host.requests();
    assert_eq!(sent.len(), exchanges.len());
    for (at, (request, exchange)) in sent.iter().zip(exchanges).enumerate() {
        let wanted = &exchange["request"];
        assert_eq!(request.method, wanted["method"].as_str().unwrap());
        let (path, query) =
            request.url.strip_prefix(ADDRESS).unwrap().split_once('?').unwrap_or((&request.url[ADDRESS.len()..], ""));
        assert_eq!(path, wanted["path"].as_str().unwrap());
        assert_eq!(parameters(query), wanted["query"].as_object().cloned().unwrap_or_default());
        match &wanted["body"]["value"] {
            Json::Null => assert!(request.body.is_empty()),
            body => assert_eq!(host.body(at), *body),
        }
    }
}

/// A query as the recordings hold it: each parameter with all of its values.
fn parameters(query: &str) -> Map<String, Json> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            let hex =
                (*first == b'%').then(|| u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            bytes.push(hex.unwrap_or(*first));
            rest = if hex.is_some() { &after[2..] } else { after };
        }
        String::from_utf8(bytes).unwrap()
    };
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        let values = parameters.entry(decoded(name)).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(decoded(value).into());
    }
    parameters
}

/// A body by what it means: members that are null or say the default are not there, filters are objects.
pub fn meaning(mut body: Json) -> Json {
    let members = body.as_object_mut().unwrap();
    members.retain(|name, value| !(value.is_null() || name == "debug_level" || name == "model"));
    if let Some(Json::String(filters)) = members.get("filters_json") {
        let filters = serde_json::from_str(filters).unwrap();
        members.insert("filters_json".to_owned(), filters);
    }
    if let Some(Json::String(query_type)) = members.get("query_type") {
        let query_type = query_type.to_uppercase();
        members.insert("query_type".to_owned(), query_type.into());
    }
    if let Some(Json::Array(columns)) = members.get_mut("columns") {
        columns.sort_by_key(|column| column.to_string());
    }
    body
}

fn sent_and_recorded(host: &TestHost, fixture: &Json) -> (Json, Json) {
    let query = |exchange: &&Json| !exchange["request"]["path"].as_str().unwrap().contains(".well-known");
    let exchange = fixture["exchanges"].as_array().unwrap().iter().find(query).unwrap();
    (meaning(host.body(0)), meaning(exchange["request"]["body"]["value"].clone()))
}

fn request_of(body: &Json) -> ChatRequest {
    let messages = body["messages"].as_array().unwrap();
    let (last, first) = messages.split_last().unwrap();
    let prefix = first.iter().map(Json::to_string).collect::<Vec<_>>().join(",");
    let mut options: Map<String, Json> = body.as_object().unwrap().clone();
    let response_format = options.remove("response_format").map(|format| format.to_string().into());
    options.retain(|name, _| !["messages", "model", "stream", "stream_options"].contains(&name.as_str()));
    let prompt = Prompt { prefix: prefix.into(), tail: last.to_string() };
    ChatRequest { prompt, response_format, options, ..ChatRequest::default() }
}

#[test]
fn chat_bodies_are_those_of_openai_dspy_and_the_sdk() {
    for name in [
        "openai-chat",
        "openai-chat-json-schema",
        "openai-chat-thinking",
        "openai-chat-tools",
        "serving-query-chat",
        "dspy-plain-lm",
    ] {
        let fixture = recorded(name);
        let body = &fixture["exchanges"][0]["request"]["body"]["value"];
        let host = TestHost::new([answer(&fixture["exchanges"][0])]);
        let endpoint = body["model"].as_str().unwrap_or(LLAMA);
        let answer = host.run(workspace(&host).chat(endpoint).unwrap().complete(request_of(body))).unwrap();
        let (sent, wanted) = sent_and_recorded(&host, &fixture);
        assert_eq!(sent, wanted, "{name}");
        let request = &host.requests()[0];
        assert_eq!(request.method, "POST");
        assert_eq!(request.url, format!("{ADDRESS}/serving-endpoints/{endpoint}/invocations"));
        let headers = ["accept", "content-type", "authorization"];
        assert!(request.headers.iter().all(|(name, _)| headers.contains(&&**name)), "{request:?}");
        assert_eq!(answer.completions.len(), 1, "{name}");
        assert_eq!(answer.usage.total_tokens, 19, "{name}");
    }
}

#[test]
fn the_sdk_and_we_ask_at_the_same_path() {
    let fixture = recorded("serving-query-chat");
    let host = TestHost::new([says("Hello!")]);
    host.run(workspace(&host).chat(LLAMA).unwrap().complete(hi())).unwrap();
    let path = fixture["exchanges"][0]["request"]["path"].as_str().unwrap();
    assert_eq!(host.requests()[0].url, format!("{ADDRESS}{path}"));
}

#[test]
fn a_streamed_chat_is_that_of_the_openai_client() {
    let fixture = recorded("openai-chat-stream");
    let host = TestHost::new([answer(&fixture["exchanges"][0])]);
    let deltas: Vec<_> = host.run(workspace(&host).chat(LLAMA).unwrap().stream(hi()).collect());
    let (sent, wanted) = sent_and_recorded(&host, &fixture);
    assert_eq!(sent, wanted);
    let deltas: Vec<_> = deltas.into_iter().map(Result::unwrap).collect();
    assert_eq!(deltas.iter().map(|delta| delta.text.as_str()).collect::<String>(), "Hello!");
    assert_eq!(deltas.last().unwrap().usage.unwrap().total_tokens, 19);
}

#[test]
fn embeddings_are_those_of_the_sdk() {
    let fixture = recorded("serving-query-embeddings");
    let exchange = &fixture["exchanges"][0];
    let host = TestHost::new([answer(exchange)]);
    let embedder = workspace(&host).embedder("databricks-gte-large-en").unwrap();
    let texts = ["delta lake".to_owned(), "dspy".to_owned()];
    let answer = host.run(async move { embedder.embed(&texts, None).await }).unwrap();
    let (sent, wanted) = sent_and_recorded(&host, &fixture);
    assert_eq!(sent, wanted);
    assert_eq!(host.requests()[0].url, format!("{ADDRESS}{}", exchange["request"]["path"].as_str().unwrap()));
    assert_eq!(answer.vectors, vec![vec![0.1, 0.2, 0.3, 0.4]; 2]);
    assert_eq!(answer.usage.prompt_tokens, 6);
}

#[test]
fn queries_are_those_of_the_sdk_and_dspy() {
    let text = |text: &str| Query { text: Some(text.to_owned()), k: Some(2), ..Query::default() };
    let vector = |k| Query { vector: Some(vec![0.1, 0.2, 0.3, 0.4]), k: Some(k), ..Query::default() };
    let filters = json!({"lang": ["en", "de"], "year >=": 2024, "kind NOT": "draft", "title LIKE": "delta"});
    let clause = json!("lang IN ('en','de') AND year >= 2024");
    let content = |index: VectorIndex| index.text_column("content");
    type Case = (&'static str, fn(VectorIndex) -> VectorIndex, Query);
    let cases: [Case; 7] = [
        ("vs-query-text", content, text("what is delta")),
        ("vs-query-vector", |index| index.score_threshold(0.5), vector(2)),
        ("vs-query-hybrid", |index| index.text_column("content").query_type(QueryType::Hybrid), text("what is delta")),
        ("vs-query-filters-dict", content, Query { filters: Some(filters), k: Some(5), ..text("delta") }),
        ("vs-query-filter-string", content, Query { filters: Some(clause), k: Some(5), ..text("delta") }),
        (
            "dspy-databricks-rm-text",
            |index| index.text_column("content").columns(["uri"]).query_type(QueryType::Ann).results(2),
            Query { k: None, ..text("what is delta") },
        ),
        (
            "dspy-databricks-rm-vector",
            |index| index.text_column("content").query_type(QueryType::Ann).results(1),
            Query { k: None, ..vector(1) },
        ),
    ];
    for (name, configure, query) in cases {
        let fixture = recorded(name);
        let exchange = fixture["exchanges"].as_array().unwrap().last().unwrap();
        let path = exchange["request"]["path"].as_str().unwrap();
        let index_name = path.split('/').nth(5).unwrap();
        let host = TestHost::new([answer(exchange)]);
        let index = configure(workspace(&host).index(index_name).unwrap());
        let passages = host.run(index.retrieve(query.clone())).unwrap();
        let (sent, wanted) = sent_and_recorded(&host, &fixture);
        assert_eq!(sent, wanted, "{name}");
        assert_eq!(host.requests()[0].url, format!("{ADDRESS}{path}"), "{name}");
        assert_eq!(host.requests()[0].method, "POST", "{name}");
        assert_eq!(passages[0].id, "d1");
        assert_eq!(passages[0].text, "Delta Lake stores tables.");
        assert_eq!(passages[0].score, 0.91);
    }
}

#[test]
fn further_pages_are_followed() {
    let fixture = recorded("vs-query-pagination");
    let host = TestHost::new(fixture["exchanges"].as_array().unwrap().iter().map(answer));
    let index = workspace(&host).index("main.rag.docs_index").unwrap().text_column("content").results(1000);
    let passages = host.run(index.retrieve(Query { text: Some("delta".to_owned()), ..Query::default() })).unwrap();
    assert_eq!(passages.iter().map(|passage| passage.id.as_str()).collect::<Vec<_>>(), ["d1", "d2"]);
    assert!(host.requests()[1].url.ends_with("/query-next-page"));
    assert_eq!(host.body(1), json!({"page_token": "page-2"}));
}

#[test]
fn a_service_principal_asks_for_a_token_as_the_sdk_does() {
    let fixture = recorded("auth-m2m-client-credentials");
    let token_exchange = &fixture["exchanges"][2];
    let host = TestHost::new([answer(token_exchange), says("Hello!")]);
    let credential = Credential::client("{client_id}", "{client_secret}");
    let workspace = Workspace::new(ADDRESS, credential, host.host()).unwrap();
    host.run(workspace.chat(LLAMA).unwrap().complete(hi())).unwrap();
    let [token, chat] = &host.requests()[..] else { panic!("{:?}", host.requests()) };
    assert_eq!(token.url, format!("{ADDRESS}{}", token_exchange["request"]["path"].as_str().unwrap()));
    assert_eq!(token.body, b"grant_type=client_credentials&scope=all-apis");
    let header = |request: &lakelet::http::Request, name| {
        request.headers.iter().find(|header| header.0 == name).map(|header| header.1.clone()).unwrap()
    };
    assert_eq!(header(token, "content-type"), "application/x-www-form-urlencoded");
    // base64("{client_id}:{client_secret}")
    assert_eq!(header(token, "authorization"), "Basic e2NsaWVudF9pZH06e2NsaWVudF9zZWNyZXR9");
    assert_eq!(header(chat, "authorization"), "Bearer eyJ-oauth-access");
}
