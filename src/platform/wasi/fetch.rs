//! HTTP over `wasi:http`.
//!
//! A resource of WASI must be dropped before the one that it was made of, or hosts trap. Fields and variables are therefore
//! declared in the order in which they have to go: fields from the inside out, variables from the outside in.

use std::pin::pin;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::future::{Either, select};
use futures_util::stream;

use super::bindings::wasi::http::outgoing_handler::handle;
use super::bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use super::bindings::wasi::io::streams::{InputStream, StreamError};
use super::{failure, ready, streams};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Body, Fetch, Request, Response};

/// The body of a request on its way out.
type Writing = LocalBoxFuture<'static, std::result::Result<(), StreamError>>;

/// [`Fetch`] over `wasi:http/outgoing-handler`. Deadlines are kept by the core, which drops what takes too long: the host's own
/// timeouts stay as they are.
#[derive(Clone, Copy, Debug)]
pub struct WasiFetch;

impl Fetch for WasiFetch {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response>> {
        Box::pin(send(request))
    }
}

async fn send(request: Request) -> Result<Response> {
    let outgoing = head(&request)?;
    let body = outgoing.body().map_err(|()| failure::invalid("body"))?;
    let answer = handle(outgoing, None).map_err(|code| failure::of_request(&code))?;
    let writing: Writing = Box::pin(write(body, request.body));
    match select(writing, pin!(ready(answer.subscribe()))).await {
        // When writing fails, the answer says why.
        Either::Left((_, answered)) => {
            answered.await;
            read(&answer, None)
        }
        // A service may answer before it has read everything; a body that is dropped unfinished would take the answer along.
        Either::Right((_, writing)) => read(&answer, Some(writing)),
    }
}

fn head(request: &Request) -> Result<OutgoingRequest> {
    let no_url = || Error::new(ErrorKind::Config, "the address is not an absolute URL");
    let (scheme, rest) = request.url.split_once("://").ok_or_else(no_url)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let headers = Fields::new();
    let length = ("content-length".into(), request.body.len().to_string());
    for (name, value) in request.headers.iter().chain([&length]) {
        let value = value.clone().into_bytes();
        headers.append(name, &value).map_err(|_| failure::invalid("headers"))?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
    outgoing.set_method(&method(request.method)).map_err(|()| failure::invalid("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| failure::invalid("scheme"))?;
    outgoing.set_authority(Some(authority)).map_err(|()| failure::invalid("host"))?;
    outgoing.set_path_with_query(Some(path)).map_err(|()| failure::invalid("path"))?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    }
}

async fn write(body: OutgoingBody, bytes: Vec<u8>) -> std::result::Result<(), StreamError> {
    let stream = body.write().map_err(|()| StreamError::Closed)?;
    streams::write(&stream, &bytes).await?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|_| StreamError::Closed)
}

fn read(answer: &FutureIncomingResponse, writing: Option<Writing>) -> Result<Response> {
    let gone = || Error::new(ErrorKind::Network, "the host gave no answer");
    let answer = answer.get().and_then(std::result::Result::ok).ok_or_else(gone)?;
    let response = answer.map_err(|code| failure::of_request(&code))?;
    let headers = response.headers().entries().into_iter();
    let headers =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()));
    let (status, headers) = (response.status(), headers.collect());
    let body = response.consume().map_err(|()| gone())?;
    let stream = body.stream().map_err(|()| gone())?;
    Ok(Response {
        status,
        headers,
        body: Box::new(WasiBody { stream, _body: body, _response: response, _writing: writing }),
    })
}

struct WasiBody {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
    /// The request's body, when the service answered before it had read it.
    _writing: Option<Writing>,
}

impl Body for WasiBody {
    fn whole(self: Box<Self>) -> LocalBoxFuture<'static, Result<Vec<u8>>> {
        Box::pin(async move {
            let mut whole = Vec::new();
            while let Some(piece) = streams::read(&self.stream).await? {
                whole.extend(piece);
            }
            Ok(whole)
        })
    }

    fn chunks(self: Box<Self>) -> LocalBoxStream<'static, Result<Vec<u8>>> {
        Box::pin(stream::try_unfold(self, |body| async move {
            Ok(streams::read(&body.stream).await?.map(|piece| (piece, body)))
        }))
    }
}
