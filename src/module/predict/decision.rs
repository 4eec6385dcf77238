//! Outputs that are decided by probabilities, DSPy's experimental decision types (DSPy 3.4.1): what the model is asked for in
//! their place, and what is made of its answer.

mod evidence;
mod settings;

use std::rc::Rc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::adapter::{JsonStyle, write_json};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json::to_ascii;
use crate::python::{str_of, str_repr};
use crate::signature::{Decision, DecisionKind, Field, Signature, Special, Type};
use crate::value::{Custom, Map, Value};
use settings::{Parameter, Settings};

/// The decisions among the outputs of a signature.
pub(super) struct Decisions(Vec<Output>);

struct Output {
    name: String,
    decision: Rc<Decision>,
    /// The field is a plain `bool` or `Literal`, of which only the value is kept.
    is_plain: bool,
    settings: Settings,
}

impl Decisions {
    /// The outputs that are decisions by their type, and those that `settings` make decisions: thresholds and the like, by
    /// name, as a program's state has them under `fields`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config), when the settings do not fit the outputs.
    pub fn of(signature: &Signature, settings: &JsonMap<String, Json>) -> Result<Self> {
        let mut decisions = Vec::new();
        for field in signature.outputs() {
            let is_plain = !matches!(field.ty, Type::Special(Special::Decision(_)));
            if is_plain && !settings.contains_key(&field.name) {
                continue;
            }
            decisions.extend(decision_of(&field.ty)?.map(|decision| (&field.name, decision, is_plain)));
        }
        let is_unknown = |name: &&String| decisions.iter().all(|(known, ..)| known != name);
        let mut unknown: Vec<&String> = settings.keys().filter(is_unknown).collect();
        if !unknown.is_empty() {
            unknown.sort_unstable();
            let names: Vec<String> = unknown.into_iter().map(|name| str_repr(name)).collect();
            let message = format!("Decision configuration refers to unsupported outputs: [{}].", names.join(", "));
            return Err(settings::refused(message));
        }
        let output = |(name, decision, is_plain): (&String, Rc<Decision>, bool)| {
            let settings = Settings::read(name, &decision, settings.get(name))?;
            Ok(Output { name: name.clone(), decision, is_plain, settings })
        };
        decisions.into_iter().map(output).collect::<Result<_>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The signature that asks for evidence. Demos become part of the task: they hold labels, and no evidence.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when nothing tells the model what a decision is about.
    pub fn asked(&self, signature: &Signature, demos: &[Example]) -> Result<Signature> {
        let mut asked = signature.clone();
        for output in &self.0 {
            let Some(field) = signature.field(&output.name) else { continue };
            let mut desc = "\n".to_owned();
            write_json(&mut desc, &Value::from(&output.question(field)?), JsonStyle::Indented);
            asked = asked.with_updated_field(&output.name, |field| {
                field.desc = desc;
                field.ty = evidence::type_of(&output.decision);
            })?;
        }
        if demos.is_empty() {
            return Ok(asked);
        }
        let of_signature = |demo: &Example| {
            let mut fields = demo.fields.clone();
            fields.retain(|name, _| signature.field(name).is_some());
            Value::Dict(fields)
        };
        let mut examples = String::new();
        write_json(&mut examples, &Value::List(demos.iter().map(of_signature).collect()), JsonStyle::OneLine);
        asked.append_instructions(&format!("Task examples (labels or evidence):\n{}", to_ascii(&examples)))
    }

    /// The outputs of a reply, with what was decided in the place of the evidence.
    ///
    /// # Errors
    /// [`Parse`](ErrorKind::Parse), when the evidence allows no decision.
    pub fn decide(&self, mut fields: Map) -> Result<Map> {
        for output in &self.0 {
            let decided = fields.get(&output.name).map(|evidence| output.decide(evidence)).transpose()?;
            if let Some(decided) = decided {
                fields.insert(output.name.clone(), decided);
            }
        }
        Ok(fields)
    }
}

/// The decision that a type is or can be made.
fn decision_of(ty: &Type) -> Result<Option<Rc<Decision>>> {
    Ok(match ty {
        Type::Bool => Some(Rc::new(Decision::noul(Vec::new())?)),
        Type::Literal(values) => {
            Some(Rc::new(Decision::choice(values.iter().map(|value| (value.clone(), "".into())).collect())?))
        }
        Type::Special(Special::Decision(decision)) => Some(Rc::clone(decision)),
        _ => None,
    })
}

impl Output {
    /// What is to be decided, as the model is told.
    fn question(&self, field: &Field) -> Result<Json> {
        let instructions = match &self.settings.instructions {
            Some(instructions) => instructions.clone(),
            None if field.has_desc() => field.desc.as_str().into(),
            None => {
                let name = str_repr(&self.name);
                let message =
                    format!("Decision output {name} requires an OutputField(desc=...) or explicit instructions.");
                return Err(Error::new(ErrorKind::Signature, message)
                    .at_field(&self.name)
                    .with_hint("say in the field's description what is to be decided")
                    .with_python_class("ValueError"));
            }
        };
        let kind = match self.decision.kind() {
            DecisionKind::Noul(_) => "noul",
            DecisionKind::Choice(_) => "choice",
            DecisionKind::Score(_) => "score",
        };
        let mut question = JsonMap::new();
        question.insert("instructions".to_owned(), instructions);
        question.insert("type".to_owned(), kind.into());
        match &self.settings.criteria {
            Some(criteria) => _ = question.insert("criteria".to_owned(), criteria.clone()),
            None => {
                let mut criteria = self.decision.criteria();
                // Of the options of a `Literal` nothing is told.
                if let (DecisionKind::Choice(_), Json::Object(texts)) = (self.decision.kind(), &mut criteria) {
                    texts.values_mut().filter(|text| **text == "").for_each(|text| *text = Json::Null);
                }
                if !criteria.is_null() {
                    question.insert("criteria".to_owned(), criteria);
                }
            }
        }
        Ok(Json::Object(question))
    }

