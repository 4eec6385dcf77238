//! Decisions: values that come with the confidence behind them, DSPy's experimental `Noul`, `Choice` and `Score`.

use serde_json::Value as Json;

use super::schema::{literal, object, plain, typed};
use super::special::{field, maybe};
use super::types::{ModelField, Type};
use crate::error::{Error, ErrorKind, Result};
use crate::json::dumps;
use crate::python::{repr, str_of};
use crate::sort::sort_by;
use crate::value::{Map, Value};

/// A type of decision. Descriptions are JSON: a text mostly, or null.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    name: String,
    kind: DecisionKind,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq)]
pub enum DecisionKind {
    /// Yes or no; what either means, if that is told.
    Noul(Vec<(bool, Json)>),
    /// One of some values.
    Choice(Vec<(Value, Json)>),
    /// A number on a scale of these levels, the lowest first.
    Score(Vec<Json>),
}

impl Decision {
    /// `Noul[(True, "fine"), (False, "broken")]`, or `Noul` without options.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when an outcome is described twice.
    pub fn noul(mut options: Vec<(bool, Json)>) -> Result<Self> {
        sort_by(&mut options, |(a, _), (b, _)| b.cmp(a));
        if options.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(refused("Noul criteria require distinct True/False values with JSON descriptions."));
        }
        let pairs = options.iter().map(|(outcome, description)| pair((*outcome).into(), description));
        Ok(Self { name: named("Noul", pairs), kind: DecisionKind::Noul(options) })
    }

    /// `Choice[("billing", "Payment issue"), ("tech", "Product bug")]`.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when there are no options, or when two look alike as text.
    pub fn choice(options: Vec<(Value, Json)>) -> Result<Self> {
        if options.is_empty() {
            return Err(refused("Declare options as (value, description) pairs."));
        }
        let is_plain = |value: &Value| matches!(value, Value::Str(_) | Value::Int(_) | Value::Bool(_) | Value::None);
        if !options.iter().all(|(value, _)| is_plain(value)) {
            return Err(refused("Choice values must be strings, integers, booleans, or None."));
        }
        let labels: Map = options.iter().map(|(value, _)| (str_of(value), Value::None)).collect();
        if labels.len() < options.len() {
            return Err(refused("Choice values must have distinct string labels (e.g. 1 and '1' are ambiguous)."));
        }
        let pairs = options.iter().map(|(value, description)| pair(value.clone(), description));
        Ok(Self { name: named("Choice", pairs), kind: DecisionKind::Choice(options) })
    }

    /// `Score["poor", "fair", "excellent"]`.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when there are fewer than two levels, or one has no description.
    pub fn score(levels: Vec<Json>) -> Result<Self> {
        if levels.len() < 2 {
            return Err(refused(
                "Score requires at least two ordered level descriptions, e.g. Score['poor', 'excellent'].",
            ));
        }
        if levels.contains(&Json::Null) {
            return Err(refused("Score level descriptions cannot be null."));
        }
        Ok(Self { name: named("Score", levels.iter().map(Value::from)), kind: DecisionKind::Score(levels) })
    }

    /// The name of the class, with its options.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is decided.
    pub fn kind(&self) -> &DecisionKind {
        &self.kind
    }

    /// What the outcomes mean, as the type declares it; null when it does not.
    pub fn criteria(&self) -> Json {
        match &self.kind {
            DecisionKind::Noul(options) if options.is_empty() => Json::Null,
            DecisionKind::Noul(options) => {
                Json::Object(options.iter().map(|(outcome, text)| (outcome.to_string(), text.clone())).collect())
            }
            DecisionKind::Choice(options) => {
                Json::Object(options.iter().map(|(value, text)| (str_of(value), text.clone())).collect())
            }
            DecisionKind::Score(levels) => levels.as_slice().into(),
        }
    }

    /// What prompts tell of the type.
    pub(super) fn description(&self) -> String {
        match &self.kind {
            DecisionKind::Noul(options) if options.is_empty() => "A Boolean decision.".to_owned(),
            DecisionKind::Noul(_) => {
                format!("A Boolean decision. Criteria: {}.", dumps(&self.criteria()))
            }
            DecisionKind::Choice(options) => {
                let options =
                    options.iter().map(|(value, text)| Json::Array(vec![plain(value), text.clone()])).collect();
                format!("Select exactly one value. Options: {}.", dumps(&Json::Array(options)))
            }
            DecisionKind::Score(levels) => {
                let level = |(i, text): (usize, &Json)| Json::Array(vec![i.into(), text.clone()]);
                let rubric = Json::Array(levels.iter().enumerate().map(level).collect());
                format!(
                    "Continuous score from 0 to {}; intermediate values are allowed. Rubric (level index, description): {}.",
                    levels.len() - 1,
                    dumps(&rubric)
                )
            }
        }
    }

    /// The JSON Schema of what a model writes: the value and the confidence, not what else is told of them.
    pub(super) fn schema(&self) -> serde_json::Map<String, Json> {
        let mut value = match &self.kind {
            DecisionKind::Noul(_) => typed("boolean"),
            DecisionKind::Choice(options) => {
                literal(&options.iter().map(|(value, _)| value.clone()).collect::<Vec<_>>())
            }
            DecisionKind::Score(levels) => {
                let mut schema = typed("number");
                schema.insert("maximum".to_owned(), (levels.len() - 1).into());
                schema.insert("minimum".to_owned(), 0.into());
                schema
            }
        };
        value.insert("title".to_owned(), "Value".into());
        let mut confidence = typed("number");
        confidence.insert("description".to_owned(), CONFIDENCE.into());
        confidence.insert("maximum".to_owned(), 1.into());
        confidence.insert("minimum".to_owned(), 0.into());
        confidence.insert("title".to_owned(), "Confidence".into());
        let mut properties = object("confidence", confidence);
        properties.insert("value".to_owned(), value.into());
        let mut schema = typed("object");
        schema.insert("additionalProperties".to_owned(), false.into());
        if !matches!(self.kind, DecisionKind::Score(_)) {
            schema.insert("description".to_owned(), self.description().into());
        }
        schema.insert("properties".to_owned(), properties.into());
        schema.insert("required".to_owned(), Json::from(vec!["confidence", "value"]));
        schema.insert("title".to_owned(), self.name.as_str().into());
        schema
    }

    /// The attributes of a value.
    pub(super) fn fields(&self) -> Vec<ModelField> {
        let probability = || Type::Alias(("Annotated[float]".to_owned(), Type::Float).into());
        let probabilities = |key| Type::Dict(Some(Box::new((key, probability()))));
        let mut confidence = field("confidence", Type::Float);
        confidence.description = Some(CONFIDENCE.to_owned());
        confidence.constraints = bounds(1);
        let (value, others) = match &self.kind {
            DecisionKind::Noul(_) => {
                let mut shown = maybe("probability", probability());
                shown.constraints = bounds(1);
                (field("value", Type::Bool), vec![shown])
            }
            DecisionKind::Choice(options) => {
                let values = options.iter().map(|(value, _)| value.clone()).collect();
                (field("value", Type::Literal(values)), vec![maybe("probabilities", probabilities(Type::Str))])
            }
            DecisionKind::Score(levels) => {
                let mut value = field("value", Type::Float);
                value.constraints = bounds(levels.len() - 1);
                value.constraints.push(("allow_inf_nan".to_owned(), false.into()));
                let mut level = maybe("level", Type::Int);
                level.constraints = bounds(levels.len() - 1);
                (value, vec![maybe("probabilities", probabilities(Type::Int)), level])
            }
        };
        [confidence, value].into_iter().chain(others).collect()
    }

    /// The attributes of a value in their order, with `None` for those that are not given.
    pub(crate) fn attributes(&self, given: &Map) -> Map {
        let attribute = |field: ModelField| {
            let value = given.get(&field.name).cloned().unwrap_or(Value::None);
            (field.name, value)
        };
        self.fields().into_iter().map(attribute).collect()
    }
}

