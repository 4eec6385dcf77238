//! The JavaScript host: browsers, workers, Node, edge functions.
//!
//! What a `fetch` function returns is taken for what it does, not for its class: a polyfill, a service binding or a test may
//! give a response of another realm. Every call into JavaScript that can throw is caught.

mod wait;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::stream;
use js_sys::{ArrayBuffer, Date, Function, Math, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use wait::Waiting;
pub(crate) use wait::settled;

use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::http::{Body, Fetch, Request, Response};
use crate::time::Clock;

/// The headers that the core reads of a refusal. Each costs a call into JavaScript.
const READ_WHEN_REFUSED: &[&str] = &["retry-after", "x-request-id", "x-databricks-request-id", "location"];

/// Longer timers would fire at once.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

#[wasm_bindgen(module = "/src/platform/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = startTimer)]
    fn start_timer(ms: u32, number: u32, settle: &Function) -> JsValue;
    #[wasm_bindgen(js_name = stopTimer)]
    fn stop_timer(timer: &JsValue);
    #[allow(clippy::too_many_arguments)] // one call into JavaScript is much cheaper than one for each part of a request
    fn send(
        fetch: &Function,
        this: &JsValue,
        method: &str,
        url: &str,
        header_lines: &str,
        body: &[u8],
        number: u32,
        settle: &Function,
    ) -> Abort;
}

#[wasm_bindgen]
extern "C" {
    /// An `AbortController`.
    type Abort;
    #[wasm_bindgen(method, structural)]
    fn abort(this: &Abort);

    /// What `fetch` resolves to.
    type Answer;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn status(this: &Answer) -> std::result::Result<u16, JsValue>;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn headers(this: &Answer) -> std::result::Result<AnswerHeaders, JsValue>;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn body(this: &Answer) -> std::result::Result<Option<ByteStream>, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = arrayBuffer)]
    fn array_buffer(this: &Answer) -> std::result::Result<Promise, JsValue>;

    type AnswerHeaders;
    #[wasm_bindgen(method, structural, catch)]
    fn get(this: &AnswerHeaders, name: &str) -> std::result::Result<Option<String>, JsValue>;

    type ByteStream;
    #[wasm_bindgen(method, structural, catch, js_name = getReader)]
    fn get_reader(this: &ByteStream) -> std::result::Result<Reader, JsValue>;

    type Reader;
    #[wasm_bindgen(method, structural, catch)]
    fn read(this: &Reader) -> std::result::Result<Promise, JsValue>;

    type Piece;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn done(this: &Piece) -> std::result::Result<bool, JsValue>;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn value(this: &Piece) -> std::result::Result<JsValue, JsValue>;
}

/// The host around us, with a `fetch` function of the caller's or else the global one.
///
/// # Errors
/// [`Config`](ErrorKind::Config) when there is neither.
pub fn host(fetch: Option<Function>) -> Result<Host> {
    let fetch = match fetch {
        Some(function) => JsFetch { function, this: JsValue::UNDEFINED },
        None => JsFetch::global()?,
    };
    Ok(Host { fetch: Rc::new(fetch), clock: Rc::new(JsClock) })
}

/// [`Fetch`] over a JavaScript `fetch` function.
#[derive(Clone, Debug)]
pub struct JsFetch {
    function: Function,
    this: JsValue,
}

impl JsFetch {
    fn global() -> Result<Self> {
        let this: JsValue = js_sys::global().into();
        match Reflect::get(&this, &JsValue::from_str("fetch")).map(JsCast::dyn_into) {
            Ok(Ok(function)) => Ok(Self { function, this }),
            _ => Err(Error::new(ErrorKind::Config, "there is no global `fetch` function here")
                .with_hint("Give a `fetch` function, or use Node 18 or later, a browser or an edge runtime.")),
        }
    }

    async fn send(self, request: Request) -> Result<Response> {
        let mut lines = String::new();
        for (name, value) in &request.headers {
            for part in [&**name, "\n", value, "\n"] {
                lines.push_str(part);
            }
        }
        let (answer, abort) = Waiting::begin(|number, settle| {
            send(&self.function, &self.this, request.method, &request.url, &lines, &request.body, number, settle)
        });
        let abort = AbortOnDrop(Some(abort));
        let answer: Answer = answer.await.map_err(failure)?.unchecked_into();

        let status = answer.status().map_err(|_| not_an_answer())?;
        let names = if (200..300).contains(&status) { request.reads } else { READ_WHEN_REFUSED };
        let found = answer.headers().map_err(|_| not_an_answer())?;
        let mut headers = Vec::new();
        for name in names {
            if let Some(value) = found.get(name).map_err(|_| not_an_answer())? {
                headers.push(((*name).to_owned(), value));
            }
        }
        Ok(Response { status, headers, body: Box::new(JsBody { answer, abort }) })
    }
}

