//! What a request must be before anything is done for it.

use std::pin::pin;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use serde_json::{Map, Value as Json};

use super::call::Call;
use super::failure::{Failure, Told};
use super::{Gateway, Limits, Request};
use crate::json;
use crate::time::Clock;

/// Deeper JSON is not handed on.
const DEEPEST: usize = 64;

/// Refuses names that the gateway does not go by: a page of another site can have its own name lead here, and would pass for the same
/// origin. Who gives two names gives none.
pub(super) fn check_name(gateway: &Gateway, request: &Request) -> Told<()> {
    let named_twice = request.headers.iter().filter(|(name, _)| name == "host").count() > 1;
    if !named_twice && gateway.names.iter().any(|name| *name == request.host()) {
        return Ok(());
    }
    Err(Failure::new(421, "MISDIRECTED_REQUEST", "The gateway does not go by this name.")
        .with_hint("Call it by its own name; the list is in the gateway's configuration."))
}

/// Refuses pages of other origins, by `Origin`, or by `Sec-Fetch-Site` where a page had the browser leave that out. Whoever sends
/// neither is no page.
pub(super) fn check_origin(gateway: &Gateway, request: &Request) -> Told<()> {
    let known = match request.header("origin") {
        Some(origin) => origin == request.origin() || gateway.allowed_origins.contains(&origin),
        None => matches!(request.header("sec-fetch-site").as_deref(), None | Some("same-origin" | "none")),
    };
    if known {
        return Ok(());
    }
    Err(Failure::new(403, "PERMISSION_DENIED", "Pages of this origin may not call the gateway.").with_hint(
        "Serve the page from the gateway's own origin, or allow the page's origin in the gateway's configuration.",
    ))
}

/// The JSON object in the body of a request; read no further than the limits.
pub(super) async fn read_object(
    request: &mut Request,
    limits: Limits,
    clock: &dyn Clock,
    call: &Call,
) -> Told<Map<String, Json>> {
    let given = request.header("content-type").unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Failure::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be JSON.")
            .with_hint("Send the header content-type: application/json."));
    }
    let late = clock.sleep(limits.body_ms);
    let bytes = match select(pin!(read_bytes(request, limits.body_bytes, call)), late).await {
        Either::Left((read, _)) => read?,
        Either::Right(_) => {
            let message = format!("The body did not arrive within {} s.", limits.body_ms / 1000.0);
            return Err(Failure::new(408, "REQUEST_TIMEOUT", message).with_hint("Try again."));
        }
    };
    let text = String::from_utf8(bytes).map_err(|_| Failure::invalid("The body is not UTF-8."))?;
    match json::read(text.strip_prefix('\u{feff}').unwrap_or(&text)) {
        Ok(json) if is_deeper(&json, DEEPEST) => {
            Err(Failure::invalid(format!("The body is nested more than {DEEPEST} levels deep.")))
        }
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Failure::invalid("The body must be a JSON object.")),
        Err(_) => Err(Failure::invalid("The body is not JSON.")),
    }
}

fn is_deeper(json: &Json, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return json.is_object() || json.is_array() };
    match json {
        Json::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        Json::Object(members) => members.values().any(|member| is_deeper(member, below)),
        _ => false,
    }
}

async fn read_bytes(request: &mut Request, limit: usize, call: &Call) -> Told<Vec<u8>> {
    let too_large = || {
        let message = format!("The body is larger than {limit} bytes.");
        Failure::new(413, "REQUEST_TOO_LARGE", message).with_hint("Send less at a time.")
    };
    let announced = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(piece) = request.body.next().await {
        bytes.extend(piece.map_err(|error| call.failed(&error))?);
        if bytes.len() > limit {
            return Err(too_large());
        }
    }
    Ok(bytes)
}

/// The member, which must be an object.
pub(super) fn object_member<'a>(body: &'a Map<String, Json>, name: &str) -> Told<&'a Map<String, Json>> {
    let member = body.get(name).and_then(Json::as_object);
    member.ok_or_else(|| Failure::invalid(format!("`{name}` must be an object.")))
}

/// Refuses members that are not known: what was not understood must not be passed on.
pub(super) fn only_members(body: &Map<String, Json>, known: &[&str]) -> Told<()> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Failure::invalid(format!("The gateway passes on no `{}`.", shortened(name)))
            .with_hint(format!("It knows {}.", known.join(", ")))),
    }
}

/// What a stranger wrote, cut to what fits in a message.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
