//! The model that proposes instructions: DSPy's `GroundedProposer`.

use super::super::dataset_summary::dataset_summary;
use super::super::proposal::{strip_prefix, text};
use super::MiproV2;
use crate::error::Result;
use crate::example::Example;
use crate::module::{Module, Predict, Variant};
use crate::python::{Random, str_of, strip};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::Value;

const DESCRIBE_PROGRAM: &str = "\
Below is some pseudo-code for a pipeline that solves tasks with calls to language models. Please describe what type of task this \
program appears to be designed to solve, and how it appears to work.";

const DESCRIBE_MODULE: &str = "\
Below is some pseudo-code for a pipeline that solves tasks with calls to language models. Please describe the purpose of one of the \
specified module in this pipeline.";

const PROPOSE: &str = "\
Use the information below to learn about a task that we are trying to solve using calls to an LM, then generate a new instruction \
that will be used to prompt a Language Model to better solve the task.";

/// What may be suggested to the model.
const TIPS: [&str; 6] = [
    "",
    "Don't be afraid to be creative when creating the new instruction!",
    "Keep the instruction clear and concise.",
    "Make sure your instruction is very informative and descriptive.",
    "The instruction should include a high stakes scenario in which the LM must solve the task!",
    "Include a persona that is relevant to the task in the instruction (ie. \"You are a ...\")",
];

/// How many demos the model is shown at most.
pub const MAX_DEMOS: usize = 3;

/// Who proposes, and what is known of the examples and the program.
pub struct Proposer<'a> {
    options: &'a MiproV2,
    run: Run,
    code: Option<String>,
    summary: Option<String>,
    describe_program: Predict,
    describe_module: Predict,
}

impl<'a> Proposer<'a> {
    /// Lets the model sum up the examples.
    pub async fn new(options: &'a MiproV2, run: &Run, program: &Variant, trainset: &[Example]) -> Result<Self> {
        let run = run.clone().with_model(options.prompt_model.as_deref());
        let summary = match options.data_aware_proposer {
            true => unless_the_end(&run, dataset_summary(&run, trainset, options.view_data_batch_size).await)?,
            false => None,
        };
        let code = || pseudo_code();
        let example = || input("program_example", "An example of the program in use.");
        let describe_program = Predict::new(Signature::from_fields(
            vec![
                code(),
                example(),
                output(
                    "program_description",
                    "Describe what task the program is designed to solve, and how it goes about solving this task.",
                ),
            ],
            Some(DESCRIBE_PROGRAM),
        )?);
        let describe_module = Predict::new(Signature::from_fields(
            vec![
                code(),
                example(),
                program_description(),
                input("module", "The module in the program that we want to describe."),
                output("module_description", "Description of the module's role in the broader program."),
            ],
            Some(DESCRIBE_MODULE),
        )?);
        let code = options.program_aware_proposer.then(|| program_code(program));
        Ok(Self { options, run, code, summary, describe_program, describe_module })
    }

    /// So many instructions for each predictor: first those that it has, then what the model proposes, from one set of demos each.
    pub async fn propose(
        &self,
        program: &Variant,
        sets: &[Vec<Vec<Example>>],
        count: usize,
        random: &mut Random,
    ) -> Result<Vec<Vec<String>>> {
        let mut proposed = Vec::new();
        for ((_, predict), sets) in program.predictors().into_iter().zip(sets) {
            let mut instructions = Vec::new();
            for place in 0..count.min(sets.len()) {
                let tip = if self.options.tip_aware_proposer { random.choice(&TIPS).copied() } else { None };
                let run = self.past_caches(random.randint(0, 1_000_000_000));
                let demos = self.demos(predict.signature(), sets, place);
                let instruction = self.instruction(&run, predict, demos, tip.unwrap_or_default()).await?;
                instructions.push(if place == 0 { predict.signature().instructions.to_string() } else { instruction });
            }
            proposed.push(instructions);
        }
        Ok(proposed)
    }