impl Fetch for JsFetch {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response>> {
        Box::pin(self.clone().send(request))
    }
}

/// Aborts its request when it is dropped, unless the answer was read to its end.
struct AbortOnDrop(Option<Abort>);

impl AbortOnDrop {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

struct JsBody {
    answer: Answer,
    abort: AbortOnDrop,
}

impl Body for JsBody {
    fn whole(mut self: Box<Self>) -> LocalBoxFuture<'static, Result<Vec<u8>>> {
        Box::pin(async move {
            let promise = self.answer.array_buffer().map_err(|_| not_an_answer())?;
            let buffer: ArrayBuffer = settled(&promise).await.map_err(failure)?.unchecked_into();
            self.abort.disarm();
            Ok(Uint8Array::new(&buffer).to_vec())
        })
    }

    fn chunks(self: Box<Self>) -> LocalBoxStream<'static, Result<Vec<u8>>> {
        let reader = match self.answer.body().map(|body| body.map(|body| body.get_reader())) {
            Ok(None) => return Box::pin(stream::empty()),
            Ok(Some(Ok(reader))) => reader,
            Ok(Some(Err(_))) | Err(_) => return Box::pin(stream::iter([Err(not_an_answer())])),
        };
        Box::pin(stream::try_unfold((reader, self.abort), |(reader, mut abort)| async move {
            let piece = reader.read().map_err(failure)?;
            let piece: Piece = settled(&piece).await.map_err(failure)?.unchecked_into();
            if piece.done().map_err(failure)? {
                abort.disarm();
                return Ok(None);
            }
            let bytes = Uint8Array::new(&piece.value().map_err(failure)?).to_vec();
            Ok(Some((bytes, (reader, abort))))
        }))
    }
}

/// [`Clock`] over `Date.now`, `setTimeout` and `Math.random`.
#[derive(Clone, Copy, Debug)]
pub struct JsClock;

impl Clock for JsClock {
    fn now_ms(&self) -> f64 {
        Date::now()
    }

    fn sleep(&self, ms: f64) -> LocalBoxFuture<'static, ()> {
        let ms = ms.ceil().clamp(0.0, LONGEST_TIMER_MS) as u32;
        let (over, timer) = Waiting::begin(|number, settle| start_timer(ms, number, settle));
        let timer = StopOnDrop(timer);
        Box::pin(async move {
            let _ = over.await;
            drop(timer);
        })
    }

    fn random(&self) -> f64 {
        Math::random()
    }
}

struct StopOnDrop(JsValue);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        stop_timer(&self.0);
    }
}

/// A member of an object; `undefined` where there is none. What is no object is not asked: a call into JavaScript that throws keeps a place in
/// the table of its values for ever.
pub(crate) fn member(of: &JsValue, name: &str) -> JsValue {
    let has_members = of.is_object() || of.is_function();
    has_members.then(|| Reflect::get(of, &JsValue::from_str(name)).ok()).flatten().unwrap_or_default()
}

/// What `fetch` or a body threw. Node says `fetch failed`, and the reason in the error's `cause`.
fn failure(thrown: JsValue) -> Error {
    let text = |value: &JsValue, name: &str| member(value, name).as_string().unwrap_or_default();
    let kind = match text(&thrown, "name").as_str() {
        "AbortError" => ErrorKind::Cancelled,
        "TimeoutError" => ErrorKind::Deadline,
        _ => ErrorKind::Network,
    };
    let mut message = thrown.as_string().unwrap_or_else(|| text(&thrown, "message"));
    let cause = member(&thrown, "cause");
    let reason = [text(&cause, "message"), text(&cause, "code")].into_iter().find(|reason| !reason.is_empty());
    if let Some(reason) = reason {
        message = format!("{message} ({reason})");
    }
    Error::new(kind, if message.is_empty() { "the request failed".to_owned() } else { message })
}

fn not_an_answer() -> Error {
    Error::new(ErrorKind::Config, "the `fetch` function did not resolve to a Response")
        .with_hint("Give a function with the signature of the standard `fetch`.")
}
