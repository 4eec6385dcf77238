//! Requests on their way in.

use futures_core::stream::LocalBoxStream;
use futures_util::stream;

use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Request;
use crate::platform::wasi::bindings::wasi::http::types::{IncomingBody, IncomingRequest, Method, Scheme};
use crate::platform::wasi::bindings::wasi::io::streams::InputStream;
use crate::platform::wasi::streams;

/// The request, its body still to be read.
pub(super) fn read(request: IncomingRequest) -> Request {
    let headers = request.headers().entries().into_iter();
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let named = headers.iter().find(|(name, _)| name == "host").map(|(_, host)| host.clone());
    Request {
        method: method(request.method()),
        scheme: if matches!(request.scheme(), Some(Scheme::Https)) { "https" } else { "http" },
        authority: request.authority().or(named).unwrap_or_default(),
        target: request.path_with_query().unwrap_or_default(),
        headers,
        body: body(request),
    }
}

fn method(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}

/// A body that is read. What was made of another one is dropped before it.
struct Reading {
    stream: InputStream,
    _body: IncomingBody,
    _request: IncomingRequest,
}

fn body(request: IncomingRequest) -> LocalBoxStream<'static, Result<Vec<u8>>> {
    let opened = request.consume().and_then(|body| Ok((body.stream()?, body)));
    match opened {
        Ok((stream, body)) => {
            let reading = Reading { stream, _body: body, _request: request };
            Box::pin(stream::try_unfold(reading, |reading| async move {
                Ok(streams::read(&reading.stream).await?.map(|piece| (piece, reading)))
            }))
        }
        Err(()) => Box::pin(stream::iter([Err(Error::new(ErrorKind::Network, "the body cannot be read"))])),
    }
}
