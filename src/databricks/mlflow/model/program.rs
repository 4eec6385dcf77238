//! A program as it is logged: its document, and what its predictors have learned.

use serde_json::{Value as Json, json};

use super::{ModelOptions, module, schema};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::module::{ChainOfThought, Module, Predict};
use crate::pipeline::Pipeline;
use crate::signature::{Signature, Type};
use crate::state;

/// What a `ChainOfThought` lets its predictor answer first.
const REASONING: &str = "reasoning";

/// A program that can be logged as a model: a pipeline document, or a predictor as a document of one step.
///
/// ```
/// use lakelet::databricks::mlflow::LoggedProgram;
/// use lakelet::{ChainOfThought, Signature};
/// let program = ChainOfThought::new(&Signature::parse("question -> answer")?)?;
/// let logged = LoggedProgram::of_chain_of_thought("qa", &program)?;
/// assert_eq!(logged.document()["steps"]["program"]["do"], "chain_of_thought");
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedProgram {
    document: Json,
    state: Json,
}

impl LoggedProgram {
    /// A pipeline, by the document that it was loaded from, with what it has learned since.
    ///
    /// # Errors
    /// [`Pipeline`](ErrorKind::Pipeline) when the text is no document; [`State`](ErrorKind::State) when the state cannot be saved.
    pub fn of_pipeline(document: &str, pipeline: &Pipeline) -> Result<Self> {
        let no_json = |_| Error::new(ErrorKind::Pipeline, "the document is not JSON");
        Ok(Self { document: json::read(document).map_err(no_json)?, state: state_of(pipeline)? })
    }

    /// A `Predict`.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a field whose type no text can name.
    pub fn of_predict(name: &str, program: &Predict) -> Result<Self> {
        Self::of_module(name, "predict", &described(program.signature()), &state_of(program)?)
    }

    /// A `ChainOfThought`.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a field whose type no text can name.
    pub fn of_chain_of_thought(name: &str, program: &ChainOfThought) -> Result<Self> {
        Self::of_module(name, "chain_of_thought", &described(program.predict.signature()), &state_of(program)?)
    }

    /// A module by its kind, its signature `{instructions, fields: [{name, io, type, constraints?}]}`, and its state as DSPy saves it.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for another kind than `predict` and `chain_of_thought`, and for a field whose type no text
    /// can name; [`Input`](ErrorKind::Input) for a signature that is none.
    pub fn of_module(name: &str, kind: &str, signature: &Json, state: &Json) -> Result<Self> {
        Ok(Self { document: module::document(name, kind, signature)?, state: module::state(state, kind) })
    }

    /// A document with a state, as the doors hand them in.
    pub fn of_document(document: Json, state: Json) -> Self {
        Self { document, state }
    }

    /// The document.
    pub fn document(&self) -> &Json {
        &self.document
    }

    /// What the predictors have learned, as DSPy saves it.
    pub fn state(&self) -> &Json {
        &self.state
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        text(&self.document, "name")
    }

    fn steps(&self) -> impl Iterator<Item = (&String, &Json)> {
        self.document.get("steps").and_then(Json::as_object).into_iter().flatten()
    }

    /// Whether Python can run the program, with these models and indexes.
    pub(super) fn check(&self, options: &ModelOptions) -> Result<()> {
        let refuse = |step: &str, what: String| {
            let error = Error::new(ErrorKind::Unsupported, format!("{what} cannot be carried to Python"));
            Err(error.at_step(step).with_hint(
                "Log the program without it, or serve the document itself: in the gateway or as a component.",
            ))
        };
        if self.document.get("redact").is_some() {
            return refuse("redact", "the redaction of outputs".to_owned());
        }
        for (name, step) in self.steps() {
            match text(step, "do") {
                "predict" | "chain_of_thought" if step.get("choices").is_some() => {
                    return refuse(name, "an output whose choices come from the data".to_owned());
                }
                "predict" | "chain_of_thought" => known(name, step, "model", options.models.keys())?,
                "retrieve" => known(name, step, "index", options.indexes.keys())?,
                "guard" | "literal" | "join" | "lookup" => {}
                kind => return refuse(name, format!("a step of the kind `{kind}`")),
            }
        }
        let needs_sentences = json::text(&self.document).contains(".sentences\"");
        if needs_sentences {
            return refuse("retrieve", "the field `sentences` of a step that retrieves".to_owned());
        }
        Ok(())
    }

    pub(super) fn input_type(&self, name: &str) -> Result<Type> {
        let told = self.document.pointer("/inputs").and_then(|inputs| inputs.get(name)).unwrap_or(&Json::Null);
        schema::read_type(told.as_str().or_else(|| told.get("type")?.as_str()).unwrap_or("str"))
    }

    /// The type of what stands in a place: `question` for an input, `retrieve.contexts` for a field of a step.
    pub(super) fn type_of(&self, place: &str) -> Result<Type> {
        let Some((step, field)) = place.split_once('.') else { return self.input_type(place) };
        let found = self.steps().find(|(name, _)| *name == step).map(|(_, step)| step);
        let Some(step) = found else { return Ok(Type::Any) };
        let texts = || Type::List(Some(Box::new(Type::Str)));
        Ok(match (text(step, "do"), field) {
            ("predict" | "chain_of_thought", REASONING) => Type::Str,
            ("predict" | "chain_of_thought", _) => {
                let signature = Signature::parse(text(step, "signature"))?;
                signature.field(field).map_or(Type::Any, |field| field.ty.clone())
            }
            ("retrieve", "contexts") | ("lookup", "values") => texts(),
            ("join", "text") => Type::Str,
            ("literal", _) if step.get("value").is_some_and(Json::is_string) => Type::Str,
            _ => Type::Any,
        })
    }
}

/// A model or index that a step names has to be one of those that are given.
fn known<'a>(at: &str, step: &Json, what: &str, mut given: impl Iterator<Item = &'a String>) -> Result<()> {
    let missing = match step.get(what).and_then(Json::as_str) {
        None => given.next().is_none().then(|| "of the step".to_owned()),
        Some(name) => (!given.any(|given| given == name)).then(|| format!("`{name}`")),
    };
    let Some(missing) = missing else { return Ok(()) };
    Err(Error::new(ErrorKind::Input, format!("the {what} {missing} is not among those that the model is logged with"))
        .at_step(at)
        .at_field(what)
        .with_hint(format!("Say what stands behind it: `{what}s`.").replace("indexs", "indexes")))
}

fn described(signature: &Signature) -> Json {
    let fields = signature.fields.iter().map(|field| {
        let io = if signature.inputs().any(|input| input.name == field.name) { "input" } else { "output" };
        json!({"name": field.name, "io": io, "type": field.ty.annotation_name(), "constraints": field.constraints})
    });
    json!({"instructions": &*signature.instructions, "fields": fields.collect::<Vec<_>>()})
}

fn state_of(program: &dyn Module) -> Result<Json> {
    let text = state::dump(program)?;
    json::read(&text).map_err(|_| Error::new(ErrorKind::State, "the program's state holds a number that JSON lacks"))
}

pub(super) fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}
