//! Strategies: how a new program is made from what the trajectories of an example show.

use super::bucket::{Batch, Bucket};
use super::trajectory::Trajectory;
use super::{Simba, advice};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::module::{Module, Predict, Variant, describe_modules, describe_program, dump};
use crate::optimize::bootstrap::demo;
use crate::python::str_of;
use crate::run::Run;
use crate::value::{Map, Value};

/// A strategy.
#[derive(Clone, Copy)]
pub(super) enum Strategy {
    AppendADemo,
    AppendARule,
}

impl Strategy {
    /// Those that there are, for programs with so many demos.
    pub fn all(max_demos: usize) -> &'static [Self] {
        if max_demos > 0 { &[Self::AppendADemo, Self::AppendARule] } else { &[Self::AppendARule] }
    }
}

/// Who changes programs.
pub(super) struct Strategist<'a> {
    options: &'a Simba,
    run: Run,
    adviser: Predict,
}

impl<'a> Strategist<'a> {
    pub fn new(options: &'a Simba, run: &Run) -> Result<Self> {
        let run = run.clone().with_model(options.prompt_model.as_deref());
        Ok(Self { options, run, adviser: Predict::new(advice::signature()?) })
    }

    /// Changes the program; where the trajectories show nothing that helps, it stays as it is.
    ///
    /// # Errors
    /// What the model that writes rules fails with; [`Input`](ErrorKind::Input), for values that cannot be shown to it.
    pub async fn apply(
        &self,
        strategy: Strategy,
        program: &mut Variant,
        bucket: &Bucket<'_>,
        batch: &Batch<'_>,
    ) -> Result<()> {
        let (Some(good), Some(bad)) = (bucket.trajectories.first(), bucket.trajectories.last()) else { return Ok(()) };
        if good.row.points <= batch.low {
            return Ok(());
        }
        match strategy {
            Strategy::AppendADemo => {
                self.append_a_demo(program, good);
                Ok(())
            }
            Strategy::AppendARule if bad.row.points >= batch.high => Ok(()),
            Strategy::AppendARule => self.append_a_rule(program, good, bad).await,
        }
    }

    /// Shows each predictor its last call.
    fn append_a_demo(&self, program: &mut Variant, good: &Trajectory) {
        for (path, predict) in program.predictors_mut() {
            let call = good.trace.iter().rfind(|span| span.path.as_deref() == Some(&*path));
            if let Some(call) = call {
                let mut demos = predict.demos().to_vec();
                let mut demo = demo(call);
                for (name, _) in &call.inputs {
                    if let Some(value) = demo.fields.get_mut(name) {
                        shorten(value, self.options.demo_input_field_maxlen);
                    }
                }
                demos.push(demo);
                predict.set_demos(demos);
            }
        }
    }

    /// Adds to the instructions what a model reads from the trajectories.
    async fn append_a_rule(&self, program: &mut Variant, good: &Trajectory<'_>, bad: &Trajectory<'_>) -> Result<()> {
        let advised = self.adviser.call(&self.run, self.question(program, good, bad)?).await?;
        let Some(Value::Dict(advice)) = advised.get("module_advice") else {
            return Err(Error::new(ErrorKind::Parse, "the model gave no advice").at_field("module_advice"));
        };
        for (path, predict) in program.predictors_mut() {
            if let Some(advice) = advice.get(&path).and_then(Value::as_str) {
                let instructions = [&predict.signature().instructions, "\n\n", advice].concat();
                predict.set_signature(predict.signature().with_instructions(&instructions)?);
            }
        }
        Ok(())
    }

    fn question(&self, program: &Variant, good: &Trajectory, bad: &Trajectory) -> Result<Example> {
        let predictors = program.predictors();
        let code = self.options.program_code.clone().unwrap_or_else(|| describe_program(&predictors));
        let names = predictors.iter().map(|(path, _)| path.as_str().into());
        let example = good.example;
        let side = |is_input: bool| {
            let fields = example.fields.iter().filter(|(name, _)| example.input_keys.contains(name) == is_input);
            Value::Dict(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        // Of trajectories that score the same, the good one is hidden: where there is only one, it is the bad one too.
        let hides_good = good.row.points <= bad.row.points;
        if !good.answered && !hides_good {
            let message = "the program failed, and the metric scored it all the same";
            return Err(Error::new(ErrorKind::Input, message).with_python_class("TypeError"));
        }
        let (better, worse) = (Shown::of(good, hides_good)?, Shown::of(bad, hides_good && std::ptr::eq(good, bad))?);
        Ok(Example::new()
            .with("program_code", code)
            .with("modules_defn", describe_modules(&predictors)?)
            .with("program_inputs", dump(&side(true))?)
            .with("oracle_metadata", dump(&side(false))?)
            .with("better_program_trajectory", better.trajectory)
            .with("better_program_outputs", better.outputs)
            .with("worse_program_trajectory", worse.trajectory)
            .with("worse_program_outputs", worse.outputs)
            .with("worse_reward_value", worse.reward)
            .with("better_reward_value", better.reward)
            .with("worse_reward_info", worse.info)
            .with("better_reward_info", better.info)
            .with("module_names", dump(&Value::List(names.collect()))?))
    }
}

/// A trajectory in words.
struct Shown {
    trajectory: String,
    outputs: String,
    reward: String,
    info: String,
}

impl Shown {
    fn of(trajectory: &Trajectory, hidden: bool) -> Result<Self> {
        let info = dump(&Value::Dict(trajectory.metadata.clone()))?;
        if hidden {
            let outputs = Map::from_iter([("N/A".to_owned(), "Prediction not available".into())]);
            let (trajectory, outputs) = (dump(&Value::List(Vec::new()))?, dump(&Value::Dict(outputs))?);
            return Ok(Self { trajectory, outputs, reward: "N/A".to_owned(), info });
        }
        let calls = trajectory.trace.iter().filter_map(|span| {
            Some(Value::Dict(Map::from_iter([
                ("module_name".to_owned(), span.path.as_deref()?.into()),
                ("inputs".to_owned(), Value::Dict(span.inputs.clone())),
                ("outputs".to_owned(), Value::Dict(span.outputs.clone())),
            ])))
        });
        Ok(Self {
            trajectory: dump(&Value::List(calls.collect()))?,
            outputs: dump(&Value::Dict(trajectory.row.prediction.fields.clone()))?,
            reward: dump(&trajectory.row.score)?,
            info,
        })
    }
}

/// Cuts a value's text after so many characters; 0 leaves it whole.
fn shorten(value: &mut Value, length: usize) {
    let text = str_of(value);
    if let Some((end, _)) = text.char_indices().nth(length).filter(|_| length > 0) {
        let kept = text.get(..end).unwrap_or_default();
        *value = [kept, "\n\t\t... <TRUNCATED FOR BREVITY>"].concat().into();
    }
}
