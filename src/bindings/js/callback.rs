//! Functions of the caller's that the core calls with values.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::custom::Opened;
use super::errors::from_thrown;
use super::{records, values};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Map, Value};

/// Records as a function is given them: JSON text that `opened` in `js/src/types.ts` reads.
pub(super) fn given(records: &[&Map], opened: Opened) -> JsValue {
    let records = records.iter().map(|record| Value::Dict((*record).clone())).collect();
    records::records(records, opened).into()
}

/// The record of an answer: a function that writes it into the buffer, and tells its length.
pub(super) fn record(answer: &JsValue) -> Result<Map> {
    let write = answer.dyn_ref::<Function>();
    let length = write.map(|write| write.call0(&JsValue::NULL).map_err(|thrown| from_thrown(&thrown))).transpose()?;
    match length.and_then(|length| length.as_f64()) {
        Some(length) => values::record(length as usize),
        None => Err(Error::new(ErrorKind::Protocol, "the function gave no record")),
    }
}
