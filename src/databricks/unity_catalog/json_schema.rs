//! The types of SQL as JSON Schema, for what a model is told of a function's parameters.

use serde_json::{Map, Value as Json, json};

/// The schema of a parameter as Unity Catalog describes it: by its `type_json`, or by its `type_name` where that is missing.
pub(super) fn of_parameter(parameter: &Json) -> Json {
    let text = |name: &str| parameter.get(name).and_then(Json::as_str).unwrap_or_default();
    let described = crate::json::read(text("type_json")).unwrap_or_default();
    // The description of a field, with its type within; some give the type alone.
    let described = described.get("metadata").and(described.get("type")).unwrap_or(&described);
    let mut schema = match described {
        Json::Null => of_word(text("type_name")),
        described => of_type(described),
    };
    let default = text("parameter_default");
    let comment = match (text("comment"), default) {
        (comment, "") => comment.to_owned(),
        ("", default) => format!("Default: {default}"),
        (comment, default) => format!("{comment} (Default: {default})"),
    };
    if !comment.is_empty() {
        schema.insert("description".to_owned(), comment.into());
    }
    if !default.is_empty() {
        schema.insert("default".to_owned(), value_of(default));
    }
    Json::Object(schema)
}

/// A type as Spark writes it in JSON.
fn of_type(described: &Json) -> Map<String, Json> {
    let within = |name: &str| Json::Object(of_type(described.get(name).unwrap_or(&Json::Null)));
    let members = match described.get("type").and_then(Json::as_str) {
        None => return of_word(described.as_str().unwrap_or_default()),
        Some("array") => [("type", "array".into()), ("items", within("elementType"))].into(),
        Some("map") => [("type", "object".into()), ("additionalProperties", within("valueType"))].into(),
        Some("struct") => {
            let (mut properties, mut required) = (Map::new(), Vec::new());
            for field in described.get("fields").and_then(Json::as_array).into_iter().flatten() {
                let name = field.get("name").and_then(Json::as_str).unwrap_or_default();
                let mut schema = of_type(field.get("type").unwrap_or(&Json::Null));
                if let Some(comment) = field.pointer("/metadata/comment") {
                    schema.insert("description".to_owned(), comment.clone());
                }
                if field.get("nullable") == Some(&Json::Bool(false)) {
                    required.push(name);
                }
                properties.insert(name.to_owned(), schema.into());
            }
            vec![("type", "object".into()), ("properties", properties.into()), ("required", json!(required))]
        }
        Some(word) => return of_word(word),
    };
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A type of one word, as SQL, Spark or Unity Catalog write it.
fn of_word(word: &str) -> Map<String, Json> {
    let word = word.to_ascii_lowercase();
    let name = word.split(['(', ' ']).next().unwrap_or_default();
    let (kind, format) = match name {
        "boolean" => ("boolean", None),
        "byte" | "tinyint" | "short" | "smallint" | "int" | "integer" | "long" | "bigint" => ("integer", None),
        "float" | "real" | "double" | "decimal" | "dec" | "numeric" => ("number", None),
        "date" => ("string", Some("date")),
        "timestamp" | "timestamp_ntz" => ("string", Some("date-time")),
        "binary" => ("string", Some("base64")),
        "array" => ("array", None),
        "map" | "struct" => ("object", None),
        "variant" | "" => return Map::new(), // anything
        _ => ("string", None),
    };
    let members = [Some(("type", kind)), format.map(|format| ("format", format))];
    members.into_iter().flatten().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The value of a default, which is an expression of SQL: a number, a truth, `NULL` or a text in quotes; or the expression itself.
fn value_of(expression: &str) -> Json {
    let quoted = expression.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match quoted {
        Some(text) => text.replace("''", "'").into(),
        None => crate::json::read(expression.to_ascii_lowercase()).unwrap_or_else(|_| expression.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(type_json: &str) -> Json {
        of_parameter(&json!({"name": "a", "type_json": type_json}))
    }

    #[test]
    fn types_become_schemas() {
        for (spark, schema) in [
            ("string", json!({"type": "string"})),
            ("varchar(10)", json!({"type": "string"})),
            ("long", json!({"type": "integer"})),
            ("decimal(10,2)", json!({"type": "number"})),
            ("timestamp_ntz", json!({"type": "string", "format": "date-time"})),
            ("interval day to second", json!({"type": "string"})),
            ("variant", json!({})),
        ] {
            let field = json!({"name": "a", "type": spark, "nullable": true, "metadata": {}}).to_string();
            assert_eq!(parameter(&field), schema, "{spark}");
            assert_eq!(parameter(&json!(spark).to_string()), schema, "{spark}");
            assert_eq!(of_parameter(&json!({"name": "a", "type_name": spark.to_uppercase()})), schema, "{spark}");
        }
        let point = json!([
            {"name": "x", "type": "double", "nullable": false, "metadata": {"comment": "where"}},
            {"name": "m", "type": {"type": "map", "keyType": "string", "valueType": "integer"}, "nullable": true},
        ]);
        let points = json!({"type": "array", "containsNull": true, "elementType": {"type": "struct", "fields": point}});
        let schema = json!({"type": "array", "items": {
            "type": "object", "required": ["x"], "properties": {
                "x": {"type": "number", "description": "where"},
                "m": {"type": "object", "additionalProperties": {"type": "integer"}},
            },
        }});
        assert_eq!(parameter(&json!({"name": "a", "type": points, "metadata": {}}).to_string()), schema);
        assert_eq!(of_parameter(&json!({"name": "a", "type_name": "ARRAY"})), json!({"type": "array"}));
    }

    #[test]
    fn comments_and_defaults_are_told() {
        for (default, value) in [
            ("10", json!(10)),
            ("'it''s'", json!("it's")),
            ("TRUE", json!(true)),
            ("NULL", json!(null)),
            ("now()", json!("now()")),
        ] {
            let parameter = json!({"type_name": "STRING", "comment": "A thing.", "parameter_default": default});
            let told = of_parameter(&parameter);
            assert_eq!(told["default"], value);
            assert_eq!(told["description"], format!("A thing. (Default: {default})"));
        }
    }
}
