//! Dates and times, as pydantic reads them: ISO 8601 with a few liberties, and seconds since 1970.

use super::calendar::{Date, digits};
use super::validate::Validator;
use crate::value::{ScalarKind, Value};

const DAY: i64 = 86_400;

/// Numbers beyond this count milliseconds.
const MOST_SECONDS: f64 = 2e10;

impl Validator {
    /// A datetime, date, time or timedelta.
    pub(super) fn check_time(&mut self, value: &Value, kind: ScalarKind) -> Option<Value> {
        let [wrong_type, wrong_text, wrong_number] = match kind {
            ScalarKind::Date => ["date_type", "date_from_datetime_parsing", "date_from_datetime_parsing"],
            ScalarKind::Time => ["time_type", "time_parsing", "time_parsing"],
            ScalarKind::Timedelta => ["time_delta_type", "time_delta_parsing", "time_delta_parsing"],
            _ => ["datetime_type", "datetime_from_date_parsing", "datetime_parsing"],
        };
        let read = match value {
            Value::Scalar(known, _) if *known == kind => return Some(value.clone()),
            Value::Str(text) => from_text(text, kind).ok_or(wrong_text),
            Value::Bytes(bytes) => {
                std::str::from_utf8(bytes).ok().and_then(|text| from_text(text, kind)).ok_or(wrong_text)
            }
            Value::Int(number) => from_number(*number as f64, kind).ok_or(wrong_number),
            Value::Float(number) => from_number(*number, kind).ok_or(wrong_number),
            Value::BigInt(_) => Err(wrong_number),
            Value::Bool(truth) if kind == ScalarKind::Timedelta => {
                from_number(f64::from(u8::from(*truth)), kind).ok_or(wrong_number)
            }
            _ => Err(wrong_type),
        };
        match read {
            Ok(Moment::Text(text)) => self.lax(Value::Scalar(kind, text)),
            Ok(Moment::NotMidnight) => self.fail("date_from_datetime_inexact"),
            Err(kind) => self.fail(kind),
        }
    }
}

enum Moment {
    Text(String),
    /// A date was wanted, and the time is not midnight.
    NotMidnight,
}

fn from_text(text: &str, kind: ScalarKind) -> Option<Moment> {
    match kind {
        ScalarKind::Time => Time::parse(text).map(|time| Moment::Text(time.to_string())),
        ScalarKind::Timedelta => duration(text).map(|micros| Moment::Text(duration_text(micros))),
        _ => {
            if let Some(date) = Date::parse(text) {
                return Some(moment(date, Time::default(), kind));
            }
            if let (Some(date), Some(rest)) = (text.get(..10).and_then(Date::parse), text.get(10..)) {
                let time = Time::parse(rest.strip_prefix(['T', 't', ' ', '_'])?)?;
                return Some(moment(date, time, kind));
            }
            let number = text.strip_prefix(['+', '-']).unwrap_or(text);
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            digits(whole)?;
            if !fraction.is_empty() {
                digits(fraction)?;
            }
            from_number(text.parse().ok()?, kind)
        }
    }
}

/// Seconds or milliseconds: since 1970, since midnight, or for a timedelta as such.
fn from_number(number: f64, kind: ScalarKind) -> Option<Moment> {
    if !number.is_finite() {
        return None;
    }
    if kind == ScalarKind::Timedelta {
        let micros = (number * 1e6).round();
        return (micros.abs() < 86_400e6 * 1e9).then(|| Moment::Text(duration_text(micros as i64)));
    }
    if kind == ScalarKind::Time && !(0.0..DAY as f64).contains(&number) {
        return None;
    }
    let seconds = if number.abs() > MOST_SECONDS { number / 1e3 } else { number };
    if seconds.abs() > 1e12 {
        return None;
    }
    let mut whole = seconds.floor() as i64;
    let mut micro = ((seconds - seconds.floor()) * 1e6).round() as i64;
    if micro == 1_000_000 {
        (whole, micro) = (whole + 1, 0);
    }
    let time = Time { second: whole.rem_euclid(DAY), micro, offset: Some(0) };
    if kind == ScalarKind::Time {
        return Some(Moment::Text(time.to_string()));
    }
    Some(moment(Date::from_days(whole.div_euclid(DAY))?, time, kind))
}

fn moment(date: Date, time: Time, kind: ScalarKind) -> Moment {
    if kind != ScalarKind::Date {
        return Moment::Text(format!("{date}T{time}"));
    }
    if time.second == 0 && time.micro == 0 { Moment::Text(date.to_string()) } else { Moment::NotMidnight }
}

#[derive(Clone, Copy, Default)]
struct Time {
    /// Since midnight.
    second: i64,
    micro: i64,
    /// Minutes east of Greenwich.
    offset: Option<i64>,
}

