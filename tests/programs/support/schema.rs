//! JSON Schema, as far as the schema of documents uses it. Libraries for it bring some seventy crates, and do not build for
//! every target that these tests are compiled for.

use serde_json::{Map, Value as Json};

/// Whether a document is valid; keywords that are not known here fail the test.
pub fn is_valid(root: &Json, json: &Json) -> bool {
    check(root, root, json).is_some()
}

type Names = Vec<String>;

/// The members that were evaluated, if the value is valid.
fn check(root: &Json, schema: &Json, json: &Json) -> Option<Names> {
    let schema = match schema {
        Json::Bool(valid) => return valid.then(Vec::new),
        Json::Object(schema) => schema,
        other => panic!("{other} is no schema"),
    };
    let object = json.as_object();
    let mut seen: Names = Vec::new();
    for (keyword, rule) in schema {
        let valid = match keyword.as_str() {
            "$schema"
            | "title"
            | "description"
            | "$defs"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "then" => true,
            "$ref" => {
                let target = root.pointer(rule.as_str()?.trim_start_matches('#')).expect("a definition");
                seen.extend(check(root, target, json)?);
                true
            }
            "type" => is_type(rule.as_str()?, json),
            "const" => rule == json,
            "enum" => rule.as_array()?.contains(json),
            "required" => object
                .is_none_or(|o| rule.as_array().unwrap().iter().all(|name| o.contains_key(name.as_str().unwrap()))),
            "minProperties" => object.is_none_or(|o| o.len() as u64 >= rule.as_u64().unwrap()),
            "minItems" => json.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "minimum" => json.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => json.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "items" => json.as_array().is_none_or(|items| items.iter().all(|item| check(root, rule, item).is_some())),
            "propertyNames" => {
                object.is_none_or(|o| o.keys().all(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_')))
            }
            "properties" => {
                for (name, rule) in rule.as_object()? {
                    if let Some(value) = json.get(name) {
                        check(root, rule, value)?;
                        seen.push(name.clone());
                    }
                }
                true
            }
            "oneOf" => {
                let mut valid: Vec<Names> =
                    rule.as_array()?.iter().filter_map(|rule| check(root, rule, json)).collect();
                let one = valid.len() == 1;
                seen.extend(valid.pop().unwrap_or_default());
                one
            }
            "if" => check(root, rule, json).is_none() || check(root, &schema["then"], json).is_some(),
            other => panic!("the keyword `{other}` is not known here"),
        };
        if !valid {
            return None;
        }
    }
    for keyword in ["additionalProperties", "unevaluatedProperties"] {
        if let (Some(rule), Some(object)) = (schema.get(keyword), object) {
            rest(root, rule, object, &seen)?;
            seen = object.keys().cloned().collect();
        }
    }
    Some(seen)
}

fn rest(root: &Json, rule: &Json, object: &Map<String, Json>, seen: &[String]) -> Option<()> {
    object
        .iter()
        .filter(|(name, _)| !seen.contains(name))
        .try_for_each(|(_, value)| check(root, rule, value).map(|_| ()))
}

fn is_type(name: &str, json: &Json) -> bool {
    match name {
        "object" => json.is_object(),
        "array" => json.is_array(),
        "string" => json.is_string(),
        "boolean" => json.is_boolean(),
        "number" => json.is_number(),
        "integer" => json.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("the type `{other}` is not known here"),
    }
}
