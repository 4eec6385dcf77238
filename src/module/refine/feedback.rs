//! The question for advice: DSPy's `OfferFeedback`.

use super::Refine;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::json::{self, orjson};
use crate::module::tries::Tried;
use crate::module::{Predict, acting};
use crate::python::{class_of, dedent, splitlines};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};

/// What stands in the place of a reward's source code.
pub(super) const REWARD: &str = "The code cannot be shown. It takes the inputs and the outputs of the program, and gives a number: the higher the better.";

const INSTRUCTIONS: &str = "\
In the discussion, assign blame to each module that contributed to the final reward being below the threshold, if
any. Then, prescribe concrete advice of how the module should act on its future input when we retry the process, if
it were to receive the same or similar inputs. If a module is not to blame, the advice should be N/A.
The module will not see its own history, so it needs to rely on entirely concrete and actionable advice from you
to avoid the same mistake on the same or similar inputs.";

pub(super) fn signature() -> Result<Signature> {
    let text = |name, desc| Field::input(name, Type::Str).with_desc(desc);
    let fields = vec![
        text("program_code", "The code of the program that we are analyzing"),
        text("modules_defn", "The definition of each module in the program, including its I/O"),
        text("program_inputs", "The inputs to the program that we are analyzing"),
        text("program_trajectory", "The trajectory of the program's execution, showing each module's I/O"),
        text("program_outputs", "The outputs of the program that we are analyzing"),
        text("reward_code", "The code of the reward function that we are analyzing"),
        Field::input("target_threshold", Type::Float).with_desc("The target threshold for the reward function"),
        Field::input("reward_value", Type::Float).with_desc("The reward value assigned to the program's outputs"),
        Field::input("module_names", Type::List(Some(Box::new(Type::Str))))
            .with_desc("The names of the modules in the program, for which we seek advice"),
        Field::output("discussion", Type::Str).with_desc("Discussing blame of where each module went wrong, if it did"),
        Field::output("advice", Type::Dict(Some(Box::new((Type::Str, Type::Str))))).with_desc(
            "For each module, describe very concretely, in this order: the specific scenarios in which it has made \
             mistakes in the past and what each mistake was, followed by what it should do differently in that kind \
             ofscenario in the future. If the module is not to blame, write N/A.",
        ),
    ];
    Signature::from_fields(fields, Some(INSTRUCTIONS))
}

impl Refine {
    /// What the adviser is asked after a try.
    pub(super) fn question(&self, run: &Run, inputs: &Example, tried: &Tried) -> Result<Example> {
        let predictors = acting(run, &*self.tries.module);
        let code = match &self.program_code {
            Some(code) => code.clone(),
            None => describe_program(&predictors),
        };
        let calls = tried.trace.iter().map(|span| {
            let path = predictors.iter().find(|(_, predict)| Some(predict.id()) == span.predictor);
            Value::Dict(Map::from_iter([
                ("module_name".to_owned(), path.map_or(Value::None, |(path, _)| path.as_str().into())),
                ("inputs".to_owned(), Value::Dict(span.inputs.clone())),
                ("outputs".to_owned(), Value::Dict(span.outputs.clone())),
            ]))
        });
        let names = predictors.iter().map(|(path, _)| path.as_str().into());
        Ok(Example::new()
            .with("program_code", code)
            .with("modules_defn", describe_modules(&predictors)?)
            .with("program_inputs", dump(&Value::Dict(inputs.fields.clone()))?)
            .with("program_trajectory", dump(&Value::List(calls.collect()))?)
            .with("program_outputs", dump(&Value::Dict(tried.prediction.fields.clone()))?)
            .with("reward_code", self.reward_code.as_str())
            .with("target_threshold", dump(&self.tries.threshold.into())?)
            .with("reward_value", dump(&tried.reward.into())?)
            .with("module_names", dump(&Value::List(names.collect()))?))
    }

    /// The advice for each predictor. Without any, no predictor is shown a hint.
    pub(super) fn hints(&self, run: &Run, advice: &Prediction) -> Option<Vec<(usize, String)>> {
        let Some(Value::Dict(advice)) = advice.get("advice").filter(|advice| **advice != Value::Dict(Map::new()))
        else {
            return None;
        };
        let hint = |(path, predict): (String, &Predict)| {
            Some((predict.id(), advice.get(&path).and_then(Value::as_str)?.to_owned()))
        };
        Some(acting(run, &*self.tries.module).into_iter().filter_map(hint).collect())
    }
}

/// What stands in the place of a program's source code.
pub(crate) fn describe_program(predictors: &[(String, &Predict)]) -> String {
    let mut out = "The code cannot be shown. The program calls these modules:".to_owned();
    for (path, predict) in predictors {
        ["\n", path, ": ", &predict.signature().to_text()].iter().for_each(|part| out.push_str(part));
    }
    out
}

/// What the predictors of a program are given, what they give, and how they are told to: DSPy's `inspect_modules`.
///
/// # Errors
/// [`Signature`](ErrorKind::Signature), when a type cannot be described.
pub fn describe_modules(predictors: &[(String, &Predict)]) -> Result<String> {
    let line = "-".repeat(80);
    let mut out = line.clone();
    for (path, predict) in predictors {
        let signature = predict.signature();
        let mut part = |title: &str, text: &str| {
            out.push_str(title);
            for line in splitlines(text) {
                out.push_str("\n\t\t");
                out.push_str(line);
            }
        };
        part(&["\nModule ", path, "\n\tInput Fields:"].concat(), &signature.describe(signature.inputs())?);
        part("\n\tOutput Fields:", &signature.describe(signature.outputs())?);
        part("\n\tOriginal Instructions: ", &dedent(&signature.instructions));
        out.push('\n');
        out.push_str(&line);
    }
    Ok(out)
}

/// The JSON text of a value as `orjson` writes it, with a note in the place of what it cannot write.
pub(crate) fn dump(value: &Value) -> Result<String> {
    let note = |value: &Value| match value {
        Value::MixedDict(_) => Err(Error::new(ErrorKind::Input, "Dict key must be str").with_python_class("TypeError")),
        _ => {
            let class = class_of(value); // with its module
            Ok(["<non-serializable: ", class.rsplit('.').next().unwrap_or(&class), ">"].concat().into())
        }
    };
    let mut out = String::new();
    json::write_indented(&mut out, &orjson::plain(value, &note)?);
    Ok(out)
}
