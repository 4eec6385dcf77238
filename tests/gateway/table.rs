//! Every call of the table is answered as it says.

use lakelet::gateway::{Request, Users};
use serde_json::{Value as Json, json};

use crate::{Answer, TestHost, body, gateway, request, says};

const CASES: &str = include_str!("cases.json");

fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

fn users(case: &Json) -> Users {
    match text(case, "users") {
        Some("unknown") => Users::Unknown,
        Some("headers") => {
            let headers = ["role", "region", "department"].map(|name| (name.to_owned(), format!("x-user-{name}")));
            Users::Headers(headers.to_vec())
        }
        _ => Users::Page,
    }
}

/// What the workspace answers the call of the model.
fn upstream(case: &Json) -> Answer {
    let Some(upstream) = case.get("upstream") else { return says("Ask Ada.") };
    if upstream == "refused" {
        return Answer::refused();
    }
    let answer = Answer::new(upstream["status"].as_u64().unwrap() as u16, upstream["body"].to_string());
    let headers = upstream.get("headers").and_then(Json::as_object).into_iter().flatten();
    headers.fold(answer, |answer, (name, value)| answer.header(name, value.as_str().unwrap()))
}

fn call(case: &Json) -> Request {
    let method = text(case, "method").unwrap_or("POST");
    let mut headers = vec![("origin", "https://app.example")];
    if method == "POST" {
        headers.push(("content-type", "application/json"));
    }
    let others = case.get("headers").and_then(Json::as_object);
    for (name, value) in others.into_iter().flatten() {
        headers.retain(|(known, _)| known != name);
        headers.extend(value.as_str().map(|value| (name.as_str(), value)));
    }
    let body = match case.get("body") {
        Some(Json::String(text)) => text.clone(),
        Some(json) => json.to_string(),
        None => String::new(),
    };
    let path = text(case, "path").unwrap_or("/api/programs/helpdesk");
    let request = request(method, path, &headers, body.as_bytes());
    Request { authority: text(case, "host").unwrap_or("app.example").to_owned(), ..request }
}

/// The value without what is different in every call: ids and times.
fn steady(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let steady = members.into_iter().filter(|(name, _)| name != "request_id");
            let steady = steady.map(|(name, value)| match name.as_str() {
                "atMs" | "startMs" | "durationMs" => (name, json!(0)),
                _ => (name, self::steady(value)),
            });
            Json::Object(steady.collect())
        }
        Json::Array(items) => items.into_iter().map(steady).collect(),
        other => other,
    }
}

/// `[name, data]` of every event.
fn events(body: &str) -> Json {
    let frames = body.split_terminator("\n\n").map(|frame| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data: Json = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        json!([name.strip_prefix("event: ").unwrap(), steady(data)])
    });
    frames.collect()
}

#[test]
fn calls_are_answered_as_the_table_says() {
    let cases: Vec<Json> = serde_json::from_str(CASES).unwrap();
    for case in &cases {
        let name = text(case, "name").unwrap();
        let host = TestHost::new([upstream(case)]);
        let (gateway, lines) = gateway(&host, users(case));
        let request = call(case);
        let (status, headers, body) = host.run(async move {
            let response = gateway.answer(request).await;
            (response.status, response.headers.clone(), body(response).await)
        });
        assert_eq!(json!(status), case["status"], "{name}: {body}");
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        for (header_name, expected) in case.get("answer_headers").and_then(Json::as_object).into_iter().flatten() {
            assert_eq!(header(header_name), expected.as_str(), "{name}: {header_name}");
        }
        assert_eq!((header("cache-control"), header("x-content-type-options")), (Some("no-store"), Some("nosniff")));
        if let Some(expected) = case.get("answer") {
            assert_eq!(steady(serde_json::from_str(&body).unwrap()), *expected, "{name}");
        }
        if let Some(expected) = case.get("events") {
            assert_eq!(events(&body), *expected, "{name}");
        }
        if let Some(expected) = case.get("last_event") {
            assert_eq!(events(&body).as_array().and_then(|events| events.last()), Some(expected), "{name}");
        }
        if let Some(expected) = case.get("failed_step") {
            let (events, place) = (events(&body), "/1/span/error");
            let failed = events.as_array().unwrap().iter().filter_map(|event| event.pointer(place)).next_back();
            assert_eq!(failed, Some(expected), "{name}");
        }
        let lines = lines.borrow();
        let audit: Json = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(audit["request_id"].as_str(), header("x-request-id"), "{name}");
        for (member, expected) in case.get("audit").and_then(Json::as_object).into_iter().flatten() {
            assert_eq!(audit.get(member).unwrap_or(&Json::Null), expected, "{name}: {member} in {audit}");
        }
        assert!(!lines.concat().contains("a private matter") && !lines.concat().contains("dapi-very-secret"), "{name}");
        assert!(!body.contains("dapi-very-secret"), "{name}");
    }
}
