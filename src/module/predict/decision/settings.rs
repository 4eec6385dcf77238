//! What a program sets for a decision: where the line is drawn, and what the model is told.

use serde_json::{Map as JsonMap, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::python::{str_of, str_repr};
use crate::signature::{Decision, DecisionKind};

/// The settings of one decision.
pub(super) struct Settings {
    pub parameter: Parameter,
    /// In the place of the field's description.
    pub instructions: Option<Json>,
    /// In the place of what the type says.
    pub criteria: Option<Json>,
}

/// Where the line is drawn.
pub(super) enum Parameter {
    /// From this probability on it is a yes.
    Threshold(f64),
    /// The values at which the levels of a score begin, but for the lowest.
    Cuts(Vec<f64>),
    /// Factors for the probabilities of the options.
    Weights(Vec<f64>),
}

impl Settings {
    /// Reads the settings of the output of that name, with what DSPy does unless told otherwise.
    pub fn read(name: &str, decision: &Decision, given: Option<&Json>) -> Result<Self> {
        let name = str_repr(name);
        let empty = JsonMap::new();
        let given = match given {
            None => &empty,
            Some(Json::Object(given)) => given,
            Some(_) => return Err(refused(format!("Decision configuration for {name} must be a mapping."))),
        };
        let parameter = match decision.kind() {
            DecisionKind::Noul(_) => "threshold",
            DecisionKind::Choice(_) => "weights",
            DecisionKind::Score(_) => "cuts",
        };
        if given.keys().any(|key| key != "instructions" && key != "criteria" && key != parameter) {
            return Err(refused(format!(
                "Invalid configuration for {name}: require '{parameter}', with optional instructions and criteria."
            )));
        }
        for label in ["instructions", "criteria"] {
            if given.get(label).is_some_and(|entry| !is_text_or_more(entry)) {
                return Err(refused(format!("Invalid {label} for {name}: expected a string, object, array, or null.")));
            }
        }
        let (instructions, criteria) = (given.get("instructions").cloned(), given.get("criteria").cloned());
        if let Some(criteria) = &criteria {
            if !fits(criteria, decision) {
                return Err(refused(format!(
                    "Invalid criteria for {name}: must match the declared decision type and options."
                )));
            }
            let are_described = match criteria {
                Json::Object(texts) => texts.values().all(is_text_or_more),
                Json::Array(texts) => texts.iter().all(is_text_or_more),
                _ => true,
            };
            if !are_described {
                return Err(refused(format!("Invalid criteria description for {name}.")));
            }
        }
        let parameter = Parameter::read(&name, decision, given.get(parameter))?;
        Ok(Self { parameter, instructions, criteria })
    }
}

impl Parameter {
    fn read(name: &str, decision: &Decision, given: Option<&Json>) -> Result<Self> {
        match decision.kind() {
            DecisionKind::Noul(_) => {
                let threshold = given.map_or(Some(0.5), Json::as_f64).filter(|number| (0.0..=1.0).contains(number));
                let message = || refused(format!("Threshold for {name} must be in [0, 1]."));
                threshold.map(Self::Threshold).ok_or_else(message)
            }
            DecisionKind::Score(levels) => {
                let most = (levels.len() - 1) as f64;
                let cuts: Option<Vec<f64>> = match given {
                    None => Some((1..levels.len()).map(|level| level as f64 - 0.5).collect()),
                    Some(cuts) => cuts.as_array().and_then(|cuts| cuts.iter().map(Json::as_f64).collect()),
                };
                let are_ordered = |cuts: &Vec<f64>| {
                    levels.len() <= 10
                        && cuts.len() + 1 == levels.len()
                        && cuts.iter().all(|cut| 0.0 < *cut && *cut < most)
                        && cuts.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
                };
                let message = || {
                    refused(format!(
                        "Invalid cuts for {name}: require ordered boundaries inside the Score index range."
                    ))
                };
                cuts.filter(are_ordered).map(Self::Cuts).ok_or_else(message)
            }
            DecisionKind::Choice(options) => {
                let labels: Vec<String> = options.iter().map(|(value, _)| str_of(value)).collect();
                let empty = JsonMap::new();
                let given = given.map_or(Some(&empty), Json::as_object);
                let given = given.filter(|given| given.keys().all(|label| labels.contains(label)));
                let weight = |label: &String| given?.get(label).map_or(Some(1.0), Json::as_f64);
                let weights: Option<Vec<f64>> = given.and(labels.iter().map(weight).collect());
                let are_weights = |weights: &Vec<f64>| {
                    weights.iter().all(|weight| *weight >= 0.0) && weights.iter().any(|weight| *weight > 0.0)
                };
                let message = || {
                    refused(format!(
                        "Choice weights for {name} must map known string labels to finite, nonnegative numbers with at \
                         least one positive effective weight."
                    ))
                };
                weights.filter(are_weights).map(Self::Weights).ok_or_else(message)
            }
        }
    }
}

fn is_text_or_more(entry: &Json) -> bool {
    matches!(entry, Json::String(_) | Json::Object(_) | Json::Array(_) | Json::Null)
}

/// Whether criteria are about the outcomes that the type has.
fn fits(criteria: &Json, decision: &Decision) -> bool {
    match (decision.kind(), criteria) {
        (DecisionKind::Noul(_), Json::Null) => true,
        (DecisionKind::Noul(_), Json::Object(texts)) => texts.keys().all(|key| key == "true" || key == "false"),
        (DecisionKind::Choice(options), Json::Object(texts)) => {
            texts.len() == options.len() && options.iter().all(|(value, _)| texts.contains_key(&str_of(value)))
        }
        (DecisionKind::Score(levels), Json::Array(texts)) => {
            texts.len() == levels.len() && texts.len() <= 10 && !texts.contains(&Json::Null)
        }
        _ => false,
    }
}

pub(super) fn refused(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
        .with_hint("give `threshold` for a bool or Noul, `cuts` for a Score, `weights` for a Literal or Choice")
        .with_python_class("ValueError")
}
