//! The built page, from memory. `build.mjs` asked `www/server/page.mjs` for every file and wrote down what it answered: the page's
//! headers are said there alone.

wit_bindgen::generate!({
    path: ["../../wit/deps/io.wit", "../../wit/deps/clocks.wit", "../../wit/deps/http.wit"],
    inline: "
        package lakelet:page;

        /// Answers for the page itself, and hands on what is asked of the gateway.
        world page {
            import wasi:http/types@0.2.0;
            import wasi:http/incoming-handler@0.2.0;
            export wasi:http/incoming-handler@0.2.0;
        }
    ",
    world: "lakelet:page/page",
    generate_all,
});

use exports::wasi::http::incoming_handler::Guest;
use wasi::http::incoming_handler;
use wasi::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// The most that WASI takes at once.
const PIECE: usize = 4096;

struct Answer {
    path: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
}

include!(env!("LAKELET_PAGE"));

struct Page;
export!(Page);

impl Guest for Page {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        if path.starts_with("/api/") {
            return incoming_handler::handle(request, out);
        }
        let method = request.method();
        let answer = match method {
            Method::Get | Method::Head => PAGES.iter().find(|page| page.path == path).unwrap_or(&NOT_THERE),
            _ => &NOT_ALLOWED,
        };
        let body = if matches!(method, Method::Head) { &[] } else { answer.body };
        // A host that takes no answer has nobody left to tell.
        let _ = send(answer, body, out);
    }
}

fn send(answer: &Answer, bytes: &[u8], out: ResponseOutparam) -> Result<(), ()> {
    let headers = Fields::new();
    for (name, value) in answer.headers {
        headers.append(&(*name).to_owned(), &value.as_bytes().to_vec()).map_err(drop)?;
    }
    let response = OutgoingResponse::new(headers);
    response.set_status_code(answer.status)?;
    let body = response.body()?;
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write()?;
    for piece in bytes.chunks(PIECE) {
        stream.blocking_write_and_flush(piece).map_err(drop)?;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(drop)
}
