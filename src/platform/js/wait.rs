//! Waiting for JavaScript: promises, answers and timers.
//!
//! One closure serves all of them, told by number which wait is over. A pair of closures for each wait, as `JsFuture` makes
//! them, costs several times as much: the garbage collector has to keep an eye on every one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/platform/host.js")]
extern "C" {
    fn wait(promise: &JsValue, number: u32, settle: &Function);
}

/// What a promise came to: its value, or what was thrown.
type Outcome = std::result::Result<JsValue, JsValue>;

enum Wait {
    Open(Option<Waker>),
    Over(Outcome),
}

#[derive(Default)]
struct Waits {
    last: u32,
    open: HashMap<u32, Wait>,
}

thread_local! {
    static WAITS: RefCell<Waits> = RefCell::default();
    static SETTLE: Function = Closure::<dyn Fn(u32, bool, JsValue)>::new(settle).into_js_value().unchecked_into();
}

fn settle(number: u32, is_good: bool, value: JsValue) {
    let outcome = if is_good { Ok(value) } else { Err(value) };
    let before = WAITS.with_borrow_mut(|waits| {
        // Nobody waits any longer for what is not found.
        waits.open.get_mut(&number).map(|wait| std::mem::replace(wait, Wait::Over(outcome)))
    });
    if let Some(Wait::Open(Some(waker))) = before {
        waker.wake();
    }
}

/// Something in JavaScript that will be over. Dropping it forgets it, but does not stop it.
pub(super) struct Waiting {
    number: u32,
}

impl Waiting {
    /// Begins what tells the function it is given, with the number, when it is over.
    pub fn begin<T>(begin: impl FnOnce(u32, &Function) -> T) -> (Self, T) {
        let number = WAITS.with_borrow_mut(|waits| {
            waits.last = waits.last.wrapping_add(1);
            waits.open.insert(waits.last, Wait::Open(None));
            waits.last
        });
        (Self { number }, SETTLE.with(|settle| begin(number, settle)))
    }
}

impl Future for Waiting {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        WAITS.with_borrow_mut(|waits| match waits.open.remove(&self.number) {
            Some(Wait::Over(outcome)) => Poll::Ready(outcome),
            _ => {
                waits.open.insert(self.number, Wait::Open(Some(cx.waker().clone())));
                Poll::Pending
            }
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITS.with_borrow_mut(|waits| waits.open.remove(&self.number));
    }
}

/// Waits for a promise, or for a value that is none.
///
/// # Errors
/// What the promise was rejected with.
pub(crate) async fn settled(promise: &JsValue) -> Outcome {
    Waiting::begin(|number, settle| wait(promise, number, settle)).0.await
}
