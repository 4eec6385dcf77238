//! The model that proposes instructions.

use indexmap::IndexMap;
use serde_json::json;

use super::{Attempt, Copro, Proposal};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::module::Predict;
use crate::python::float_repr;
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};

const FROM_BASIC: &str = "\
You are an instruction optimizer for large language models. I will give you a ``signature`` of fields (inputs and outputs) in \
English. Your task is to propose an instruction that will lead a good language model to perform the task well. Don't be afraid to be \
creative.";

const FROM_ATTEMPTS: &str = "\
You are an instruction optimizer for large language models. I will give some task instructions I've tried, along with their \
corresponding validation scores. The instructions are arranged in increasing order based on their scores, where higher scores \
indicate better quality.

Your task is to propose a new instruction that will lead a good language model to perform the task even better. Don't be afraid to \
be creative.";

/// Who proposes.
pub(super) struct Prompter {
    run: Run,
    from_basic: Predict,
    from_attempts: Predict,
    breadth: usize,
}

impl Prompter {
    pub fn new(options: &Copro, run: &Run) -> Result<Self> {
        let run = run.clone().with_model(options.prompt_model.as_deref());
        let basic =
            Field::input("basic_instruction", Type::Str).with_desc("The initial instructions before optimization");
        let attempted = Field::input("attempted_instructions", Type::Str);
        let predict = |instructions, given, n: usize| -> Result<Predict> {
            let new = Field::output("proposed_instruction", Type::Str);
            let prefix = Field::output("proposed_prefix_for_output_field", Type::Str);
            let fields = vec![
                given,
                new.with_desc("The improved instructions for the language model"),
                prefix
                    .with_desc("The string at the end of the prompt, which will help the model start solving the task"),
            ];
            let mut predict = Predict::new(Signature::from_fields(fields, Some(instructions))?);
            let config = [("n", json!(n)), ("temperature", json!(options.init_temperature))];
            predict.set_config(config.map(|(name, value)| (name.to_owned(), value)).into_iter().collect());
            Ok(predict)
        };
        let from_basic = predict(FROM_BASIC, basic, options.breadth - 1)?;
        Ok(Self {
            run,
            from_basic,
            from_attempts: predict(FROM_ATTEMPTS, attempted, options.breadth)?,
            breadth: options.breadth,
        })
    }

    /// Proposals for a predictor, and last what it has.
    pub async fn begin(&self, predict: &Predict) -> Result<Vec<Proposal>> {
        let signature = predict.signature();
        let instructions = signature.instructions.to_string();
        let question = Example::new().with("basic_instruction", instructions.as_str());
        let mut proposals = proposals(&self.from_basic.ask(&self.run, question).await?)?;
        proposals
            .push((instructions, signature.fields.last().map_or_else(String::new, |field| field.prefix.to_string())));
        Ok(proposals)
    }

    /// Proposals after what was tried, of which the best are shown, the worst of them first.
    pub async fn improve(&self, tried: &IndexMap<Proposal, Attempt>) -> Result<Vec<Proposal>> {
        let mut best: Vec<&Attempt> = tried.values().collect();
        best.sort_by(|a, b| b.score.total_cmp(&a.score));
        best.truncate(self.breadth);
        let lines = best.iter().rev().enumerate().flat_map(|(i, attempt)| {
            let number = i + 1;
            [
                format!("Instruction #{number}: {}", attempt.instruction),
                format!("Prefix #{number}: {}", attempt.prefix),
                format!("Resulting Score #{number}: {}", float_repr(attempt.score)),
            ]
        });
        let question = Example::new().with("attempted_instructions", Value::List(lines.map(Value::from).collect()));
        proposals(&self.from_attempts.ask(&self.run, question).await?)
    }
}

/// What all completions propose.
fn proposals(prediction: &Prediction) -> Result<Vec<Proposal>> {
    let text = |fields: &Map, name: &str| {
        let text = fields.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Error::new(ErrorKind::Parse, "the model proposed no text").at_field(name))
    };
    let all = std::iter::once(&prediction.fields).chain(&prediction.others);
    all.map(|fields| Ok((text(fields, "proposed_instruction")?, text(fields, "proposed_prefix_for_output_field")?)))
        .collect()
}
