//! `repr` and `str` of dates, times, durations, decimals and UUIDs, from the text that pydantic writes into JSON.

use std::fmt::Write;

use crate::value::ScalarKind;

pub(super) fn write_str(out: &mut String, kind: ScalarKind, text: &str) {
    match kind {
        ScalarKind::Datetime => out.push_str(&text.replacen('T', " ", 1).replacen('Z', "+00:00", 1)),
        ScalarKind::Time => out.push_str(&text.replacen('Z', "+00:00", 1)),
        ScalarKind::Timedelta => match Duration::parse(text) {
            Some(duration) => duration.write_str(out),
            None => out.push_str(text),
        },
        ScalarKind::Date | ScalarKind::Decimal | ScalarKind::Uuid => out.push_str(text),
    }
}

pub(super) fn write_repr(out: &mut String, kind: ScalarKind, text: &str) {
    match kind {
        ScalarKind::Decimal => _ = write!(out, "Decimal('{text}')"),
        ScalarKind::Uuid => _ = write!(out, "UUID('{text}')"),
        ScalarKind::Date => write_moment(out, "date", text, 3),
        // Seconds and microseconds are left out when they are zero.
        ScalarKind::Datetime => write_moment(out, "datetime", text, 5),
        ScalarKind::Time => write_moment(out, "time", text, 2),
        ScalarKind::Timedelta => match Duration::parse(text) {
            Some(duration) => duration.write_repr(out),
            None => out.push_str(text),
        },
    }
}

/// `datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)`; `least` numbers are always shown.
fn write_moment(out: &mut String, class: &str, text: &str, least: usize) {
    let clock = if class == "time" { 0 } else { text.find('T').unwrap_or(text.len()) };
    let zone = text.get(clock..).and_then(|rest| rest.find(['Z', '+', '-'])).map_or(text.len(), |i| clock + i);
    let mut numbers: Vec<u32> = Vec::with_capacity(7);
    for part in text.get(..zone).unwrap_or("").split(['-', 'T', ':']) {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        numbers.push(whole.parse().unwrap_or(0));
        if !fraction.is_empty() {
            numbers.push(microseconds(fraction));
        }
    }
    while numbers.len() > least && numbers.last() == Some(&0) {
        numbers.pop();
    }
    _ = write!(out, "datetime.{class}(");
    for (i, number) in numbers.iter().enumerate() {
        _ = write!(out, "{}{number}", if i > 0 { ", " } else { "" });
    }
    match text.get(zone..).unwrap_or("") {
        "" => {}
        "Z" | "+00:00" => out.push_str(", tzinfo=datetime.timezone.utc"),
        offset => {
            let mut parts = offset.get(1..).unwrap_or("").split(':').map(|part| part.parse::<i64>().unwrap_or(0));
            let seconds = parts.next().unwrap_or(0) * 3600 + parts.next().unwrap_or(0) * 60 + parts.next().unwrap_or(0);
            out.push_str(", tzinfo=datetime.timezone(");
            let micros = seconds * if offset.starts_with('-') { -1_000_000 } else { 1_000_000 };
            Duration { micros }.write_repr(out);
            out.push(')');
        }
    }
    out.push(')');
}

/// The digits behind a decimal point, in millionths.
fn microseconds(fraction: &str) -> u32 {
    fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(6)
        .fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0').min(9)))
}

/// A `datetime.timedelta`.
struct Duration {
    micros: i64,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Duration {
    /// Reads an ISO 8601 duration without months and years: `P1DT2H3M4.5S`, `-P1D`.
    fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let mut micros: i64 = 0;
        let mut rest = rest.strip_prefix('P')?;
        while !rest.is_empty() {
            rest = rest.strip_prefix('T').unwrap_or(rest);
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, tail) = rest.split_at_checked(end)?;
            let unit = match tail.as_bytes().first()? {
                b'W' => 7 * DAY,
                b'D' => DAY,
                b'H' => 3600 * SECOND,
                b'M' => 60 * SECOND,
                b'S' => SECOND,
                _ => return None,
            };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            micros = micros.checked_add(whole.parse::<i64>().ok()?.checked_mul(unit)?)?;
            micros = micros.checked_add(i64::from(microseconds(fraction)) * (unit / SECOND))?;
            rest = tail.get(1..)?;
        }
        Some(Self { micros: sign * micros })
    }

    /// Days, seconds and microseconds as Python keeps them: only the days may be negative.
    fn parts(&self) -> (i64, i64, i64) {
        let within = self.micros.rem_euclid(DAY);
        (self.micros.div_euclid(DAY), within / SECOND, within % SECOND)
    }

    fn write_str(&self, out: &mut String) {
        let (days, seconds, micros) = self.parts();
        if days != 0 {
            _ = write!(out, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" });
        }
        _ = write!(out, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if micros != 0 {
            _ = write!(out, ".{micros:06}");
        }
    }

    fn write_repr(&self, out: &mut String) {
        let (days, seconds, micros) = self.parts();
        out.push_str("datetime.timedelta(");
        let mut first = true;
        for (name, number) in [("days", days), ("seconds", seconds), ("microseconds", micros)] {
            if number != 0 {
                _ = write!(out, "{}{name}={number}", if first { "" } else { ", " });
                first = false;
            }
        }
        out.push_str(if first { "0)" } else { ")" });
    }
}
