//! Answers of the workspace that are handed on as they come.

use std::cell::RefCell;

use futures_core::stream::LocalBoxStream;
use futures_util::StreamExt;
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use crate::error::Result;
use crate::http::Response;

/// A good answer whose body is read piece by piece. Freeing it abandons the rest.
#[wasm_bindgen]
pub struct Answer {
    status: u16,
    pieces: RefCell<Option<LocalBoxStream<'static, Result<Vec<u8>>>>>,
}

#[wasm_bindgen]
impl Answer {
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The next piece; `undefined` at the end.
    pub async fn next(&self) -> std::result::Result<Option<Vec<u8>>, JsValue> {
        let taken = self.pieces.take();
        let Some(mut pieces) = taken else { return Ok(None) };
        let piece = pieces.next().await.transpose().map_err(|error| thrown(&error))?;
        if piece.is_some() {
            self.pieces.replace(Some(pieces));
        }
        Ok(piece)
    }
}

pub(super) fn answered(answer: Result<Response>) -> std::result::Result<Answer, JsValue> {
    match answer {
        Ok(response) => {
            let pieces = RefCell::new(Some(response.body.chunks()));
            Ok(Answer { status: response.status, pieces })
        }
        Err(error) => Err(thrown(&error)),
    }
}