impl Time {
    /// `03:04`, `03:04:05`, `03:04:05.25`, with `Z`, `+01:00` or `+0100`.
    fn parse(text: &str) -> Option<Self> {
        let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
            Some(at) => (text.get(..at)?, Some(offset(text.get(at..)?)?)),
            None => (text, None),
        };
        let (clock, fraction) = clock.split_once(['.', ',']).map_or((clock, None), |(clock, f)| (clock, Some(f)));
        let micro = match fraction {
            Some(fraction) if fraction.len() <= 9 => {
                digits(fraction)?;
                digits(format!("{fraction:0<6}").get(..6)?)?
            }
            Some(_) => return None,
            None => 0,
        };
        let mut parts = clock.split(':').map(|part| digits(part).filter(|_| part.len() == 2));
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = match parts.next() {
            Some(second) => second?,
            None if fraction.is_some() => return None,
            None => 0,
        };
        let fits = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
        fits.then_some(Self { second: hour * 3600 + minute * 60 + second, micro, offset })
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.second / 3600, self.second / 60 % 60, self.second % 60)?;
        if self.micro != 0 {
            write!(f, ".{:06}", self.micro)?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
        }
    }
}

fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match text.len() {
        6 if text.as_bytes().get(3) == Some(&b':') => (text.get(1..3)?, text.get(4..)?),
        5 => (text.get(1..3)?, text.get(3..)?),
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// The microseconds of an ISO 8601 duration (`P1DT2H`), or of a clock with days before it (`3 days, 01:02:03.5`).
fn duration(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let micros = match text.strip_prefix('P') {
        Some(designators) => iso_duration(designators)?,
        None => clock_duration(text)?,
    };
    Some(if negative { -micros } else { micros })
}

fn iso_duration(text: &str) -> Option<i64> {
    let mut in_time = false;
    let mut total = 0.0;
    let mut rest = text;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T').filter(|_| !in_time) {
            in_time = true;
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','))?;
        let number: f64 = rest.get(..end)?.replace(',', ".").parse().ok()?;
        let unit = match (rest.as_bytes().get(end)?, in_time) {
            (b'Y', false) => 365 * DAY,
            (b'M', false) => 30 * DAY,
            (b'W', false) => 7 * DAY,
            (b'D', false) => DAY,
            (b'H', true) => 3600,
            (b'M', true) => 60,
            (b'S', true) => 1,
            _ => return None,
        };
        total += number * unit as f64;
        any = true;
        rest = rest.get(end + 1..)?;
    }
    let micros = (total * 1e6).round();
    (any && micros.abs() < 86_400e6 * 1e9).then_some(micros as i64)
}

fn clock_duration(text: &str) -> Option<i64> {
    let (days, clock) = match text.find(['d', 'D']) {
        None => (0, text),
        Some(at) => {
            let days = digits(text.get(..at)?.trim_end())?;
            let after = text.get(at..)?.to_ascii_lowercase();
            let after = ["days", "day", "d"].iter().find_map(|word| after.strip_prefix(word))?.to_owned();
            let clock = after.trim_start_matches([',', ' ']);
            (days, text.get(text.len() - clock.len()..)?)
        }
    };
    if clock.is_empty() {
        return days.checked_mul(DAY * 1_000_000).filter(|_| text.contains(['d', 'D']));
    }
    // Hours alone go beyond a day, and may have any number of digits.
    let (hours, rest) = clock.split_once(':').filter(|_| clock.len() >= 5)?;
    let hours = digits(hours).filter(|hours| *hours < 24 || clock.len() == text.len())?;
    let time = Time::parse(&["00:", rest].concat()).filter(|time| time.offset.is_none())?;
    let seconds = days.checked_mul(DAY)?.checked_add(hours.checked_mul(3600)?)?.checked_add(time.second)?;
    seconds.checked_mul(1_000_000)?.checked_add(time.micro)
}

/// A duration as pydantic writes it: years of 365 days, days, hours, minutes and seconds.
fn duration_text(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (seconds, micro) = (micros / 1_000_000, micros % 1_000_000);
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    let part = |number: u64, unit: char| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let date = part(days / 365, 'Y') + &part(days % 365, 'D');
    let mut time = part(seconds / 3600, 'H') + &part(seconds / 60 % 60, 'M');
    if seconds % 60 != 0 || micro != 0 {
        let fraction = if micro == 0 { String::new() } else { format!(".{micro:06}").trim_end_matches('0').to_owned() };
        time += &format!("{}{fraction}S", seconds % 60);
    }
    match (date.is_empty(), time.is_empty()) {
        (true, true) => "PT0S".to_owned(),
        (false, true) => format!("{sign}P{date}"),
        _ => format!("{sign}P{date}T{time}"),
    }
}
