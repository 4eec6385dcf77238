//! Usage of several calls, by model.

use lakelet::lm::UsageByModel;
use serde_json::{Map, Value as Json};

use super::Outcome;
use super::compare::check;

pub fn merge(input: &Json, expected: &Json) -> Outcome {
    let mut usage = UsageByModel::default();
    for entry in input["entries"].as_array().into_iter().flatten() {
        usage.add(entry[0].as_str().unwrap_or_default(), entry[1].as_object().unwrap_or(&Map::new()));
    }
    let models = usage.models().iter().map(|(model, total)| (model.clone(), Json::Object(total.clone())));
    check(expected, Ok(Json::Object(models.collect())))
}
