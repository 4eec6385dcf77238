//! The proposer of instructions.

use std::rc::Rc;

use indexmap::IndexMap;

use super::compact::compact_members;
use super::skill;
use crate::adapter::JsonAdapter;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::module::Predict;
use crate::python::{str_repr, strip};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};

const PROPOSE: &str = "\
I provided an assistant with instructions to perform a task for me. You are given those instructions, along with examples of \
different task inputs provided to the assistant, the assistant's response for each of them, and some feedback on how the \
assistant's response could be better.

Your task is to write a new instruction for the assistant.

Read the inputs carefully and identify the input format and infer detailed task description about the task I wish to solve \
with the assistant.

Read all the assistant responses and the corresponding feedback. Identify all niche and domain specific factual information \
about the task and include it in the instruction, as a lot of it may not be available to the assistant in the future. The \
assistant may have utilized a generalizable strategy to solve the task, if so, include that in the instruction as well.";

const COMPRESS: &str = "\
Shorten the instruction to fit within the stated limit. Preserve every
strategy, rule, and constraint; cut redundancy and verbosity. Do not add
new content. Output only the shortened instruction.";

/// What a proposer heeds beside the examples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProposerOptions {
    /// Reference material, each the text of a skill.
    pub skills: Vec<String>,
    /// Requirements for every proposal: "Write instructions in imperative voice."
    pub additional_instructions: Option<String>,
    /// What the model is told to do, in the place of DSPy's own words.
    pub base_instructions: Option<String>,
    /// The most characters that a proposal may have. A longer draft is given back once, to be shortened.
    pub max_chars: Option<usize>,
    /// Long tool results inside histories are cut before examples are shown.
    pub truncate_history_outputs: bool,
}

/// Proposes instructions for predictors, from examples of what the present ones led to: DSPy 3.4.1's `InstructionProposer`.
///
/// Both predictors speak through `JSONAdapter`; set another adapter or model on them.
pub struct InstructionProposer {
    pub propose: Predict,
    pub compress: Predict,
    skills: String,
    additional_instructions: String,
    max_chars: Option<usize>,
    truncate_history_outputs: bool,
}

impl InstructionProposer {
    /// A proposer that heeds the options.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when a skill cannot be read or `max_chars` is 0.
    pub fn new(options: ProposerOptions) -> Result<Self> {
        if options.max_chars == Some(0) {
            let message = "max_chars must be a positive int or None, got 0.";
            return Err(Error::new(ErrorKind::Input, message).with_python_class("ValueError"));
        }
        let skills: Vec<String> = options.skills.iter().map(|skill| skill::render(skill)).collect::<Result<_>>()?;
        let skills = skills.join("\n\n");
        let cleaned = |text: &Option<String>| strip(text.as_deref().unwrap_or_default()).to_owned();
        let additional_instructions = cleaned(&options.additional_instructions);

        // What stays the same from call to call comes first, so that endpoints can cache it.
        let text = |name, desc| Field::input(name, Type::Str).with_desc(desc);
        let mut fields = Vec::new();
        if !skills.is_empty() {
            let desc = "Trusted reference material chosen by the user. Draw on it when writing the new instruction.";
            fields.push(text("reference_skills", desc));
        }
        if !additional_instructions.is_empty() {
            let desc = "Additional requirements from the user for the new instruction. Follow them.";
            fields.push(text("additional_instructions", desc));
        }
        if options.max_chars.is_some() {
            fields.push(text("length_limit", "Hard limit on the length of the new instruction."));
        }
        let example = Type::Dict(Some(Box::new((Type::Str, Type::Any))));
        fields.push(text("current_instruction", "The instructions I provided to the assistant."));
        fields.push(Field::input("examples_with_feedback", Type::List(Some(Box::new(example)))).with_desc(
            "Task inputs provided to the assistant, the assistant's response for each, and feedback on how the response \
             could be better.",
        ));
        let new = Field::output("new_instruction", Type::Str).with_desc("The new instruction for the assistant.");
        fields.push(new);
        let base = cleaned(&options.base_instructions);
        let propose = Signature::from_fields(fields, Some(if base.is_empty() { PROPOSE } else { &base }))?;

        let fields = vec![
            Field::input("instruction", Type::Str),
            Field::input("length_limit", Type::Str),
            Field::output("shortened_instruction", Type::Str),
        ];
        let compress = Signature::from_fields(fields, Some(COMPRESS))?;
        let predict = |signature| {
            let mut predict = Predict::new(signature);
            predict.set_adapter(Rc::new(JsonAdapter::default()));
            predict
        };
        Ok(Self {
            propose: predict(propose),
            compress: predict(compress),
            skills,
            additional_instructions,
            max_chars: options.max_chars,
            truncate_history_outputs: options.truncate_history_outputs,
        })
    }

