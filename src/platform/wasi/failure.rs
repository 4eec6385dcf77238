//! What `wasi:http` says when no answer comes.

use super::bindings::wasi::http::types::ErrorCode;
use super::bindings::wasi::io::error::Error as IoError;
use crate::error::{Error, ErrorKind};

/// The error of a request.
pub(super) fn of_request(code: &ErrorCode) -> Error {
    let message = match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            return Error::new(ErrorKind::Config, "the host of this component does not allow the request")
                .with_hint("Allow outgoing HTTP to this address where the component is run.");
        }
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            "the name of the host could not be resolved"
        }
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => "the host cannot be reached",
        ErrorCode::ConnectionRefused => "the connection was refused",
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => "the connection was closed too early",
        ErrorCode::ConnectionTimeout => "the connection took too long",
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => "the answer took too long",
        ErrorCode::ConnectionWriteTimeout => "sending the request took too long",
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => "the TLS connection failed",
        ErrorCode::TlsCertificateError => "the host's TLS certificate is not trusted",
        ErrorCode::InternalError(Some(reason)) => reason,
        other => return Error::new(ErrorKind::Network, format!("the request failed ({other:?})")),
    };
    Error::new(ErrorKind::Network, message)
}

/// The error of a body that broke off. `http-error-code` would say it by a code, but hosts in JavaScript trap on it.
pub(super) fn of_stream(error: &IoError) -> Error {
    let reason = error.to_debug_string();
    Error::new(ErrorKind::Network, format!("the connection broke off ({})", reason.lines().next().unwrap_or_default()))
}

/// The host refuses the request before it is sent.
pub(super) fn invalid(part: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the host of this component does not take the request's {part}"))
}
