//! The gateway: what a page may have of a workspace whose credential it must not have.
//!
//! A page talks to its own origin. There the gateway runs programs by name and streams their events. It speaks the protocol of
//! the gateway of the npm package (`js/src/gateway`), so that a page cannot tell one from the other; it lacks the relay for
//! programs that run in the page, whose addresses it answers as unknown.
//!
//! | route | |
//! |---|---|
//! | `GET /api/programs` | the programs, with their inputs and steps |
//! | `POST /api/programs/{name}` | `{inputs}` gives one answer, or with `accept: text/event-stream` the events as they come |
//!
//! A failure is answered as `{error_code, message, hint?, request_id}`, the first three as Databricks words them. The gateway is a
//! function from [`Request`] to [`Response`] and does no I/O: a host reads the one and writes the other.

mod admission;
mod call;
mod failure;
mod path;
mod programs;
mod running;
mod settings;
mod stream;
mod user;

use std::rc::Rc;

use futures_core::stream::LocalBoxStream;
use futures_util::stream as streams;

pub use programs::Served;
pub use user::Users;

use call::Call;
use failure::{Failure, Told};
use running::Running;

use crate::error::{Error, Result};
use crate::run::{Event, Services};
use crate::time::Clock;

/// Who is told of every call when it has ended, and of failures in full: one line of JSON a time.
pub type Log = Rc<dyn Fn(String)>;

/// Headers by their names in lower case.
pub type Headers = Vec<(&'static str, String)>;

/// A request of a page.
pub struct Request {
    pub method: String,
    /// `http` or `https`, as the host knows it.
    pub scheme: &'static str,
    /// The name by which the gateway was called, with its port where that is not the scheme's own.
    pub authority: String,
    /// Path and query as sent.
    pub target: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as it arrives.
    pub body: LocalBoxStream<'static, Result<Vec<u8>>>,
}

/// What is answered. Dropping the body before its end tells the gateway that the caller went away, and ends the run.
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    /// The body's pieces, each to be sent at once. The run gets on while a piece is waited for.
    pub body: LocalBoxStream<'static, Vec<u8>>,
}

/// Bounds on what one caller may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Size of a request's body in bytes.
    pub body_bytes: usize,
    /// Milliseconds until a request's body has to be there.
    pub body_ms: f64,
    /// Milliseconds until a call is given up.
    pub timeout_ms: f64,
    /// Milliseconds between signs of life on a silent event stream.
    pub heartbeat_ms: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 256 * 1024, body_ms: 15_000.0, timeout_ms: 120_000.0, heartbeat_ms: 15_000.0 }
    }
}

/// Everything that makes a gateway.
pub struct Gateway {
    pub programs: Vec<Served>,
    pub services: Rc<Services>,
    /// Where the gateway learns who asks.
    pub users: Users,
    /// The names that the gateway goes by, without port; it answers to no other.
    pub names: Vec<String>,
    /// Origins whose pages may call, beside the gateway's own: `https://portal.example`.
    pub allowed_origins: Vec<String>,
    pub limits: Limits,
    pub log: Log,
}

impl Gateway {
    /// Answers a request. Every failure is an answer.
    pub async fn answer(&self, request: Request) -> Response {
        let clock = Rc::clone(&self.services.clock);
        let call = Rc::new(Call::begin(&request.method, self.limits.timeout_ms, clock, Rc::clone(&self.log)));
        let allowed = request.header("origin").filter(|origin| self.allowed_origins.contains(origin));
        let asks_what_is_allowed = request.method == "OPTIONS";
        let mut response = match call.within(self.route(request, &call)).await {
            Ok(response) => response,
            Err(failure) => refused(&call, failure),
        };
        response.headers.extend(common_headers(&call));
        if let Some(origin) = allowed {
            response.headers.extend(cross_origin_headers(origin, asks_what_is_allowed));
        }
        response
    }

    /// The answer of a gateway that its settings do not make: the log says what is wrong with them, and the caller is told to
    /// ask.
    pub fn unmade(error: &Error, method: &str, clock: Rc<dyn Clock>, log: Log) -> Response {
        let call = Call::begin(method, Limits::default().timeout_ms, clock, log);
        let mut response = refused(&call, call.failed(error));
        response.headers.extend(common_headers(&call));
        response
    }

