//! Tokens that a function of the caller's gives.

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::JsValue;

use super::errors::answered;
use crate::databricks::{HostToken, TokenSource};
use crate::error::Result;
use crate::platform::js::member;

/// A function to a promise of a token: a text, or `{token, expiresInMs?}`.
pub(super) struct JsTokens(pub Function);

impl TokenSource for JsTokens {
    fn token(&self) -> LocalBoxFuture<'static, Result<HostToken>> {
        let called = self.0.call0(&JsValue::NULL);
        Box::pin(async move {
            let given = answered(called).await?;
            let text = given.as_string().or_else(|| member(&given, "token").as_string()).unwrap_or_default();
            Ok(HostToken { token: text.as_str().into(), expires_in_ms: member(&given, "expiresInMs").as_f64() })
        })
    }
}
