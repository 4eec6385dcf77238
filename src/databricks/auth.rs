//! Credentials: personal access tokens, OAuth for service principals, or none where a gateway adds it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::FutureExt;
use futures_util::future::Shared;

use super::error::{self, Refusal, Target};
use super::tokens::TokenStore;
use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::http::Request;
use crate::http::deadline::Deadline;
use crate::json;

/// A token that lives an hour is renewed a minute early, a shorter one when half its life is over.
const SKEW_MS: f64 = 60_000.0;
/// How long the token endpoint may take.
const LONGEST_REFRESH_MS: f64 = 60_000.0;

/// A text that is never shown: its `Debug` form is `***`.
#[derive(Clone)]
pub struct Secret(String);

impl From<&str> for Secret {
    /// Takes the text without surrounding white space, which comes with files and copied lines.
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What to show to the workspace.
///
/// ```
/// use lakelet::databricks::Credential;
/// let credential = Credential::client("a-client-id", "a-secret");
/// assert!(!format!("{credential:?}").contains("a-secret"));
/// ```
#[derive(Clone, Debug)]
pub enum Credential {
    /// Nothing: the address is a gateway's, which adds the credential.
    None,
    /// A personal access token, or an OAuth token that someone else keeps fresh (`DATABRICKS_TOKEN`).
    Token(Secret),
    /// A service principal (`DATABRICKS_CLIENT_ID`, `DATABRICKS_CLIENT_SECRET`), by OAuth's client-credentials grant.
    Client { id: String, secret: Secret },
}

impl Credential {
    /// A personal access token.
    pub fn token(token: &str) -> Self {
        Self::Token(token.into())
    }

    /// A service principal's client id and secret.
    pub fn client(id: &str, secret: &str) -> Self {
        Self::Client { id: id.trim().to_owned(), secret: secret.into() }
    }
}

/// Which credential is used, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthKind {
    None,
    Token,
    Client,
}

type Refresh = Shared<LocalBoxFuture<'static, Result<Token>>>;

#[derive(Clone)]
pub(crate) struct Token {
    pub text: Rc<str>,
    pub renew_at_ms: f64,
}

pub(crate) enum State {
    Empty,
    /// One refresh at a time: whoever needs the token waits for the same one, and whoever stops waiting leaves it to the others.
    /// When everyone has stopped waiting nobody moves it on, so it is only joined while it is fresh.
    Refreshing {
        refresh: Refresh,
        since_ms: f64,
    },
    Ready(Token),
}

/// A credential at work.
pub(crate) enum Auth {
    None,
    Token(Rc<str>),
    Client { refresh: Rc<TokenRequest>, state: RefCell<State>, refused: RefCell<Option<Rc<str>>> },
}

/// What every refresh sends, and where others may have kept a token.
#[derive(Clone)]
pub(crate) struct TokenRequest {
    base: String,
    id: String,
    basic: String,
    secret: Secret,
    kept: Option<TokenStore>,
}

impl Auth {
    pub fn new(credential: Credential, base: &str) -> Result<Self> {
        match credential {
            Credential::None => Ok(Self::None),
            Credential::Token(token) => {
                check(&token.0, "DATABRICKS_TOKEN")?;
                Ok(Self::Token(token.0.into()))
            }
            Credential::Client { id, secret } => {
                check(&id, "DATABRICKS_CLIENT_ID")?;
                check(&secret.0, "DATABRICKS_CLIENT_SECRET")?;
                let basic = base64(format!("{id}:{}", secret.0).as_bytes());
                Ok(Self::client(TokenRequest { base: base.to_owned(), id, basic, secret, kept: None }))
            }
        }
    }

    fn client(refresh: TokenRequest) -> Self {
        Self::Client { refresh: Rc::new(refresh), state: RefCell::new(State::Empty), refused: RefCell::default() }
    }

    /// The same credential, whose tokens are looked for in a store before they are fetched, and kept there.
    pub fn keeping(&self, store: Rc<dyn Cache>) -> Self {
        match self {
            Self::None => Self::None,
            Self::Token(token) => Self::Token(token.clone()),
            Self::Client { refresh, .. } => {
                let kept = Some(TokenStore::new(store, &refresh.base, &refresh.id));
                Self::client(TokenRequest { kept, ..TokenRequest::clone(refresh) })
            }
        }
    }

    pub fn kind(&self) -> AuthKind {
        match self {
            Self::None => AuthKind::None,
            Self::Token(_) => AuthKind::Token,
            Self::Client { .. } => AuthKind::Client,
        }
    }

