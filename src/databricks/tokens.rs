//! Tokens that are kept outside of a workspace, so that one that starts anew need not fetch its own.

use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use super::auth::{Token, is_header_text};
use crate::cache::{self, Cache};
use crate::json;

/// Where the tokens of one client of one workspace are kept, with the same scopes.
#[derive(Clone)]
pub(crate) struct TokenStore {
    store: Rc<dyn Cache>,
    key: Rc<str>,
}

impl TokenStore {
    pub fn new(store: Rc<dyn Cache>, base: &str, client_id: &str, scope: &str) -> Self {
        let named = [("token_of", base), ("client_id", client_id), ("scope", scope)];
        let named: Map<String, Json> = named.map(|(name, text)| (name.to_owned(), text.into())).into_iter().collect();
        Self { store, key: cache::key(&named).into() }
    }

    /// The token that was kept, if it need not be renewed yet. A store that fails has none.
    pub async fn find(&self, now_ms: f64) -> Option<Token> {
        let kept = json::read(&self.store.get(&self.key).await.ok()??).ok()?;
        let text = kept.get("access_token")?.as_str().filter(|text| is_header_text(text))?;
        let renew_at_ms = kept.get("renew_at_ms")?.as_f64().filter(|at| now_ms < *at)?;
        Some(Token { text: text.into(), renew_at_ms })
    }

    pub async fn keep(&self, token: &Token) {
        let kept = json!({ "access_token": &*token.text, "renew_at_ms": token.renew_at_ms });
        _ = self.store.put(&self.key, json::text(&kept)).await; // the token is there, kept or not
    }
}
