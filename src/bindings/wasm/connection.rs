//! How a workspace is opened from the options of the package's `Workspace`.

use std::rc::Rc;

use js_sys::Function;
use serde_json::{Map, Value as Json};

use super::tokens::JsTokens;
use crate::databricks::{Credential, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Policy;
use crate::platform::js;

/// `{address, token?, clientId?, clientSecret?, scopes?, exchange?, workspaceId?, tries?, longestCallMs?}`; the `fetch` to use if not the global one; and
/// where tokens come from: to be sent as they are, or, with `exchange`, to be traded in.
pub(in crate::bindings) fn open(
    options: &Map<String, Json>,
    fetch: Option<Function>,
    tokens: Option<Function>,
) -> Result<Workspace> {
    let text = |name: &str| match options.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(name, "text")),
    };
    let number = |name: &str| match options.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(number) => number.as_f64().map(Some).ok_or_else(|| wrong(name, "a number")),
    };
    let scopes = match options.get("scopes") {
        None | Some(Json::Null) => None,
        Some(Json::Array(scopes)) => Some(scopes.iter().filter_map(Json::as_str)),
        Some(_) => return Err(wrong("scopes", "a list of texts")),
    };
    let is_exchanged = options.get("exchange") == Some(&Json::Bool(true));
    let tokens = tokens.map(|tokens| Rc::new(JsTokens(tokens)));
    let credential = match (text("token")?, text("clientId")?, text("clientSecret")?, tokens) {
        (Some(token), None, None, None) => Credential::token(token),
        (None, Some(id), Some(secret), None) => Credential::client(id, secret),
        (None, id, None, Some(subject)) if is_exchanged => Credential::federated(id, subject),
        (None, None, None, Some(tokens)) => Credential::Host(tokens),
        (None, None, None, None) => Credential::None,
        _ => {
            return Err(Error::new(ErrorKind::Config, "the workspace is given half a credential, or two").with_hint(
                "give either `token`, or `clientId` and `clientSecret`, or `subjectToken`, or none of them behind a gateway",
            ));
        }
    };
    let credential = match scopes {
        Some(scopes) => credential.with_scopes(scopes),
        None => credential,
    };
    let mut workspace = Workspace::new(text("address")?.unwrap_or_default(), credential, js::host(fetch)?)?;
    if let Some(id) = text("workspaceId")? {
        workspace = workspace.with_id(id)?;
    }
    if let Some(tries) = number("tries")? {
        let whole = (0.0..=f64::from(u32::MAX)).contains(&tries) && tries.fract() == 0.0;
        let tries = if whole { tries as u32 } else { return Err(wrong("tries", "0 or more")) };
        workspace = workspace.with_retries(Policy { tries, ..Policy::default() });
    }
    if let Some(ms) = number("longestCallMs")? {
        workspace = workspace.with_longest_call_ms(ms);
    }
    Ok(workspace)
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the option `{name}` must be {what}")).at_field(name)
}
