//! Errors on their way out.

use std::rc::Rc;

use js_sys::Array;
use serde_json::Value as Json;
use wasm_bindgen::JsValue;

use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::platform::js::{member, settled};
use crate::report;

/// The error as `readError` in `js/src/errors.ts` reads it: as JSON text, or as that and what a function of the caller's threw.
pub(in crate::bindings) fn thrown(error: &Error) -> JsValue {
    let text = JsValue::from_str(&json::text(&Json::Object(report::error(error))));
    match error.source().and_then(|source| source.downcast_ref::<JsValue>()) {
        Some(source) => Array::of2(&text, source).into(),
        None => text,
    }
}

/// What a function of the caller's threw.
pub(in crate::bindings) fn from_thrown(thrown: &JsValue) -> Error {
    let text = |name: &str| member(thrown, name).as_string();
    let message = thrown.as_string().or_else(|| text("message")).unwrap_or_else(|| "the function threw".to_owned());
    let kind = match text("name").as_deref() {
        Some("AbortError") => ErrorKind::Cancelled,
        Some("TimeoutError") => ErrorKind::Deadline,
        _ => text("code").and_then(|code| ErrorKind::named(&code)).unwrap_or(ErrorKind::Server),
    };
    Error::new(kind, message).with_source(Rc::new(thrown.clone()))
}

/// What the promise of a function came to.
pub(in crate::bindings) async fn answered(called: std::result::Result<JsValue, JsValue>) -> Result<JsValue> {
    let promise = called.map_err(|thrown| from_thrown(&thrown))?;
    settled(&promise).await.map_err(|thrown| from_thrown(&thrown))
}
