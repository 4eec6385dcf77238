//! A bare adapter: `name: value` lines.

use std::rc::Rc;

use lakelet::adapter::{Adapter, FieldStream, FieldUpdate};
use lakelet::error::Reply;
use lakelet::lm::{Capabilities, Message};
use lakelet::signature::Type;
use lakelet::value::Map;
use lakelet::{Error, ErrorKind, Example, Result, Signature, Value};
use serde_json::{Value as Json, json};

pub struct LineAdapter(pub &'static str);

impl Adapter for LineAdapter {
    fn name(&self) -> &'static str {
        self.0
    }
    fn prefix(&self, signature: &Signature, demos: &[Example]) -> Result<Vec<Message>> {
        Ok(vec![Message::text("system", format!("{} {} {}", self.0, signature.instructions, demos.len()))])
    }
    fn turns(&self, signature: &Signature, inputs: &Example) -> Result<Vec<Message>> {
        let lines: Vec<String> = signature
            .inputs()
            .filter_map(|f| Some(format!("{}: {}", f.name, inputs.get(&f.name)?.as_str()?)))
            .collect();
        Ok(vec![Message::text("user", lines.join("\n"))])
    }
    fn response_format(&self, signature: &Signature, _: Capabilities) -> Result<Option<Json>> {
        Ok((self.0 == "JSONAdapter")
            .then(|| json!({"fields": signature.outputs().map(|f| f.name.clone()).collect::<Vec<_>>()})))
    }
    fn parse(&self, signature: &Signature, reply: &str) -> Result<Map> {
        let mut map = Map::new();
        for field in signature.outputs() {
            let line = reply.lines().find_map(|line| line.strip_prefix(&format!("{}: ", field.name)));
            let value = match (line, &field.ty) {
                (Some("true"), Type::Bool) => Value::Bool(true),
                (Some("false"), Type::Bool) => Value::Bool(false),
                (Some(text), Type::Str) => text.into(),
                _ => {
                    return Err(Error::new(ErrorKind::Parse, format!("no {} in {reply}", field.name)).with_reply(
                        Reply { adapter: self.0, problem: "missing_fields", text: reply.into(), parsed_fields: None },
                    ));
                }
            };
            map.insert(field.name.clone(), value);
        }
        Ok(map)
    }
    fn stream(&self, _: &Signature) -> Box<dyn FieldStream> {
        Box::new(Lines(String::new()))
    }
}

struct Lines(String);

impl FieldStream for Lines {
    fn push(&mut self, piece: &str, told: &mut Vec<FieldUpdate>) {
        self.0.push_str(piece);
        while let Some((line, rest)) = self.0.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            self.0 = rest;
            if let Some((field, text)) = line.split_once(": ") {
                told.push(FieldUpdate { field: field.to_owned(), text: text.to_owned(), value: Some(text.into()) });
            }
        }
    }
    fn finish(&mut self, told: &mut Vec<FieldUpdate>) {
        self.push("\n", told);
    }
}

pub fn chat() -> Rc<dyn Adapter> {
    Rc::new(LineAdapter("ChatAdapter"))
}
pub fn json_adapter() -> Rc<dyn Adapter> {
    Rc::new(LineAdapter("JSONAdapter"))
}
