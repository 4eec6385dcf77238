//! What happens when the core stops: the package is told, so that nothing waits for it any longer.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

thread_local! {
    static LISTENER: RefCell<Option<js_sys::Function>> = const { RefCell::new(None) };
}

/// Sets who is told of a panic, after which no call of this instance works any more.
#[wasm_bindgen]
pub fn on_crash(listener: js_sys::Function) {
    LISTENER.with(|it| it.replace(Some(listener)));
    std::panic::set_hook(Box::new(|panic| {
        if let Some(listener) = LISTENER.with(|it| it.take()) {
            let _ = listener.call1(&JsValue::NULL, &JsValue::from_str(&panic.to_string()));
        }
    }));
}
