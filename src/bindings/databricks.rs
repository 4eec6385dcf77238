//! The door of the package's second module, `lakelet/databricks`: operations of a workspace by name. It holds no programs, and who needs
//! only programs does not load it.

mod resolve;

use std::cell::RefCell;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Aborted, abortable};
use js_sys::{Function, Uint8Array};
use serde_json::{Map, Value as Json, json};
use wasm_bindgen::prelude::*;

pub use resolve::resolve;

use super::wasm;
use super::wasm::errors::thrown;
use super::wasm::store::Store;
use crate::databricks::Workspace;
use crate::databricks::operations::{self, Arguments, Outcome};
use crate::databricks::wait::{Progress, Tell};
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// A workspace whose operations are called.
#[wasm_bindgen]
pub struct Platform {
    workspace: Workspace,
}

#[wasm_bindgen]
impl Platform {
    /// What [`wasm::open`] takes, the options as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, fetch: Option<Function>, tokens: Option<Function>) -> std::result::Result<Self, JsValue> {
        let open = || wasm::open(&members(options)?, fetch, tokens);
        open().map(|workspace| Self { workspace }).map_err(|error| thrown(&error))
    }

    /// Looks for tokens in a store before it fetches them, and keeps them there.
    pub fn keep_tokens(&mut self, store: &Store) {
        self.workspace = self.workspace.clone().with_token_store(Rc::clone(&store.cache));
    }

    /// An operation that is to be called: its arguments as JSON text, with bytes beside them. `tell` is told the progress as JSON text.
    pub fn operation(&self, name: String, arguments: String, bytes: Vec<u8>, tell: Option<Function>) -> Operation {
        let workspace = self.workspace.clone();
        let (call, giving_up) = abortable(async move {
            let arguments = Arguments::read(&arguments, bytes)?;
            operations::call(&workspace, &name, arguments, tell.map(telling)).await
        });
        Operation { call: RefCell::new(Some(call.boxed_local())), giving_up }
    }
}

type Called = std::result::Result<Result<Outcome>, Aborted>;

/// An operation that is called once, and can be given up at any time.
#[wasm_bindgen]
pub struct Operation {
    call: RefCell<Option<LocalBoxFuture<'static, Called>>>,
    giving_up: AbortHandle,
}

#[wasm_bindgen]
impl Operation {
    /// Calls it. The result is JSON text, or bytes.
    pub async fn run(&self) -> std::result::Result<JsValue, JsValue> {
        let given_up = || Err(Error::new(ErrorKind::Cancelled, "the call was cancelled"));
        let call = self.call.borrow_mut().take();
        let outcome = match call {
            Some(call) => call.await.unwrap_or_else(|_| given_up()),
            None => given_up(),
        };
        match outcome.map_err(|error| thrown(&error))? {
            Outcome::Json(json) => Ok(json::text(&json).into()),
            Outcome::Bytes(bytes) => Ok(Uint8Array::from(bytes.as_slice()).into()),
        }
    }

    /// Ends the call with whatever is under way.
    pub fn give_up(&self) {
        self.giving_up.abort();
    }
}

fn members(text: &str) -> Result<Map<String, Json>> {
    match json::read(text) {
        Ok(Json::Object(members)) => Ok(members),
        _ => Err(Error::new(ErrorKind::Config, "the options are not an object")),
    }
}

fn telling(function: Function) -> Tell {
    Rc::new(move |Progress { state, message, elapsed_ms }| {
        let told = json!({"state": state, "message": message, "elapsedMs": elapsed_ms});
        _ = function.call1(&JsValue::NULL, &json::text(&told).into()); // a listener that throws ends nothing
    })
}
