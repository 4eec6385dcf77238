//! Where answers of models are kept.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::errors::answered;
use crate::cache::{Cache, Memory};
use crate::error::Result;

/// A store of texts by key.
#[wasm_bindgen]
pub struct Store {
    pub(in crate::bindings) cache: Rc<dyn Cache>,
}

#[wasm_bindgen]
impl Store {
    /// The memory of this instance.
    pub fn memory() -> Self {
        Self { cache: Rc::new(Memory::default()) }
    }

    /// The same store, to be given away.
    pub fn copy(&self) -> Self {
        Self { cache: Rc::clone(&self.cache) }
    }

    /// Functions to promises: from a key to a text or `undefined`, and from a key and a text.
    pub fn of(get: Function, put: Function) -> Self {
        Self { cache: Rc::new(JsStore { get, put }) }
    }
}

struct JsStore {
    get: Function,
    put: Function,
}

impl Cache for JsStore {
    fn get(&self, key: &str) -> LocalBoxFuture<'static, Result<Option<String>>> {
        let found = self.get.call1(&JsValue::NULL, &key.into());
        Box::pin(async move { Ok(answered(found).await?.as_string()) })
    }

    fn put(&self, key: &str, text: String) -> LocalBoxFuture<'static, Result<()>> {
        let kept = self.put.call2(&JsValue::NULL, &key.into(), &text.into());
        Box::pin(async move { answered(kept).await.map(drop) })
    }
}
