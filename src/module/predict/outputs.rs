//! What a completion comes to: the fields that were asked for in words, and those that the endpoint gave natively.

use serde_json::Value as Json;

use super::plan::calls_field;
use crate::adapter::{Adapter, empty_reply};
use crate::coerce::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::lm::Completion;
use crate::python::str_of;
use crate::run::Run;
use crate::signature::{Signature, Special, Type};
use crate::tool::ToolCall;
use crate::value::{Custom, Map, Value};

/// How the completions of one reply are read.
pub(super) struct Reader<'a> {
    pub run: &'a Run,
    pub adapter: &'a dyn Adapter,
    /// What the caller wants.
    pub signature: &'a Signature,
    /// What the prompt asked for.
    pub asked: &'a Signature,
}

impl Reader<'_> {
    /// The fields of each completion.
    pub async fn read(&self, completions: &[Completion]) -> Result<Vec<Map>> {
        let is_text = completions.iter().all(is_text);
        let mut all = Vec::with_capacity(completions.len());
        for completion in completions {
            all.push(self.fields(completion, is_text).await?);
        }
        Ok(all)
    }

    /// As DSPy orders them: what was found in the text or has a default, then what there is nothing for.
    async fn fields(&self, completion: &Completion, is_text: bool) -> Result<Map> {
        let mut found = self.found(completion, is_text).await?;
        let (mut fields, mut absent) = (Map::new(), Map::new());
        for field in self.signature.outputs() {
            let default = || field.default.clone().or_else(|| field.ty.allows_none().then_some(Value::None));
            match found.swap_remove(&field.name).or_else(default) {
                Some(value) => fields.insert(field.name.clone(), value),
                None => absent.insert(field.name.clone(), Value::None),
            };
        }
        fields.extend(absent);
        if let Some(calls) = calls_field(self.signature).filter(|_| !completion.tool_calls.is_empty()) {
            fields.insert(calls.name.clone(), ToolCall::calls_of_api(&completion.tool_calls)?);
        }
        for field in self.signature.outputs() {
            let native = match field.ty {
                Type::Special(Special::Reasoning) => completion
                    .reasoning
                    .as_ref()
                    .filter(|text| !text.is_empty())
                    .map(|text| Value::Custom(Box::new(Custom::Reasoning(text.clone())))),
                Type::Special(Special::Citations) if !completion.citations.is_empty() => Some(citations(completion)?),
                _ => None,
            };
            if let Some(value) = native {
                fields.insert(field.name.clone(), value);
            }
        }
        if let Some(logprobs) = &completion.logprobs {
            fields.insert("logprobs".to_owned(), logprobs.into());
        }
        Ok(fields)
    }

    /// What the text says. Beside tool calls it may say nothing.
    async fn found(&self, completion: &Completion, is_text: bool) -> Result<Map> {
        let calls = !completion.tool_calls.is_empty() && calls_field(self.signature).is_some();
        match completion.text.as_deref().filter(|text| !text.is_empty()) {
            Some(_) if calls && self.asked.outputs().next().is_none() => Ok(Map::new()),
            Some(text) => match self.adapter.read(self.run, self.asked, text).await {
                Err(error) if calls && error.kind() == ErrorKind::Parse => Ok(Map::new()),
                read => read,
            },
            None if calls => Ok(Map::new()),
            None => Err(empty_reply(self.adapter.name(), self.signature, &shown(completion, is_text))),
        }
    }
}

/// Whether there is nothing but text, which DSPy then passes on by itself.
fn is_text(completion: &Completion) -> bool {
    members(completion).len() == 1
}

/// A completion as DSPy's errors show it.
fn shown(completion: &Completion, is_text: bool) -> String {
    let members = members(completion);
    match members.first() {
        Some((_, text)) if is_text => str_of(text),
        _ => str_of(&Value::Dict(members)),
    }
}

fn members(completion: &Completion) -> Map {
    let list = |items: &[Json]| (!items.is_empty()).then(|| Value::List(items.iter().map(Value::from).collect()));
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let members = [
        ("text", Some(text(&completion.text).unwrap_or(Value::None))),
        ("reasoning_content", text(&completion.reasoning)),
        ("logprobs", completion.logprobs.as_ref().map(Value::from)),
        ("tool_calls", list(&completion.tool_calls)),
        ("citations", list(&completion.citations)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn citations(completion: &Completion) -> Result<Value> {
    let given = Value::List(completion.citations.iter().map(Value::from).collect());
    validate(&given, &Type::Special(Special::Citations)).map_err(|mismatch| {
        Error::new(ErrorKind::Protocol, mismatch.message)
            .with_hint("the endpoint's citations are not of the form that DSPy knows")
            .with_python_class("ValidationError")
    })
}
