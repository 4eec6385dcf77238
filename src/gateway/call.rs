//! One call, from its arrival to the end of its answer.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use serde_json::{Value as Json, json};

use super::Log;
use super::failure::{Failure, Told};
use crate::coerce::calendar::Date;
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::lm::Usage;
use crate::time::Clock;

const DAY_MS: f64 = 86_400_000.0;

/// Leaves one line in the audit, however it ends. Dropped before its end, its caller has gone away.
pub(super) struct Call {
    pub id: String,
    /// What the audit says was called.
    pub route: RefCell<String>,
    /// Who called, as the audit says it.
    pub user: RefCell<Option<String>>,
    pub usage: Cell<Usage>,
    clock: Rc<dyn Clock>,
    log: Log,
    begun_ms: f64,
    timeout_ms: f64,
    /// The status that was sent.
    status: Cell<Option<u16>>,
    ended: Cell<bool>,
}

impl Call {
    pub fn begin(method: &str, timeout_ms: f64, clock: Rc<dyn Clock>, log: Log) -> Self {
        Self {
            id: uuid(&*clock),
            route: RefCell::new(method.to_owned()),
            user: RefCell::default(),
            usage: Cell::default(),
            begun_ms: clock.now_ms(),
            clock,
            log,
            timeout_ms,
            status: Cell::default(),
            ended: Cell::default(),
        }
    }

    /// Waits for work, but not longer than a call may take.
    pub async fn within<T>(&self, work: impl Future<Output = Told<T>>) -> Told<T> {
        let left = self.begun_ms + self.timeout_ms - self.clock.now_ms();
        match select(pin!(work), self.clock.sleep(left.max(0.0))).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(Failure::timed_out(self.timeout_ms)),
        }
    }

    /// What the caller is told of a failure. The log says where it happened and why; contents stay out of it.
    pub fn failed(&self, error: &Error) -> Failure {
        let mut line = json!({"request_id": self.id, "code": error.kind().as_str()});
        let quotes = matches!(error.kind(), ErrorKind::Input | ErrorKind::Parse | ErrorKind::Code);
        let message = (!quotes).then(|| error.to_string());
        let service = error.service().filter(|service| !service.request_id.is_empty());
        let members = [
            ("message", message.as_deref()),
            ("step", error.step()),
            ("field", error.field()),
            ("databricks_request_id", service.map(|service| service.request_id.as_str())),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                line[name] = value.into();
            }
        }
        (self.log)(json::text(&line));
        Failure::of(error)
    }

    /// The head of a streaming answer is sent.
    pub fn answering(&self) {
        self.status.set(Some(200));
    }

    /// Writes the audit line, once: who called what, and how it ended; no contents and no secrets.
    pub fn end(&self, status: u16, failure: Option<&Failure>) {
        if self.ended.replace(true) {
            return;
        }
        let mut line = json!({"time": iso(self.begun_ms), "request_id": self.id});
        if let Some(user) = &*self.user.borrow() {
            line["user"] = user.as_str().into();
        }
        line["route"] = self.route.borrow().as_str().into();
        line["status"] = status.into();
        if let Some(failure) = failure {
            line["error_code"] = failure.code.into();
        }
        line["ms"] = Json::from((self.clock.now_ms() - self.begun_ms) as u64);
        let usage = self.usage.get();
        if usage.prompt_tokens > 0 {
            line["prompt_tokens"] = usage.prompt_tokens.into();
            line["completion_tokens"] = usage.completion_tokens.into();
        }
        (self.log)(json::text(&line));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let status = self.status.get().unwrap_or(499);
        self.end(status, Some(&Failure::cancelled(status)));
    }
}

/// `2026-01-31T09:30:00.000Z`.
fn iso(ms: f64) -> String {
    let days = (ms / DAY_MS).floor();
    let date = Date::from_days(days as i64).map(|date| date.to_string()).unwrap_or_default();
    let rest = (ms - days * DAY_MS) as u64;
    let (seconds, ms) = (rest / 1000, rest % 1000);
    format!("{date}T{:02}:{:02}:{:02}.{ms:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A UUID of version 4. It tells calls apart and keeps no secret.
fn uuid(clock: &dyn Clock) -> String {
    let chance = || (clock.random() * 65536.0) as u16;
    let [a, b, c, d, e, f, g, h] = std::array::from_fn(|_| chance());
    let (d, e) = (d & 0x0fff | 0x4000, e & 0x3fff | 0x8000);
    format!("{a:04x}{b:04x}-{c:04x}-{d:04x}-{e:04x}-{f:04x}{g:04x}{h:04x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_iso_8601() {
        assert_eq!(iso(0.0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_772_323_199_999.9), "2026-02-28T23:59:59.999Z");
    }
}
