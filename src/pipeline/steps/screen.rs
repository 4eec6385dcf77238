//! `screen`: rules in code over a question, over passages, or over a text.

use serde_json::Value as Json;

use super::only;
use crate::error::Result;
use crate::nearest::offer;
use crate::pipeline::passages;
use crate::pipeline::reader::Reader;
use crate::pipeline::step::{Action, Draft, Want, WantKind, texts_type};
use crate::screen::{RULES, Rule, Rules};
use crate::signature::Type;
use crate::value::{Map, Value};

/// What is screened decides what comes out:
///
/// - `question`: `ok` and `issues`. The question must be refused when it is not ok. It may be several texts: what else the
///   person who asks has written reaches the models too.
/// - `passages`: the same fields as `retrieve`, with a mark in the place of what the rules found and the names of those
///   rules as `flags` of the passage; and `issues`.
/// - `text`: the `text` with marks, `ok` (nothing was found) and `issues`.
pub(in crate::pipeline) struct Screen {
    target: Target,
    rules: Rules,
}

#[derive(Clone, Copy)]
enum Target {
    Question,
    Passages,
    Text,
}

const TARGETS: [(&str, Target); 3] =
    [("question", Target::Question), ("passages", Target::Passages), ("text", Target::Text)];

/// Reads `rules` and `allow`.
pub(in crate::pipeline) fn read_rules(place: &Reader) -> Result<Rules> {
    let names = place.texts("rules")?.ok_or_else(|| place.missing("rules"))?;
    let mut on = Vec::new();
    for name in names {
        let hint = || offer(name, RULES.iter().map(|(known, _)| *known));
        on.push(
            Rule::named(name)
                .ok_or_else(|| place.error("rules", format!("there is no rule `{name}`")).with_hint(hint()))?,
        );
    }
    let allow = place.texts("allow")?.unwrap_or_default().into_iter().map(str::to_owned).collect();
    Ok(Rules { on, allow })
}

impl Screen {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["question", "passages", "text", "rules", "allow"])?;
        let mut targets = TARGETS.iter().filter(|(name, _)| step.get(name).is_some());
        let (Some((name, target)), None) = (targets.next(), targets.next()) else {
            return Err(step.error("question", "a screen has one of `question`, `passages` and `text`"));
        };
        let (ok, issues) = (("ok".to_owned(), Type::Bool), ("issues".to_owned(), Type::Str));
        let (kind, gives) = match target {
            Target::Question => (WantKind::Of(Type::Str), vec![ok, issues]),
            Target::Passages => {
                (WantKind::Passages, [passages::gives(), vec![("issues".to_owned(), texts_type())]].concat())
            }
            Target::Text => (WantKind::Of(Type::Str), vec![("text".to_owned(), Type::Str), ok, issues]),
        };
        let wants = match step.get(name) {
            Some(Json::Array(several)) if matches!(target, Target::Question) && !several.is_empty() => {
                let texts = step.texts(name)?.unwrap_or_default().into_iter().enumerate();
                texts.map(|(i, from)| Want::new(format!("{name}[{i}]"), from, WantKind::Of(Type::Str))).collect()
            }
            _ => vec![Want::new(*name, step.need_text(name)?, kind)],
        };
        Ok(Draft { action: Action::Screen(Self { target: *target, rules: read_rules(step)? }), wants, gives })
    }

    pub fn apply(&self, given: Map) -> Map {
        match self.target {
            Target::Question => {
                let refused = given.values().find_map(|text| self.rules.refuses(text.as_str().unwrap_or_default()));
                Map::from([
                    ("ok".to_owned(), refused.is_none().into()),
                    ("issues".to_owned(), refused.unwrap_or_default().into()),
                ])
            }
            Target::Passages => {
                let found = match given.into_values().next() {
                    Some(Value::List(found)) => found,
                    _ => Vec::new(),
                };
                let mut issues = Vec::new();
                let screened = found.into_iter().map(|passage| self.passage(passage, &mut issues)).collect();
                let mut outputs = passages::outputs(screened);
                outputs.insert("issues".to_owned(), Value::List(issues));
                outputs
            }
            Target::Text => {
                let text = given.values().next().and_then(Value::as_str).unwrap_or_default();
                let names = self.names(text);
                Map::from([
                    ("text".to_owned(), self.rules.redact(text).as_ref().into()),
                    ("ok".to_owned(), names.is_empty().into()),
                    ("issues".to_owned(), names.join(", ").into()),
                ])
            }
        }
    }

    /// The rules that found something.
    fn names(&self, text: &str) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.rules.find(text).iter().map(|finding| finding.rule.name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn passage(&self, mut passage: Value, issues: &mut Vec<Value>) -> Value {
        let names = self.names(passages::text(&passage, "text"));
        self.rules.redact_value(&mut passage);
        if let Value::Dict(fields) = &mut passage {
            let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
            issues.extend(names.iter().map(|name| Value::from(format!("{id}: {name}"))));
            fields.insert("flags".to_owned(), Value::List(names.into_iter().map(Value::from).collect()));
        }
        passage
    }
}
