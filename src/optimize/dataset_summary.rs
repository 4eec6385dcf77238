//! What a set of examples is about, in a few sentences.

use serde_json::json;

use super::proposal::{strip_prefix, text};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::module::Predict;
use crate::python::repr;
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Custom, Value};

const DESCRIBE: &str = "\
Given several examples from a dataset please write observations about trends that hold for most or all of the samples. Some areas \
you may consider in your observations: topics, content, syntax, conciseness, etc. It will be useful to make an educated guess as to \
the nature of the task this dataset will enable. Don't be afraid to be creative";

const DESCRIBE_MORE: &str = "\
Given several examples from a dataset please write observations about trends that hold for most or all of the samples. I will also \
provide you with a few observations I have already made.  Please add your own observations or if you feel the observations are \
comprehensive say 'COMPLETE' Some areas you may consider in your observations: topics, content, syntax, conciceness, etc. It will be \
useful to make an educated guess as to the nature of the task this dataset will enable. Don't be afraid to be creative";

const SUMMARIZE: &str = "\
Given a series of observations I have made about my dataset, please summarize them into a brief 2-3 sentence summary which \
highlights only the most important details.";

/// How many batches are looked at after the first, at most.
pub(super) const MAX_BATCHES: usize = 9;
/// How often the model may find nothing to add.
const MAX_COMPLETE: usize = 5;

/// Lets the run's model look at the examples in batches, and sum up what it saw: the `create_dataset_summary` of DSPy 3.4.1.
///
/// # Errors
/// What the first and the last call of the model fail with: when one between them does, the summary is made of what was seen
/// until then. [`Input`](ErrorKind::Input), when batches would be empty.
pub async fn dataset_summary(run: &Run, trainset: &[Example], batch_size: usize) -> Result<String> {
    if batch_size == 0 {
        return Err(Error::new(ErrorKind::Input, "a batch of 0 examples shows nothing")
            .at_field("batch_size")
            .with_hint("look at 10 examples at a time")
            .with_python_class("ValueError"));
    }
    let mut batches = trainset.chunks(batch_size);
    let first = batches.next().unwrap_or_default();
    let mut observations = text(&describer()?.ask(run, shown(first)).await?, "observations")?;
    let describe_more = describer_of_more()?;
    let mut complete = 0;
    for batch in batches.take(MAX_BATCHES) {
        let question = shown(batch).with("prior_observations", observations.as_str());
        let answer = describe_more.ask(run, question).await.and_then(|answer| text(&answer, "observations"));
        match answer {
            Ok(more) if more.chars().take(8).collect::<String>().eq_ignore_ascii_case("complete") => {
                complete += 1;
                if complete == MAX_COMPLETE {
                    break;
                }
            }
            Ok(more) => observations.push_str(&more),
            Err(error) if error.kind().ends_the_work() => return Err(error),
            Err(error) => {
                run.goes_on("MIPROv2: no more is seen in the examples", &error);
                break;
            }
        }
    }
    let summary = summarizer()?.ask(run, Example::new().with("observations", observations)).await?;
    Ok(strip_prefix(&text(&summary, "summary")?).to_owned())
}

fn describer() -> Result<Predict> {
    predictor(
        DESCRIBE,
        vec![examples(), observations("Somethings that holds true for most or all of the data you observed")],
    )
}

fn describer_of_more() -> Result<Predict> {
    let prior =
        Field::input("prior_observations", Type::Str).with_desc("Some prior observations I made about the data");
    let desc =
        "Somethings that holds true for most or all of the data you observed or COMPLETE if you have nothing to add";
    predictor(DESCRIBE_MORE, vec![examples(), prior, observations(desc)])
}

fn summarizer() -> Result<Predict> {
    let desc = "Two to Three sentence summary of only the most significant highlights of my observations";
    let given = Field::input("observations", Type::Str).with_desc("Observations I have made about my dataset");
    predictor(SUMMARIZE, vec![given, Field::output("summary", Type::Str).with_desc(desc)])
}

fn examples() -> Field {
    Field::input("examples", Type::Str).with_desc("Sample data points from the dataset")
}

fn observations(desc: &str) -> Field {
    Field::output("observations", Type::Str).with_desc(desc)
}

fn predictor(instructions: &str, fields: Vec<Field>) -> Result<Predict> {
    let mut predict = Predict::new(Signature::from_fields(fields, Some(instructions))?);
    let config = [("n", json!(1)), ("temperature", json!(1.0))];
    predict.set_config(config.map(|(name, value)| (name.to_owned(), value)).into_iter().collect());
    Ok(predict)
}

/// Examples as Python prints a list of them, with the names of the inputs in alphabetical order.
fn shown(batch: &[Example]) -> Example {
    let example = |example: &Example| {
        let inputs = Some(&example.input_keys).filter(|names| !names.is_empty()).cloned();
        Value::Custom(Box::new(Custom::Example(example.fields.clone(), inputs)))
    };
    Example::new().with("examples", sort_input_keys(&repr(&Value::List(batch.iter().map(example).collect()))))
}

/// Sorts the names wherever a text says `input_keys={...}`.
fn sort_input_keys(text: &str) -> String {
    const BEGIN: &str = "input_keys={";
    let mut parts = text.split(BEGIN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(BEGIN);
        match part.split_once('}') {
            Some((names, rest)) => {
                let mut names: Vec<&str> = names.split(',').map(str::trim).collect();
                names.sort_unstable();
                [&names.join(", "), "}", rest].iter().for_each(|piece| out.push_str(piece));
            }
            None => out.push_str(part),
        }
    }
    out
}
