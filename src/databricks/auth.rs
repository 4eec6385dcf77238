//! Credentials: tokens that stand or come from the host, OAuth for service principals and for other issuers' tokens, or none where a
//! gateway adds it.

mod grant;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::FutureExt;
use futures_util::future::Shared;

use super::tokens::TokenStore;
use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use grant::Grant;
pub(super) use grant::base64;

/// How long the token endpoint may take.
const LONGEST_REFRESH_MS: f64 = 60_000.0;
/// What tokens are good for unless told otherwise.
const ALL_APIS: &str = "all-apis";

/// A text that is never shown: its `Debug` form is `***`.
#[derive(Clone, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for who hands it on.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

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

/// Where the host has tokens from: a sign-in of its own, a file that someone keeps fresh, another service.
pub trait TokenSource {
    /// The token that is good now.
    fn token(&self) -> LocalBoxFuture<'static, Result<HostToken>>;
}

/// A token of a [`TokenSource`].
#[derive(Clone, Debug)]
pub struct HostToken {
    pub token: Secret,
    /// For how long it is good. It is asked for again shortly before; before every request when nobody knows.
    pub expires_in_ms: Option<f64>,
}

/// What to show to the workspace.
///
/// ```
/// use lakelet::databricks::Credential;
/// let credential = Credential::client("a-client-id", "a-secret").with_scopes(["model-serving", "vector-search"]);
/// assert!(!format!("{credential:?}").contains("a-secret"));
/// ```
#[derive(Clone)]
pub enum Credential {
    /// Nothing: the address is a gateway's, which adds the credential.
    None,
    /// A personal access token, or an OAuth token that someone else keeps fresh (`DATABRICKS_TOKEN`).
    Token(Secret),
    /// A service principal (`DATABRICKS_CLIENT_ID`, `DATABRICKS_CLIENT_SECRET`), by OAuth's client-credentials grant. `scope` is what its
    /// tokens are good for, with spaces between.
    Client { id: String, secret: Secret, scope: String },
    /// Token federation: a token of an issuer that the account trusts is traded for Databricks' own, for a service principal or,
    /// without its client id, for the user whom it names. The issuer's token is asked for anew each time.
    Federated { client_id: Option<String>, scope: String, subject: Rc<dyn TokenSource> },
    /// Tokens that the host has.
    Host(Rc<dyn TokenSource>),
}

impl Credential {
    /// A personal access token.
    pub fn token(token: &str) -> Self {
        Self::Token(token.into())
    }

    /// A service principal's client id and secret.
    pub fn client(id: &str, secret: &str) -> Self {
        Self::Client { id: id.trim().to_owned(), secret: secret.into(), scope: ALL_APIS.to_owned() }
    }

    /// Tokens of another issuer, for the service principal of a client id, or for users.
    pub fn federated(client_id: Option<&str>, subject: Rc<dyn TokenSource>) -> Self {
        Self::Federated { client_id: client_id.map(|id| id.trim().to_owned()), scope: ALL_APIS.to_owned(), subject }
    }

    /// What OAuth tokens are asked for instead of all APIs: a service principal's secret may have been given fewer scopes.
    pub fn with_scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        if let Self::Client { scope, .. } | Self::Federated { scope, .. } = &mut self {
            let mut names: Vec<String> = scopes.into_iter().map(|name| name.as_ref().to_owned()).collect();
            names.sort_unstable();
            names.dedup();
            *scope = names.join(" ");
        }
        self
    }

    fn kind(&self) -> AuthKind {
        match self {
            Self::None => AuthKind::None,
            Self::Token(_) => AuthKind::Token,
            Self::Client { .. } => AuthKind::Client,
            Self::Federated { .. } => AuthKind::Federated,
            Self::Host(_) => AuthKind::Host,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?})", self.kind())
    }
}

/// Which credential is used, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthKind {
    None,
    Token,
    Client,
    Federated,
    Host,
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
    /// Tokens that end, fetched when they are needed.
    Fetched {
        source: Rc<Source>,
        state: RefCell<State>,
        refused: RefCell<Option<Rc<str>>>,
    },
}

/// How tokens are fetched, and where others may have kept one.
pub(crate) struct Source {
    grant: Grant,
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
            Credential::Client { id, secret, scope } => {
                Ok(Self::fetched(Grant::client(base, id, secret, scope)?, None))
            }
            Credential::Federated { client_id, scope, subject } => {
                Ok(Self::fetched(Grant::exchange(base, client_id, subject, scope)?, None))
            }
            Credential::Host(source) => Ok(Self::fetched(Grant::Host(source), None)),
        }
    }

    fn fetched(grant: Grant, kept: Option<TokenStore>) -> Self {
        Self::Fetched {
            source: Rc::new(Source { grant, kept }),
            state: RefCell::new(State::Empty),
            refused: RefCell::default(),
        }
    }

    /// The same credential, whose tokens are looked for in a store before they are fetched, and kept there.
    pub fn keeping(&self, store: Rc<dyn Cache>) -> Self {
        match self {
            Self::None => Self::None,
            Self::Token(token) => Self::Token(token.clone()),
            Self::Fetched { source, .. } => Self::fetched(source.grant.clone(), source.grant.keep_in(store)),
        }
    }

    pub fn kind(&self) -> AuthKind {
        match self {
            Self::None => AuthKind::None,
            Self::Token(_) => AuthKind::Token,
            Self::Fetched { source, .. } => source.grant.kind(),
        }
    }

    /// The bearer token to send, fetched or renewed first where needed.
    pub async fn bearer(&self, host: &Host) -> Result<Option<Rc<str>>> {
        let (source, state, refused) = match self {
            Self::None => return Ok(None),
            Self::Token(token) => return Ok(Some(token.clone())),
            Self::Fetched { source, state, refused } => (source, state, refused),
        };
        let refresh = {
            let now = host.clock.now_ms();
            let mut state = state.borrow_mut();
            match &*state {
                State::Ready(token) if now < token.renew_at_ms => return Ok(Some(token.text.clone())),
                State::Refreshing { refresh, since_ms } if now < since_ms + LONGEST_REFRESH_MS => refresh.clone(),
                _ => {
                    let refused = refused.borrow().clone();
                    let refresh = find_token(source.clone(), refused, host.clone()).boxed_local().shared();
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
        let Self::Fetched { state, refused, .. } = self else {
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
async fn find_token(source: Rc<Source>, refused: Option<Rc<str>>, host: Host) -> Result<Token> {
    let Some(kept) = &source.kept else {
        return source.grant.fetch(&host).await;
    };
    if let Some(token) = kept.find(host.clock.now_ms()).await.filter(|it| Some(&it.text) != refused.as_ref()) {
        return Ok(token);
    }
    let token = source.grant.fetch(&host).await?;
    kept.keep(&token).await;
    Ok(token)
}

/// Whether a value can be sent as a header.
pub(super) fn check(value: &str, variable: &str) -> Result<()> {
    let problem = if value.is_empty() {
        "is empty"
    } else if !is_header_text(value) {
        "holds characters that cannot be sent"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Config, format!("{variable} {problem}"))
        .with_hint(format!("Set {variable} to the value as the workspace showed it.")))
}

pub(super) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
