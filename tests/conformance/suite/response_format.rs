//! The schema of a structured reply.

use lakelet::signature::strict_schema;
use serde_json::{Value as Json, json};

use super::compare::{check, same, same_text};
use super::{Outcome, cases};

pub fn response_format(input: &Json, expected: &Json) -> Outcome {
    let native_tools = input["use_native_function_calling"] == true;
    let signature =
        match cases::types(&input["typedefs"]).and_then(|types| cases::signature(&input["signature"], &types)) {
            Ok(signature) => signature,
            Err(error) => return check(expected, Err(error)),
        };
    let open_ended = signature.outputs().any(|field| field.is_open_ended());
    let expected_ok = &expected["ok"];
    if expected_ok["open_ended"] == true {
        return if open_ended { Ok(()) } else { Err("not open-ended".to_owned()) };
    }
    let schema = match signature.response_schema(native_tools) {
        Ok(schema) => schema,
        Err(error) => return check(expected, Err(error)),
    };
    let strict = match strict_schema(&schema) {
        Ok(schema) => schema,
        Err(error) => return check(expected, Err(error)),
    };
    same(&expected_ok["open_ended"], &json!(open_ended))?;
    same(&expected_ok["name"], &schema["title"])?;
    same(&expected_ok["schema"], &schema)?;
    same_text(&spaced(&expected_ok["schema_text"])?, &schema.to_string())?;
    // `closed_schema_text` is what providers beyond Databricks are sent.
    same_text(&spaced(&expected_ok["strict_schema_text"])?, &strict.to_string())
}

/// A recorded schema in the spacing of `serde_json`; the order of keys is kept.
fn spaced(text: &Json) -> Result<String, String> {
    let schema: Json =
        serde_json::from_str(text.as_str().unwrap_or_default()).map_err(|problem| problem.to_string())?;
    Ok(schema.to_string())
}
