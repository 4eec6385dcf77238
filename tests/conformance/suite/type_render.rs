//! One type in every form that prompts use.

use lakelet::adapter::{BamlAdapter, XmlAdapter};
use lakelet::signature::{Field, Signature, Type};
use lakelet::{Error, Result};
use serde_json::{Value as Json, json};

use super::Outcome;
use super::cases;
use super::compare::{check, same};

pub fn type_view(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let ty = Type::parse(input["type"].as_str().unwrap_or_default(), &cases::types(&input["typedefs"])?)?;
        Ok((Signature::from_fields(vec![Field::output("out", ty.clone())], None)?, ty))
    };
    let (signature, ty) = match run() {
        Ok(found) => found,
        Err(error) => return check(expected, Err(error)),
    };
    let views = &expected["ok"];
    let compare = |view: &str, actual: Json| same(&views[view], &actual).map_err(|reason| format!("{view}: {reason}"));
    compare("annotation_name", ty.annotation_name().into())?;
    compare("allows_none", ty.allows_none().into())?;
    compare("schema_text", view(ty.schema_text()))?;
    compare("placeholder", view(signature.fields[0].placeholder()))?;
    compare("description_line", view(signature.describe(signature.outputs())))?;
    compare("baml", view(BamlAdapter::type_text(&ty)))?;
    compare("xml_nested", json!({"ok": XmlAdapter::nests(&ty)}))?;
    compare("xml_schema", view(XmlAdapter::skeleton("out", &ty)))
}

/// A view is a text, or the class of the error that there is instead.
fn view(result: Result<String>) -> Json {
    match result {
        Ok(text) => json!({"ok": text}),
        Err(error) => json!({"error": class(&error)}),
    }
}

fn class(error: &Error) -> &'static str {
    error.python_class().unwrap_or("none")
}
