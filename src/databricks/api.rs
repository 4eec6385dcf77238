//! Calls of Databricks' REST APIs, as the clients of its services make them.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::error::{Target, unreadable};
use super::{Answer, Call, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;
use crate::json;

/// A list that goes on for more pages than this goes round in circles.
const MOST_PAGES: usize = 100_000;

/// A call that is put together: method and path, then what else it carries.
#[derive(Clone)]
pub(crate) struct ApiCall {
    workspace: Workspace,
    call: Call,
    deadline_ms: Option<f64>,
}

impl Workspace {
    /// A call of an API of the workspace. `path` starts with `/`; names in it are encoded ([`url::segment`]).
    pub(crate) fn api(&self, method: &'static str, path: &str, target: Target) -> ApiCall {
        let call = Call { method, reads: &[], ..Call::post(path, Vec::new(), target) };
        ApiCall { workspace: self.clone(), call, deadline_ms: None }
    }
}

impl ApiCall {
    /// Adds a parameter to the path's query.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        let sign = if self.call.path.contains('?') { '&' } else { '?' };
        self.call.path.push(sign);
        self.call.path.push_str(name);
        self.call.path.push('=');
        self.call.path.push_str(&url::encoded(&value.to_string()));
        self
    }

    /// Adds a parameter to the path's query if there is a value for it.
    pub fn maybe_query(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// The body, as JSON.
    pub fn json(mut self, body: &Json) -> Self {
        self.call.body = json::text(body).into_bytes();
        self
    }

    /// The body, as bytes of a type.
    pub fn bytes(mut self, content_type: impl Into<Cow<'static, str>>, body: Vec<u8>) -> Self {
        self.call.content_type = content_type.into();
        self.call.body = body;
        self
    }

    /// The type of the answer, where it is not JSON.
    pub fn accepting(mut self, content_type: &'static str) -> Self {
        self.call.accept = content_type;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: String) -> Self {
        self.call.headers.push((name, value));
        self
    }

    /// Which headers of the answer are read.
    pub fn reading(mut self, headers: &'static [&'static str]) -> Self {
        self.call.reads = headers;
        self
    }

    /// The moment on the host's clock by which the call has to end.
    pub fn until(mut self, deadline_ms: Option<f64>) -> Self {
        self.deadline_ms = deadline_ms;
        self
    }

    /// The whole answer.
    ///
    /// # Errors
    /// What the service says when it refuses, and what stands in the way of asking it.
    pub async fn whole(self) -> Result<Answer> {
        self.workspace.whole(self.call, self.deadline_ms).await
    }

    /// The answer as JSON; an empty one is an empty object.
    ///
    /// # Errors
    /// As [`whole`](Self::whole), and [`Protocol`](ErrorKind::Protocol) when the answer is no JSON.
    pub async fn send(self) -> Result<Json> {
        let target = self.call.target.clone();
        let answer = self.whole().await?;
        if answer.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Json::Object(Map::new()));
        }
        json::read(&answer.body).map_err(|_| unreadable(&target, &answer.body, "JSON"))
    }

    /// The items of a list, page after page: what the answers hold as the member `items`, until one names no `next_page_token`. At most
    /// `most` of them.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn list(self, items: &str, most: Option<usize>) -> Result<Vec<Json>> {
        let most = most.unwrap_or(usize::MAX);
        let mut all = Vec::new();
        let mut page = self.clone();
        for _ in 0..MOST_PAGES {
            let mut answer = page.send().await?;
            if let Some(Json::Array(found)) = answer.get_mut(items).map(Json::take) {
                all.extend(found);
            }
            let next = answer.get("next_page_token").and_then(Json::as_str).filter(|token| !token.is_empty());
            match next {
                Some(token) if all.len() < most => page = self.clone().query("page_token", token),
                _ => {
                    all.truncate(most);
                    return Ok(all);
                }
            }
        }
        let message = format!("{}: the list has no end", self.call.target.describe());
        Err(Error::new(ErrorKind::Protocol, message).with_hint("Ask for a part of it, by a filter or a limit."))
    }
}
