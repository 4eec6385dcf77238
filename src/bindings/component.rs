//! The WIT door: the package `lakelet:programs` of `wit/`. Names and conversions, no logic.
//!
//! Every export that needs the host blocks until the host has answered; `platform::wasi` says how work gets on meanwhile.

mod adapters;
mod databricks;
mod errors;
mod events;
mod fields;
mod metrics;
mod program;
mod signatures;
mod stream;
mod workspace;

wit_bindgen::generate!({
    path: "wit",
    world: "library",
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
});

use exports::lakelet::programs as wit;

struct Library;
export!(Library);
