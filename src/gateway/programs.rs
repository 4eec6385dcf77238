//! Programs that run in the gateway: what there is, and what they are given.

use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use super::Gateway;
use super::admission::{object_member, only_members, shortened};
use super::failure::{Failure, Told};
use super::user::User;
use crate::example::Example;
use crate::json;
use crate::pipeline::{Input, Pipeline};
use crate::value::Value;

/// A program that the gateway serves.
pub struct Served {
    pub program: Rc<Pipeline>,
    /// The inputs that come from the user, never from the page. A program with such inputs runs for users only.
    pub user_inputs: Vec<String>,
}

impl Served {
    fn is_from_user(&self, input: &Input) -> bool {
        self.user_inputs.contains(&input.name)
    }

    /// The inputs that come from the user.
    pub(super) fn of_user(&self) -> impl Iterator<Item = &Input> {
        self.program.inputs().iter().filter(|input| self.is_from_user(input))
    }

    fn of_page(&self) -> impl Iterator<Item = &Input> {
        self.program.inputs().iter().filter(|input| !self.is_from_user(input))
    }

    fn described(&self) -> Json {
        let inputs = self.of_page().map(|input| {
            json!({
                "name": input.name, "type": input.ty.annotation_name(), "description": input.description,
                "required": input.default.is_none(),
            })
        });
        let steps = self.program.steps().map(|(name, kind)| json!({"name": name, "kind": kind}));
        json!({"name": self.program.name(), "inputs": inputs.collect::<Vec<_>>(), "steps": steps.collect::<Vec<_>>()})
    }

    /// The inputs of a run: the page's, and those that only the gateway knows for whom they are.
    pub(super) fn inputs(&self, body: &Map<String, Json>, user: Option<&User>) -> Told<Example> {
        only_members(body, &["inputs", "user"])?;
        let given = object_member(body, "inputs")?;
        if let Some(name) = given.keys().find(|name| !self.of_page().any(|input| input.name == **name)) {
            let known: Vec<&str> = self.of_page().map(|input| input.name.as_str()).collect();
            return Err(Failure::invalid(format!("The program takes no input `{}` from a page.", shortened(name)))
                .with_hint(format!("It takes {}.", known.join(", "))));
        }
        let mut inputs = Example::new();
        for (name, value) in given {
            inputs = inputs.with(name, Value::from(value));
        }
        if self.user_inputs.is_empty() {
            return Ok(inputs);
        }
        let user = user.ok_or_else(Failure::unauthenticated)?;
        for input in self.of_user() {
            if let Some(value) = user.inputs.get(&input.name) {
                inputs = inputs.with(&input.name, value.clone());
            }
        }
        Ok(inputs)
    }
}

impl Gateway {
    /// What `GET /programs` answers.
    pub(super) fn list(&self) -> String {
        json::text(&json!({"programs": self.programs.iter().map(Served::described).collect::<Vec<_>>()}))
    }

    /// The program of exactly that name.
    pub(super) fn find(&self, name: &str) -> Told<&Served> {
        self.programs.iter().find(|served| served.program.name() == name).ok_or_else(|| {
            Failure::new(404, "RESOURCE_DOES_NOT_EXIST", "The gateway runs no program of this name.")
                .with_hint("GET /programs lists those that it runs.")
        })
    }
}
