//! `BootstrapFewShot`: demos of what a teacher did well.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Estimate, LabeledFewShot, Optimized, Optimizer, Training, sample};
use crate::coerce::equal_maps;
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::metric::{self, Metric};
use crate::module::{Module, Variant};
use crate::python::{Random, write_repr};
use crate::run::{Run, Span};
use crate::value::{Map, Value};

/// Runs a teacher on the examples, and shows the student the calls that led to good predictions, then examples as they are:
/// DSPy 3.4.1's `BootstrapFewShot`.
///
/// The student gets the demos that DSPy gives it, save where one predictor is called several times for an example: one of the
/// calls becomes a demo, by chance, and Python's chance hangs on how it pickles them.
#[derive(Clone)]
pub struct BootstrapFewShot {
    /// What tells good predictions; without it all are good.
    pub metric: Option<Rc<dyn Metric>>,
    /// The score from which on a prediction is good. Without it, or with 0, every score is that Python takes for true: all numbers
    /// but 0.
    pub metric_threshold: Option<f64>,
    /// The model that the teacher asks, where its predictors name none.
    pub teacher_model: Option<String>,
    /// How many examples are to succeed.
    pub max_bootstrapped_demos: usize,
    /// How many demos there are at most, with examples as they are.
    pub max_labeled_demos: usize,
    /// How often an example is tried. From the second time on at the temperature 1.0, past all caches.
    pub max_rounds: usize,
    /// The error that ends the search, counted from 1.
    pub max_errors: usize,
}

impl Default for BootstrapFewShot {
    fn default() -> Self {
        Self {
            metric: None,
            metric_threshold: None,
            teacher_model: None,
            max_bootstrapped_demos: 4,
            max_labeled_demos: 16,
            max_rounds: 1,
            max_errors: 10,
        }
    }
}

impl Optimizer for BootstrapFewShot {
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are no examples, the student is compiled, or the teacher is another program; the
    /// last of too many errors of the teacher or the metric.
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(self.teach(run, training))
    }

    fn estimate(&self, training: &Training) -> Estimate {
        Estimate { program_calls: training.trainset.len() * self.max_rounds, proposals: 0 }
    }
}

impl BootstrapFewShot {
    /// With a metric, and DSPy's defaults.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        Self { metric: Some(metric), ..Self::default() }
    }

    async fn teach(&self, run: &Run, training: Training<'_>) -> Result<Optimized> {
        let mut student = Variant::reset_copy_of(&training.student);
        if student.compiled {
            return Err(refused("Student must be uncompiled.").with_hint("give the program that was not optimized yet"));
        }
        let mut lessons = Lessons::new(self, run, &training)?;
        same_structure(&student, &lessons.teacher)?;
        if training.trainset.is_empty() {
            return Err(Error::new(ErrorKind::Input, "the trainset is empty: there is nothing to learn from")
                .at_field("trainset")
                .with_hint("give examples with inputs and the outputs that are wanted")
                .with_python_class("UnboundLocalError"));
        }
        let mut rest = Vec::new();
        let (mut successes, mut stopped_by) = (0, None);
        for example in training.trainset {
            let may_learn = successes < self.max_bootstrapped_demos && stopped_by.is_none();
            let learned = if may_learn { lessons.learn(example).await } else { Ok(false) };
            match learned {
                Ok(true) => successes += 1,
                Ok(false) => rest.push(example.clone()),
                Err(end) if end.kind() == ErrorKind::Budget => {
                    stopped_by = Some(end);
                    rest.push(example.clone());
                }
                Err(error) => return Err(error),
            }
        }
        Random::new(0).shuffle(&mut rest);
        let mut random = Random::new(0);
        for ((_, predict), mut demos) in student.predictors_mut().into_iter().zip(lessons.demos) {
            demos.truncate(self.max_bootstrapped_demos);
            demos.extend(sample(&mut random, &rest, self.max_labeled_demos.saturating_sub(demos.len()))?);
            predict.set_demos(demos);
        }
        student.compiled = true;
        Ok(Optimized { stopped_by, ..student.into() })
    }

    /// The same, with a random number of examples that are to succeed: at least one, and no more than before.
    pub(super) fn of_random_size(&self, random: &mut Random) -> Result<Self> {
        let most = i64::try_from(self.max_bootstrapped_demos).unwrap_or(i64::MAX);
        if most == 0 {
            return Err(Error::new(ErrorKind::Input, "there is no number between 1 and 0")
                .at_field("max_bootstrapped_demos")
                .with_hint("let at least one example succeed")
                .with_python_class("ValueError"));
        }
        let size = usize::try_from(random.randint(1, most)).unwrap_or(self.max_bootstrapped_demos);
        Ok(Self { max_bootstrapped_demos: size, ..self.clone() })
    }

    /// Whether a score is good enough.
    fn is_good(&self, score: &Value) -> Result<bool> {
        match self.metric_threshold.filter(|threshold| *threshold != 0.0) {
            Some(threshold) => Ok(metric::number(score)? >= threshold),
            None => Ok(metric::is_true(score)),
        }
    }
}

/// What a teacher has shown so far.
struct Lessons<'a> {
    options: &'a BootstrapFewShot,
    run: Run,
    teacher: Variant,
    errors: usize,
    /// For each predictor.
    demos: Vec<Vec<Example>>,
}

