//! The evidence for a decision: what the model writes.

use crate::python::str_of;
use crate::signature::{Decision, DecisionKind, ModelField, ModelType, Type};
use crate::value::Value;

/// The type of the evidence, a closed model.
pub(super) fn type_of(decision: &Decision) -> Type {
    let (class, labels) = match decision.kind() {
        DecisionKind::Noul(_) => {
            let noul = probability("noul", Some("Probability that the answer is true."), None);
            return named("NoulEvidence", closed("NoulEvidence", vec![noul]));
        }
        DecisionKind::Choice(options) => ("Choice", options.iter().map(|(value, _)| str_of(value)).collect()),
        DecisionKind::Score(levels) => ("Score", (0..levels.len()).map(|level| level.to_string()).collect::<Vec<_>>()),
    };
    let option = |(i, label)| probability(&format!("option_{i}"), None, Some(label));
    let options = closed(&format!("{class}Probabilities"), labels.into_iter().enumerate().map(option).collect());
    let probabilities = ModelField {
        ty: options,
        constraints: Vec::new(),
        ..probability("probabilities", Some("Probability of each option; sum to one."), None)
    };
    let confidence = probability("confidence", Some("Confidence in the decision, from 0 to 1."), None);
    let name = format!("{class}Evidence");
    named(&name, closed(&name, vec![probabilities, confidence]))
}

/// The type under its name: XML shows a model of DSPy's own as JSON, not as elements.
fn named(name: &str, model: Type) -> Type {
    Type::Alias((name.to_owned(), model).into())
}

fn closed(name: &str, fields: Vec<ModelField>) -> Type {
    let extra = Some("forbid".to_owned());
    Type::Model(ModelType { name: name.to_owned(), doc: None, extra, typed_dict: false, fields }.into())
}

fn probability(name: &str, description: Option<&str>, alias: Option<String>) -> ModelField {
    ModelField {
        name: name.to_owned(),
        ty: Type::Float,
        description: description.map(str::to_owned),
        default: None,
        alias,
        title: None,
        constraints: vec![("ge".to_owned(), Value::Int(0)), ("le".to_owned(), Value::Int(1))],
    }
}

/// A number of the evidence.
pub(super) fn number(evidence: &Value, name: &str) -> f64 {
    match evidence {
        Value::Model(_, fields) => fields.get(name).map_or(0.0, float),
        _ => 0.0,
    }
}

/// The probabilities of the options, in their order.
pub(super) fn probabilities(evidence: &Value) -> Vec<f64> {
    match evidence {
        Value::Model(_, fields) => match fields.get("probabilities") {
            Some(Value::Model(_, options)) => options.values().map(float).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(number) = value { *number } else { 0.0 }
}

/// The place of the greatest number, the first of several.
pub(super) fn first_greatest(numbers: &[f64]) -> usize {
    let greater = |best: usize, (i, number): (usize, &f64)| match numbers.get(best) {
        Some(greatest) if number > greatest => i,
        _ => best,
    };
    numbers.iter().enumerate().fold(0, greater)
}
