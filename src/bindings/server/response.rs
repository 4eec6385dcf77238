//! Answers on their way out.

use std::pin::pin;

use futures_util::StreamExt;
use futures_util::future::{Either, select};

use crate::gateway::{Limits, Response};
use crate::platform::wasi::bindings::wasi::http::types::{
    ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use crate::platform::wasi::bindings::wasi::io::streams::{OutputStream, StreamError};
use crate::platform::wasi::{WasiClock, block_on, streams};
use crate::time::Clock;

/// How often to look whether the caller is still there while nothing is to be said.
const LOOK_MS: f64 = 250.0;

/// The gateway ends its calls in time. This much later a caller is given up who does not read.
const GRACE_MS: f64 = 5000.0;

/// The caller reads no further.
struct Gone;

/// Sends an answer, its pieces as they come and no faster than they are read. The run ends with its answer, whichever way that
/// ends.
pub(super) fn send(response: Response, limits: Limits, out: ResponseOutparam) {
    let (outgoing, body) = match head(&response) {
        Ok(head) => head,
        Err(()) => return ResponseOutparam::set(out, Err(ErrorCode::InternalError(None))),
    };
    ResponseOutparam::set(out, Ok(outgoing));
    let sent = block_on(async {
        let sending = pin!(pieces(response, &body));
        Ok(match select(sending, WasiClock.sleep(limits.timeout_ms + GRACE_MS)).await {
            Either::Left((sent, _)) => sent,
            Either::Right(_) => Err(Gone),
        })
    });
    // A body that is dropped unfinished tells whoever reads it that it is not whole.
    if let Ok(Ok(())) = sent {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn head(response: &Response) -> Result<(OutgoingResponse, OutgoingBody), ()> {
    let headers = Fields::new();
    for (name, value) in &response.headers {
        headers.append(name, &value.clone().into_bytes()).map_err(drop)?;
    }
    let outgoing = OutgoingResponse::new(headers);
    outgoing.set_status_code(response.status)?;
    let body = outgoing.body()?;
    Ok((outgoing, body))
}

async fn pieces(mut response: Response, body: &OutgoingBody) -> Result<(), Gone> {
    let stream = body.write().map_err(|()| Gone)?;
    loop {
        match select(response.body.next(), pin!(gone(&stream))).await {
            Either::Left((Some(piece), _)) => streams::write(&stream, &piece).await.map_err(|_| Gone)?,
            Either::Left((None, _)) => return Ok(()),
            Either::Right(_) => return Err(Gone),
        }
    }
}

/// Completes when nobody reads any more, which a stream tells only when it is asked.
async fn gone(stream: &OutputStream) -> StreamError {
    loop {
        WasiClock.sleep(LOOK_MS).await;
        if let Err(error) = stream.check_write() {
            return error;
        }
    }
}
