//! Keys of cached answers.

use lakelet::cache::key;
use serde_json::{Map, Value as Json};

use super::Outcome;
use super::compare::check;

pub fn cache_key(input: &Json, expected: &Json) -> Outcome {
    check(expected, Ok(key(input["request"].as_object().unwrap_or(&Map::new())).into()))
}
