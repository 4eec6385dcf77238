//! `Composite`: a program put together at run time.

use futures_core::future::LocalBoxFuture;
use indexmap::{IndexMap, IndexSet};

use super::sub_modules::breadth_first;
use super::{Module, Predict, ROOT, Retrieve, SubModule, at_path};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::run::Run;

/// What a [`Composite`] does when it is called.
type Forward = dyn for<'a> Fn(&'a Composite, &'a Run, Example) -> LocalBoxFuture<'a, Result<Prediction>>;

/// Where a part of a [`Composite`] is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(usize);

/// A program with attributes that are modules, as a Python class that derives from `dspy.Module` has them. Its predictors
/// have DSPy's paths, so that states that Python saved fit.
///
/// ```
/// use lakelet::module::{Composite, Module};
/// use lakelet::{ChainOfThought, Predict, Signature};
/// let mut program = Composite::default();
/// let plan = program.add(Box::new(ChainOfThought::new(&Signature::parse("question -> refined_query")?)?));
/// let answer = program.add(Box::new(Predict::new(Signature::parse("context: list[str], question -> answer")?)));
/// program.set("plan", plan);
/// let hops = program.list(vec![answer]);
/// program.set("hops", hops);
/// let program = program.with_forward(move |program, run, inputs| {
///     Box::pin(async move {
///         let planned = program.part(plan)?.call(run, inputs.clone()).await?;
///         program.part(answer)?.call(run, inputs.with("context", planned.fields["refined_query"].clone())).await
///     })
/// });
/// let paths: Vec<String> = program.predictors().into_iter().map(|(path, _)| path).collect();
/// assert_eq!(paths, ["plan.predict", "hops[0]"]);
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// A part may stand in several places: it is the same part, and named after the first one. As in DSPy, predictors are
/// looked for in lists and dicts, but not in lists and dicts inside of those.
#[derive(Default)]
pub struct Composite {
    parts: Vec<Part>,
    attributes: Vec<(String, Slot)>,
    forward: Option<Box<Forward>>,
}

enum Part {
    Module { module: Box<dyn Module>, frozen: bool },
    Group { attributes: Vec<(String, Slot)>, frozen: bool },
    List(Vec<Slot>),
    Dict(Vec<(String, Slot)>),
}

/// A parameter by the part that it is in and its position there.
#[derive(PartialEq, Eq, Hash)]
enum Parameter {
    Predictor(Slot, usize),
    Retriever(Slot, usize),
}

impl Composite {
    /// Keeps a module, to be put into attributes, lists and dicts.
    pub fn add(&mut self, module: Box<dyn Module>) -> Slot {
        self.keep(Part::Module { module, frozen: false })
    }

    /// Keeps a module that does nothing of its own but has attributes.
    pub fn group(&mut self, attributes: Vec<(String, Slot)>) -> Slot {
        self.keep(Part::Group { attributes, frozen: false })
    }

    /// Keeps a list of parts.
    pub fn list(&mut self, items: Vec<Slot>) -> Slot {
        self.keep(Part::List(items))
    }

    /// Keeps parts by key.
    pub fn dict(&mut self, items: Vec<(String, Slot)>) -> Slot {
        self.keep(Part::Dict(items))
    }

    /// Puts a part into an attribute of the program.
    pub fn set(&mut self, name: &str, part: Slot) {
        self.attributes.push((name.to_owned(), part));
    }

    /// Marks a module as compiled. Its predictors stay as they are: they are not listed, saved or loaded; a part that is
    /// itself a predictor is, as in DSPy.
    pub fn freeze(&mut self, part: Slot) {
        if let Some(Part::Module { frozen, .. } | Part::Group { frozen, .. }) = self.parts.get_mut(part.0) {
            *frozen = true;
        }
    }

    /// Says what the program does when it is called.
    pub fn with_forward(
        mut self,
        forward: impl for<'a> Fn(&'a Self, &'a Run, Example) -> LocalBoxFuture<'a, Result<Prediction>> + 'static,
    ) -> Self {
        self.forward = Some(Box::new(forward));
        self
    }

