//! DSPy's own types, which read replies in their own ways.

use super::validate::Validator;
use crate::json_repair;
use crate::python::strip;
use crate::signature::{Decision, DecisionKind, ModelType, Special, citation, tool_call};
use crate::value::{Custom, Map, Value};

impl Validator {
    pub(super) fn check_special(&mut self, value: &Value, special: &Special) -> Option<Value> {
        if let Value::Custom(custom) = value
            && is_of(custom, special)
        {
            return Some(value.clone());
        }
        let (fit, fields_set) = (self.fit, self.fields_set);
        let custom = match special {
            Special::Code(_) => Custom::Code(extract_code(self.one_text(value, "code")?)),
            Special::Reasoning => Custom::Reasoning(self.one_text(value, "content")?.to_owned()),
            Special::ToolCalls => Custom::ToolCalls(self.tool_calls(value)?),
            Special::Citations => Custom::Citations(self.citations(value)?),
            Special::History => Custom::History(self.history(value)?),
            Special::Decision(decision) => Custom::Decision(decision.clone(), self.decision(value, special, decision)?),
            // What a program is given, no model writes.
            Special::Image | Special::Audio | Special::File | Special::Document | Special::Tool => {
                return self.fail("value_error");
            }
        };
        // Its parts were made apart from it; to a union it is a model with this many fields.
        let fields = if matches!(&custom, Custom::ToolCalls(calls) if calls.len() > 1) { 2 } else { 1 };
        (self.fit, self.fields_set) = (fit, fields_set);
        self.add_fields_set(Some(fields));
        self.strict(Value::Custom(Box::new(custom)))
    }

