//! Objects described by JSON Schema, with the same lax reading of numbers and truth values as every other type.

use serde_json::Value as Json;

use super::equal::equal;
use super::validate::Validator;
use crate::signature::Type;
use crate::value::{Map, Value};

impl Validator {
    /// Makes a value one that a schema allows. `root` holds the definitions that `$ref` names.
    pub(super) fn check_schema(&mut self, value: &Value, schema: &Json, root: &Json) -> Option<Value> {
        self.deeper(|validator| validator.check_schema_node(value, schema, root))
    }

    fn check_schema_node(&mut self, value: &Value, schema: &Json, root: &Json) -> Option<Value> {
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            return match target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
                Some(target) => self.check_schema(value, target, root),
                None => self.fail("schema_ref"),
            };
        }
        if let Some(choices) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
            return self.check_choices(value, choices, root);
        }
        if let Some(only) = schema.get("const") {
            return self.check_literal(value, &[Value::from(only)]);
        }
        if let Some(allowed) = schema.get("enum").and_then(Json::as_array) {
            let allowed: Vec<Value> = allowed.iter().map(Value::from).collect();
            return self.check_literal(value, &allowed);
        }
        match schema.get("type") {
            Some(Json::Array(names)) => {
                let choices: Vec<Json> = names.iter().map(|name| with_type(schema, name)).collect();
                self.check_choices(value, &choices, root)
            }
            Some(Json::String(name)) => self.check_named(value, name, schema, root),
            _ if schema.get("properties").is_some() => self.check_object(value, schema, root),
            _ => Some(value.clone()),
        }
    }

    fn check_named(&mut self, value: &Value, name: &str, schema: &Json, root: &Json) -> Option<Value> {
        let checked = match name {
            "string" => self.check(value, &Type::Str),
            "integer" => self.check(value, &Type::Int),
            "number" if matches!(value, Value::Int(_) | Value::BigInt(_)) => Some(value.clone()),
            "number" => self.check(value, &Type::Float),
            "boolean" => self.check(value, &Type::Bool),
            "null" => self.check(value, &Type::None),
            "array" => self.check_array(value, schema, root),
            "object" => self.check_object(value, schema, root),
            _ => Some(value.clone()),
        }?;
        let limits = [
            ("minimum", "ge"),
            ("maximum", "le"),
            ("exclusiveMinimum", "gt"),
            ("exclusiveMaximum", "lt"),
            ("multipleOf", "multiple_of"),
            ("minLength", "min_length"),
            ("maxLength", "max_length"),
            ("minItems", "min_length"),
            ("maxItems", "max_length"),
        ];
        let limits: Vec<(String, Value)> =
            limits.iter().filter_map(|(key, name)| Some(((*name).to_owned(), Value::from(schema.get(key)?)))).collect();
        match super::constraint::broken(&checked, &limits) {
            Some(kind) => self.fail(kind),
            None => Some(checked),
        }
    }

    /// The first choice that takes the value unchanged, else the first that takes it.
    fn check_choices(&mut self, value: &Value, choices: &[Json], root: &Json) -> Option<Value> {
        let issues = self.issue_count();
        let mut first = None;
        for choice in choices {
            match self.check_schema(value, choice, root) {
                Some(same) if equal(&same, value) => {
                    self.forget(issues);
                    return Some(same);
                }
                changed => first = first.or(changed),
            }
        }
        if first.is_some() {
            self.forget(issues);
        } else if choices.is_empty() {
            return self.fail("union_empty");
        }
        first
    }

    fn check_array(&mut self, value: &Value, schema: &Json, root: &Json) -> Option<Value> {
        let Some(Value::List(items)) = self.check(value, &Type::List(None)) else { return None };
        let prefix = schema.get("prefixItems").and_then(Json::as_array);
        let rest = schema.get("items");
        let mut valid = Some(Vec::with_capacity(items.len()));
        for (index, item) in items.iter().enumerate() {
            let schema = prefix.and_then(|prefix| prefix.get(index)).or(rest);
            let checked = match schema {
                Some(schema) => {
                    self.inside(|| index.to_string(), |validator| validator.check_schema(item, schema, root))
                }
                None => Some(item.clone()),
            };
            valid = valid.zip(checked).map(|(mut list, item)| {
                list.push(item);
                list
            });
        }
        valid.map(Value::List)
    }

    fn check_object(&mut self, value: &Value, schema: &Json, root: &Json) -> Option<Value> {
        let Value::Dict(given) = value else { return self.fail("dict_type") };
        let empty = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&empty);
        let mut fields = Map::with_capacity(given.len());
        let mut valid = true;
        let required = schema.get("required").and_then(Json::as_array);
        for (name, property) in properties {
            let checked = match given.get(name) {
                Some(value) => self.inside(|| name.clone(), |validator| validator.check_schema(value, property, root)),
                None => match property.get("default") {
                    Some(default) => Some(Value::from(default)),
                    None if required.is_some_and(|names| names.iter().any(|required| required == name)) => {
                        self.inside(|| name.clone(), |validator| validator.fail("missing"))
                    }
                    None => continue,
                },
            };
            match checked {
                Some(value) => _ = fields.insert(name.clone(), value),
                None => valid = false,
            }
        }
        for (key, value) in given.iter().filter(|(key, _)| !properties.contains_key(*key)) {
            let kept = match schema.get("additionalProperties") {
                Some(Json::Bool(false)) => continue,
                Some(other @ Json::Object(_)) => {
                    self.inside(|| key.clone(), |validator| validator.check_schema(value, other, root))
                }
                _ if properties.is_empty() => Some(value.clone()),
                _ => continue,
            };
            match kept {
                Some(value) => _ = fields.insert(key.clone(), value),
                None => valid = false,
            }
        }
        valid.then_some(Value::Dict(fields))
    }
}

/// The schema with one of its types.
fn with_type(schema: &Json, name: &Json) -> Json {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        object.insert("type".to_owned(), name.clone());
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::coerce::{Mismatch, parse_value};

    fn parse(schema: Json, text: &str) -> Result<Value, Mismatch> {
        parse_value(&Value::from(text), &Type::JsonSchema(Rc::new(("Answer".to_owned(), schema))))
    }

    #[test]
    fn an_object_has_the_properties_of_its_schema() {
        let schema = json!({
            "type": "object",
            "properties": {
                "n": {"type": "integer", "minimum": 1},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
                "more": {"anyOf": [{"$ref": "#"}, {"type": "null"}], "default": null},
            },
            "required": ["n"],
        });
        let value = parse(schema.clone(), "{n: '2', tags: ['a'], other: 1}").unwrap();
        assert_eq!(crate::python::repr(&value), "{'n': 2, 'tags': ['a'], 'more': None}");
        let mismatch = parse(schema, "{'n': 0, 'tags': ['c'], 'more': {}}").unwrap_err();
        let issues: Vec<_> = mismatch.issues.iter().map(|issue| (issue.kind, issue.loc.join("."))).collect();
        let told = [
            ("greater_than_equal", "n"),
            ("literal_error", "tags.0"),
            ("missing", "more.n"),
            ("none_required", "more"),
        ];
        assert_eq!(issues, told.map(|(kind, place)| (kind, place.to_owned())));
    }

    #[test]
    fn a_schema_that_turns_in_circles_ends() {
        let schema = json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert!(parse(schema, "1").unwrap_err().issues.iter().all(|issue| issue.kind == "recursion_loop"));
    }
}
