//! What an agent has done so far.

use crate::error::{Error, ErrorKind, Result};
use crate::value::{Map, Value};

/// The turns so far, as DSPy names them: `thought_0`, `tool_name_0`, `tool_args_0`, `observation_0` ...
#[derive(Default)]
pub(super) struct Trajectory(Map);

/// What a turn leaves.
const PARTS: [(&str, &str); 3] =
    [("thought", "next_thought"), ("tool_name", "next_tool_name"), ("tool_args", "next_tool_args")];

impl Trajectory {
    /// Adds a turn: what the model chose, and what came of it.
    pub fn push(&mut self, turn: usize, mut chosen: Map, observation: Value) {
        for (part, field) in PARTS {
            self.0.insert(format!("{part}_{turn}"), chosen.swap_remove(field).unwrap_or(Value::None));
        }
        self.0.insert(format!("observation_{turn}"), observation);
    }

    /// Forgets the oldest turn.
    ///
    /// # Errors
    /// [`ContextWindow`](ErrorKind::ContextWindow), when it is the only one.
    pub fn drop_oldest(&mut self) -> Result<()> {
        let turn = PARTS.len() + 1;
        if self.0.len() <= turn {
            return Err(too_long(
                "The trajectory is too long so your prompt exceeded the context window, but the trajectory cannot be \
                 truncated because it only has one tool call.",
            ));
        }
        self.0.drain(..turn);
        Ok(())
    }

    pub fn steps(&self) -> &Map {
        &self.0
    }

    pub fn into_steps(self) -> Map {
        self.0
    }
}

pub(super) fn too_long(message: &str) -> Error {
    Error::new(ErrorKind::ContextWindow, message)
        .with_hint("shorten the inputs and what the tools return, or ask a model that takes more")
        .with_python_class("ContextWindowExceededError")
}