    fn past_caches(&self, rollout: i64) -> Run {
        let settings = [("rollout_id", rollout.into()), ("temperature", self.options.init_temperature.into())];
        self.run.clone().with_lm_settings(settings.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    }

    async fn instruction(&self, run: &Run, predict: &Predict, demos: String, tip: &str) -> Result<String> {
        let signature = predict.signature();
        let mut inputs = Example::new();
        let mut fields = Vec::new();
        let mut show = |name: &str, desc: &str, value: &str| {
            fields.push(input(name, desc));
            inputs.fields.insert(name.into(), value.into());
        };
        if let Some(summary) = &self.summary {
            show("dataset_description", "A description of the dataset that we are using.", summary);
        }
        if let Some(code) = &self.code {
            let described = self.describe(run, signature, code, &demos).await?;
            show("program_code", "Language model program designed to solve a particular task.", code);
            show("program_description", PROGRAM_DESCRIPTION, &described.program);
            show("module", "The module to create an instruction for.", &described.module);
            show(
                "module_description",
                "Description of the module to create an instruction for.",
                &described.module_description,
            );
        }
        show("task_demos", "Example inputs/outputs of our module.", &demos);
        show("basic_instruction", "Basic instruction.", &signature.instructions);
        if !tip.is_empty() {
            show("tip", "A suggestion for how to go about generating the new instruction.", tip);
        }
        fields.push(output(
            "proposed_instruction",
            "Propose an instruction that will be used to prompt a Language Model to perform this task.",
        ));
        let answer = Predict::new(Signature::from_fields(fields, Some(PROPOSE))?).ask(run, inputs).await?;
        Ok(strip_prefix(strip_prefix(&text(&answer, "proposed_instruction")?)).to_owned())
    }

    /// Lets the model describe the program and one of its predictors. Where it fails, what there is so far has to do.
    async fn describe(&self, run: &Run, signature: &Signature, code: &str, demos: &str) -> Result<Described> {
        let mut described = Described::default();
        let question = Example::new().with("program_code", code).with("program_example", demos);
        let ask = async |predict: &Predict, question: Example, field: &str| {
            let answer = predict.ask(run, question).await;
            unless_the_end(run, answer.and_then(|answer| text(&answer, field)))
        };
        let Some(program) = ask(&self.describe_program, question.clone(), "program_description").await? else {
            return Ok(described);
        };
        described.program = strip_prefix(&program).to_owned();
        described.module = module_code(signature);
        let question =
            question.with("program_description", described.program.as_str()).with("module", described.module.as_str());
        if let Some(module) = ask(&self.describe_module, question, "module_description").await? {
            described.module_description = module;
        }
        Ok(described)
    }

    /// What the teacher did well, from a set of demos and those after it; the first set is shown as an empty one.
    fn demos(&self, signature: &Signature, sets: &[Vec<Example>], place: usize) -> String {
        let (before, from) = sets.split_at(place.min(sets.len()));
        let bootstrapped = from.iter().chain(before).flatten().filter(|demo| demo.get("augmented").is_some());
        let shown: Vec<String> = bootstrapped.take(MAX_DEMOS).map(|demo| lines(signature, demo)).collect();
        let shown = shown.join("\n\n") + "\n\n";
        if place == 0 || !self.options.fewshot_aware_proposer || strip(&shown).is_empty() {
            return "No task demos provided.".to_owned();
        }
        shown
    }
}

/// What the model says of a program and of one of its predictors.
struct Described {
    program: String,
    module: String,
    module_description: String,
}

impl Default for Described {
    fn default() -> Self {
        let unknown = || "Not provided".to_owned();
        Self { program: "Not available".to_owned(), module: unknown(), module_description: unknown() }
    }
}

/// What can be done without may fail, unless the work is over.
fn unless_the_end<T>(run: &Run, result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(result) => Ok(Some(result)),
        Err(error) if error.kind().ends_the_work() => Err(error),
        Err(error) => {
            run.goes_on("MIPROv2: a description failed and is left out", &error);
            Ok(None)
        }
    }
}

/// A demo, a line for each field.
fn lines(signature: &Signature, demo: &Example) -> String {
    let line = |field: &Field| {
        let value = demo.get(&field.name).unwrap_or(&Value::None);
        format!("{} {}", field.prefix, str_of(value))
    };
    signature.fields.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What stands in the place of a program's source code: its modules, and what its predictors are told.
fn program_code(program: &Variant) -> String {
    let mut out = "The program is made of these modules:".to_owned();
    for module in program.sub_modules() {
        ["\n", &module.path, ": ", module.class].iter().for_each(|part| out.push_str(part));
    }
    out.push_str("\n\nIts predictors are asked for this:");
    for (path, predict) in program.predictors() {
        let signature = predict.signature();
        let parts = ["\n", &path, ": ", &signature.to_text(), "\n\"\"\"", &signature.instructions, "\"\"\""];
        parts.iter().for_each(|part| out.push_str(part));
    }
    out
}

/// A predictor as DSPy writes it: `Predict(question) -> answer`.
fn module_code(signature: &Signature) -> String {
    let names = |fields: Vec<&Field>| fields.iter().map(|field| field.name.to_string()).collect::<Vec<_>>().join(", ");
    format!("Predict({}) -> {}", names(signature.inputs().collect()), names(signature.outputs().collect()))
}

const PROGRAM_DESCRIPTION: &str =
    "Summary of the task the program is designed to solve, and how it goes about solving it.";

fn pseudo_code() -> Field {
    input("program_code", "Pseudocode for a language model program designed to solve a particular task.")
}

fn program_description() -> Field {
    input("program_description", PROGRAM_DESCRIPTION)
}

fn input(name: &str, desc: &str) -> Field {
    Field::input(name, Type::Str).with_desc(desc)
}

fn output(name: &str, desc: &str) -> Field {
    Field::output(name, Type::Str).with_desc(desc)
}
