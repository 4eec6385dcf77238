//! The core over a browser's `fetch`, in headless Chromium:
//! `wasm-pack test --headless --chrome --mode no-install -- --features web --test web`.
#![cfg(all(target_arch = "wasm32", feature = "web"))]

use std::task::{Context, Waker};

use futures::StreamExt;
use js_sys::{Array, Function};
use lakelet::ErrorKind;
use lakelet::databricks::{Credential, Workspace};
use lakelet::lm::{ChatRequest, LanguageModel, Prompt};
use lakelet::metric::{dpr_normalize, normalize_text};
use lakelet::platform::js;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = r#"
const frames = ["data: {\"choices\":[{\"delta\":{\"content\":\"Grü", "ße\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"];
const bytes = frames.flatMap(frame => { const b = new TextEncoder().encode(frame); return [b.slice(0, -3), b.slice(-3)]; });
const reply = JSON.stringify({ model: "m", choices: [{ message: { content: "Grüße" }, finish_reason: "stop" }] });

// Each answers like `fetch`, and notes what it was asked in `seen`.
export function whole(seen) {
    return async (url, init) => {
        seen.push(url, init.method, init.headers.authorization, init.redirect, new TextDecoder().decode(init.body));
        return new Response(reply, { headers: { "served-model-name": "m" } });
    };
}
export function streamed(seen) {
    return async (_, init) => {
        init.signal.addEventListener("abort", () => seen.push("aborted"));
        return new Response(new ReadableStream({ start(c) { bytes.forEach(b => c.enqueue(b)); c.close(); } }));
    };
}
export function refusing() {
    return async () => new Response("slow down", { status: 400, headers: { "x-request-id": "r-1" } });
}
export function silent(seen) {
    return (_, init) => new Promise(() => init.signal.addEventListener("abort", () => seen.push("aborted")));
}
export function broken(how) {
    return () => { if (how === "throws") throw new TypeError("no"); return how === "nothing" ? undefined : 7; };
}
"#)]
extern "C" {
    fn whole(seen: &Array) -> Function;
    fn streamed(seen: &Array) -> Function;
    fn refusing() -> Function;
    fn silent(seen: &Array) -> Function;
    fn broken(how: &str) -> Function;
}

fn model(address: &str, fetch: Option<Function>) -> impl LanguageModel {
    let credential = Credential::token("dapi-secret");
    let workspace = Workspace::new(address, credential, js::host(fetch).unwrap()).unwrap();
    let once = lakelet::http::retry::Policy { tries: 1, ..Default::default() };
    workspace.with_retries(once).chat("llama").unwrap()
}

fn hi() -> ChatRequest {
    let tail = r#"{"role":"user","content":"Grüß mich"}"#.to_owned();
    ChatRequest { prompt: Prompt { tail, ..Prompt::default() }, ..ChatRequest::default() }
}

fn seen(array: &Array) -> Vec<String> {
    array.iter().filter_map(|value| value.as_string()).collect()
}

#[wasm_bindgen_test]
async fn a_call_goes_through_the_given_fetch() {
    let asked = Array::new();
    let answer = model("https://lake.example", Some(whole(&asked))).complete(hi()).await.unwrap();
    assert_eq!(answer.completions[0].text.as_deref(), Some("Grüße"));
    let body = r#"{"messages":[{"role":"user","content":"Grüß mich"}]}"#;
    let url = "https://lake.example/serving-endpoints/llama/invocations";
    assert_eq!(seen(&asked), [url, "POST", "Bearer dapi-secret", "manual", body]);
}

#[wasm_bindgen_test]
async fn a_stream_arrives_in_pieces_and_is_aborted_when_it_is_dropped() {
    let aborted = Array::new();
    let deltas: Vec<_> = model("https://lake.example", Some(streamed(&aborted))).stream(hi()).collect().await;
    let text: String = deltas.into_iter().map(|delta| delta.unwrap().text).collect();
    assert_eq!(text, "Grüße");
    let mut stream = model("https://lake.example", Some(streamed(&aborted))).stream(hi());
    stream.next().await.unwrap().unwrap();
    let before = aborted.length();
    drop(stream);
    assert_eq!(aborted.length(), before + 1, "a stream that is dropped midway is aborted");
}

#[wasm_bindgen_test]
async fn dropping_and_deadlines_abort() {
    let aborted = Array::new();
    let mut call = model("https://lake.example", Some(silent(&aborted))).complete(hi());
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(aborted.length(), 0);
    drop(call);
    assert_eq!(aborted.length(), 1);

    let soon = ChatRequest { deadline_ms: Some(js_sys::Date::now() + 20.0), ..hi() };
    let error = model("https://lake.example", Some(silent(&aborted))).complete(soon).await.unwrap_err();
    assert_eq!((error.kind(), aborted.length()), (ErrorKind::Deadline, 2));
}

#[wasm_bindgen_test]
async fn refusals_carry_their_headers() {
    let error = model("https://lake.example", Some(refusing())).complete(hi()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.service().unwrap().request_id, "r-1");
}

#[wasm_bindgen_test]
async fn a_fetch_that_is_none_is_told_and_traps_nothing() {
    for (how, kind) in [("throws", ErrorKind::Network), ("nothing", ErrorKind::Config), ("number", ErrorKind::Config)] {
        let error = model("https://lake.example", Some(broken(how))).complete(hi()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{how}: {error}");
    }
}

#[wasm_bindgen_test]
async fn a_refused_connection_says_what_to_check() {
    let error = model("http://127.0.0.1:47113", None).complete(hi()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.message().contains("no answer from http://127.0.0.1:47113"), "{error}");
    // A browser never tells a page whether a connection was refused or CORS forbade it.
    assert!(error.hint().is_some_and(|hint| hint.contains("CORS")), "{error}");
}

#[wasm_bindgen_test]
fn the_host_knows_letters_marks_and_digits_of_all_scripts() {
    let text = "The Caf\u{e9}\u{200b} a\u{301} ٣²Ⓐ_ 日本語";
    assert_eq!(normalize_text(text), "cafe\u{301}\u{200b} \u{301} ٣²ⓐ 日本語");
    let tokens = ["the", "cafe\u{301}", "a\u{301}", "٣²", "ⓐ", "_", "日本語"];
    assert_eq!(dpr_normalize(text), tokens);
}
