//! What tells requests apart.

use std::fmt::Write;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use crate::json;

/// Where a request goes and with which credential: the answer is the same.
const IGNORED: [&str; 3] = ["api_key", "api_base", "base_url"];

/// The key of a request, as `dspy.cache` of DSPy 3.4.1 makes it: SHA-256, in hex, of its JSON text with sorted names and
/// without the address and the credential.
///
/// ```
/// use serde_json::json;
/// let request = json!({"model": "m", "temperature": 1.0, "api_key": "secret"});
/// let same = json!({"temperature": 1.0, "model": "m"});
/// let other = json!({"model": "m", "temperature": 1});
/// let key = |request: &serde_json::Value| lakelet::cache::key(request.as_object().unwrap());
/// assert_eq!(key(&request), key(&same));
/// assert_ne!(key(&request), key(&other));
/// ```
pub fn key(request: &Map<String, Json>) -> String {
    let mut text = String::new();
    write_members(&mut text, request.iter().filter(|(name, _)| !IGNORED.contains(&name.as_str())));
    let mut key = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        _ = write!(key, "{byte:02x}");
    }
    key
}

fn write_sorted(out: &mut String, json: &Json) {
    match json {
        Json::Object(members) => write_members(out, members.iter()),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_sorted(out, item);
            }
            out.push(']');
        }
        plain => json::write(out, plain),
    }
}

fn write_members<'a>(out: &mut String, members: impl Iterator<Item = (&'a String, &'a Json)>) {
    let mut members: Vec<_> = members.collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    out.push('{');
    for (i, (name, member)) in members.into_iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        json::write_str(out, name);
        out.push(':');
        write_sorted(out, member);
    }
    out.push('}');
}
