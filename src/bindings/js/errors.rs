//! Errors on their way out.

use std::rc::Rc;

use js_sys::{Array, Reflect};
use serde_json::{Map, Value as Json};
use wasm_bindgen::JsValue;

use crate::error::{Error, ErrorKind, Reply, Service};
use crate::json;

/// The error as `readError` in `js/src/errors.ts` reads it: as JSON text, or as that and what a function of the caller's threw.
pub(super) fn thrown(error: &Error) -> JsValue {
    let text = JsValue::from_str(&json::text(&Json::Object(described(error))));
    match error.source().and_then(|source| source.downcast_ref::<JsValue>()) {
        Some(source) => Array::of2(&text, source).into(),
        None => text,
    }
}

/// What `ErrorDetails` in `js/src/errors.ts` names, and the message.
pub(super) fn described(error: &Error) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("message".to_owned(), error.to_string().into());
    out.insert("code".to_owned(), error.kind().as_str().into());
    out.insert("retryable".to_owned(), error.is_retryable().into());
    let texts = [("hint", error.hint()), ("step", error.step()), ("field", error.field())];
    for (name, text) in texts {
        if let Some(text) = text {
            out.insert(name.to_owned(), text.into());
        }
    }
    if let Some(service) = error.service() {
        describe_service(service, &mut out);
    }
    if let Some(reply) = error.reply() {
        out.insert("reply".to_owned(), describe_reply(reply));
    }
    out
}

fn describe_service(service: &Service, out: &mut Map<String, Json>) {
    out.insert("status".to_owned(), service.status.into());
    for (name, text) in [("errorCode", &service.error_code), ("requestId", &service.request_id)] {
        if !text.is_empty() {
            out.insert(name.to_owned(), text.as_str().into());
        }
    }
    if let Some(ms) = service.retry_after_ms {
        out.insert("retryAfterMs".to_owned(), ms.into());
    }
}

fn describe_reply(reply: &Reply) -> Json {
    let mut out = Map::new();
    for (name, text) in [("adapter", reply.adapter), ("problem", reply.problem), ("text", &reply.text)] {
        out.insert(name.to_owned(), text.into());
    }
    if let Some(fields) = &reply.parsed_fields {
        out.insert("parsedFields".to_owned(), fields.clone().into());
    }
    Json::Object(out)
}

/// What a function of the caller's threw.
pub(super) fn from_thrown(thrown: &JsValue) -> Error {
    let member = |name: &str| Reflect::get(thrown, &JsValue::from_str(name)).ok().and_then(|value| value.as_string());
    let message = thrown.as_string().or_else(|| member("message")).unwrap_or_else(|| "the function threw".to_owned());
    let kind = match member("name").as_deref() {
        Some("AbortError") => ErrorKind::Cancelled,
        Some("TimeoutError") => ErrorKind::Deadline,
        _ => member("code").and_then(|code| ErrorKind::named(&code)).unwrap_or(ErrorKind::Server),
    };
    Error::new(kind, message).with_source(Rc::new(thrown.clone()))
}
