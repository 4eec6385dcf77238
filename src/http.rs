//! HTTP as the core sees it: a [`Request`] goes out through [`Fetch`], a [`Response`] comes back.
//!
//! The host implements [`Fetch`]: over `fetch` in JavaScript, over `wasi:http` in a component, over a closure in a test.

pub mod deadline;
pub mod retry;
pub mod sse;
pub mod url;

use std::borrow::Cow;
use std::fmt;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;

use crate::error::Result;

/// A request ready to be sent. Its `Debug` form hides the credential.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// An absolute URL, or in a page a path on its origin.
    pub url: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body as sent; empty for none.
    pub body: Vec<u8>,
    /// The headers of a good answer that are read, in lower case.
    pub reads: &'static [&'static str],
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "{} {} with {names:?} and {} bytes", self.method, self.url, self.body.len())
    }
}

/// The head of an answer, and its body still to be read.
pub struct Response {
    pub status: u16,
    /// Header names in lower case, with their values. A host may leave out those that the core has no use for.
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Body>,
}

/// A body that can be read once, whole or in pieces. Dropping it abandons the rest.
pub trait Body {
    /// All of it.
    fn whole(self: Box<Self>) -> LocalBoxFuture<'static, Result<Vec<u8>>>;

    /// The pieces as they arrive.
    fn chunks(self: Box<Self>) -> LocalBoxStream<'static, Result<Vec<u8>>>;
}

/// How requests leave.
pub trait Fetch {
    /// Sends a request and completes when the head of the answer is there. An answer of any status is `Ok`; an `Err` is
    /// [`Network`](crate::ErrorKind::Network), [`Deadline`](crate::ErrorKind::Deadline) or
    /// [`Cancelled`](crate::ErrorKind::Cancelled). Dropping the future aborts the request.
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response>>;
}

impl Response {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