    /// A new instruction for each of `components` that has both a present one and examples. An example has `Inputs`,
    /// `Generated Outputs` and `Feedback`.
    ///
    /// # Errors
    /// What [`Predict::ask`] fails with; [`Input`](ErrorKind::Input), when a proposal is empty or stays too long.
    pub async fn call(
        &self,
        run: &Run,
        present: &IndexMap<String, String>,
        examples: &IndexMap<String, Vec<Map>>,
        components: &[String],
    ) -> Result<IndexMap<String, String>> {
        let mut proposals = IndexMap::new();
        for name in components {
            if let (Some(present), Some(examples)) = (present.get(name), examples.get(name)) {
                let prediction = self.propose.ask(run, self.question(present, examples)).await?;
                let draft = strip(text(&prediction, "new_instruction"));
                if draft.is_empty() {
                    let name = str_repr(name);
                    let message = format!("The reflection LM returned an empty instruction for component {name}.");
                    return Err(Error::new(ErrorKind::Input, message).with_python_class("ValueError"));
                }
                proposals.insert(name.clone(), self.fitted(run, draft).await?);
            }
        }
        Ok(proposals)
    }

    fn question(&self, present: &str, examples: &[Map]) -> Example {
        let shown = |example: &Map| {
            Value::Dict(if self.truncate_history_outputs { compact_members(example) } else { example.clone() })
        };
        let mut inputs = Example::new();
        for (name, text) in [
            ("reference_skills", self.skills.clone()),
            ("additional_instructions", self.additional_instructions.clone()),
            ("length_limit", self.max_chars.map(length_limit).unwrap_or_default()),
        ] {
            if !text.is_empty() {
                inputs = inputs.with(name, text);
            }
        }
        inputs
            .with("current_instruction", present)
            .with("examples_with_feedback", Value::List(examples.iter().map(shown).collect()))
    }

    /// The draft, or a shorter one.
    async fn fitted(&self, run: &Run, draft: &str) -> Result<String> {
        let Some(max_chars) = self.max_chars.filter(|max_chars| draft.chars().count() > *max_chars) else {
            return Ok(draft.to_owned());
        };
        let question = Example::new().with("instruction", draft).with("length_limit", length_limit(max_chars));
        let prediction = self.compress.ask(run, question).await?;
        let shorter = strip(text(&prediction, "shortened_instruction"));
        let kind = match shorter.chars().count() {
            0 => "string_too_short",
            length if length > max_chars => "string_too_long",
            _ => return Ok(shorter.to_owned()),
        };
        Err(Error::new(ErrorKind::Input, format!("the shortened instruction does not fit ({kind})"))
            .with_hint("allow more characters")
            .with_python_class("ValidationError"))
    }
}

fn length_limit(max_chars: usize) -> String {
    format!("The new instruction must be at most {max_chars} characters.")
}

fn text<'a>(prediction: &'a Prediction, field: &str) -> &'a str {
    prediction.get(field).and_then(Value::as_str).unwrap_or_default()
}
