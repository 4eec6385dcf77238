//! Who asks.

use serde_json::{Map, Value as Json};

use super::Request;
use super::admission::shortened;
use super::failure::{Failure, Told};
use crate::pipeline::Input;
use crate::signature::Type;
use crate::value::{self, Value};

/// Where the gateway learns who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Users {
    /// Nowhere: what needs a user is refused.
    Unknown,
    /// From headers that the sign-in in front sets on every request: each input, and its header. `id` is what the audit calls the user.
    Headers(Vec<(String, String)>),
    /// From the page, which is believed. For demonstrations: that is no authentication.
    Page,
}

/// Who asks, as far as programs want to know.
pub(super) struct User {
    /// Stands in the audit line.
    pub id: String,
    /// Inputs of programs.
    pub inputs: value::Map,
}

impl Users {
    /// The user of a request; `None` where users are not known at all. `wanted` are the inputs that come from the user.
    pub(super) fn recognise(
        &self,
        request: &Request,
        body: &Map<String, Json>,
        wanted: &[&Input],
    ) -> Told<Option<User>> {
        match self {
            Self::Unknown => Ok(None),
            Self::Headers(headers) => signed_in(headers, request).map(Some),
            Self::Page => claimed(body, wanted).map(Some),
        }
    }
}

fn signed_in(headers: &[(String, String)], request: &Request) -> Told<User> {
    let mut known = value::Map::new();
    for (name, header) in headers {
        let mut values = request.headers.iter().filter(|(given, _)| given == header).map(|(_, value)| value.trim());
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => known.insert(name.clone(), Value::from(value)),
            // A header that is there twice was written by two, and one of them is not the sign-in.
            _ => return Err(Failure::unauthenticated()),
        };
    }
    let id = known.shift_remove("id");
    let id = id.as_ref().and_then(Value::as_str).map_or_else(|| described(&known), str::to_owned);
    Ok(User { id, inputs: known })
}

fn claimed(body: &Map<String, Json>, wanted: &[&Input]) -> Told<User> {
    let claims = body.get("user").and_then(Json::as_object);
    let mut inputs = value::Map::new();
    for input in wanted {
        let value = claims.and_then(|claims| claims.get(&input.name)).map(Value::from);
        let Some(value) = value.filter(|value| input.accepts(value)) else {
            let failure = Failure::invalid(format!("`user.{}` is missing or not known.", input.name));
            return Err(match &input.ty {
                Type::Literal(values) => {
                    let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                    failure.with_hint(format!("It is one of {}.", values.join(", ")))
                }
                other => failure.with_hint(format!("It is of the type {}.", other.annotation_name())),
            });
        };
        inputs.insert(input.name.clone(), value);
    }
    Ok(User { id: described(&inputs), inputs })
}

/// `employee, EU, engineering`.
fn described(inputs: &value::Map) -> String {
    inputs.values().filter_map(Value::as_str).map(shortened).collect::<Vec<_>>().join(", ")
}