    /// The text itself, or the one field of an object.
    fn one_text<'a>(&mut self, value: &'a Value, field: &str) -> Option<&'a str> {
        let text = match value {
            Value::Dict(map) => map.get(field).and_then(Value::as_str),
            _ => value.as_str(),
        };
        text.or_else(|| self.fail("value_error"))
    }

    /// `{"tool_calls": [...]}`, a list of calls or one call, in DSPy's shape or in OpenAI's.
    fn tool_calls(&mut self, value: &Value) -> Option<Map> {
        let call = tool_call();
        let mut calls = Vec::new();
        let mut results = None;
        match value {
            Value::List(items) if items.iter().all(is_tool_call) => {
                for item in items {
                    calls.push(self.tool_call(item, &call)?);
                }
            }
            Value::Dict(map) => match map.get("tool_calls") {
                Some(Value::List(items)) => {
                    calls = self.objects(items, "tool_calls", |validator, item| validator.tool_call(item, &call))?;
                    results = map.get("tool_call_results").filter(|results| **results != Value::None);
                }
                None if is_tool_call(value) => calls.push(self.tool_call(value, &call)?),
                _ => return self.fail("value_error"),
            },
            _ => return self.fail("value_error"),
        }
        let mut all = Map::new();
        all.insert("tool_calls".to_owned(), Value::List(calls));
        if let Some(results) = results {
            all.insert("tool_call_results".to_owned(), results.clone());
        }
        Some(all)
    }

    fn tool_call(&mut self, value: &Value, model: &ModelType) -> Option<Value> {
        let Value::Dict(given) = value else { return self.fail("value_error") };
        let empty = Map::new();
        let function = match given.get("function") {
            Some(Value::Dict(function)) => Some(function),
            Some(other) if json_repair::is_falsy(other) => Some(&empty),
            Some(_) => return self.fail("value_error"),
            None => None,
        };
        let (name, arguments) = match function {
            Some(function) => (truthy(function.get("name")).or(given.get("name")), function.get("arguments")),
            None => (given.get("name"), given.get("args").or(given.get("arguments"))),
        };
        let arguments = match arguments {
            Some(Value::Str(text)) => json_repair::loads(text),
            Some(dict @ (Value::Dict(_) | Value::MixedDict(_))) => dict.clone(),
            _ => Value::Dict(Map::new()),
        };
        let id = truthy(given.get("id")).or(given.get("call_id"));
        let plain = [("id", id.cloned()), ("name", name.cloned()), ("args", Some(arguments))];
        let plain = plain.into_iter().map(|(key, value)| (key.to_owned(), value.unwrap_or(Value::None))).collect();
        self.check_fields(&plain, model).map(Value::Dict)
    }

    /// `{"citations": [...]}`, a list of citations or one citation.
    fn citations(&mut self, value: &Value) -> Option<Vec<Value>> {
        let model = citation();
        let is_citation = |value: &Value| matches!(value, Value::Dict(map) if map.contains_key("cited_text"));
        let check = |validator: &mut Self, value: &Value| match value {
            Value::Dict(given) => validator.check_fields(given, &model).map(Value::Dict),
            _ => validator.fail("model_type"),
        };
        match value {
            Value::List(items) if items.iter().all(is_citation) => items.iter().map(|item| check(self, item)).collect(),
            Value::Dict(map) => match map.get("citations") {
                Some(Value::List(items)) => self.objects(items, "citations", check),
                None if is_citation(value) => check(self, value).map(|one| vec![one]),
                _ => self.fail("value_error"),
            },
            _ => self.fail("value_error"),
        }
    }

    /// Reads the objects of a list. The first object that is wrong is told alone; what is no object is told with its place.
    fn objects(
        &mut self,
        items: &[Value],
        name: &str,
        check: impl Fn(&mut Self, &Value) -> Option<Value>,
    ) -> Option<Vec<Value>> {
        let mut valid = Vec::with_capacity(items.len());
        let mut complete = true;
        for item in items.iter().filter(|item| matches!(item, Value::Dict(_))) {
            valid.push(check(self, item)?);
        }
        for (index, item) in items.iter().enumerate() {
            if !matches!(item, Value::Dict(_)) {
                complete = false;
                self.inside(
                    || name.to_owned(),
                    |validator| validator.inside::<()>(|| index.to_string(), |validator| validator.fail("model_type")),
                );
            }
        }
        complete.then_some(valid)
    }

    fn decision(&mut self, value: &Value, special: &Special, decision: &Decision) -> Option<Map> {
        let Value::Dict(given) = value else { return self.fail("model_type") };
        let is_noul = matches!(decision.kind(), DecisionKind::Noul(_));
        if is_noul && given.get("value").is_some_and(|value| value.as_bool().is_none()) {
            return self.inside(|| "value".to_owned(), |validator| validator.fail("bool_type"));
        }
        self.check_fields(given, &special.model())
    }

    fn history(&mut self, value: &Value) -> Option<Vec<Map>> {
        let Value::Dict(given) = value else { return self.fail("model_type") };
        let fields = self.check_fields(given, &Special::History.model())?;
        let Some(Value::List(items)) = fields.into_iter().next().map(|(_, messages)| messages) else {
            return Some(Vec::new());
        };
        Some(items.into_iter().filter_map(|item| if let Value::Dict(map) = item { Some(map) } else { None }).collect())
    }
}

pub(super) fn is_of(custom: &Custom, special: &Special) -> bool {
    match (custom, special) {
        (Custom::History(_), Special::History)
        | (Custom::Code(_), Special::Code(_))
        | (Custom::Reasoning(_), Special::Reasoning)
        | (Custom::ToolCalls(_), Special::ToolCalls)
        | (Custom::Tool(_), Special::Tool)
        | (Custom::Citations(_), Special::Citations) => true,
        (Custom::Decision(decision, _), Special::Decision(wanted)) => decision == wanted,
        (Custom::Media(name, _), Special::Image) => *name == "Image",
        (Custom::Media(name, _), Special::Audio) => *name == "Audio",
        (Custom::Media(name, _), Special::File) => *name == "File",
        (Custom::Media(name, _), Special::Document) => *name == "Document",
        _ => false,
    }
}

fn truthy(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !json_repair::is_falsy(value))
}

fn is_tool_call(value: &Value) -> bool {
    let Value::Dict(map) = value else { return false };
    let has = |key| map.contains_key(key);
    (has("name") && (has("args") || has("arguments"))) || has("function")
}

/// The code of the first fenced block: after its language line, or else all on one line. Without a block, the text.
fn extract_code(text: &str) -> String {
    let fenced = |text: &str| text.split_once("```").map(|(code, _)| strip(code).to_owned());
    let block = text.split_once("```").map(|(_, block)| block);
    let below = |block: &str| block.split_once('\n').and_then(|(_, code)| fenced(code));
    block.and_then(|block| below(block).or_else(|| fenced(block))).unwrap_or_else(|| text.to_owned())
}
