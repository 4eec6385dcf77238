//! One error type for the whole crate.
//!
//! An [`Error`] says what went wrong ([`Error::kind`]), where ([`Error::step`], [`Error::field`]), what to do about it
//! ([`Error::hint`]) and whether the same call may succeed if it is made again ([`Error::is_retryable`]). Errors of a
//! Databricks service carry its answer ([`Error::service`]); replies that an adapter could not read carry the text
//! ([`Error::reply`]).

use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// A result with Lakelet's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in the words that the JavaScript door uses as `error.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A signature or a type cannot be understood.
    Signature,
    /// An input is missing or of the wrong type.
    Input,
    /// A model's reply does not hold the fields of the signature.
    Parse,
    /// The code that a model wrote fails.
    Code,
    /// A pipeline document is not valid, or a step of it cannot run.
    Pipeline,
    /// A saved state does not fit the program.
    State,
    /// A setting is missing or wrong.
    Config,
    /// The credential is missing, expired or refused (HTTP 401).
    Auth,
    /// The credential is known but may not do this (HTTP 403).
    Permission,
    /// The endpoint, index or object does not exist (HTTP 404).
    NotFound,
    /// The service refuses the request as sent (HTTP 400 and other 4xx).
    BadRequest,
    /// The prompt is longer than the model takes.
    ContextWindow,
    /// The object exists already or is in use (HTTP 409).
    Conflict,
    /// Too many requests (HTTP 429).
    RateLimited,
    /// The service failed (HTTP 5xx).
    Server,
    /// No answer came: refused, reset or unreachable.
    Network,
    /// An answer came that does not follow the protocol, or that ended too early.
    Protocol,
    /// The time allowed for the call has passed.
    Deadline,
    /// The caller cancelled the call.
    Cancelled,
    /// What may be spent is spent.
    Budget,
    /// Not supported here; the hint says what to use instead.
    Unsupported,
}

impl ErrorKind {
    /// Whether nothing else that is done for the same caller can succeed: another try is of no use.
    pub fn ends_the_work(self) -> bool {
        matches!(self, Self::Deadline | Self::Cancelled | Self::Budget)
    }

    /// The kind of a stable name.
    pub fn named(name: &str) -> Option<Self> {
        use ErrorKind::*;
        let all = [
            Signature,
            Input,
            Parse,
            Code,
            Pipeline,
            State,
            Config,
            Auth,
            Permission,
            NotFound,
            BadRequest,
            ContextWindow,
            Conflict,
            RateLimited,
            Server,
            Network,
            Protocol,
            Deadline,
            Cancelled,
            Budget,
            Unsupported,
        ];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The stable name of the kind, as the JavaScript and WIT doors show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Input => "input",
            Self::Parse => "parse",
            Self::Code => "code",
            Self::Pipeline => "pipeline",
            Self::State => "state",
            Self::Config => "config",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::BadRequest => "bad_request",
            Self::ContextWindow => "context_window",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Network => "network",
            Self::Protocol => "protocol",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Budget => "budget",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What a Databricks service answered when it refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// The HTTP status.
    pub status: u16,
    /// Databricks' `error_code`, `RESOURCE_DOES_NOT_EXIST` for instance; empty when the body held none.
    pub error_code: String,
    /// The id to give to Databricks' support; empty when the answer held none.
    pub request_id: String,
    /// How long the service asks to wait, in milliseconds.
    pub retry_after_ms: Option<f64>,
}

/// A reply that an adapter could not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The adapter's DSPy name, `ChatAdapter` for instance.
    pub adapter: &'static str,
    /// What was wrong: `field`, `missing_fields`, `not_object`, `empty`.
    pub problem: &'static str,
    /// The text that the model sent.
    pub text: String,
    /// The names of the fields that could be read; `None` when reading did not get that far.
    pub parsed_fields: Option<Vec<String>>,
}

/// What went wrong, where, and what to do about it.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    step: Option<String>,
    field: Option<String>,
    service: Option<Service>,
    reply: Option<Reply>,
    python_class: Option<&'static str>,
    retryable: bool,
    source: Option<Rc<dyn Any>>,
}

impl Error {
    /// An error of a kind, with a message for the person who reads it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            step: None,
            field: None,
            service: None,
            reply: None,
            python_class: None,
            retryable: matches!(kind, ErrorKind::RateLimited | ErrorKind::Network),
            source: None,
        }))
    }

    /// Says what to do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says one more thing that helps, after what the hint says already.
    pub fn and_hint(self, more: &str) -> Self {
        let hint = match self.hint() {
            Some(hint) => format!("{hint} {more}"),
            None => more.to_owned(),
        };
        self.with_hint(hint)
    }

    /// Names the pipeline step where it happened, unless an inner one is named already.
    pub fn at_step(mut self, step: &str) -> Self {
        self.0.step.get_or_insert_with(|| step.to_owned());
        self
    }

    /// Names the field that it is about, unless one is named already.
    pub fn at_field(mut self, field: &str) -> Self {
        self.0.field.get_or_insert_with(|| field.to_owned());
        self
    }

    /// Adds what a service answered.
    pub fn with_service(mut self, service: Service) -> Self {
        self.0.service = Some(service);
        self
    }

    /// Adds the reply that could not be read.
    pub fn with_reply(mut self, reply: Reply) -> Self {
        self.0.reply = Some(reply);
        self
    }

    /// The exception that Python raises for the same input, for those who compare the two.
    pub fn with_python_class(mut self, class: &'static str) -> Self {
        self.0.python_class = Some(class);
        self
    }

    /// Overrides whether making the same call again can help.
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Keeps what the host threw, so that the caller gets the very same.
    pub fn with_source(mut self, source: Rc<dyn Any>) -> Self {
        self.0.source = Some(source);
        self
    }

    /// The error without any text that a model wrote, or a service that was shown what it wrote: for callers who may not
    /// see it. Other errors speak of settings and connections, and stay as they are.
    pub fn withheld(&self) -> Self {
        let message = match self.0.kind {
            ErrorKind::Parse => "the model's reply could not be read",
            ErrorKind::Code => "the code that the model wrote fails",
            ErrorKind::BadRequest => "the service refused the request",
            ErrorKind::ContextWindow => "the prompt is longer than the model takes",
            ErrorKind::Server => "the service failed",
            ErrorKind::Protocol => "the service's answer could not be read",
            _ => return self.clone(),
        };
        let mut error = self.clone();
        error.0.message = message.to_owned();
        error.0.hint = None;
        error.0.reply = None;
        error.0.source = None;
        error
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, for a person; without place and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The pipeline step where it happened.
    pub fn step(&self) -> Option<&str> {
        self.0.step.as_deref()
    }

    /// The field that it is about.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What a Databricks service answered.
    pub fn service(&self) -> Option<&Service> {
        self.0.service.as_ref()
    }

    /// The reply that an adapter could not read.
    pub fn reply(&self) -> Option<&Reply> {
        self.0.reply.as_ref()
    }

    /// The exception that Python raises for the same input (`ValueError`, `SyntaxError`, `AdapterParseError` ...).
    pub fn python_class(&self) -> Option<&'static str> {
        self.0.python_class
    }

    /// What the host threw.
    pub fn source(&self) -> Option<&dyn Any> {
        self.0.source.as_deref()
    }

    /// Whether making the same call again can help.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.0.step {
            write!(f, "step `{step}`: ")?;
        }
        if let Some(field) = &self.0.field {
            write!(f, "field `{field}`: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
