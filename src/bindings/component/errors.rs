//! Errors on their way out.

use super::wit::types;
use crate::error::{Error, ErrorKind, Service};

pub(super) type Result<T> = std::result::Result<T, types::Error>;

pub(super) fn outward(error: Error) -> types::Error {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    types::Error {
        code: code(error.kind()),
        message: error.message().to_owned(),
        hint: owned(error.hint()),
        step: owned(error.step()),
        field: owned(error.field()),
        retryable: error.is_retryable(),
        service: error.service().map(answer),
        reply: error.reply().map(|reply| reply.text.clone()),
    }
}

fn answer(service: &Service) -> types::ServiceAnswer {
    types::ServiceAnswer {
        status: service.status,
        error_code: service.error_code.clone(),
        request_id: service.request_id.clone(),
        retry_after_ms: service.retry_after_ms,
    }
}

fn code(kind: ErrorKind) -> types::ErrorCode {
    use types::ErrorCode;
    match kind {
        ErrorKind::Signature => ErrorCode::Signature,
        ErrorKind::Input => ErrorCode::Input,
        ErrorKind::Parse => ErrorCode::Parse,
        ErrorKind::Code => ErrorCode::Code,
        ErrorKind::Pipeline => ErrorCode::Pipeline,
        ErrorKind::State => ErrorCode::State,
        ErrorKind::Config => ErrorCode::Config,
        ErrorKind::Auth => ErrorCode::Auth,
        ErrorKind::Permission => ErrorCode::Permission,
        ErrorKind::NotFound => ErrorCode::NotFound,
        ErrorKind::BadRequest => ErrorCode::BadRequest,
        ErrorKind::ContextWindow => ErrorCode::ContextWindow,
        ErrorKind::Conflict => ErrorCode::Conflict,
        ErrorKind::RateLimited => ErrorCode::RateLimited,
        ErrorKind::Server => ErrorCode::Server,
        ErrorKind::Network => ErrorCode::Network,
        ErrorKind::Protocol => ErrorCode::Protocol,
        ErrorKind::Deadline => ErrorCode::Deadline,
        ErrorKind::Cancelled => ErrorCode::Cancelled,
        ErrorKind::Budget => ErrorCode::Budget,
        ErrorKind::Unsupported => ErrorCode::Unsupported,
    }
}
