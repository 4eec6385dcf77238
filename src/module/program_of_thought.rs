//! `ProgramOfThought`: a model writes code, and answers from what the code gives.

mod code;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::react::names;
use super::{ChainOfThought, Module, Predict, SubModule, at_path, recorded};
use crate::adapter::to_json;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::interpreter::CodeInterpreter;
use crate::json::dumps;
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};

const CODE: &str = "generated_code";
const PREVIOUS_CODE: &str = "previous_code";
const ERROR: &str = "error";
const FINAL_CODE: &str = "final_generated_code";
const CODE_OUTPUT: &str = "code_output";

/// What code is said to be.
const WRITTEN: &str = "python code that answers the question";

/// Lets a model write Python code, runs it, and asks for the outputs with what came of it. Code that fails goes back to the model with
/// the error, until it has been written `max_iters` times. DSPy 3.4.1's `ProgramOfThought`.
///
/// The code runs where the host says: the module can be loaded, saved and traversed without an interpreter, but not called.
///
/// ```
/// use lakelet::module::ProgramOfThought;
/// use lakelet::{Module, Signature};
/// let program = ProgramOfThought::new(&Signature::parse("question -> answer: int")?)?;
/// let paths: Vec<String> = program.predictors().into_iter().map(|(path, _)| path).collect();
/// assert_eq!(paths, ["code_generate.predict", "code_regenerate.predict", "generate_output.predict"]);
/// # Ok::<(), lakelet::Error>(())
/// ```
pub struct ProgramOfThought {
    pub code_generate: ChainOfThought,
    pub code_regenerate: ChainOfThought,
    pub generate_output: ChainOfThought,
    /// How often code is written at most.
    pub max_iters: usize,
    inputs: Vec<String>,
    interpreter: Option<Rc<dyn CodeInterpreter>>,
}

impl ProgramOfThought {
    /// Finds the outputs of `signature` by code, in three tries. Its instructions do not count, as in DSPy.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when the signature cannot take the fields of the module.
    pub fn new(signature: &Signature) -> Result<Self> {
        let written = Field::output(CODE, Type::Str).with_desc(WRITTEN);
        let with = |fields: Vec<Field>| signature.inputs().cloned().chain(fields).collect();
        let wanted = names(signature.outputs());
        let code_generate = part(with(vec![written.clone()]), |inputs, outputs| {
            format!(
                "You will be given {inputs} and you will respond with {outputs}.\n\
                 Generating executable Python code that programmatically computes the correct {outputs}.\n\
                 After you're done with the computation and think you have the final output, make sure to submit your output by \
                 calling the preloaded function `SUBMIT()`.\n\
                 You must structure your output in a dict, like {{\"field_a\": value_a, ...}}, with the correct value mapping for \
                 the field(s): {wanted}."
            )
        })?;
        let failed = [
            Field::input(PREVIOUS_CODE, Type::Str).with_desc("previously-generated python code that errored"),
            Field::input(ERROR, Type::Str).with_desc("error message from previously-generated python code"),
        ];
        let code_regenerate = part(with(failed.into_iter().chain([written]).collect()), |inputs, _| {
            format!(
                "You are given {inputs} due to an error in previous code.\n\
                 Your task is to correct the error and provide the new `generated_code`."
            )
        })?;
        let ran = [
            Field::input(FINAL_CODE, Type::Str).with_desc(WRITTEN),
            Field::input(CODE_OUTPUT, Type::Str).with_desc("output of previously-generated python code"),
        ];
        let ran = ran.into_iter().chain(signature.outputs().cloned()).collect();
        let generate_output =
            part(with(ran), |inputs, outputs| format!("Given the final code {inputs}, provide the final {outputs}."))?;
        let inputs = signature.inputs().map(|field| field.name.clone()).collect();
        Ok(Self { code_generate, code_regenerate, generate_output, max_iters: 3, inputs, interpreter: None })
    }

