//! [`TwoStepAdapter`]: the reply is free text, out of which a second model takes the fields.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use serde_json::Value as Json;

use super::outputs::{Reading, empty_reply};
use super::template::{self, Shown};
use super::value::write_python_str;
use super::{Adapter, ChatAdapter, FieldStream, FieldUpdate, JsonAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json;
use crate::lm::{Capabilities, ChatRequest, LanguageModel, Message, Prompt, write_messages};
use crate::python::strip;
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::Map;

/// DSPy's name of the adapter.
const NAME: &str = "TwoStepAdapter";

/// The adapter for models that reason well but keep to no format: DSPy's `TwoStepAdapter`. The model answers as it likes, and
/// another, smaller one finds the fields in its answer.
#[derive(Clone)]
pub struct TwoStepAdapter {
    extraction_model: Rc<dyn LanguageModel>,
}

impl TwoStepAdapter {
    /// An adapter whose replies that model reads.
    pub fn new(extraction_model: Rc<dyn LanguageModel>) -> Self {
        Self { extraction_model }
    }
}

impl TwoStepAdapter {
    /// Asks the second model for the fields of a text, through ChatAdapter and, when its reply cannot be read, JSONAdapter.
    async fn extract(&self, run: &Run, signature: &Signature, text: &str) -> Result<Map> {
        let extractor = extractor(signature)?;
        let inputs = Example::new().with("text", text);
        match self.ask(run, &ChatAdapter::default(), &extractor, &inputs).await {
            Err(error) if error.kind() == ErrorKind::Parse => {
                self.ask(run, &JsonAdapter::default(), &extractor, &inputs).await
            }
            answer => answer,
        }
    }

    async fn ask(&self, run: &Run, adapter: &dyn Adapter, extractor: &Signature, inputs: &Example) -> Result<Map> {
        let model = &self.extraction_model;
        let mut messages = adapter.prefix(extractor, &[])?;
        messages.extend(adapter.turns(extractor, inputs)?);
        let mut tail = String::new();
        write_messages(&messages, &mut tail);
        let format = adapter.response_format(extractor, model.capabilities())?;
        let response = model
            .complete(ChatRequest {
                prompt: Prompt { prefix: "".into(), tail },
                response_format: format.map(|format| json::text(&format).into()),
                deadline_ms: run.deadline_ms(),
                ..ChatRequest::default()
            })
            .await?;
        run.used(model.name(), &response.reported);
        let reply = response.completions.into_iter().next().and_then(|completion| completion.text).unwrap_or_default();
        if reply.is_empty() {
            return Err(empty_reply(adapter.name(), extractor, &reply));
        }
        adapter.parse(extractor, &reply)
    }
}

/// The signature by which the second model finds the outputs in a text.
fn extractor(signature: &Signature) -> Result<Signature> {
    let outputs: Vec<Field> = signature.outputs().cloned().collect();
    let names: Vec<String> = outputs.iter().map(|field| format!("`{}`", field.name)).collect();
    let instructions = format!(
        "The input is a text that should contain all the necessary information to produce the fields {}. {GAP}Your job is to \
         extract the fields from the text verbatim. Extract precisely the appropriate value (content) for each field.",
        names.join(", ")
    );
    let fields = std::iter::once(Field::input("text", Type::Str)).chain(outputs).collect();
    Signature::from_fields(fields, Some(&instructions))
}

/// DSPy's sentence goes on in an indented line of its source, and the indentation is part of it.
const GAP: &str = "            ";

impl Adapter for TwoStepAdapter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prefix(&self, signature: &Signature, demos: &[Example]) -> Result<Vec<Message>> {
        let mut messages = vec![Message::text("system", system_text(signature)?)];
        let shown = Shown::all(signature);
        for (demo, is_complete) in template::in_order(&shown, demos) {
            let opening = if is_complete { "" } else { template::INCOMPLETE };
            messages.push(Message::text("user", lines(opening, names(&shown.inputs), &demo.fields)));
            messages.push(Message::text("assistant", lines("", names(&shown.outputs), &demo.fields)));
        }
        Ok(messages)
    }

    fn turns(&self, signature: &Signature, inputs: &Example) -> Result<Vec<Message>> {
        Ok(vec![Message::text("user", lines("", names(&Shown::all(signature).inputs), &inputs.fields))])
    }

    fn inputs_text(&self, values: &Map) -> Result<String> {
        Ok(lines("", values.keys().map(String::as_str), values))
    }

    /// The reply is free.
    fn response_format(&self, _signature: &Signature, _model: Capabilities) -> Result<Option<Json>> {
        Ok(None)
    }

    /// Always an error: without a model the reply cannot be read.
    fn parse(&self, _signature: &Signature, _reply: &str) -> Result<Map> {
        Err(Error::new(ErrorKind::Unsupported, "TwoStepAdapter needs a model to read a reply")
            .with_hint("Call a program that has the adapter; or read with another adapter."))
    }

    fn read<'a>(&'a self, run: &'a Run, signature: &'a Signature, reply: &'a str) -> LocalBoxFuture<'a, Result<Map>> {
        Box::pin(async move {
            self.extract(run, signature, reply).await.map_err(|error| match error.kind() {
                ErrorKind::Parse => {
                    let message = format!("Failed to parse response from the original completion: {}", error.message());
                    Reading { adapter: NAME, signature, reply }.error("extraction", &message, None)
                }
                _ => error,
            })
        })
    }

    fn stream(&self, _signature: &Signature) -> Box<dyn FieldStream> {
        Box::new(Silence)
    }
}

