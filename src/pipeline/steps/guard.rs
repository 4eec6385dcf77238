//! `guard`: a condition on earlier fields, and what the program returns when it does not hold.

use super::only;
use crate::error::Result;
use crate::pipeline::reader::Reader;
use crate::pipeline::step::{Action, Draft, Want, WantKind};
use crate::signature::Type;
use crate::value::{Map, Value};

/// The program goes on only when every requirement holds; a value that is not there, because the step that should give
/// it has failed, meets no requirement.
pub(in crate::pipeline) struct Guard {
    require: Vec<Requirement>,
    otherwise: Vec<(String, Instead)>,
}

struct Requirement {
    argument: String,
    value: Value,
    /// The value must be this, or must be anything but this.
    equal: bool,
}

/// What an output is instead.
enum Instead {
    Value(Value),
    /// The value of an argument, or if there is none, this.
    Given(String, Value),
}

/// What a guard decided.
pub(in crate::pipeline) enum Verdict {
    Pass,
    /// The program ends with these outputs.
    Stop(Map),
}

impl Guard {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["require", "otherwise"])?;
        let mut wants = Vec::new();
        let mut require = Vec::new();
        for (i, condition) in step.objects("require")?.iter().enumerate() {
            condition.only(&["value", "is", "is_not"])?;
            let (json, equal) = match (condition.get("is"), condition.get("is_not")) {
                (Some(json), None) => (json, true),
                (None, Some(json)) => (json, false),
                _ => return Err(condition.error("is", "a requirement has either `is` or `is_not`")),
            };
            let value = Value::from(json);
            let kind = match value {
                Value::Bool(_) => WantKind::Of(Type::Bool),
                Value::Str(_) => WantKind::Of(Type::Str),
                _ => WantKind::Any,
            };
            let argument = format!("require[{i}]");
            wants.push(Want::new(format!("{argument}.value"), condition.need_text("value")?, kind).named(&argument));
            require.push(Requirement { argument, value, equal });
        }
        if require.is_empty() {
            return Err(step.missing("require"));
        }
        let otherwise = step.object("otherwise")?;
        let mut outputs = Vec::new();
        for (name, json) in otherwise.entries() {
            let instead = if json.is_object() {
                let given = otherwise.object(name)?;
                given.only(&["from", "else"])?;
                wants.push(Want::new(format!("otherwise.{name}"), given.need_text("from")?, WantKind::Any));
                let fallback = given.get("else").ok_or_else(|| given.missing("else"))?;
                Instead::Given(format!("otherwise.{name}"), Value::from(fallback))
            } else {
                Instead::Value(Value::from(json))
            };
            outputs.push((name.to_owned(), instead));
        }
        if outputs.is_empty() {
            return Err(step.missing("otherwise"));
        }
        Ok(Draft { action: Action::Guard(Self { require, otherwise: outputs }), wants, gives: Vec::new() })
    }

    /// Whether an argument is part of the condition.
    pub fn requires(&self, argument: &str) -> bool {
        self.require.iter().any(|requirement| requirement.argument == argument)
    }

    /// Decides by the arguments that there are.
    pub fn decide(&self, given: &Map) -> Verdict {
        let holds = |requirement: &Requirement| {
            given.get(&requirement.argument).is_some_and(|value| (*value == requirement.value) == requirement.equal)
        };
        if self.require.iter().all(holds) {
            return Verdict::Pass;
        }
        let outputs = self.otherwise.iter().map(|(name, instead)| {
            let value = match instead {
                Instead::Value(value) => value,
                Instead::Given(argument, fallback) => given.get(argument).unwrap_or(fallback),
            };
            (name.clone(), value.clone())
        });
        Verdict::Stop(outputs.collect())
    }
}
