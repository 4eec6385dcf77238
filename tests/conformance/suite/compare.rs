//! Comparing what came out with what was recorded.

use lakelet::Error;
use serde_json::Value as Json;

use super::Outcome;

/// Compares a result with `{"ok": ...}` or `{"error": ...}`.
pub fn check(expected: &Json, actual: Result<Json, Error>) -> Outcome {
    match (expected.get("ok"), actual) {
        (Some(expected), Ok(actual)) => same(expected, &actual),
        (Some(_), Err(error)) => Err(format!("unexpected error: {error}")),
        (None, Ok(actual)) => Err(format!("expected {}, got {actual}", expected["error"]["class"])),
        (None, Err(error)) => same_error(&expected["error"], &error),
    }
}

/// Compares texts byte for byte, and says where they part.
pub fn same_text(expected: &str, actual: &str) -> Outcome {
    if expected == actual {
        return Ok(());
    }
    let parted = expected.chars().zip(actual.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.chars().skip(parted.saturating_sub(20)).take(90).collect::<String>();
    Err(format!("at character {parted}: expected {:?}, got {:?}", around(expected), around(actual)))
}

/// Compares JSON: objects without order, integers and floats as different, `$python_only` not at all.
pub fn same(expected: &Json, actual: &Json) -> Outcome {
    if matches(expected, actual) {
        return Ok(());
    }
    match (expected, actual) {
        (Json::String(expected), Json::String(actual)) => same_text(expected, actual),
        (Json::Array(expected), Json::Array(actual)) if expected.len() == actual.len() => {
            expected.iter().zip(actual).enumerate().try_for_each(|(i, (expected, actual))| {
                same(expected, actual).map_err(|reason| format!("[{i}] {reason}"))
            })
        }
        (Json::Object(expected), Json::Object(actual)) if expected.keys().all(|key| actual.contains_key(key)) => {
            for (key, value) in expected {
                same(value, &actual[key]).map_err(|reason| format!("{key}: {reason}"))?;
            }
            let more = actual.keys().find(|key| !expected.contains_key(*key));
            Err(format!("`{}` is too much", more.map_or("", String::as_str)))
        }
        _ => Err(format!("expected {expected}, got {actual}")),
    }
}

fn matches(expected: &Json, actual: &Json) -> bool {
    match (expected, actual) {
        (Json::Object(expected), _) if expected.contains_key("$python_only") => true,
        (Json::Object(expected), Json::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(key, value)| actual.get(key).is_some_and(|other| matches(value, other)))
        }
        (Json::Array(expected), Json::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(a, b)| matches(a, b))
        }
        _ => expected == actual,
    }
}

/// Errors match by class; by message where DSPy writes it; by what was parsed where an adapter gave up.
pub fn same_error(expected: &Json, error: &Error) -> Outcome {
    let class = expected["class"].as_str().unwrap_or_default();
    if error.python_class() != Some(class) {
        return Err(format!("expected {class}, got {:?}: {error}", error.python_class()));
    }
    if class == "AdapterParseError" {
        let reply = error.reply().ok_or("the error carries no reply")?;
        same(&expected["kind"], &reply.problem.into())?;
        same(&expected["adapter"], &reply.adapter.into())?;
        let mut parsed = reply.parsed_fields.clone();
        parsed.iter_mut().for_each(|names| names.sort());
        let parsed = parsed.map_or(Json::Null, Json::from);
        if expected["parsed_fields"] != parsed {
            return Err(format!("expected parsed fields {}, got {parsed}", expected["parsed_fields"]));
        }
    }
    // Where a module was loaded from differs from machine to machine.
    let mut message = expected["message"].as_str().unwrap_or_default().to_owned();
    for origin in [" <path>>", " (frozen)>", " (built-in)>"] {
        message = message.replace(origin, ">");
    }
    let exact = matches!(class, "ValueError" | "AdapterParseError" | "AssertionError") && !message.is_empty();
    if exact { same_text(&message, error.message()) } else { Ok(()) }
}
