//! `InferRules`: rules that a model reads from the examples.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{BootstrapFewShot, Estimate, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::example::Example;
use crate::metric::Metric;
use crate::module::{ChainOfThought, Module, Predict, Variant};
use crate::python::{Random, strip, write_str};
use crate::run::Run;
use crate::signature::{Field, Io, Signature, Type};
use crate::value::Value;

/// Bootstraps demos, lets a model put the examples into rules, adds the rules to the instructions, and keeps the candidate that
/// scores best: DSPy 3.4.1's `InferRules`.
///
/// Candidates are scored on the validation set; without one, the first half of the examples is learned from and the other half
/// scored on.
pub struct InferRules {
    /// What candidates are scored with.
    pub metric: Rc<dyn Metric>,
    /// How demos are found; its teacher's model writes the rules too.
    pub bootstrap: BootstrapFewShot,
    /// How many candidates there are.
    pub num_candidates: usize,
    /// How many rules the model is asked for.
    pub num_rules: usize,
    /// How candidates are evaluated.
    pub evaluate: Evaluate,
}

impl InferRules {
    /// DSPy's defaults, with one metric for demos and for candidates.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        let bootstrap = BootstrapFewShot::new(Rc::clone(&metric));
        Self { metric, bootstrap, num_candidates: 10, num_rules: 10, evaluate: Evaluate::default() }
    }

    /// What is learned from, and what is scored on.
    fn sets<'a>(training: &Training<'a>) -> (&'a [Example], &'a [Example]) {
        let halves = training.trainset.split_at(training.trainset.len() / 2);
        training.valset.map_or(halves, |valset| (training.trainset, valset))
    }

    async fn search(&self, study: &mut Study<'_>, training: Training<'_>) -> Result<Variant> {
        let (run, (trainset, valset)) = (study.run(), Self::sets(&training));
        let program = self.bootstrap.compile(run, Training { trainset, ..training }).await?.program;
        let mut inducer = Inducer::new(self, run)?;
        let mut best: Option<(f64, Variant)> = None;
        for _ in 0..self.num_candidates {
            let mut candidate = program.clone();
            for (_, predict) in candidate.predictors_mut() {
                let rules = inducer.induce(predict, trainset).await?;
                let instructions = format!(
                    "{}\n\nPlease adhere to the following rules when making your prediction:\n{rules}",
                    predict.signature().instructions
                );
                predict.set_signature(predict.signature().with_instructions(&instructions)?);
            }
            let score = study.score(&candidate, valset).await?.score;
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, candidate));
            }
        }
        best.map(|(_, best)| best).ok_or_else(|| {
            Error::new(ErrorKind::Input, "without candidates there is nothing to choose")
                .at_field("num_candidates")
                .with_hint("try at least one candidate")
        })
    }
}

impl Optimizer for InferRules {
    /// # Errors
    /// As [`BootstrapFewShot`]; what [`Evaluate`] fails with, and what the model fails with that writes the rules, when it is not
    /// for the length of the examples.
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let mut study = Study::new("InferRules", run, self.evaluate, &*self.metric, &training);
            let found = self.search(&mut study, training).await;
            study.end(found).await
        })
    }

    /// Rules are asked for once more for every example that is left out because all together are too long; that is not counted.
    fn estimate(&self, training: &Training) -> Estimate {
        let (trainset, valset) = Self::sets(training);
        let mut estimate = self.bootstrap.estimate(&Training { trainset, ..training.clone() });
        estimate += Estimate {
            program_calls: self.num_candidates * valset.len(),
            proposals: self.num_candidates * training.student.predictors().len(),
        };
        estimate
    }
}

/// Who writes rules.
struct Inducer {
    run: Run,
    induction: ChainOfThought,
    random: Random,
}

impl Inducer {
    fn new(options: &InferRules, run: &Run) -> Result<Self> {
        let run = run.clone().with_model(options.bootstrap.teacher_model.as_deref());
        let instructions = format!(
            "Given a set of examples, extract a list of {} concise and non-redundant natural language rules that provide clear \
             guidance for performing the task. All rules should be actionable for a well-specified scope of examples of this \
             general kind of task.",
            options.num_rules
        );
        let fields = vec![
            Field::input("examples_text", Type::Str).with_desc("Text containing examples"),
            Field::output("natural_language_rules", Type::Str).with_desc("Induced natural language rules"),
        ];
        let induction = ChainOfThought::new(&Signature::from_fields(fields, Some(&instructions))?)?;
        Ok(Self { run, induction, random: Random::new(0) })
    }

    /// The rules of a predictor's examples: of all that fit into a prompt.
    async fn induce(&mut self, predict: &Predict, examples: &[Example]) -> Result<String> {
        let mut count = examples.len();
        loop {
            let shown = examples.get(..count).unwrap_or_default();
            let inputs = Example::new().with("examples_text", written(predict.signature(), shown));
            let run = self.run.clone().with_rollout(self.random.randint(0, 1_000_000_000));
            match self.induction.call(&run, inputs).await {
                Ok(rules) => {
                    let rules =
                        rules.get("natural_language_rules").and_then(Value::as_str).map(strip).map(str::to_owned);
                    return rules.ok_or_else(|| Error::new(ErrorKind::Parse, "the model gave no rules"));
                }
                Err(error) if !may_be_too_long(&error) => return Err(error.with_python_class("AssertionError")),
                Err(error) if count > 1 => {
                    self.run.goes_on("InferRules: the examples may be too many, and one less is shown", &error);
                    count -= 1;
                }
                Err(error) => {
                    let message = "Failed to generate natural language rules since a single example couldn't fit in the \
                                   model's context window.";
                    return Err(Error::new(error.kind(), format!("{message} {}", error.message()))
                        .with_python_class("RuntimeError"));
                }
            }
        }
    }
}

fn may_be_too_long(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ContextWindow | ErrorKind::BadRequest)
        || error.python_class() == Some("ValueError")
}

/// What examples say of the fields of a signature.
fn written(signature: &Signature, examples: &[Example]) -> String {
    let mut out = String::new();
    for example in examples {
        let side = |out: &mut String, io: Io| {
            let of_side = |name: &str| signature.field(name).is_some_and(|field| field.io == io);
            let mut between = "";
            for (name, value) in example.fields.iter().filter(|(name, _)| of_side(name)) {
                [between, name, ": "].iter().for_each(|piece| out.push_str(piece));
                write_str(out, value);
                between = "\n";
            }
        };
        out.push_str("Input Fields:\n");
        side(&mut out, Io::Input);
        out.push_str("\n\n=========\nOutput Fields:\n");
        side(&mut out, Io::Output);
        out.push_str("\n\n");
    }
    out
}
