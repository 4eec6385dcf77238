//! Rows as a scan gives them: a protobuf `Struct`, whose members are a list, and whose values say their type.

use serde_json::{Map, Value as Json};

/// The row as a plain record. Numbers are doubles.
pub(super) fn record(row: &Json) -> Map<String, Json> {
    let fields = row.get("fields").and_then(Json::as_array).into_iter().flatten();
    let field = |field: &Json| {
        let name = field.get("key")?.as_str()?.to_owned();
        Some((name, value(field.get("value").unwrap_or(&Json::Null))))
    };
    fields.filter_map(field).collect()
}

fn value(typed: &Json) -> Json {
    let Some((kind, value_of)) = typed.as_object().and_then(|members| members.iter().next()) else {
        return Json::Null;
    };
    match kind.as_str() {
        "list_value" => {
            let values = value_of.get("values").and_then(Json::as_array).into_iter().flatten();
            Json::Array(values.map(value).collect())
        }
        "struct_value" => Json::Object(record(value_of)),
        "null_value" => Json::Null,
        _ => value_of.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_becomes_plain() {
        let row = json!({"fields": [
            {"key": "id", "value": {"string_value": "a"}},
            {"key": "n", "value": {"number_value": 1.5}},
            {"key": "ok", "value": {"bool_value": true}},
            {"key": "none", "value": {"null_value": "NULL_VALUE"}},
            {"key": "nothing"},
            {"key": "list", "value": {"list_value": {"values": [{"number_value": 1}, {"string_value": "b"}]}}},
            {"key": "empty", "value": {"list_value": {}}},
            {"key": "inner", "value": {"struct_value": {"fields": [{"key": "x", "value": {"number_value": 2}}]}}},
        ]});
        let plain = json!({"id": "a", "n": 1.5, "ok": true, "none": null, "nothing": null, "list": [1, "b"], "empty": [], "inner": {"x": 2}});
        assert_eq!(Json::Object(record(&row)), plain);
        assert!(record(&json!(7)).is_empty());
    }
}
