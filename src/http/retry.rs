//! Tries again what may succeed another time, and waits as long as the service asks.

use futures_core::future::LocalBoxFuture;

use crate::error::{Error, Result};
use crate::time::Clock;

/// How often to try, and how long to wait in between when the service does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Tries in all; 1 never tries again.
    pub tries: u32,
    /// The first wait is at most this long; each one after it at most twice the one before.
    pub first_wait_ms: f64,
    /// No wait is longer, except one that the service asks for.
    pub longest_wait_ms: f64,
}

impl Default for Policy {
    /// Seven tries, and waits of at most 0.5, 1, 2, 4, 8 and 10 seconds. Databricks' SDKs go on for five minutes; these let through what
    /// fails one time in ten, but for one call in ten million, and do not keep a person waiting for a host that is not there.
    fn default() -> Self {
        Self { tries: 7, first_wait_ms: 500.0, longest_wait_ms: 10_000.0 }
    }
}

impl Policy {
    /// The wait before try number `next` (2, 3 ...). Half of it is chance, so that callers that failed together do not
    /// come back together. A time that the service names is waited in full, with up to half a second of chance on top.
    fn wait_ms(&self, next: u32, asked_ms: Option<f64>, chance: f64) -> f64 {
        match asked_ms {
            Some(asked) => asked + 500.0 * chance,
            None => {
                let doublings = i32::try_from(next.saturating_sub(2)).unwrap_or(i32::MAX);
                let ceiling = (self.first_wait_ms * 2f64.powi(doublings)).min(self.longest_wait_ms);
                ceiling * (0.5 + 0.5 * chance)
            }
        }
    }
}

/// The tries of one call.
pub struct Tries {
    policy: Policy,
    deadline_ms: f64,
    made: u32,
}

impl Tries {
    /// The first one is under way.
    pub fn new(policy: Policy, deadline_ms: f64) -> Self {
        Self { policy, deadline_ms, made: 1 }
    }

    /// How many milliseconds to wait before the next try.
    ///
    /// # Errors
    /// The failure itself, when it is one for good ([`Error::is_retryable`]), or there is no try left, or the next could not begin before
    /// the deadline: then with a hint that says so.
    pub fn next_in_ms(&mut self, clock: &dyn Clock, error: Error) -> Result<f64> {
        if !error.is_retryable() || self.made >= self.policy.tries {
            return Err(error);
        }
        self.made += 1;
        let asked = error.service().and_then(|service| service.retry_after_ms);
        let wait = self.policy.wait_ms(self.made, asked, clock.random());
        let left = self.deadline_ms - clock.now_ms();
        if wait >= left { Err(too_late(error, wait, left)) } else { Ok(wait) }
    }
}

/// Runs attempts until one succeeds, or [`Tries`] has none left.
pub async fn run<T>(
    clock: &dyn Clock,
    policy: Policy,
    deadline_ms: f64,
    attempt: impl Fn() -> LocalBoxFuture<'static, Result<T>>,
) -> Result<T> {
    let mut tries = Tries::new(policy, deadline_ms);
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => clock.sleep(tries.next_in_ms(clock, error)?).await,
        }
    }
}

fn too_late(error: Error, wait: f64, left: f64) -> Error {
    let reason = format!(
        "Not tried again: the next try is due in {} s, and {} s are left of the time allowed.",
        seconds(wait),
        seconds(left)
    );
    error.and_hint(&reason)
}

/// A time in seconds, with one decimal.
fn seconds(ms: f64) -> String {
    let tenths = (ms.max(0.0) / 100.0).round() as u64;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Reads a `Retry-After` header, seconds or an HTTP date, as milliseconds from `now_ms`.
///
/// ```
/// use lakelet::http::retry::retry_after_ms;
/// assert_eq!(retry_after_ms("2", 0.0), Some(2000.0));
/// assert_eq!(retry_after_ms("Thu, 01 Jan 1970 00:01:00 GMT", 10_000.0), Some(50_000.0));
/// assert_eq!(retry_after_ms("soon", 0.0), None);
/// ```
pub fn retry_after_ms(header: &str, now_ms: f64) -> Option<f64> {
    let header = header.trim();
    match header.parse::<f64>() {
        Ok(seconds) => (seconds.is_finite() && seconds >= 0.0).then_some(seconds * 1000.0),
        Err(_) => http_date_ms(header).map(|date| (date - now_ms).max(0.0)),
    }
}

/// The form of HTTP dates that servers send (RFC 9110, IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date_ms(text: &str) -> Option<f64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.split_once(", ")?;
    let parts: Vec<&str> = date.split([' ', ':']).collect();
    let [day, month, year, hour, minute, second, "GMT"] = parts.as_slice() else {
        return None;
    };
    let number = |part: &str, most: i64| part.parse::<i64>().ok().filter(|n| (0..=most).contains(n));
    let month = MONTHS.iter().position(|name| name == month)? as i64 + 1;
    let (day, year) = (number(day, 31)?, number(year, 9999)?);
    let (hour, minute, second) = (number(hour, 23)?, number(minute, 59)?, number(second, 60)?);
    // Days since 1970-01-01: years begin in March, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) as f64 * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit_and_half_is_chance() {
        let policy = Policy::default();
        assert_eq!(policy.wait_ms(2, None, 0.0), 250.0);
        assert_eq!(policy.wait_ms(2, None, 1.0), 500.0);
        assert_eq!(policy.wait_ms(4, None, 1.0), 2000.0);
        assert_eq!(policy.wait_ms(u32::MAX, None, 1.0), 10_000.0);
        assert_eq!(policy.wait_ms(2, Some(60_000.0), 0.5), 60_250.0);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let november = 784_111_777_000.0; // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", november - 1500.0), Some(1500.0));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", november + 1.0), Some(0.0));
        assert_eq!(retry_after_ms("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800_000.0 - 5.0), Some(5.0));
        assert_eq!(retry_after_ms(" 0 ", november), Some(0.0));
        for bad in ["", "-1", "NaN", "inf", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, é"]
        {
            assert_eq!(retry_after_ms(bad, november), None, "{bad}");
        }
    }
}