/// The fields are known only when the second model has answered.
struct Silence;

impl FieldStream for Silence {
    fn push(&mut self, _piece: &str, _told: &mut Vec<FieldUpdate>) {}

    fn finish(&mut self, _told: &mut Vec<FieldUpdate>) {}
}

fn system_text(signature: &Signature) -> Result<String> {
    let mut out = "You are a helpful assistant that can solve tasks based on user input.\n\
                   As input, you will be provided with:\n"
        .to_owned();
    out.push_str(&signature.describe(signature.inputs())?);
    out.push_str("\nYour outputs must contain:\n");
    out.push_str(&signature.describe(signature.outputs())?);
    out.push_str("\nYou should lay out your outputs in detail so that your answer can be understood by another agent");
    if !signature.instructions.is_empty() {
        out.push_str("\nSpecific instructions: ");
        out.push_str(&signature.instructions);
    }
    Ok(out)
}

fn names<'a>(fields: &'a [&Field]) -> impl Iterator<Item = &'a str> {
    fields.iter().map(|field| field.name.as_str())
}

/// The fields that are given, each as `name: value` with Python's `str` of the value.
fn lines<'a>(opening: &str, names: impl Iterator<Item = &'a str>, values: &Map) -> String {
    let mut out = opening.to_owned();
    for (name, value) in names.filter_map(|name| Some((name, values.get(name)?))) {
        template::push_blank_line(&mut out);
        out.push_str(name);
        out.push_str(": ");
        write_python_str(&mut out, value);
    }
    strip(&out).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn fields_are_named_and_shown_as_python_shows_them() {
        let values = Map::from_iter([
            ("a".to_owned(), Value::List(vec!["x".into(), Value::None])),
            ("b".to_owned(), " y ".into()),
            ("other".to_owned(), 1.into()),
        ]);
        assert_eq!(lines("First:", ["b", "c", "a"].into_iter(), &values), "First:\n\nb:  y \n\na: ['x', None]");
        assert_eq!(lines("", ["a", "b"].into_iter(), &values), "a: ['x', None]\n\nb:  y");
    }

    #[test]
    fn the_second_model_is_asked_for_the_same_outputs() {
        let extractor = extractor(&Signature::parse("q -> a: list[int], b").unwrap()).unwrap();
        assert_eq!(extractor.to_text(), "text -> a, b");
        assert!(extractor.instructions.contains("the fields `a`, `b`.             Your job is"));
    }
}
