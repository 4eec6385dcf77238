//! Answers of the workspace that are handed on as they come.

use std::cell::RefCell;
use std::future::Future;
use std::mem;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::StreamExt;
use futures_util::future::{AbortHandle, abortable};
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Response;

/// A good answer that is waited for, then read piece by piece, and can be given up at any time.
#[wasm_bindgen]
pub struct Answer {
    state: RefCell<State>,
    /// Gives up what is waited for.
    giving_up: RefCell<Option<AbortHandle>>,
}

/// What is waited for is taken out of here meanwhile.
enum State {
    Expected(LocalBoxFuture<'static, Result<Response>>),
    Begun(LocalBoxStream<'static, Result<Vec<u8>>>),
    Ended,
}

#[wasm_bindgen]
impl Answer {
    /// Waits until the answer begins; gives its status.
    pub async fn begin(&self) -> std::result::Result<u16, JsValue> {
        let State::Expected(response) = self.take() else { return Err(thrown(&given_up())) };
        let response = self.wait(response).await.and_then(|it| it).map_err(|error| thrown(&error))?;
        self.state.replace(State::Begun(response.body.chunks()));
        Ok(response.status)
    }

    /// The next piece; `undefined` at the end.
    pub async fn next(&self) -> std::result::Result<Option<Vec<u8>>, JsValue> {
        let State::Begun(mut pieces) = self.take() else { return Ok(None) };
        let piece = self.wait(pieces.next()).await.and_then(Option::transpose).map_err(|error| thrown(&error))?;
        if piece.is_some() {
            self.state.replace(State::Begun(pieces));
        }
        Ok(piece)
    }

    /// Ends the call with whatever is under way.
    pub fn give_up(&self) {
        self.take();
        if let Some(handle) = self.giving_up.take() {
            handle.abort();
        }
    }
}

impl Answer {
    pub(in crate::bindings) fn expected(response: LocalBoxFuture<'static, Result<Response>>) -> Self {
        Self { state: RefCell::new(State::Expected(response)), giving_up: RefCell::new(None) }
    }

    fn take(&self) -> State {
        mem::replace(&mut *self.state.borrow_mut(), State::Ended)
    }

    async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let (work, handle) = abortable(work);
        self.giving_up.replace(Some(handle));
        work.await.map_err(|_| given_up())
    }
}

fn given_up() -> Error {
    Error::new(ErrorKind::Cancelled, "the call was cancelled")
}
