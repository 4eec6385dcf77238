//! From JSON text to a document: no name twice, and the overlay merged in.

use serde_json::Value as Json;

use super::reader::Reader;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::nearest::offer;

/// Reads JSON text in which no object has two members of one name.
pub(super) fn parse(text: &str) -> Result<Json> {
    let json = json::read(text)
        .map_err(|error| Error::new(ErrorKind::Pipeline, format!("the document is not JSON: {error}")))?;
    match repeated_name(text) {
        Some((name, line)) => {
            Err(Error::new(ErrorKind::Pipeline, format!("`{name}` is there twice; the second time in line {line}"))
                .at_field(&name)
                .with_hint("rename or remove one of them"))
        }
        None => Ok(json),
    }
}

/// The first member name that an object of a valid JSON text repeats, and its line.
fn repeated_name(text: &str) -> Option<(String, usize)> {
    let mut open: Vec<Vec<&str>> = Vec::new();
    let mut line = 1;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => line += 1,
            '{' | '[' => open.push(Vec::new()),
            '}' | ']' => _ = open.pop(),
            '"' => {
                let mut escaped = false;
                let end = chars.find(|(_, c)| {
                    let ends = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    ends
                });
                let (end, _) = end?;
                let name = text.get(at + 1..end)?;
                if text.get(end + 1..)?.trim_start().starts_with(':') {
                    let names = open.last_mut()?;
                    if names.contains(&name) {
                        return Some((name.to_owned(), line));
                    }
                    names.push(name);
                }
            }
            _ => {}
        }
    }
    None
}

/// Merges an overlay into a document, as a JSON merge patch (RFC 7396) does: objects are merged, `null` removes, anything
/// else replaces. It changes steps that are there; it adds none.
pub(super) fn overlay(document: &mut Json, overlay: &Json) -> Result<()> {
    let patch = Reader::document(overlay)?;
    patch.only(&["steps", "redact", "description"])?;
    let steps = patch.object("steps")?;
    let known = document.get("steps").and_then(Json::as_object);
    for (name, _) in steps.entries() {
        let known = || known.into_iter().flat_map(|steps| steps.keys().map(String::as_str));
        if !known().any(|step| step == name) {
            let hint = offer(name, known());
            return Err(steps.error(name, format!("the document has no step `{name}` to change")).with_hint(hint));
        }
    }
    merge(document, overlay);
    Ok(())
}

fn merge(target: &mut Json, patch: &Json) {
    match (target, patch) {
        (Json::Object(target), Json::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.shift_remove(key);
                } else {
                    merge(target.entry(key).or_insert(Json::Null), value);
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_found_in_its_own_object_only() {
        assert_eq!(repeated_name(r#"{"a": {"b": 1}, "b": [{"b": "a\\"}, {"b": "\"b\": 1"}]}"#), None);
        assert_eq!(repeated_name("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}"), Some(("c".to_owned(), 2)));
    }
}
