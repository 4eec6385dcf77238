//! Presigned links to cloud storage. Whoever has one may use it until it expires: the workspace's credential is never sent along.

use serde_json::Value as Json;

use super::Workspace;
use super::auth::AuthKind;
use super::error::{Refusal, Target, cut_short};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url::{self, PlainHttp};
use crate::http::{Request, Response};

/// A link, and the headers that have to be sent with it. Both are secrets.
#[derive(Clone)]
pub(crate) struct Link {
    url: String,
    headers: Vec<(String, String)>,
}

impl Link {
    /// A link with its headers, an object of texts.
    pub fn new(url: &str, headers: Option<&Json>) -> Self {
        let headers = headers.and_then(Json::as_object).into_iter().flatten();
        let headers = headers.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
        Self { url: url.to_owned(), headers: headers.collect() }
    }

    fn request(&self, method: &'static str, body: Vec<u8>) -> Request {
        let headers = self.headers.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        Request { method, url: self.url.clone(), headers, body, reads: &[] }
    }
}

impl Workspace {
    /// What lies behind a link.
    ///
    /// # Errors
    /// What the storage says when it refuses, which it does once the link has expired.
    pub(crate) async fn fetch_link(&self, link: &Link, target: &Target) -> Result<Vec<u8>> {
        self.follow("GET", link, Vec::new(), target).await
    }

    /// Writes what is to lie behind a link.
    ///
    /// # Errors
    /// As [`fetch_link`](Self::fetch_link).
    pub(crate) async fn put_link(&self, link: &Link, content: Vec<u8>, target: &Target) -> Result<()> {
        self.follow("PUT", link, content, target).await.map(drop)
    }

    async fn follow(&self, method: &'static str, link: &Link, body: Vec<u8>, target: &Target) -> Result<Vec<u8>> {
        self.check(link, target)?;
        let mut deadline = self.deadline(None);
        let tries = self.retry(deadline.at_ms(), || {
            let (host, request, target) = (self.host.clone(), link.request(method, body.clone()), target.clone());
            Box::pin(async move {
                let response = host.fetch.send(request).await.map_err(|error| unreachable(&target, error))?;
                if !(200..300).contains(&response.status) {
                    let refusal = Refusal::read(response, host.clock.now_ms(), &[]).await;
                    return Err(refusal.into_error(&target, "", AuthKind::None).with_hint(HINT));
                }
                let Response { body, .. } = response;
                body.whole().await.map_err(|error| cut_short(&target, error))
            })
        });
        deadline.bound(tries).await
    }

    /// A link is followed over `https`; over plain `http` as the workspace itself, or to this machine.
    fn check(&self, link: &Link, target: &Target) -> Result<()> {
        let plain_http = if self.base.starts_with("http://") { PlainHttp::Anywhere } else { PlainHttp::Loopback };
        let sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let headers = link.headers.iter().all(|(name, value)| sendable(name) && sendable(value));
        if headers && link.url.contains("://") && url::base(&link.url, plain_http).is_ok() {
            return Ok(());
        }
        let message =
            format!("{}: the link to cloud storage is not one that can be followed safely", target.describe());
        Err(Error::new(ErrorKind::Protocol, message).with_hint("Check that DATABRICKS_HOST is your workspace."))
    }
}

const HINT: &str = "The link to cloud storage may have expired: links are good for minutes.";

fn unreachable(target: &Target, error: Error) -> Error {
    if error.kind() != ErrorKind::Network {
        return error;
    }
    let message = format!("{}: no answer from the cloud storage: {}", target.describe(), error.message());
    Error::new(ErrorKind::Network, message).with_hint(
        "The workspace's cloud storage must be reachable from here; for a page it must also allow the page's origin (CORS).",
    )
}
