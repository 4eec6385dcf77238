//! Databricks' services over a scripted host: no network, and no time but the one that the tests let pass.

#[path = "../support/host.rs"]
mod host;

mod auth;
mod chat;
mod config;
mod data;
mod environment;
mod errors;
mod federation;
mod files;
mod jobs;
mod limits;
mod mlflow;
mod models;
mod recorded;
mod resilience;
mod retrieval;
mod routing;
mod serving;
mod sql;
mod sql_pages;
mod stream;
mod template;
mod unity_catalog;
mod vector_search;

use std::rc::Rc;

use lakelet::databricks::{Credential, Workspace};
use lakelet::lm::{ChatRequest, Prompt};

pub use host::{Answer, TestHost};

pub const ADDRESS: &str = "https://lake.example";
pub const LLAMA: &str = "databricks-meta-llama-3-3-70b-instruct";

pub fn workspace(host: &TestHost) -> Workspace {
    Workspace::new(ADDRESS, Credential::token("dapi-very-secret"), host.host()).unwrap()
}

pub fn hi() -> ChatRequest {
    let tail = r#"{"role":"user","content":"Hi"}"#.to_owned();
    ChatRequest { prompt: Prompt { prefix: Rc::from(""), tail }, ..ChatRequest::default() }
}

/// A whole answer that says `text`.
pub fn says(text: &str) -> Answer {
    Answer::json(serde_json::json!({
        "model": "llama-v1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 14, "completion_tokens": 5, "total_tokens": 19}
    }))
}
