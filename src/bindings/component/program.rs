//! Programs.

use std::cell::RefCell;
use std::rc::Rc;

use super::Library;
use super::adapters;
use super::errors::{Result, outward};
use super::events;
use super::fields::{example, examples, parameters};
use super::stream::EventStream;
use super::wit::programs;
use super::wit::signatures::SignatureBorrow;
use super::workspace::Workspace;
use crate::assistant;
use crate::bindings::loaded::Loaded;
use crate::error::{Error, ErrorKind};
use crate::module::{ChainOfThought, Module, Predict};
use crate::nearest::offer;
use crate::pipeline::Pipeline;
use crate::platform::wasi::block_on;
use crate::report;
use crate::run::Run;
use crate::signature::{Signature, Type};
use crate::state;
use crate::value::Value;

impl programs::Guest for Library {
    type Workspace = Workspace;
    type Program = Program;
    type EventStream = EventStream;
}

/// A program, compiled: what stays the same between its runs is rendered once.
pub struct Program {
    loaded: RefCell<Loaded>,
}

impl programs::GuestProgram for Program {
    fn load(document: String, changes: Option<String>) -> Result<programs::Program> {
        load(&document, changes.as_deref()).map_err(outward)
    }

    fn ready_made(name: String, changes: Option<String>) -> Result<programs::Program> {
        ready_made(&name).and_then(|document| load(document, changes.as_deref())).map_err(outward)
    }

    fn predict(
        signature: SignatureBorrow<'_>,
        options: Option<programs::PredictorOptions>,
    ) -> Result<programs::Program> {
        asking(Predict::new(signature.get::<Signature>().clone()), options).map_err(outward)
    }

    fn chain_of_thought(
        signature: SignatureBorrow<'_>,
        options: Option<programs::PredictorOptions>,
    ) -> Result<programs::Program> {
        ChainOfThought::new(signature.get()).and_then(|module| asking(module, options)).map_err(outward)
    }

    fn load_state(&self, text: String) -> Result<()> {
        let mut loaded = self.loaded.borrow_mut();
        loaded.module_mut().and_then(|module| state::load(module, &text)).map_err(outward)
    }

    fn dump_state(&self) -> Result<String> {
        state::dump(self.loaded.borrow().module()).map_err(outward)
    }

    fn inputs(&self) -> Vec<programs::Input> {
        match &*self.loaded.borrow() {
            Loaded::Pipeline(pipeline) => pipeline
                .inputs()
                .iter()
                .map(|it| input(&it.name, &it.ty, &it.description, it.default.as_ref()))
                .collect(),
            Loaded::Module(module) => asked(&**module, |signature| {
                signature.inputs().map(|it| input(&it.name, &it.ty, &it.desc, it.default.as_ref())).collect()
            }),
        }
    }

    fn outputs(&self) -> Vec<String> {
        match &*self.loaded.borrow() {
            Loaded::Pipeline(pipeline) => pipeline.outputs().map(str::to_owned).collect(),
            Loaded::Module(module) => {
                asked(&**module, |signature| signature.outputs().map(|field| field.name.clone()).collect())
            }
        }
    }

    fn steps(&self) -> Vec<programs::Step> {
        match &*self.loaded.borrow() {
            Loaded::Pipeline(pipeline) => pipeline
                .steps()
                .map(|(name, kind)| programs::Step { name: name.to_owned(), kind: kind.to_owned() })
                .collect(),
            Loaded::Module(_) => Vec::new(),
        }
    }

    fn predictors(&self) -> Vec<String> {
        self.loaded.borrow().module().predictors().into_iter().map(|(path, _)| path).collect()
    }

    fn run(
        &self,
        workspace: programs::WorkspaceBorrow<'_>,
        inputs: String,
        options: programs::RunOptions,
    ) -> Result<programs::Prediction> {
        let run = workspace.get::<Workspace>().begin(&options, None);
        self.finish(&run, &inputs).map_err(outward)
    }

    fn start(
        &self,
        workspace: programs::WorkspaceBorrow<'_>,
        inputs: String,
        options: programs::RunOptions,
    ) -> Result<programs::EventStream> {
        let inputs = example("inputs", &inputs).map_err(outward)?;
        let program = self.loaded.borrow().clone();
        let stream = EventStream::start(program, workspace.get(), inputs, &options);
        Ok(programs::EventStream::new(stream))
    }
}

impl Program {
    fn finish(&self, run: &Run, inputs: &str) -> crate::Result<programs::Prediction> {
        let inputs = example("inputs", inputs)?;
        let program = self.loaded.borrow().clone();
        let outcome = block_on(program.call(run, inputs))?;
        Ok(programs::Prediction {
            fields: report::object(&outcome.prediction.fields),
            others: outcome.prediction.others.iter().map(report::object).collect(),
            stopped_by: outcome.stopped_by.as_deref().map(str::to_owned),
            usage: events::usage(&run.usage()),
            trace: run.shown_spans().iter().map(|span| events::span(span)).collect(),
        })
    }
}

fn made(loaded: Loaded) -> programs::Program {
    programs::Program::new(Program { loaded: RefCell::new(loaded) })
}

fn load(document: &str, changes: Option<&str>) -> crate::Result<programs::Program> {
    let pipeline = match changes {
        Some(changes) => Pipeline::with_overlay(document, changes),
        None => Pipeline::from_json(document),
    };
    Ok(made(Loaded::Pipeline(Rc::new(pipeline?))))
}

fn ready_made(name: &str) -> crate::Result<&'static str> {
    let found = assistant::DOCUMENTS.iter().find(|(known, _)| *known == name).map(|(_, document)| *document);
    found.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no ready-made program `{name}`"))
            .with_hint(offer(name, assistant::DOCUMENTS.iter().map(|(known, _)| *known)))
    })
}

fn asking(
    mut module: impl Module + 'static,
    options: Option<programs::PredictorOptions>,
) -> crate::Result<programs::Program> {
    if let Some(options) = options {
        let adapter = options.adapter.map(adapters::inner).transpose()?;
        let config = options.config.map(|text| parameters("config", &text)).transpose()?;
        let demos = options.demos.map(|text| examples("demos", &text)).transpose()?;
        for (_, predictor) in module.predictors_mut() {
            if let Some(adapter) = &adapter {
                predictor.set_adapter(Rc::clone(adapter));
            }
            if let Some(config) = &config {
                predictor.set_config(config.clone());
            }
            if let Some(demos) = &demos {
                predictor.set_demos(demos.clone());
            }
        }
    }
    Ok(made(Loaded::Module(Rc::new(module))))
}

fn input(name: &str, ty: &Type, description: &str, default: Option<&Value>) -> programs::Input {
    programs::Input {
        name: name.to_owned(),
        annotation: ty.annotation_name(),
        description: description.to_owned(),
        required: default.is_none(),
    }
}

/// What the signature of a module's predictor says.
fn asked<T>(module: &dyn Module, read: impl FnOnce(&Signature) -> Vec<T>) -> Vec<T> {
    module.predictors().first().map(|(_, predictor)| read(predictor.signature())).unwrap_or_default()
}
