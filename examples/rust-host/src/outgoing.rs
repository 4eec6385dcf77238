//! Where a session may send its requests.

use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks, default_hooks};

/// The origins that requests may go to, `https://adb-1.7.azuredatabricks.net` for instance. All others are denied, which
/// ends the run with an error of the code `config`.
pub struct Outgoing(pub Vec<String>);

type Answer = (http::Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>);

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        rest: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer>> + Send> {
        if self.0.contains(&origin(request.uri())) {
            default_hooks().send_request(request, options, rest)
        } else {
            Box::new(async { Err(Error::HttpRequestDenied) })
        }
    }
}

fn origin(url: &http::Uri) -> String {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}", url.scheme_str().unwrap_or_default())
}