    async fn route(&self, mut request: Request, call: &Rc<Call>) -> Told<Response> {
        admission::check_name(self, &request)?;
        let segments = path::read(&request.target)?.ok_or_else(Failure::unknown_route)?;
        admission::check_origin(self, &request)?;
        if request.method == "OPTIONS" {
            call.end(204, None);
            return Ok(Response { status: 204, headers: Headers::new(), body: Box::pin(streams::empty()) });
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let allow = if segments == ["programs"] { "GET" } else { "POST" };
        if request.method != allow {
            let message = format!("Nothing here is done by {}.", request.method);
            return Err(Failure::new(405, "METHOD_NOT_ALLOWED", message)
                .with_hint(format!("Use {allow}."))
                .with_header("allow", allow));
        }
        if segments == ["programs"] {
            call.route.replace("GET /programs".to_owned());
            call.end(200, None);
            return Ok(Response::json(200, self.list()));
        }
        let body = admission::read_object(&mut request, self.limits, &*self.services.clock, call).await?;
        let wanted: Vec<_> = self.programs.iter().flat_map(Served::of_user).collect();
        let user = self.users.recognise(&request, &body, &wanted)?;
        call.user.replace(user.as_ref().map(|user| user.id.clone()));
        let ["programs", name] = segments[..] else { return Err(Failure::unknown_route()) };
        let served = self.find(name)?;
        call.route.replace(format!("POST /programs/{name}"));
        let inputs = served.inputs(&body, user.as_ref())?;
        let running = Running::begin(Rc::clone(&served.program), Rc::clone(&self.services), inputs);
        match request.header("accept") {
            Some(accept) if accept.contains("text/event-stream") => self.events(running, call).await,
            _ => whole(running, call).await,
        }
    }

    /// The status is sent with the first event: what fails before it is answered as any other failure.
    async fn events(&self, mut running: Running, call: &Rc<Call>) -> Told<Response> {
        let first = next(&mut running, call).await?;
        call.answering();
        let headers = vec![
            ("content-type", "text/event-stream; charset=utf-8".to_owned()),
            ("x-accel-buffering", "no".to_owned()),
        ];
        let clock = Rc::clone(&self.services.clock);
        let body = stream::server_sent_events(first, running, Rc::clone(call), clock, self.limits.heartbeat_ms);
        Ok(Response { status: 200, headers, body })
    }
}

/// The result as one answer.
async fn whole(mut running: Running, call: &Rc<Call>) -> Told<Response> {
    loop {
        if let Event::Result { fields, stopped_by } = next(&mut running, call).await? {
            call.usage.set(running.usage());
            call.end(200, None);
            return Ok(Response::json(200, running.answer(&fields, stopped_by.as_deref(), &call.id)));
        }
    }
}

async fn next(running: &mut Running, call: &Call) -> Told<Event> {
    let event = running
        .next()
        .await
        .unwrap_or_else(|| Err(Error::new(crate::ErrorKind::Pipeline, "the program ended without a result")));
    event.map_err(|error| {
        call.usage.set(running.usage());
        call.failed(&error)
    })
}

fn refused(call: &Call, failure: Failure) -> Response {
    call.end(failure.status, Some(&failure));
    failure.response(&call.id)
}

fn common_headers(call: &Call) -> Headers {
    vec![
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-request-id", call.id.clone()),
    ]
}

fn cross_origin_headers(origin: String, asks_what_is_allowed: bool) -> Headers {
    let mut headers = vec![
        ("vary", "origin".to_owned()),
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", "x-request-id, retry-after".to_owned()),
    ];
    if asks_what_is_allowed {
        headers.extend([
            ("access-control-allow-methods", "GET, POST".to_owned()),
            ("access-control-allow-headers", "accept, authorization, content-type".to_owned()),
            ("access-control-max-age", "600".to_owned()),
        ]);
    }
    headers
}

impl Request {
    /// The value of a header, by its lower-case name; of a header that is there more than once all values, joined by commas.
    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The name by which the gateway was called, without port; empty when it is none.
    fn host(&self) -> String {
        let name_end = match self.authority.rfind(']') {
            Some(bracket) => bracket + 1,
            None => self.authority.find(':').unwrap_or(self.authority.len()),
        };
        let (name, port) = self.authority.split_at_checked(name_end).unwrap_or_default();
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        // What stands behind the name must not be read as a part of another one.
        let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        if is_whole { name.to_ascii_lowercase() } else { String::new() }
    }

    /// The origin of pages that are served from here.
    fn origin(&self) -> String {
        let port = if self.scheme == "https" { ":443" } else { ":80" };
        let authority = self.authority.to_ascii_lowercase();
        format!("{}://{}", self.scheme, authority.strip_suffix(port).unwrap_or(&authority))
    }
}
