//! What a request must be before anything is done for it.

use futures_util::StreamExt;
use serde_json::{Map, Value as Json};

use super::call::Call;
use super::failure::{Failure, Told};
use super::{Gateway, Request};
use crate::json;

/// Refuses names that the gateway does not go by: a page of another site can have its own name lead here, and would pass for the same
/// origin.
pub(super) fn check_name(gateway: &Gateway, request: &Request) -> Told<()> {
    if gateway.names.iter().any(|name| *name == request.host()) {
        return Ok(());
    }
    Err(Failure::new(421, "MISDIRECTED_REQUEST", "The gateway does not go by this name.")
        .with_hint("Call it by its own name; the list is in the gateway's configuration."))
}

/// Refuses pages of other origins; whoever sends no `Origin` is no page of another origin.
pub(super) fn check_origin(gateway: &Gateway, request: &Request) -> Told<()> {
    match request.header("origin") {
        Some(origin) if origin != request.origin() && !gateway.allowed_origins.contains(&origin) => Err(Failure::new(
            403,
            "PERMISSION_DENIED",
            "Pages of this origin may not call the gateway.",
        )
        .with_hint(
            "Serve the page from the gateway's own origin, or allow the page's origin in the gateway's configuration.",
        )),
        _ => Ok(()),
    }
}

/// The JSON object in the body of a request; read no further than `limit` bytes.
pub(super) async fn read_object(request: &mut Request, limit: usize, call: &Call) -> Told<Map<String, Json>> {
    let given = request.header("content-type").unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Failure::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be JSON.")
            .with_hint("Send the header content-type: application/json."));
    }
    let bytes = read_bytes(request, limit, call).await?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::invalid("The body is not UTF-8."))?;
    match json::read(text.strip_prefix('\u{feff}').unwrap_or(&text)) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Failure::invalid("The body must be a JSON object.")),
        Err(_) => Err(Failure::invalid("The body is not JSON.")),
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
