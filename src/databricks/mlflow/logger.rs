//! Programs in MLflow: their evaluations as runs, their calls as traces, themselves as models.

use std::cell::RefCell;

use futures_core::future::LocalBoxFuture;

use super::{
    ActiveRun, CallRecord, EvaluationRecord, Experiment, LogOptions, LoggedModel, LoggedProgram, Mlflow, ModelOptions,
    RunStatus,
};
use crate::error::{Error, Result};
use crate::evaluate::{Evaluate, Evaluation};
use crate::example::Example;
use crate::metric::Metric;
use crate::module::Module;
use crate::observe::{Called, Observer, Trial};
use crate::run::Run;
use crate::state;

/// The study's `DSPyMLflowLogger`: logs programs to one experiment.
///
/// As an [`Observer`] it logs every call of a program as a trace, and every trial of an optimizer as a run below one of the optimizer's.
///
/// ```
/// use lakelet::databricks::Workspace;
/// use lakelet::databricks::mlflow::MlflowLogger;
/// use lakelet::{Example, Module, Run, observe};
/// # async fn example(workspace: Workspace, program: &dyn Module, run: &Run) -> lakelet::Result<()> {
/// let logger = MlflowLogger::new(&workspace, "/Shared/dspy-experiments").await?;
/// let inputs = Example::new().with("question", "How long is parental leave?");
/// let answer = observe::call(&logger, "assistant", program, run, inputs).await?;
/// # Ok(()) }
/// ```
pub struct MlflowLogger {
    mlflow: Mlflow,
    experiment: Experiment,
    /// The run of the optimizer that is at work.
    optimizing: RefCell<Option<ActiveRun>>,
}

impl MlflowLogger {
    /// A logger for the experiment of that name, which is created if there is none. On Databricks names are absolute paths.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn new(workspace: &crate::databricks::Workspace, experiment: &str) -> Result<Self> {
        let mlflow = workspace.mlflow();
        let experiment = mlflow.experiment(experiment).await?;
        Ok(Self::of(&mlflow, experiment))
    }

    /// A logger for an experiment that is known.
    pub fn of(mlflow: &Mlflow, experiment: Experiment) -> Self {
        Self { mlflow: mlflow.clone(), experiment, optimizing: RefCell::default() }
    }

    /// The experiment that is logged to.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Evaluates a program on a testset and logs what came of it: see [`ActiveRun::log_evaluation`]. When anything fails the run
    /// ends as failed, with the reason in a tag.
    ///
    /// # Errors
    /// What the evaluation fails with, and what the service refuses.
    #[allow(clippy::too_many_arguments)] // what is evaluated, on what, how, and how it is told
    pub async fn log_pipeline_metrics(
        &self,
        run: &Run,
        program: &dyn Module,
        logged: &LoggedProgram,
        testset: &[Example],
        metric: &dyn Metric,
        run_name: Option<&str>,
        options: &LogOptions,
    ) -> Result<(ActiveRun, Evaluation)> {
        let logging = self.mlflow.start_run(&self.experiment, run_name, &[]).await?;
        let work = async {
            let apart = run.apart();
            let evaluation = Evaluate::default().run(&apart, program, testset, metric, |_| ()).await;
            run.add_usage_of(&apart);
            let evaluation = evaluation?;
            let record = EvaluationRecord::of(&evaluation, testset, &apart.usage_by_model());
            logging.log_evaluation(logged, &record, options).await?;
            Ok(evaluation)
        };
        match work.await {
            Ok(evaluation) => {
                logging.end(RunStatus::Finished).await?;
                Ok((logging, evaluation))
            }
            Err(error) => Err(logging.end_failed(error).await),
        }
    }

    /// Logs a program as a model, in a run of its own: see [`Mlflow::log_model`].
    ///
    /// # Errors
    /// As [`Mlflow::log_model`].
    pub async fn log_model(&self, name: &str, program: &LoggedProgram, options: &ModelOptions) -> Result<LoggedModel> {
        let run = self.mlflow.start_run(&self.experiment, Some(name), &[]).await?;
        match self.mlflow.log_model(&self.experiment, Some(&run), name, program, options).await {
            Ok(model) => {
                run.end(RunStatus::Finished).await?;
                Ok(model)
            }
            Err(error) => Err(run.end_failed(error).await),
        }
    }

    /// The run of the optimizer; it is started when there is none.
    async fn optimizing(&self, optimizer: &str) -> Result<ActiveRun> {
        let running = self.optimizing.borrow().clone();
        if let Some(running) = running {
            return Ok(running);
        }
        let started = self.mlflow.start_run(&self.experiment, Some(optimizer), &[]).await?;
        *self.optimizing.borrow_mut() = Some(started.clone());
        Ok(started)
    }

    async fn log_trial(&self, trial: Trial<'_>) -> Result<()> {
        let whole = self.optimizing(trial.optimizer).await?;
        let name = format!("eval_{}", trial.number);
        let part = self.mlflow.start_run(&self.experiment, Some(&name), &[("mlflow.parentRunId", &whole.id)]).await?;
        part.log_artifact("model.json", state::dump(trial.program)?.into_bytes()).await?;
        let objectives = trial.objectives.iter().map(|(name, value)| (name.as_str(), *value));
        let metrics: Vec<_> = [("eval", trial.evaluation.score)].into_iter().chain(objectives).collect();
        part.log_metrics(&metrics, 0).await?;
        part.end(RunStatus::Finished).await?;
        whole.log_metrics(&[("eval", trial.evaluation.score)], trial.number as i64).await
    }
}

impl Observer for MlflowLogger {
    fn called<'a>(&'a self, called: Called<'a>) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let record = CallRecord::of(called.name, called.run, called.inputs, called.answer);
            self.mlflow.log_trace(&self.experiment, &record).await.map(drop)
        })
    }

    /// The names are those of MLflow's autolog for DSPy.
    fn tried<'a>(&'a self, trial: Trial<'a>) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(self.log_trial(trial))
    }

    fn optimized<'a>(
        &'a self,
        ended: std::result::Result<&'a dyn Module, &'a Error>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let running = self.optimizing.take();
            let Some(running) = running else { return Ok(()) };
            match ended {
                Ok(best) => {
                    running.log_artifact("best_model.json", state::dump(best)?.into_bytes()).await?;
                    running.end(RunStatus::Finished).await
                }
                Err(error) => {
                    _ = running.end_failed(error.clone()).await;
                    Ok(())
                }
            }
        })
    }
}