    fn decide(&self, evidence: &Value) -> Result<Value> {
        let refuse = |message: String| {
            Error::new(ErrorKind::Parse, message)
                .at_field(&self.name)
                .with_hint("the model gave no probabilities that can be compared")
                .with_python_class("ValueError")
        };
        let name = str_repr(&self.name);
        let confidence = || evidence::number(evidence, "confidence");
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| _ = fields.insert(name.to_owned(), value);
        match (self.decision.kind(), &self.settings.parameter) {
            (DecisionKind::Noul(_), Parameter::Threshold(threshold)) => {
                let probability = evidence::number(evidence, "noul");
                set("confidence", ((probability - threshold).abs() / threshold.max(1.0 - threshold)).into());
                set("value", (probability >= *threshold).into());
                set("probability", probability.into());
            }
            (DecisionKind::Score(_), Parameter::Cuts(cuts)) => {
                let probabilities = evidence::probabilities(evidence);
                let total: f64 = probabilities.iter().sum();
                if total <= 0.0 {
                    return Err(refuse(format!("Invalid Score distribution for {name}.")));
                }
                let weighted = probabilities.iter().enumerate().map(|(level, probability)| level as f64 * probability);
                let value = weighted.sum::<f64>() / total;
                let by_level = probabilities.iter().enumerate();
                set("confidence", confidence().into());
                set("value", value.into());
                set(
                    "probabilities",
                    Value::MixedDict(by_level.map(|(i, p)| (Value::Int(i as i64), (*p).into())).collect()),
                );
                set("level", Value::Int(cuts.iter().filter(|cut| value >= **cut).count() as i64));
            }
            (DecisionKind::Choice(options), Parameter::Weights(weights)) => {
                let probabilities = evidence::probabilities(evidence);
                if probabilities.iter().sum::<f64>() <= 0.0 {
                    return Err(refuse(format!("Invalid Choice answer for {name}.")));
                }
                let raw = evidence::first_greatest(&probabilities);
                let scores: Vec<f64> = probabilities.iter().zip(weights).map(|(p, weight)| p * weight).collect();
                // Of equal scores the likeliest option counts, and then the first.
                let best = evidence::first_greatest(&scores);
                let selected = if scores.get(raw) == scores.get(best) { raw } else { best };
                if scores.get(selected).is_none_or(|score| *score <= 0.0) {
                    return Err(refuse(format!("Choice weights for {name} leave no positive probability mass.")));
                }
                let labels = options.iter().map(|(value, _)| str_of(value));
                set("confidence", confidence().into());
                set("value", options.get(selected).map_or(Value::None, |(value, _)| value.clone()));
                set("probabilities", Value::Dict(labels.zip(probabilities.into_iter().map(Value::from)).collect()));
            }
            _ => {}
        }
        Ok(match self.is_plain {
            true => fields.swap_remove("value").unwrap_or(Value::None),
            false => Value::Custom(Box::new(Custom::Decision(Rc::clone(&self.decision), fields))),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::coerce::parse_value;
    use crate::signature::Types;

    fn signature() -> Signature {
        let mut types = Types::new();
        let mut insert = |name, decision| types.insert(name, Type::Special(Special::Decision(Rc::new(decision))));
        insert("Ok", Decision::noul(vec![(false, "broken".into()), (true, "fine".into())]).unwrap());
        insert("Route", Decision::choice(vec![("bill".into(), "Money".into()), (3.into(), Json::Null)]).unwrap());
        insert("Grade", Decision::score(vec!["poor".into(), "fair".into(), "good".into()]).unwrap());
        Signature::parse_with("q -> ok: Ok, route: Route, grade: Grade, safe: bool", &types).unwrap()
    }

    /// What is decided of an output, on the evidence that a model wrote.
    fn decide(name: &str, settings: Json, evidence: &str) -> Result<String> {
        let signature = signature().with_updated_field(name, |field| field.desc = "What?".to_owned())?;
        let settings = JsonMap::from_iter([(name.to_owned(), settings)]);
        let mut decisions = Decisions::of(&signature, &settings)?;
        decisions.0.retain(|output| output.name == name);
        let asked = decisions.asked(&signature, &[])?;
        let evidence = parse_value(&evidence.into(), &asked.field(name).unwrap().ty).unwrap();
        let decided = decisions.decide(Map::from_iter([(name.to_owned(), evidence)]))?;
        Ok(crate::python::repr(&decided[name]))
    }

    #[test]
    fn the_line_is_drawn_where_the_settings_say() {
        let noul = |settings| decide("ok", settings, "{\"noul\": 0.75}").unwrap();
        let class = "Noul[(True, 'fine'), (False, 'broken')]";
        assert_eq!(noul(json!({})), format!("{class}(confidence=0.5, value=True, probability=0.75)"));
        assert_eq!(noul(json!({"threshold": 1})), format!("{class}(confidence=0.25, value=False, probability=0.75)"));

        let evidence = r#"{"probabilities": {"bill": 0.25, "3": 0.75}, "confidence": 0.5}"#;
        let route = |settings| decide("route", settings, evidence).unwrap();
        assert!(route(json!({})).contains("value=3, probabilities={'bill': 0.25, '3': 0.75}"));
        assert!(route(json!({"weights": {"bill": 3}})).contains("value=3"), "of equal scores the likeliest counts");
        assert!(route(json!({"weights": {"bill": 4}})).contains("value='bill'"));

        let evidence = r#"{"probabilities": {"0": 0.25, "1": 0.25, "2": 0.5}, "confidence": 1}"#;
        let grade = |settings| decide("grade", settings, evidence).unwrap();
        assert!(grade(json!({})).ends_with("value=1.25, probabilities={0: 0.25, 1: 0.25, 2: 0.5}, level=1)"));
        assert!(grade(json!({"cuts": [0.1, 1.25]})).ends_with("level=2)"));
    }

    #[test]
    fn a_bool_with_settings_is_asked_for_as_a_probability() {
        assert_eq!(decide("safe", json!({"threshold": 0.9}), "{\"noul\": 0.75}").as_deref().ok(), Some("False"));
        let none = Decisions::of(&Signature::parse("q -> safe: bool").unwrap(), &JsonMap::new()).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn what_cannot_be_decided_is_an_error() {
        let class = |result: Result<String>| result.unwrap_err().python_class();
        let evidence = r#"{"probabilities": {"bill": 0, "3": 0}, "confidence": 0.5}"#;
        assert_eq!(class(decide("route", json!({}), evidence)), Some("ValueError"));
        for (name, settings) in [
            ("ok", json!({"threshold": 1.5})),
            ("ok", json!({"cuts": [1]})),
            ("route", json!({"weights": {"other": 1}})),
            ("route", json!({"weights": {"bill": 0, "3": 0}})),
            ("route", json!({"criteria": {"bill": "x"}})),
            ("grade", json!({"cuts": [1, 0.5]})),
            ("grade", json!({"criteria": ["a", null, "b"]})),
            ("q", json!({})),
        ] {
            let settings = JsonMap::from_iter([(name.to_owned(), settings)]);
            let error = Decisions::of(&signature(), &settings).err().unwrap();
            assert_eq!((error.kind(), error.python_class()), (ErrorKind::Config, Some("ValueError")));
        }
        let undescribed = Decisions::of(&signature(), &JsonMap::new()).unwrap();
        assert_eq!(undescribed.asked(&signature(), &[]).unwrap_err().field(), Some("ok"));
    }
}