const CONFIDENCE: &str = "Confidence in the value, from 0 to 1.";

fn pair(value: Value, description: &Json) -> Value {
    Value::Tuple(vec![value, description.into()])
}

/// The name of a class with its options in brackets.
fn named(class: &str, options: impl Iterator<Item = Value>) -> String {
    let shown: Vec<String> = options.map(|option| repr(&option)).collect();
    if shown.is_empty() { class.to_owned() } else { [class, "[", &shown.join(", "), "]"].concat() }
}

fn bounds(most: usize) -> Vec<(String, Value)> {
    vec![("ge".to_owned(), Value::Int(0)), ("le".to_owned(), Value::Int(most as i64))]
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::Signature, message)
        .with_hint("List each outcome once, with a description or null.")
        .with_python_class("ValueError")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_named_and_described_as_in_python() {
        let noul = Decision::noul(vec![(false, "it's\nbad".into()), (true, Json::Null)]).unwrap();
        assert_eq!(noul.name(), "Noul[(True, None), (False, \"it's\\nbad\")]");
        assert_eq!(noul.description(), r#"A Boolean decision. Criteria: {"true": null, "false": "it's\nbad"}."#);
        let choice = Decision::choice(vec![("é".into(), "".into()), (Value::None, "n".into())]).unwrap();
        assert_eq!(choice.name(), "Choice[('é', ''), (None, 'n')]");
        assert_eq!(choice.description(), r#"Select exactly one value. Options: [["\u00e9", ""], [null, "n"]]."#);
    }

    #[test]
    fn options_that_cannot_be_told_apart_are_refused() {
        assert!(Decision::noul(vec![(true, Json::Null), (true, "x".into())]).is_err());
        assert!(Decision::choice(vec![(1.into(), Json::Null), ("1".into(), Json::Null)]).is_err());
        assert!(Decision::choice(vec![(1.5.into(), Json::Null)]).is_err());
        assert!(Decision::score(vec!["only".into()]).is_err());
    }
}
