//! What Databricks answers when it refuses, in every form that it uses, as an [`Error`] that says what to do.

use serde_json::Value as Json;

use super::auth::AuthKind;
use super::models::Retired;
use crate::error::{Error, ErrorKind, Service};
use crate::http::{Response, retry};
use crate::json;

/// More than this of an answer's text helps nobody.
const LONGEST_MESSAGE: usize = 1000;

/// Messages after which Databricks' SDKs try again, whatever the status.
const TRANSIENT: [&str; 8] = [
    "does not have any associated worker environments",
    "There is no worker environment with id",
    "Unknown worker environment",
    "ClusterNotReadyException",
    "UnknownWorkerEnvironmentException",
    "Unexpected error",
    "Please try again later or try a faster operation.",
    "RPC token bucket limit has been exceeded",
];

/// What the messages of models say, in lower case, when a prompt is longer than they take.
const TOO_LONG: [&str; 9] = [
    "prompt is too long",
    "input is too long",
    "exceed context limit",
    "maximum context length",
    "maximum context limit",
    "longer than the model's context length",
    "input tokens exceed",
    "exceeds the available context size",
    "exceeds the maximum number of tokens",
];

/// What was called.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    Endpoint(String),
    Index(String),
    /// An object of another service: what kind of thing it is (`job`, `SQL statement`), and its name.
    Object(&'static str, String),
    /// Any other service, by its path.
    Path(String),
    Token,
}

impl Target {
    pub fn name(&self) -> &str {
        match self {
            Self::Endpoint(name) | Self::Index(name) | Self::Object(_, name) | Self::Path(name) => name,
            Self::Token => "token",
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Endpoint(name) => format!("serving endpoint `{name}`"),
            Self::Index(name) => format!("vector index `{name}`"),
            Self::Object(kind, name) if name.is_empty() => (*kind).to_owned(),
            Self::Object(kind, name) => format!("{kind} `{name}`"),
            Self::Path(path) => format!("`{path}`"),
            Self::Token => "the workspace's token endpoint".to_owned(),
        }
    }
}

/// A refusal as it was read, before it is known what it means.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    service: Service,
    message: String,
}