    /// Runs the code in this interpreter.
    pub fn with_interpreter(mut self, interpreter: Rc<dyn CodeInterpreter>) -> Self {
        self.interpreter = Some(interpreter);
        self
    }

    async fn run(&self, run: &Run, given: &Example) -> Result<Prediction> {
        let interpreter = self.interpreter.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::Config, "there is nothing to run the code in that the model writes")
                .with_hint("give the module an interpreter, one that keeps the code in a sandbox")
        })?;
        let mut inputs = self.taken(given)?;
        let mut written = self.code_generate.call(&run.clone().part("code_generate"), inputs.clone()).await?;
        let mut hop = 1;
        let (code, output) = loop {
            let (code, result) = ran(interpreter, &written.fields).await;
            let error = match result {
                Ok(output) => break (code, output),
                Err(error) if error.kind() == ErrorKind::Code => error,
                Err(error) => return Err(error),
            };
            if hop >= self.max_iters {
                let message = ["Max hops reached. Failed to run ProgramOfThought: ", error.message()].concat();
                return Err(Error::new(ErrorKind::Code, message).with_python_class("RuntimeError"));
            }
            inputs = inputs.with(PREVIOUS_CODE, code).with(ERROR, error.message());
            written = self.code_regenerate.call(&run.clone().part("code_regenerate"), inputs.clone()).await?;
            hop += 1;
        };
        let inputs = inputs.with(FINAL_CODE, code).with(CODE_OUTPUT, output);
        self.generate_output.call(&run.clone().part("generate_output"), inputs).await
    }

    /// The inputs of the signature; all of them must be there.
    fn taken(&self, given: &Example) -> Result<Example> {
        let value = |name: &String| {
            let missing = || Error::new(ErrorKind::Input, "the input is missing").at_field(name);
            let value = given.get(name).ok_or_else(|| missing().with_python_class("KeyError"))?;
            Ok((name.clone(), value.clone()))
        };
        Ok(self.inputs.iter().map(value).collect::<Result<Map>>()?.into())
    }
}

/// One predictor of the module, told what to do by the names of its inputs and outputs.
fn part(fields: Vec<Field>, told: impl FnOnce(&str, &str) -> String) -> Result<ChainOfThought> {
    let signature = Signature::from_fields(fields, None)?;
    let told = told(&names(signature.inputs()), &names(signature.outputs()));
    ChainOfThought::new(&signature.with_instructions(&told)?)
}

/// The code that a model wrote, and the JSON text of what it gives.
async fn ran(interpreter: &dyn CodeInterpreter, written: &Map) -> (String, Result<String>) {
    let reply = code::cut(written.get(CODE).and_then(Value::as_str).unwrap_or_default());
    match code::extract(reply) {
        Ok(code) => {
            let result = interpreter.execute(&code).await;
            (code, result.map(|output| dumps(&to_json(&output))))
        }
        Err(error) => (reply.to_owned(), Err(error)),
    }
}

impl Module for ProgramOfThought {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "program_of_thought", inputs, async |run, inputs| self.run(run, inputs).await))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        let parts = [
            ("code_generate", &self.code_generate),
            ("code_regenerate", &self.code_regenerate),
            ("generate_output", &self.generate_output),
        ];
        parts.into_iter().flat_map(|(name, part)| at_path(name, part.predictors())).collect()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        let parts = [
            ("code_generate", &mut self.code_generate),
            ("code_regenerate", &mut self.code_regenerate),
            ("generate_output", &mut self.generate_output),
        ];
        parts.into_iter().flat_map(|(name, part)| at_path(name, part.predictors_mut())).collect()
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        let parts: [(&str, &dyn Module); 3] = [
            ("code_generate", &self.code_generate),
            ("code_regenerate", &self.code_regenerate),
            ("generate_output", &self.generate_output),
        ];
        SubModule::tree("ProgramOfThought", &parts)
    }
}
