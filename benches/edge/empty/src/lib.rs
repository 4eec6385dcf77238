//! Answers every request with 200 and no body.

wit_bindgen::generate!({
    path: ["../../../wit/deps/io.wit", "../../../wit/deps/clocks.wit", "../../../wit/deps/http.wit"],
    inline: "
        package lakelet:bench;

        world empty {
            import wasi:http/types@0.2.0;
            export wasi:http/incoming-handler@0.2.0;
        }
    ",
    world: "lakelet:bench/empty",
    generate_all,
});

use exports::wasi::http::incoming_handler::Guest;
use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Empty;
export!(Empty);

impl Guest for Empty {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body();
        ResponseOutparam::set(out, Ok(response));
        // A host that takes no answer has nobody left to tell.
        let _ = body.map(|body| OutgoingBody::finish(body, None));
    }
}
