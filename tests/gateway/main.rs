//! The gateway of the core, held to the same table of calls as the gateway of the npm package (`cases.json`), and to what only
//! shows while time passes.

#[path = "../support/host.rs"]
mod host;

mod settings;
mod table;
mod time;

use std::cell::RefCell;
use std::rc::Rc;

use futures::stream::{self, StreamExt};
use lakelet::databricks::{Credential, Workspace};
use lakelet::gateway::{Gateway, Limits, Request, Response, Served, Users};
use lakelet::http::retry::Policy;
use lakelet::{Pipeline, Services};
use serde_json::Value as Json;

pub use host::{Answer, TestHost};

pub const PROGRAM: &str = include_str!("program.json");

/// What a gateway has written to its log.
pub type Lines = Rc<RefCell<Vec<String>>>;

/// A gateway that serves the program to whoever the page says asks, and its log.
pub fn gateway(host: &TestHost, users: Users) -> (Gateway, Lines) {
    let workspace = Workspace::new("https://lake.example", Credential::token("dapi-very-secret"), host.host()).unwrap();
    let workspace = workspace.with_retries(Policy { tries: 1, ..Policy::default() });
    let services = Services::new(host.host().clock).with_model("chat", Rc::new(workspace.chat("chat").unwrap()));
    let lines = Lines::default();
    let log = Rc::clone(&lines);
    let gateway = Gateway {
        programs: vec![Served {
            program: Rc::new(Pipeline::from_json(PROGRAM).unwrap()),
            user_inputs: ["role", "region", "department"].map(str::to_owned).to_vec(),
        }],
        services: Rc::new(services),
        users,
        names: vec!["app.example".to_owned()],
        allowed_origins: vec!["https://portal.example".to_owned()],
        limits: Limits { body_bytes: 1000, ..Limits::default() },
        log: Rc::new(move |line| log.borrow_mut().push(line)),
    };
    (gateway, lines)
}

/// A call as a page of the gateway's own origin makes it.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request {
        method: method.to_owned(),
        scheme: "https",
        authority: "app.example".to_owned(),
        target: target.to_owned(),
        headers: headers.collect(),
        body: stream::iter([Ok(body.to_vec())]).boxed_local(),
    }
}

/// The call of the program that asks `question` as an employee.
pub fn asking(question: &str, accept: &str) -> Request {
    let user = serde_json::json!({"role": "employee", "region": "EU", "department": "it"});
    let body = serde_json::json!({"inputs": {"question": question}, "user": user}).to_string();
    let headers = [("content-type", "application/json"), ("accept", accept)];
    request("POST", "/api/programs/helpdesk", &headers, body.as_bytes())
}

/// The body of an answer.
pub async fn body(response: Response) -> String {
    let pieces: Vec<Vec<u8>> = response.body.collect().await;
    String::from_utf8(pieces.concat()).unwrap()
}

/// A streamed reply of the model.
pub fn says(answer: &str) -> Answer {
    let text = format!("[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]");
    let chunk = |delta: Json, finish: Json, usage: Json| {
        let choice = serde_json::json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", serde_json::json!({"model": "llama-v1", "choices": [choice], "usage": usage}))
    };
    let usage = serde_json::json!({"prompt_tokens": 14, "completion_tokens": 5, "total_tokens": 19});
    let begun = chunk(serde_json::json!({"content": text}), Json::Null, Json::Null);
    let ended = chunk(serde_json::json!({}), "stop".into(), usage);
    Answer::new(200, format!("{begun}{ended}data: [DONE]\n\n")).header("content-type", "text/event-stream")
}