impl<'a> Lessons<'a> {
    fn new(options: &'a BootstrapFewShot, run: &Run, training: &Training) -> Result<Self> {
        let teacher = training.teacher.as_ref().unwrap_or(&training.student);
        let labels = LabeledFewShot { k: options.max_labeled_demos, sample: true };
        let teacher = match labels.k > 0 && !teacher.is_compiled() {
            true => labels.teach(teacher, training.trainset)?,
            false => Variant::copy_of(teacher),
        };
        let run = run.clone().with_model(options.teacher_model.as_deref());
        let demos = teacher.predictors().iter().map(|_| Vec::new()).collect();
        Ok(Self { options, run, teacher, errors: 0, demos })
    }

    /// Tries an example until it succeeds, and keeps what led there.
    async fn learn(&mut self, example: &Example) -> Result<bool> {
        for round in (0..).take(self.options.max_rounds) {
            match self.attempt(example, round).await {
                Ok(Some(demos)) => {
                    for (all, more) in self.demos.iter_mut().zip(demos) {
                        all.extend(one_of(more));
                    }
                    return Ok(true);
                }
                Ok(None) => {}
                Err(error) => {
                    self.errors += 1;
                    if error.kind().ends_the_work() || self.errors >= self.options.max_errors {
                        return Err(error);
                    }
                    self.run.goes_on("an example failed and is left out", &error);
                }
            }
        }
        Ok(false)
    }

    /// The demos for each predictor, when the prediction is good. The record of the run goes with the example.
    async fn attempt(&mut self, example: &Example, round: i64) -> Result<Option<Vec<Vec<Example>>>> {
        let (run, apart) = (self.run.clone(), self.run.apart());
        let demos = run.in_time(self.demos_of(&apart, example, round)).await;
        run.add_usage_of(&apart);
        demos
    }

    async fn demos_of(&mut self, run: &Run, example: &Example, round: i64) -> Result<Option<Vec<Vec<Example>>>> {
        let inputs = given(example)?;
        let teacher = unprompted(&self.teacher, example);
        let rollout = if round == 0 { run.clone() } else { run.clone().with_rollout(round) };
        let called = teacher.call(&rollout, inputs).await;
        if called.is_err() {
            self.teacher = teacher.clone(); // in DSPy too a teacher that fails does not get its demos back
        }
        let prediction = called?;
        let trace = run.trace();
        if let Some(metric) = &self.options.metric {
            let score = metric.score(run, example, &prediction, Some(&trace)).await?;
            if !self.options.is_good(&score)? {
                return Ok(None);
            }
        }
        let of = |id| trace.iter().filter(move |span| span.predictor == Some(id)).map(demo).collect();
        Ok(Some(teacher.predictors().into_iter().map(|(_, predict)| of(predict.id())).collect()))
    }
}

/// What a program is given of an example.
pub(super) fn given(example: &Example) -> Result<Example> {
    if example.input_keys.is_empty() {
        let message = "Inputs have not been set for this example. Use `example.with_inputs()` to set them.";
        return Err(Error::new(ErrorKind::Input, message).at_field("trainset").with_python_class("ValueError"));
    }
    let inputs = example.inputs().map(|(name, value)| (name.to_owned(), value.clone()));
    Ok(Example::from(inputs.collect::<Map>()))
}

/// A teacher that does not see the example among its demos.
fn unprompted(teacher: &Variant, example: &Example) -> Variant {
    let is_it = |demo: &Example| equal_maps(&demo.fields, &example.fields);
    let mut teacher = teacher.clone();
    if teacher.predictors().iter().any(|(_, predict)| predict.demos().iter().any(is_it)) {
        for (_, predict) in teacher.predictors_mut() {
            predict.set_demos(predict.demos().iter().filter(|demo| !is_it(demo)).cloned().collect());
        }
    }
    teacher
}

/// The call of a predictor as a demo.
pub(super) fn demo(span: &Rc<Span>) -> Example {
    let mut demo = Example::new().with("augmented", true);
    demo.fields.extend(span.inputs.clone());
    demo.fields.extend(span.outputs.clone());
    demo
}

/// Of several calls of one predictor, the last one or one of the others, with equal chance.
fn one_of(mut demos: Vec<Example>) -> Option<Example> {
    let last = demos.pop()?;
    if demos.is_empty() {
        return Some(last);
    }
    let mut text = String::new();
    for demo in demos.iter().chain([&last]) {
        write_repr(&mut text, &Value::Dict(demo.fields.clone()));
    }
    let mut random = Random::from_text(&text);
    if random.random() < 0.5 { random.choice(&demos).cloned() } else { Some(last) }
}

/// Student and teacher must have the same predictors.
fn same_structure(student: &Variant, teacher: &Variant) -> Result<()> {
    let (students, teachers) = (student.predictors(), teacher.predictors());
    if students.len() != teachers.len() {
        return Err(refused("Student and teacher must have the same number of predictors."));
    }
    for ((path, student), (teachers_path, teacher)) in students.iter().zip(&teachers) {
        if path != teachers_path {
            return Err(refused("Student and teacher must have the same program structure.").at_step(path));
        }
        if !student.signature().equals(teacher.signature()) {
            let class = "<class 'dspy.signatures.signature.SignatureMeta'>";
            let message = format!("Student and teacher must have the same signatures. {class} != {class}");
            return Err(refused(&message).at_step(path));
        }
    }
    Ok(())
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::Input, message).with_python_class("AssertionError")
}