impl Refusal {
    /// Reads an answer whose status is not 2xx. Secrets that it repeats are blotted out.
    pub async fn read(response: Response, now_ms: f64, secrets: &[&str]) -> Self {
        let header = |name: &str| response.header(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let request_id = header("x-request-id").or_else(|| header("x-databricks-request-id"));
        let retry_after_ms = header("retry-after").and_then(|value| retry::retry_after_ms(&value, now_ms));
        let location = header("location").unwrap_or_default();
        let status = response.status;
        // A refusal whose body breaks off is still a refusal.
        let body = response.body.whole().await.unwrap_or_default();

        let mut refusal = Self { service: Service { status, ..Service::default() }, message: String::new() };
        match json::read(&body) {
            Ok(json @ Json::Object(_)) => refusal.read_json(&json),
            Ok(Json::String(text)) => refusal.read_text(&text),
            _ => refusal.read_text(&String::from_utf8_lossy(&body)),
        }
        if status == 0 || (300..400).contains(&status) {
            refusal.message = match location.contains("private-link-validation-error") {
                true => "the workspace can be reached only over its private link".to_owned(),
                false => "redirected instead of answering".to_owned(),
            };
        }
        if refusal.message.is_empty() {
            refusal.message = reason(status).to_owned();
        }
        if refusal.service.request_id.is_empty() {
            refusal.service.request_id = request_id.unwrap_or_default();
        }
        let Service { error_code, request_id, .. } = &mut refusal.service;
        for text in [&mut refusal.message, error_code, request_id] {
            for secret in secrets {
                *text = text.replace(secret, "***");
            }
        }
        if let Some((end, _)) = refusal.message.char_indices().nth(LONGEST_MESSAGE) {
            refusal.message.truncate(end);
            refusal.message.push('…');
        }
        refusal.service.retry_after_ms = retry_after_ms.or(refusal.service.retry_after_ms);
        refusal
    }

    /// Reads an error that came inside a good answer: a frame of a stream, or a body. `None` when it is none.
    pub fn within(json: &Json, status: u16) -> Option<Self> {
        let is_error = json.get("error_code").is_some() || json.get("error").is_some_and(|error| !error.is_null());
        is_error.then(|| {
            let mut refusal = Self { service: Service { status, ..Service::default() }, message: String::new() };
            refusal.read_json(json);
            refusal
        })
    }

    /// `{error_code, message, details}`, `{error}` as text or object, OAuth's `{error, error_description}`,
    /// SCIM's `{detail, status, scimType}`.
    fn read_json(&mut self, json: &Json) {
        let text = |json: &Json, names: &[&str]| {
            let found = names.iter().find_map(|name| json.get(name)).filter(|value| !value.is_null());
            found.map(|value| value.as_str().map_or_else(|| json::text(value), str::to_owned)).unwrap_or_default()
        };
        let error = json.get("error").filter(|error| error.is_object()).unwrap_or(json);
        self.service.error_code = text(error, &["error_code", "code", "errorCode"]);
        self.message = text(error, &["message", "error_description", "errorSummary", "detail"]);
        if let Some(name) = json.get("error").and_then(Json::as_str) {
            if self.message.is_empty() {
                self.message = name.to_owned();
            } else if self.service.error_code.is_empty() {
                self.service.error_code = name.to_owned();
            }
        }
        if json.get("scimType").is_some() || json.get("schemas").is_some() {
            self.service.error_code = format!("SCIM_{}", self.service.status);
        }
        self.service.request_id = text(json, &["request_id"]);
        for detail in json.get("details").and_then(Json::as_array).into_iter().flatten() {
            let id = text(detail, &["request_id"]);
            if !id.is_empty() {
                self.service.request_id = id;
            }
            let delay = text(detail, &["retry_delay"]);
            if let Some(seconds) = delay.strip_suffix('s') {
                self.service.retry_after_ms = retry::retry_after_ms(seconds, 0.0);
            }
        }
    }

    /// `CODE: message`, a page of HTML, or plain text.
    fn read_text(&mut self, text: &str) {
        let text = text.trim();
        let between = |open: &str, close: &str| Some(text.split_once(open)?.1.split_once(close)?.0.trim());
        if text.starts_with('<') {
            let found = between("<pre>", "</pre>").or_else(|| between("<title>", "</title>"));
            self.message = found.unwrap_or("answered with a page of HTML").to_owned();
            return;
        }
        let is_code = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        match text.split_once(": ") {
            Some((code, message)) if is_code(code) => {
                self.service.error_code = code.to_owned();
                self.message = message.to_owned();
            }
            _ => self.message = text.to_owned(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self.kind_by_code() {
            ErrorKind::BadRequest if self.is_too_long() => ErrorKind::ContextWindow,
            kind => kind,
        }
    }

    fn is_too_long(&self) -> bool {
        let message = self.message.to_lowercase();
        TOO_LONG.iter().any(|told| message.contains(told))
    }

    fn kind_by_code(&self) -> ErrorKind {
        match self.service.error_code.as_str() {
            "INVALID_STATE" | "INVALID_PARAMETER_VALUE" | "BAD_REQUEST" => return ErrorKind::BadRequest,
            "UNAUTHENTICATED" | "invalid_client" => return ErrorKind::Auth,
            "PERMISSION_DENIED" | "access_denied" => return ErrorKind::Permission,
            "ENDPOINT_NOT_FOUND" | "NOT_FOUND" => return ErrorKind::NotFound,
            "ABORTED" | "RESOURCE_CONFLICT" => return ErrorKind::Conflict,
            // `RESOURCE_…`, and Unity Catalog's `SCHEMA_…`, `TABLE_…`, some of which come with HTTP 400
            code if code.ends_with("DOES_NOT_EXIST") => return ErrorKind::NotFound,
            code if code.ends_with("ALREADY_EXISTS") => return ErrorKind::Conflict,
            "RESOURCE_EXHAUSTED" | "REQUEST_LIMIT_EXCEEDED" => return ErrorKind::RateLimited,
            "UNKNOWN" | "DATA_LOSS" | "INTERNAL_ERROR" | "TEMPORARILY_UNAVAILABLE" => return ErrorKind::Server,
            _ => {}
        }
        // An error inside a stream comes with status 200; some carry the true one as their code.
        let status = self.service.error_code.parse().unwrap_or(self.service.status);
        match status {
            401 => ErrorKind::Auth,
            403 => ErrorKind::Permission,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::BadRequest,
            0 | 300..=399 => ErrorKind::Config,
            _ => ErrorKind::Server,
        }
    }

    /// The error that a caller sees. What Databricks' SDKs try again is retryable: 429, 503 and what says so.
    pub fn into_error(self, target: &Target, base: &str, auth: AuthKind) -> Error {
        let kind = self.kind();
        let retryable = kind == ErrorKind::RateLimited
            || matches!(self.service.status, 429 | 503)
            || self.service.error_code == "TEMPORARILY_UNAVAILABLE"
            || TRANSIENT.iter().any(|transient| self.message.contains(transient));
        let mut facts = match self.service.status {
            200 => "in the stream".to_owned(),
            0 => "redirect".to_owned(),
            status => format!("HTTP {status}"),
        };
        for (name, value) in [("", &self.service.error_code), ("request id ", &self.service.request_id)] {
            if !value.is_empty() {
                facts.push_str(&format!(", {name}{value}"));
            }
        }
        let error = Error::new(kind, format!("{}: {} ({facts})", target.describe(), self.message))
            .with_service(self.service)
            .with_retryable(retryable);
        let error = match kind {
            ErrorKind::ContextWindow => error.with_python_class("ContextWindowExceededError"),
            _ => error,
        };
        match hint(kind, target, base, auth) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

fn hint(kind: ErrorKind, target: &Target, base: &str, auth: AuthKind) -> Option<String> {
    let hint = match (kind, target) {
        (ErrorKind::Permission, Target::Token) => {
            "Ask for the scopes that the client was given: name them in LAKELET_SCOPES, `model-serving vector-search` for instance.".to_owned()
        }
        (ErrorKind::BadRequest, Target::Token) if auth == AuthKind::Federated => {
            "Check that a federation policy of the account names this token's issuer, audience and subject, and that it has not expired.".to_owned()
        }
        (ErrorKind::Auth, _) => match auth {
            AuthKind::Token => "Check DATABRICKS_TOKEN: it may have expired, be revoked, or belong to another workspace.".to_owned(),
            AuthKind::Client => {
                "Check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, and that the service principal was added to this \
                 workspace."
                    .to_owned()
            }
            AuthKind::Federated => {
                "Check DATABRICKS_CLIENT_ID and the federation policy, and that who it names was added to this workspace.".to_owned()
            }
            AuthKind::Host => "The token that the host gave was refused: check its sign-in.".to_owned(),
            AuthKind::None => "No credential was sent: the gateway has to add it. Check the gateway's own settings and log.".to_owned(),
        },
        (ErrorKind::Permission, Target::Endpoint(name)) => {
            format!("Grant CAN QUERY on the endpoint `{name}` to the user or service principal of the credential.")
        }
        (ErrorKind::Permission, Target::Index(name)) => format!(
            "Grant SELECT on `{name}`, and USE CATALOG and USE SCHEMA on what holds it, to the user or service principal of \
             the credential."
        ),
        (ErrorKind::NotFound, Target::Endpoint(name)) => match Retired::named(name) {
            Some(retired) => retired.hint(),
            None => format!("Check the endpoint's name; GET {base}/api/2.0/serving-endpoints lists those that exist."),
        },
        (ErrorKind::NotFound, Target::Index(_)) => {
            "Check the index's full name, `catalog.schema.index`, as the Catalog page shows it.".to_owned()
        }
        (ErrorKind::NotFound, Target::Token) | (ErrorKind::Config, _) => {
            "Check DATABRICKS_HOST: it must be the address of a workspace, or of a gateway.".to_owned()
        }
        (ErrorKind::ContextWindow, _) => {
            "Send less: fewer demos, shorter passages, fewer turns of the history; or ask a model with a longer context.".to_owned()
        }
        (ErrorKind::RateLimited, Target::Endpoint(_)) => {
            "Ask less often, or for fewer tokens: `max_tokens` counts against the limit before anything is written. A \
             provisioned-throughput endpoint has no shared limit."
                .to_owned()
        }
        (ErrorKind::RateLimited, _) => "Ask less often.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// A host that could not be reached.
pub(crate) fn unreachable(target: &Target, base: &str, error: Error) -> Error {
    if error.kind() != ErrorKind::Network {
        return error;
    }
    let place = if base.is_empty() || base.starts_with('/') { "the gateway" } else { base };
    Error::new(ErrorKind::Network, format!("{}: no answer from {place}: {}", target.describe(), error.message())).with_hint(
        "Check the address and the network. Databricks sends no CORS headers, so a page must call a gateway on its own origin.",
    )
}

/// An answer whose body broke off.
pub(crate) fn cut_short(target: &Target, error: Error) -> Error {
    if error.kind() != ErrorKind::Network {
        return error;
    }
    ended_early(target, error.message())
}

/// A stream that stopped before the model was done.
pub(crate) fn ended_early(target: &Target, how: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("{}: the answer ended too early: {how}", target.describe()))
        .with_hint("Ask again; if it keeps happening, look for a proxy that limits the length or time of answers.")
        .with_retryable(true)
}

/// An answer that is not what the API promises.
pub(crate) fn unreadable(target: &Target, body: &[u8], wanted: &str) -> Error {
    let is_page = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    let found = if is_page { "a page of HTML" } else { "something else" };
    Error::new(ErrorKind::Protocol, format!("{}: expected {wanted}, got {found}", target.describe())).with_hint(
        "Check that DATABRICKS_HOST is a workspace or gateway, and that the endpoint has the task you use it for.",
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "refused without saying why",
    }
}
