//! `predict` and `chain_of_thought`: a model fills the outputs of a signature.

use super::only;
use super::wiring::texts;
use crate::adapter::{AdapterOptions, named};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::module::{Call, ChainOfThought, Choices, Predict};
use crate::nearest::offer;
use crate::pipeline::reader::Reader;
use crate::pipeline::step::{Action, Draft, Want, WantKind};
use crate::run::Run;
use crate::signature::{Signature, Type};
use crate::value::{Map, Value};

const MEMBERS: [&str; 9] =
    ["signature", "instructions", "fields", "inputs", "model", "adapter", "config", "demos", "choices"];

pub(in crate::pipeline) struct PredictStep {
    pub module: Asked,
    choices: Narrowed,
}

/// Outputs whose values come from the data: the field, and the argument that holds them.
type Narrowed = Vec<(String, String)>;

/// The module that asks.
pub(in crate::pipeline) enum Asked {
    Predict(Predict),
    ChainOfThought(ChainOfThought),
}

impl PredictStep {
    pub fn read_predict(step: &Reader) -> Result<Draft> {
        Self::read(step, |signature| Ok(Asked::Predict(Predict::new(signature.clone()))))
    }

    pub fn read_chain_of_thought(step: &Reader) -> Result<Draft> {
        Self::read(step, |signature| Ok(Asked::ChainOfThought(ChainOfThought::new(signature)?)))
    }

    fn read(step: &Reader, build: fn(&Signature) -> Result<Asked>) -> Result<Draft> {
        only(step, &MEMBERS)?;
        let signature = read_signature(step)?;
        let mut this = Self { module: build(&signature)?, choices: Vec::new() };
        let predict = this.predict_mut();
        predict.set_signature(describe_fields(step, predict.signature().clone())?);
        if let Some(name) = step.text("adapter")? {
            let adapter = named(name, AdapterOptions::default());
            predict.set_adapter(adapter.map_err(|unknown| {
                step.error("adapter", unknown.message()).with_hint(unknown.hint().unwrap_or_default())
            })?);
        }
        predict.set_model(step.text("model")?.map(str::to_owned));
        predict
            .set_config(step.object("config")?.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect());
        predict.set_demos(read_demos(step, predict.signature())?);
        let (wants, choices) = read_wires(step, predict.signature())?;
        let gives = predict.signature().outputs().map(|field| (field.name.clone(), field.ty.clone())).collect();
        this.choices = choices;
        Ok(Draft { action: Action::Predict(Box::new(this)), wants, gives })
    }

    pub fn kind(&self) -> &'static str {
        match self.module {
            Asked::Predict(_) => "predict",
            Asked::ChainOfThought(_) => "chain_of_thought",
        }
    }

    /// The path that DSPy gives the predictor, inside an attribute of the step's name.
    pub fn path(&self, step: &str) -> String {
        match self.module {
            Asked::Predict(_) => step.to_owned(),
            Asked::ChainOfThought(_) => format!("{step}.predict"),
        }
    }

    pub fn predict(&self) -> &Predict {
        match &self.module {
            Asked::Predict(predict) => predict,
            Asked::ChainOfThought(cot) => &cot.predict,
        }
    }

    pub fn predict_mut(&mut self) -> &mut Predict {
        match &mut self.module {
            Asked::Predict(predict) => predict,
            Asked::ChainOfThought(cot) => &mut cot.predict,
        }
    }

    pub async fn run(&self, run: &Run, mut given: Map) -> Result<Prediction> {
        let mut choices = Choices::default();
        for (field, argument) in &self.choices {
            let values = given.shift_remove(argument).unwrap_or(Value::None);
            choices.add(field, texts(&values));
        }
        self.predict().ask(run, Call { choices, ..Call::from(Example::from(given)) }).await
    }
}

fn read_signature(step: &Reader) -> Result<Signature> {
    let place = |error: crate::Error, key: &str| {
        step.error(key, error.message()).with_hint(error.hint().unwrap_or("see DSPy's signatures"))
    };
    let text = step.need_text("signature")?;
    let mut signature = Signature::parse(text).map_err(|error| place(error, "signature"))?;
    if let Some(instructions) = step.text("instructions")? {
        signature = signature.with_instructions(instructions).map_err(|error| place(error, "instructions"))?;
    }
    Ok(signature)
}

/// The signature with what the step says of its fields; `reasoning` is one of them where the model reasons first.
fn describe_fields(step: &Reader, mut signature: Signature) -> Result<Signature> {
    let fields = step.object("fields")?;
    for (name, _) in fields.entries() {
        let field = fields.object(name)?;
        field.only(&["desc", "max_length"])?;
        let (desc, longest) = (field.text("desc")?, field.number("max_length")?);
        let known = signature.fields.iter().map(|field| field.name.as_str());
        let hint = offer(name, known);
        signature = signature
            .with_updated_field(name, |field| {
                if let Some(desc) = desc {
                    field.desc = desc.to_owned();
                }
                if let Some(longest) = longest {
                    *field = field.clone().with_constraint("max_length", longest as i64);
                }
            })
            .map_err(|error| fields.error(name, error.message()).with_hint(hint))?;
    }
    Ok(signature)
}

fn read_demos(step: &Reader, signature: &Signature) -> Result<Vec<Example>> {
    let mut demos = Vec::new();
    for demo in step.objects("demos")? {
        let names: Vec<&str> = signature.fields.iter().map(|field| field.name.as_str()).chain(["augmented"]).collect();
        demo.only(&names)?;
        demos.push(Example::from(demo.entries().map(|(name, json)| (name.to_owned(), json.into())).collect::<Map>()));
    }
    Ok(demos)
}

/// The wires of the inputs, and those of the choices with the fields that they narrow.
fn read_wires(step: &Reader, signature: &Signature) -> Result<(Vec<Want>, Narrowed)> {
    let mut wants = Vec::new();
    let inputs = step.object("inputs")?;
    inputs.only(&signature.inputs().map(|field| field.name.as_str()).collect::<Vec<_>>())?;
    for field in signature.inputs() {
        match inputs.text(&field.name)? {
            Some(from) => {
                let kind = if field.type_undefined { WantKind::Any } else { WantKind::Of(field.ty.clone()) };
                wants.push(Want::new(format!("inputs.{}", field.name), from, kind).named(&field.name));
            }
            None if field.default.is_some() => {}
            None => {
                let error = inputs.error(&field.name, format!("the signature's input `{}` is not wired", field.name));
                return Err(error.with_hint("name an input of the program, or `step.field`"));
            }
        }
    }
    let mut narrowed = Vec::new();
    let choices = step.object("choices")?;
    let outputs: Vec<&str> = signature.outputs().map(|field| field.name.as_str()).collect();
    choices.only(&outputs)?;
    for (name, _) in choices.entries() {
        if signature.field(name).is_some_and(|field| field.ty != Type::Str) {
            return Err(choices.error(name, "only a `str` output can take its values from the data"));
        }
        let want = Want::new(format!("choices.{name}"), choices.need_text(name)?, WantKind::Texts);
        narrowed.push((name.to_owned(), want.argument.clone()));
        wants.push(want);
    }
    Ok((wants, narrowed))
}