    /// A module that was [added](Self::add).
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config), when the slot holds none.
    pub fn part(&self, slot: Slot) -> Result<&dyn Module> {
        match self.parts.get(slot.0) {
            Some(Part::Module { module, .. }) => Ok(&**module),
            _ => Err(Error::new(ErrorKind::Config, "there is no module to call in this slot of the program")),
        }
    }

    /// The paths of predictors and retrievers, in order: DSPy's `named_parameters()`.
    pub fn parameters(&self) -> Vec<String> {
        self.named().into_values().collect()
    }

    fn keep(&mut self, part: Part) -> Slot {
        self.parts.push(part);
        Slot(self.parts.len() - 1)
    }

    fn named(&self) -> IndexMap<Parameter, String> {
        let mut named = IndexMap::new();
        self.name_attributes(&self.attributes, "", &mut named);
        named
    }

    fn name_attributes(&self, attributes: &[(String, Slot)], at: &str, named: &mut IndexMap<Parameter, String>) {
        for (name, slot) in attributes {
            let path = [at, name].concat();
            match self.parts.get(slot.0) {
                Some(Part::List(items)) => {
                    for (i, item) in items.iter().enumerate() {
                        self.name(*item, format!("{path}[{i}]"), named);
                    }
                }
                Some(Part::Dict(items)) => {
                    for (key, item) in items {
                        self.name(*item, [&path, "['", key, "']"].concat(), named);
                    }
                }
                _ => self.name(*slot, path, named),
            }
        }
    }

    fn name(&self, slot: Slot, path: String, named: &mut IndexMap<Parameter, String>) {
        match self.parts.get(slot.0) {
            Some(Part::Module { module, frozen }) => {
                let mut add = |parameter, at: String| {
                    if !frozen || at == path {
                        named.entry(parameter).or_insert(at);
                    }
                };
                for (i, (at, _)) in at_path(&path, module.predictors()).into_iter().enumerate() {
                    add(Parameter::Predictor(slot, i), at);
                }
                for (i, (at, _)) in at_path(&path, module.retrieves()).into_iter().enumerate() {
                    add(Parameter::Retriever(slot, i), at);
                }
            }
            Some(Part::Group { attributes, frozen: false }) => {
                self.name_attributes(attributes, &[&path, "."].concat(), named);
            }
            _ => {}
        }
    }

    /// The modules at and below a part, depth first, each with the identity that tells whether it was there before.
    fn find(&self, slot: Slot, path: &str, depth: usize, found: &mut Vec<((Slot, usize), SubModule)>) {
        match self.parts.get(slot.0) {
            Some(Part::Module { module, .. }) => {
                let inside = module.sub_modules().into_iter().map(|inner| inner.below(path, depth));
                found.extend(inside.enumerate().map(|(i, inner)| ((slot, i), inner)));
            }
            Some(Part::Group { attributes, .. }) => {
                found.push(((slot, 0), SubModule { path: path.to_owned(), class: "Module", depth }));
                for (name, part) in attributes {
                    self.find(*part, &[path, ".", name].concat(), depth + 1, found);
                }
            }
            Some(Part::List(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.find(*item, &format!("{path}[{i}]"), depth + 1, found);
                }
            }
            Some(Part::Dict(items)) => {
                for (key, item) in items {
                    self.find(*item, &[path, "[", key, "]"].concat(), depth + 1, found);
                }
            }
            None => {}
        }
    }
}

impl Module for Composite {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        match &self.forward {
            Some(forward) => forward(self, run, inputs),
            None => Box::pin(async {
                Err(Error::new(ErrorKind::Config, "the program does not say what to do when it is called")
                    .with_hint("give it a function: `Composite::with_forward`"))
            }),
        }
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        let named = self.named().into_iter().filter_map(|(parameter, path)| match parameter {
            Parameter::Predictor(slot, i) => Some((path, self.part(slot).ok()?.predictors().into_iter().nth(i)?.1)),
            Parameter::Retriever(..) => None,
        });
        named.collect()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        let named = self.named();
        let mut kept: Vec<Vec<Option<&mut Predict>>> = Vec::new();
        for part in &mut self.parts {
            kept.push(match part {
                Part::Module { module, .. } => module.predictors_mut().into_iter().map(|(_, it)| Some(it)).collect(),
                _ => Vec::new(),
            });
        }
        let named = named.into_iter().filter_map(|(parameter, path)| match parameter {
            Parameter::Predictor(slot, i) => Some((path, kept.get_mut(slot.0)?.get_mut(i)?.take()?)),
            Parameter::Retriever(..) => None,
        });
        named.collect()
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        let mut found = Vec::new();
        for (name, slot) in &self.attributes {
            self.find(*slot, &[ROOT, ".", name].concat(), 1, &mut found);
        }
        let mut seen = IndexSet::new();
        let inside = breadth_first(found, |(_, module)| module.depth);
        let inside = inside.into_iter().filter(|(identity, _)| seen.insert(*identity)).map(|(_, module)| module);
        SubModule::tree("Module", &[]).into_iter().chain(inside).collect()
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        let named = self.named().into_iter().filter_map(|(parameter, path)| match parameter {
            Parameter::Predictor(..) => None,
            Parameter::Retriever(slot, i) => Some((path, self.part(slot).ok()?.retrieves().into_iter().nth(i)?.1)),
        });
        named.collect()
    }
}
