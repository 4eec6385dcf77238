//! How tokens are asked for: the grants of OAuth's token endpoint, and the host.

use std::rc::Rc;

use super::{AuthKind, HostToken, LONGEST_REFRESH_MS, Secret, Token, TokenSource, check, is_header_text};
use crate::cache::Cache;
use crate::databricks::error::{self, Refusal, Target};
use crate::databricks::tokens::TokenStore;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::http::deadline::Deadline;
use crate::http::{Request, url};
use crate::json;

/// A token that lives an hour is renewed a minute early, a shorter one when half its life is over.
const SKEW_MS: f64 = 60_000.0;

/// Where tokens come from.
#[derive(Clone)]
pub(super) enum Grant {
    /// The service principal shows its secret.
    Client {
        endpoint: Endpoint,
        id: String,
        basic: String,
        secret: Secret,
    },
    /// A token of another issuer is traded in (RFC 8693).
    Exchange {
        endpoint: Endpoint,
        client_id: Option<String>,
        subject: Rc<dyn TokenSource>,
    },
    Host(Rc<dyn TokenSource>),
}

/// The token endpoint of a workspace, and what its tokens are to be good for.
#[derive(Clone)]
pub(super) struct Endpoint {
    base: String,
    scope: String,
}

impl Grant {
    /// A service principal by its secret.
    pub fn client(base: &str, id: String, secret: Secret, scope: String) -> Result<Self> {
        check(&id, "DATABRICKS_CLIENT_ID")?;
        check(&secret.0, "DATABRICKS_CLIENT_SECRET")?;
        let basic = base64(format!("{id}:{}", secret.0).as_bytes());
        Ok(Self::Client { endpoint: Endpoint::new(base, scope), id, basic, secret })
    }

    /// Another issuer's tokens, for a service principal or for users.
    pub fn exchange(
        base: &str,
        client_id: Option<String>,
        subject: Rc<dyn TokenSource>,
        scope: String,
    ) -> Result<Self> {
        client_id.as_ref().map(|id| check(id, "DATABRICKS_CLIENT_ID")).transpose()?;
        Ok(Self::Exchange { endpoint: Endpoint::new(base, scope), client_id, subject })
    }

    pub fn kind(&self) -> AuthKind {
        match self {
            Self::Client { .. } => AuthKind::Client,
            Self::Exchange { .. } => AuthKind::Federated,
            Self::Host(_) => AuthKind::Host,
        }
    }

    /// Where the tokens of this grant are kept in a store. Those of whom nobody knows by name are not kept, nor the host's own.
    pub fn keep_in(&self, store: Rc<dyn Cache>) -> Option<TokenStore> {
        match self {
            Self::Client { endpoint, id, .. } | Self::Exchange { endpoint, client_id: Some(id), .. } => {
                Some(TokenStore::new(store, &endpoint.base, id, &endpoint.scope))
            }
            Self::Exchange { client_id: None, .. } | Self::Host(_) => None,
        }
    }

    /// A new token.
    pub async fn fetch(&self, host: &Host) -> Result<Token> {
        match self {
            Self::Client { endpoint, basic, secret, .. } => {
                let form = [("grant_type", "client_credentials")];
                endpoint.ask(host, &form, Some(basic), &[&secret.0, basic], AuthKind::Client).await
            }
            Self::Exchange { endpoint, client_id, subject } => {
                let HostToken { token, .. } = subject.token().await?;
                if token.0.is_empty() {
                    return Err(Error::new(ErrorKind::Auth, "there is no token of the other issuer to trade in")
                        .with_hint("Check where it comes from: DATABRICKS_OIDC_TOKEN, or the file that DATABRICKS_OIDC_TOKEN_FILEPATH names."));
                }
                let mut form = vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                    ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                    ("subject_token", &token.0),
                ];
                form.extend(client_id.as_deref().map(|id| ("client_id", id)));
                endpoint.ask(host, &form, None, &[&token.0], AuthKind::Federated).await
            }
            Self::Host(source) => {
                let asked_at = host.clock.now_ms();
                let HostToken { token, expires_in_ms } = source.token().await?;
                if !is_header_text(&token.0) {
                    return Err(Error::new(ErrorKind::Auth, "what the host gave as a token is none")
                        .with_hint("The function must give the token as text, or as `token` with `expiresInMs`."));
                }
                Ok(lasting(&token.0, asked_at, expires_in_ms.unwrap_or_default()))
            }
        }
    }
}

impl Endpoint {
    fn new(base: &str, scope: String) -> Self {
        Self { base: base.to_owned(), scope }
    }

    /// Asks the workspace's token endpoint, `POST {host}/oidc/v1/token`. Databricks' SDKs look this address up in two documents
    /// first; for a workspace these always name it, and not asking spares two round trips and a way to lead the secret astray.
    async fn ask(
        &self,
        host: &Host,
        form: &[(&str, &str)],
        basic: Option<&str>,
        secrets: &[&str],
        kind: AuthKind,
    ) -> Result<Token> {
        let asked_at = host.clock.now_ms();
        let mut deadline = Deadline::new(host.clock.clone(), None, LONGEST_REFRESH_MS);
        let mut headers = vec![
            ("accept".into(), "application/json".to_owned()),
            ("content-type".into(), "application/x-www-form-urlencoded".to_owned()),
        ];
        headers.extend(basic.map(|basic| ("authorization".into(), format!("Basic {basic}"))));
        let fields = form.iter().copied().chain([("scope", self.scope.as_str())]);
        let fields: Vec<String> = fields.map(|(name, value)| format!("{name}={}", url::encoded(value))).collect();
        let send = host.fetch.send(Request {
            method: "POST",
            url: format!("{}/oidc/v1/token", self.base),
            headers,
            body: fields.join("&").into_bytes(),
            reads: &[],
        });
        let answer = async {
            let response = send.await.map_err(|error| error::unreachable(&Target::Token, &self.base, error))?;
            if !(200..300).contains(&response.status) {
                let refusal = Refusal::read(response, host.clock.now_ms(), secrets).await;
                return Err(refusal.into_error(&Target::Token, &self.base, kind));
            }
            response.body.whole().await.map_err(|error| error::cut_short(&Target::Token, error))
        };
        let body = deadline.bound(answer).await?;
        read_token(&body, asked_at).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the token endpoint's answer holds no `access_token` with its `expires_in`")
                .with_hint("Check that DATABRICKS_HOST is a Databricks workspace.")
        })
    }
}

fn read_token(body: &[u8], asked_at: f64) -> Option<Token> {
    let answer = json::read(body).ok()?;
    let text = answer.get("access_token")?.as_str().filter(|text| is_header_text(text))?;
    Some(lasting(text, asked_at, answer.get("expires_in")?.as_f64()? * 1000.0))
}

fn lasting(text: &str, asked_at: f64, life_ms: f64) -> Token {
    Token { text: text.into(), renew_at_ms: asked_at + life_ms - SKEW_MS.min(life_ms / 2.0) }
}

/// Base64 with padding (RFC 4648), for Basic authentication.
pub(in crate::databricks) fn base64(bytes: &[u8]) -> String {
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
    fn a_token_is_renewed_before_it_ends() {
        let token = |life| read_token(format!(r#"{{"access_token":"t","expires_in":{life}}}"#).as_bytes(), 1000.0);
        assert_eq!(token(3600).unwrap().renew_at_ms, 1000.0 + 3_540_000.0);
        assert_eq!(token(10).unwrap().renew_at_ms, 1000.0 + 5000.0);
        assert!(read_token(br#"{"access_token":"t"}"#, 0.0).is_none());
    }
}
