//! The world `server` of `wit/`: the gateway behind `wasi:http/incoming-handler`. Requests in, answers out, no logic.

mod request;
mod response;

use std::cell::RefCell;
use std::rc::Rc;

wit_bindgen::generate!({
    path: "wit",
    world: "server",
    with: {
        "wasi:cli/environment@0.2.0": crate::platform::wasi::bindings::wasi::cli::environment,
        "wasi:clocks/monotonic-clock@0.2.0": crate::platform::wasi::bindings::wasi::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.0": crate::platform::wasi::bindings::wasi::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.0": crate::platform::wasi::bindings::wasi::http::outgoing_handler,
        "wasi:http/types@0.2.0": crate::platform::wasi::bindings::wasi::http::types,
        "wasi:io/error@0.2.0": crate::platform::wasi::bindings::wasi::io::error,
        "wasi:io/poll@0.2.0": crate::platform::wasi::bindings::wasi::io::poll,
        "wasi:io/streams@0.2.0": crate::platform::wasi::bindings::wasi::io::streams,
        "wasi:random/random@0.2.0": crate::platform::wasi::bindings::wasi::random::random,
    },
    generate_all,
});

use exports::wasi::http::incoming_handler::Guest;
use wasi::cli::stderr::get_stderr;

use crate::environment::Environment;
use crate::gateway::{Gateway, Limits, Log};
use crate::platform::wasi::bindings::wasi::cli::environment::get_environment;
use crate::platform::wasi::bindings::wasi::http::types::{IncomingRequest, ResponseOutparam};
use crate::platform::wasi::{block_on, host};

/// The most that the standard error takes at once.
const PIECE: usize = 4096;

struct Server;
export!(Server);

thread_local! {
    /// For hosts that call one instance again and again: programs stay compiled, and tokens are kept until they expire.
    static GATEWAY: RefCell<Option<Rc<Gateway>>> = RefCell::default();
}

impl Guest for Server {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let request = request::read(request);
        let (method, clock) = (request.method.clone(), host().clock);
        let (limits, answered) = match gateway() {
            Ok(gateway) => (gateway.limits, block_on(async { Ok(gateway.answer(request).await) })),
            Err(error) => (Limits::default(), Err(error)),
        };
        let response = answered.unwrap_or_else(|error| Gateway::unmade(&error, &method, clock, log()));
        response::send(response, limits, out);
    }
}

fn gateway() -> crate::Result<Rc<Gateway>> {
    GATEWAY.with_borrow_mut(|kept| match kept {
        Some(gateway) => Ok(Rc::clone(gateway)),
        None => {
            let made = Gateway::from_environment(&Environment::from(get_environment()), host(), log())?;
            Ok(Rc::clone(kept.insert(Rc::new(made))))
        }
    })
}

/// Lines on the standard error. A host that takes none has no operator who could read them.
fn log() -> Log {
    Rc::new(|line| {
        let (stderr, line) = (get_stderr(), line + "\n");
        for piece in line.as_bytes().chunks(PIECE) {
            let _ = stderr.blocking_write_and_flush(piece);
        }
    })
}