    /// The bearer token to send, fetched or renewed first where needed.
    pub async fn bearer(&self, host: &Host) -> Result<Option<Rc<str>>> {
        let (request, state, refused) = match self {
            Self::None => return Ok(None),
            Self::Token(token) => return Ok(Some(token.clone())),
            Self::Client { refresh, state, refused } => (refresh, state, refused),
        };
        let refresh = {
            let now = host.clock.now_ms();
            let mut state = state.borrow_mut();
            match &*state {
                State::Ready(token) if now < token.renew_at_ms => return Ok(Some(token.text.clone())),
                State::Refreshing { refresh, since_ms } if now < since_ms + LONGEST_REFRESH_MS => refresh.clone(),
                _ => {
                    let refused = refused.borrow().clone();
                    let refresh = find_token(request.clone(), refused, host.clone()).boxed_local().shared();
                    *state = State::Refreshing { refresh: refresh.clone(), since_ms: now };
                    refresh
                }
            }
        };
        let outcome = refresh.clone().await;
        let mut state = state.borrow_mut();
        if matches!(&*state, State::Refreshing { refresh: current, .. } if current.ptr_eq(&refresh)) {
            *state = match &outcome {
                Ok(token) => State::Ready(token.clone()),
                Err(_) => State::Empty,
            };
        }
        outcome.map(|token| Some(token.text))
    }

    /// Drops a token that the workspace refused, unless it was renewed meanwhile; says whether another can be fetched.
    pub fn forget(&self, token: &str) -> bool {
        let Self::Client { state, refused, .. } = self else {
            return false;
        };
        let mut state = state.borrow_mut();
        if matches!(&*state, State::Ready(current) if &*current.text == token) {
            *state = State::Empty;
        }
        refused.replace(Some(token.into()));
        true
    }
}

/// A token that someone else has kept, unless it is the one that was refused, or a new one.
async fn find_token(request: Rc<TokenRequest>, refused: Option<Rc<str>>, host: Host) -> Result<Token> {
    let Some(kept) = &request.kept else {
        return fetch_token(&request, host).await;
    };
    if let Some(token) = kept.find(host.clock.now_ms()).await.filter(|it| Some(&it.text) != refused.as_ref()) {
        return Ok(token);
    }
    let token = fetch_token(&request, host).await?;
    kept.keep(&token).await;
    Ok(token)
}

/// Asks the workspace's token endpoint, `POST {host}/oidc/v1/token`. Databricks' SDKs look this address up in two documents
/// first; for a workspace these always name it, and not asking spares two round trips and a way to lead the secret astray.
async fn fetch_token(request: &TokenRequest, host: Host) -> Result<Token> {
    let asked_at = host.clock.now_ms();
    let mut deadline = Deadline::new(host.clock.clone(), None, LONGEST_REFRESH_MS);
    let send = host.fetch.send(Request {
        method: "POST",
        url: format!("{}/oidc/v1/token", request.base),
        headers: vec![
            ("accept".into(), "application/json".to_owned()),
            ("content-type".into(), "application/x-www-form-urlencoded".to_owned()),
            ("authorization".into(), format!("Basic {}", request.basic)),
        ],
        body: b"grant_type=client_credentials&scope=all-apis".to_vec(),
        reads: &[],
    });
    let answer = async {
        let response = send.await.map_err(|error| error::unreachable(&Target::Token, &request.base, error))?;
        if !(200..300).contains(&response.status) {
            let secrets = [request.secret.0.as_str(), request.basic.as_str()];
            let refusal = Refusal::read(response, host.clock.now_ms(), &secrets).await;
            return Err(refusal.into_error(&Target::Token, &request.base, AuthKind::Client));
        }
        response.body.whole().await.map_err(|error| error::cut_short(&Target::Token, error))
    };
    let body = deadline.bound(answer).await?;
    read_token(&body, asked_at).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "the token endpoint's answer holds no `access_token` with its `expires_in`")
            .with_hint("Check that DATABRICKS_HOST is a Databricks workspace.")
    })
}

fn read_token(body: &[u8], asked_at: f64) -> Option<Token> {
    let answer = json::read(body).ok()?;
    let text = answer.get("access_token")?.as_str().filter(|text| is_header_text(text))?;
    let life_ms = answer.get("expires_in")?.as_f64()? * 1000.0;
    Some(Token { text: text.into(), renew_at_ms: asked_at + life_ms - SKEW_MS.min(life_ms / 2.0) })
}

fn check(value: &str, variable: &str) -> Result<()> {
    let problem = if value.is_empty() {
        "is empty"
    } else if !is_header_text(value) {
        "holds characters that cannot be sent"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Config, format!("the credential ({variable}) {problem}"))
        .with_hint(format!("Set {variable} to the value that the workspace showed when it was made.")))
}

pub(super) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Base64 with padding (RFC 4648), for Basic authentication.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place <= group.len() { digit as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn credentials_that_cannot_be_right_name_their_variable() {
        for (credential, variable) in [
            (Credential::token(" \n"), "DATABRICKS_TOKEN"),
            (Credential::token("da pi"), "DATABRICKS_TOKEN"),
            (Credential::client("", "s"), "DATABRICKS_CLIENT_ID"),
            (Credential::client("id", "ü"), "DATABRICKS_CLIENT_SECRET"),
        ] {
            let error = Auth::new(credential, "https://x").err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().contains(variable), "{error}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let token = |life| read_token(format!(r#"{{"access_token":"t","expires_in":{life}}}"#).as_bytes(), 1000.0);
        assert_eq!(token(3600).unwrap().renew_at_ms, 1000.0 + 3_540_000.0);
        assert_eq!(token(10).unwrap().renew_at_ms, 1000.0 + 5000.0);
        assert!(read_token(br#"{"access_token":"t"}"#, 0.0).is_none());
    }
}
