//! What a caller is told of a failure. Inputs are named; everything behind the gateway is described in general words.

use futures_util::stream;
use serde_json::json;

use super::{Headers, Response};
use crate::error::{Error, ErrorKind};
use crate::json;

const ASK_THE_OPERATOR: &str = "Whoever runs this gateway finds the reason in its log, by the request id.";
const AGAIN: &str = "Try again in a moment.";

/// A failure as the caller is told of it, with Databricks' names for the members.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub status: u16,
    /// `INVALID_PARAMETER_VALUE`, `PERMISSION_DENIED` ...
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// What the answer needs beside its body: `allow`, `retry-after`.
    pub headers: Headers,
}

pub(super) type Told<T> = Result<T, Failure>;

impl Failure {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, headers: Headers::new() }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_PARAMETER_VALUE", message)
    }

    pub fn unknown_route() -> Self {
        Self::new(404, "ENDPOINT_NOT_FOUND", "The gateway has nothing at this address.")
            .with_hint("GET /programs lists the programs that it runs.")
    }

    pub fn unauthenticated() -> Self {
        Self::new(401, "UNAUTHENTICATED", "The gateway does not know who asks.").with_hint("Sign in and try again.")
    }

    pub fn cancelled(status: u16) -> Self {
        Self::new(status, "CANCELLED", "The caller went away.")
    }

    pub fn timed_out(ms: f64) -> Self {
        let message = format!("There was no complete answer within {} s.", ms / 1000.0);
        Self::new(504, "DEADLINE_EXCEEDED", message).with_hint("Try again, or ask for less at a time.")
    }

    /// What stands behind the gateway has failed.
    pub fn of(error: &Error) -> Self {
        let again = |hint| format!("{AGAIN} {hint}");
        let reword = "Try again, or put the question in other words.";
        let (status, code, message, hint): (u16, _, _, String) = match error.kind() {
            ErrorKind::Input => {
                return Self { hint: error.hint().map(str::to_owned), ..Self::invalid(error.to_string()) };
            }
            ErrorKind::RateLimited => {
                let ms = error.service().and_then(|service| service.retry_after_ms).unwrap_or(1000.0);
                return Self::new(429, "REQUEST_LIMIT_EXCEEDED", "The workspace is busy.")
                    .with_hint(AGAIN)
                    .with_header("retry-after", (ms / 1000.0).ceil().max(1.0).to_string());
            }
            ErrorKind::Auth => (
                502,
                "BACKEND_AUTHENTICATION",
                "The gateway could not sign in to its workspace.",
                ASK_THE_OPERATOR.into(),
            ),
            ErrorKind::Permission => (
                502,
                "BACKEND_PERMISSION",
                "The gateway may not use a part of its workspace that this needs.",
                ASK_THE_OPERATOR.into(),
            ),
            ErrorKind::NotFound => (
                502,
                "BACKEND_NOT_FOUND",
                "The model or the index that this needs is not there.",
                format!("Its name in the gateway's configuration may be wrong. {ASK_THE_OPERATOR}"),
            ),
            ErrorKind::ContextWindow => (
                400,
                "CONTEXT_WINDOW_EXCEEDED",
                "The question and what belongs to it are longer than the model takes.",
                "Ask for less at a time.".into(),
            ),
            ErrorKind::Server => (502, "BACKEND_ERROR", "The workspace failed.", again(ASK_THE_OPERATOR)),
            ErrorKind::Network => {
                (502, "BACKEND_UNREACHABLE", "The gateway cannot reach its workspace.", again(ASK_THE_OPERATOR))
            }
            ErrorKind::Protocol => (
                502,
                "BACKEND_ERROR",
                "The workspace gave an answer that could not be read.",
                format!("Try again. {ASK_THE_OPERATOR}"),
            ),
            ErrorKind::Parse => {
                (502, "UNREADABLE_REPLY", "The model gave an answer that could not be read.", reword.into())
            }
            ErrorKind::Code => (502, "FAILING_CODE", "The model wrote code that does not run.", reword.into()),
            ErrorKind::Deadline => (
                504,
                "DEADLINE_EXCEEDED",
                "There was no complete answer in time.",
                "Try again, or ask for less at a time.".into(),
            ),
            ErrorKind::Cancelled => (499, "CANCELLED", "The call was stopped.", "Try again.".into()),
            _ => (500, "INTERNAL_ERROR", "The gateway failed.", ASK_THE_OPERATOR.into()),
        };
        Self::new(status, code, message).with_hint(hint)
    }

    /// `{error_code, message, hint?, request_id}`.
    pub fn body(&self, request_id: &str) -> String {
        let mut body = json!({"error_code": self.code, "message": self.message});
        if let Some(hint) = &self.hint {
            body["hint"] = hint.as_str().into();
        }
        body["request_id"] = request_id.into();
        json::text(&body)
    }

    /// The whole answer.
    pub fn response(self, request_id: &str) -> Response {
        let mut response = Response::json(self.status, self.body(request_id));
        response.headers.extend(self.headers);
        response
    }
}

impl Response {
    /// A whole answer of JSON text.
    pub(super) fn json(status: u16, body: String) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: Box::pin(stream::iter([body.into_bytes()])) }
    }
}
