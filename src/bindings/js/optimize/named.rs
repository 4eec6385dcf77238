//! Optimizers by their names, with DSPy's options in camel case.

use std::rc::Rc;

use super::super::options::Options;
use super::kind::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::metric::Metric;
use crate::nearest::offer;
use crate::optimize::gepa::{self, CandidateSelection, ComponentSelector, Gepa, InstructionProposer, Limit};
use crate::optimize::{
    Auto, BetterTogether, BootstrapFewShot, BootstrapFewShotWithRandomSearch, Copro, DatabricksOptimizedOptimizer,
    InferRules, LabeledFewShot, Latency, MiproV2, MultiObjective, Objective, Optimizer, Preference, Simba,
};

/// What the package writes in the place of its users' options.
const OWN: [&str; 3] = ["names", "teacherModel", "reflectionModel"];

/// The optimizer that DSPy has under that name. Models are named as the run names them. `parts` are the optimizers of a
/// `BetterTogether`, in the order of the option `names`.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) at an option that is not right, or that the optimizer does not have.
pub(super) fn read(
    name: &str,
    metric: Option<Rc<dyn Metric>>,
    parts: Vec<Rc<dyn Optimizer>>,
    options: &Options,
) -> Result<Kind> {
    let kind = match name {
        "DatabricksOptimizedOptimizer" => Kind::Serving(Rc::new(serving(metric.ok_or_else(no_metric)?, options)?)),
        "MultiObjective" => {
            Kind::MultiObjective(Rc::new(multi_objective(metric.ok_or_else(no_metric)?, parts, options)?))
        }
        _ => Kind::Plain(plain(name, metric, parts, options)?),
    };
    options.no_others(&OWN)?;
    Ok(kind)
}

fn plain(
    name: &str,
    metric: Option<Rc<dyn Metric>>,
    parts: Vec<Rc<dyn Optimizer>>,
    options: &Options,
) -> Result<Rc<dyn Optimizer>> {
    let wanted = || metric.clone().ok_or_else(no_metric);
    let names = options.texts("names")?;
    Ok(match name {
        "LabeledFewShot" => {
            let mut optimizer = LabeledFewShot::default();
            count(options, "k", &mut optimizer.k)?;
            optimizer.sample = options.flag("sample")?.unwrap_or(optimizer.sample);
            Rc::new(optimizer)
        }
        "BootstrapFewShot" => Rc::new(bootstrap(metric, options)?),
        "BootstrapFewShotWithRandomSearch" => {
            let mut optimizer = BootstrapFewShotWithRandomSearch::new(wanted()?);
            optimizer.bootstrap = bootstrap(metric, options)?;
            count(options, "numCandidatePrograms", &mut optimizer.num_candidate_programs)?;
            optimizer.labeled_sample = options.flag("labeledSample")?.unwrap_or(optimizer.labeled_sample);
            optimizer.stop_at_score = options.number("stopAtScore")?;
            if options.value("restrict").is_some() {
                optimizer.restrict = Some(options.integers("restrict")?);
            }
            evaluate(options, &mut optimizer.evaluate)?;
            Rc::new(optimizer)
        }
        "COPRO" => {
            let mut optimizer = Copro::new(wanted()?);
            optimizer.prompt_model = model(options, "promptModel")?;
            count(options, "breadth", &mut optimizer.breadth)?;
            count(options, "depth", &mut optimizer.depth)?;
            optimizer.init_temperature = options.number("initTemperature")?.unwrap_or(optimizer.init_temperature);
            evaluate(options, &mut optimizer.evaluate)?;
            Rc::new(optimizer)
        }
        "InferRules" => {
            let mut optimizer = InferRules::new(wanted()?);
            optimizer.bootstrap = bootstrap(metric, options)?;
            count(options, "numCandidates", &mut optimizer.num_candidates)?;
            count(options, "numRules", &mut optimizer.num_rules)?;
            evaluate(options, &mut optimizer.evaluate)?;
            Rc::new(optimizer)
        }
        "MIPROv2" => Rc::new(mipro(wanted()?, options)?),
        "GEPA" => Rc::new(gepa(wanted()?, options)?),
        "SIMBA" => Rc::new(simba(wanted()?, options)?),
        "BetterTogether" => {
            let mut optimizer = BetterTogether::new(wanted()?);
            optimizer.optimizers.extend(names.into_iter().map(str::to_owned).zip(parts));
            if let Some(strategy) = options.text("strategy")? {
                optimizer.strategy = strategy.to_owned();
            }
            optimizer.valset_ratio = options.number("valsetRatio")?.unwrap_or(optimizer.valset_ratio);
            let shuffle = &mut optimizer.shuffle_trainset_between_steps;
            *shuffle = options.flag("shuffleTrainsetBetweenSteps")?.unwrap_or(*shuffle);
            optimizer.seed = options.integer("seed")?.unwrap_or(optimizer.seed);
            evaluate(options, &mut optimizer.evaluate)?;
            Rc::new(optimizer)
        }
        other => return Err(Error::new(ErrorKind::Unsupported, format!("no optimizer is called {other}"))),
    })
}

fn bootstrap(metric: Option<Rc<dyn Metric>>, options: &Options) -> Result<BootstrapFewShot> {
    let mut bootstrap = BootstrapFewShot { metric, ..BootstrapFewShot::default() };
    bootstrap.metric_threshold = options.number("metricThreshold")?;
    bootstrap.teacher_model = model(options, "teacherModel")?;
    count(options, "maxBootstrappedDemos", &mut bootstrap.max_bootstrapped_demos)?;
    count(options, "maxLabeledDemos", &mut bootstrap.max_labeled_demos)?;
    count(options, "maxRounds", &mut bootstrap.max_rounds)?;
    count(options, "maxErrors", &mut bootstrap.max_errors)?;
    Ok(bootstrap)
}

fn mipro(metric: Rc<dyn Metric>, options: &Options) -> Result<MiproV2> {
    let mut mipro = MiproV2::new(metric);
    mipro.prompt_model = model(options, "promptModel")?;
    mipro.task_model = model(options, "taskModel")?;
    mipro.teacher_model = model(options, "teacherModel")?;
    if options.value("auto").is_some() {
        mipro.auto = options.text("auto")?.map(Auto::named).transpose()?;
    }
    mipro.num_candidates = optional(options, "numCandidates")?;
    mipro.num_trials = optional(options, "numTrials")?;
    mipro.seed = options.count("seed")?.unwrap_or(mipro.seed);
    mipro.init_temperature = options.number("initTemperature")?.unwrap_or(mipro.init_temperature);
    mipro.metric_threshold = options.number("metricThreshold")?;
    for (name, number) in [
        ("maxBootstrappedDemos", &mut mipro.max_bootstrapped_demos),
        ("maxLabeledDemos", &mut mipro.max_labeled_demos),
        ("minibatchSize", &mut mipro.minibatch_size),
        ("minibatchFullEvalSteps", &mut mipro.minibatch_full_eval_steps),
        ("viewDataBatchSize", &mut mipro.view_data_batch_size),
    ] {
        count(options, name, number)?;
    }
    for (name, flag) in [
        ("minibatch", &mut mipro.minibatch),
        ("programAwareProposer", &mut mipro.program_aware_proposer),
        ("dataAwareProposer", &mut mipro.data_aware_proposer),
        ("tipAwareProposer", &mut mipro.tip_aware_proposer),
        ("fewshotAwareProposer", &mut mipro.fewshot_aware_proposer),
    ] {
        *flag = options.flag(name)?.unwrap_or(*flag);
    }
    evaluate(options, &mut mipro.evaluate)?;
    Ok(mipro)
}

fn gepa(metric: Rc<dyn Metric>, options: &Options) -> Result<Gepa> {
    let auto = options.text("auto")?.map(Auto::named).transpose()?;
    let mut gepa =
        Gepa::new(metric, Limit::of(auto, optional(options, "maxFullEvals")?, optional(options, "maxMetricCalls")?)?)?;
    count(options, "reflectionMinibatchSize", &mut gepa.reflection_minibatch_size)?;
    if let Some(name) = options.text("candidateSelectionStrategy")? {
        gepa.candidate_selection = CandidateSelection::named(name)?;
    }
    if let Some(name) = options.text("componentSelector")? {
        gepa.component_selector = ComponentSelector::named(name)?;
    }
    gepa.reflection_model = model(options, "reflectionModel")?;
    gepa.proposer = InstructionProposer::new(gepa::ProposerOptions {
        skills: options.texts("skills")?.into_iter().map(str::to_owned).collect(),
        additional_instructions: options.text("additionalInstructions")?.map(str::to_owned),
        max_chars: optional(options, "maxChars")?,
        ..gepa::ProposerOptions::default()
    })?;
    gepa.skip_perfect_score = options.flag("skipPerfectScore")?.unwrap_or(gepa.skip_perfect_score);
    gepa.perfect_score = options.number("perfectScore")?.unwrap_or(gepa.perfect_score);
    let add = &mut gepa.add_format_failure_as_feedback;
    *add = options.flag("addFormatFailureAsFeedback")?.unwrap_or(*add);
    gepa.use_merge = options.flag("useMerge")?.unwrap_or(gepa.use_merge);
    count(options, "maxMergeInvocations", &mut gepa.max_merge_invocations)?;
    count(options, "numThreads", &mut gepa.num_threads)?;
    gepa.failure_score = options.number("failureScore")?.unwrap_or(gepa.failure_score);
    gepa.seed = options.integer("seed")?.unwrap_or(gepa.seed);
    Ok(gepa)
}

fn simba(metric: Rc<dyn Metric>, options: &Options) -> Result<Simba> {
    let mut simba = Simba::new(metric);
    simba.prompt_model = model(options, "promptModel")?;
    simba.teacher_model = model(options, "teacherModel")?;
    for (name, number) in [
        ("bsize", &mut simba.bsize),
        ("numCandidates", &mut simba.num_candidates),
        ("maxSteps", &mut simba.max_steps),
        ("maxDemos", &mut simba.max_demos),
        ("demoInputFieldMaxlen", &mut simba.demo_input_field_maxlen),
        ("numThreads", &mut simba.num_threads),
    ] {
        count(options, name, number)?;
    }
    for (name, temperature) in [
        ("temperatureForSampling", &mut simba.temperature_for_sampling),
        ("temperatureForCandidates", &mut simba.temperature_for_candidates),
    ] {
        *temperature = options.number(name)?.unwrap_or(*temperature);
    }
    simba.seed = options.count("seed")?.unwrap_or(simba.seed);
    Ok(simba)
}

fn serving(metric: Rc<dyn Metric>, options: &Options) -> Result<DatabricksOptimizedOptimizer> {
    let mut serving = DatabricksOptimizedOptimizer::new(metric);
    for (name, number) in [
        ("accuracyWeight", &mut serving.accuracy_weight),
        ("latencyWeight", &mut serving.latency_weight),
        ("budgetMs", &mut serving.budget_ms),
    ] {
        *number = options.number(name)?.unwrap_or(*number);
    }
    if let Some(estimated) = options.value("latency") {
        let estimated = Options::of(estimated.clone())?;
        let number = |name: &str, default: f64| Ok::<_, Error>(estimated.number(name)?.unwrap_or(default));
        serving.latency = Latency::Estimated {
            base: number("base", 100.0)?,
            per_character: number("perCharacter", 0.5)?,
            retrieval: number("retrieval", 50.0)?,
        };
    }
    serving.threshold = options.number("threshold")?;
    serving.bootstrap.teacher_model = model(options, "teacherModel")?;
    count(options, "maxBootstrappedDemos", &mut serving.bootstrap.max_bootstrapped_demos)?;
    count(options, "maxLabeledDemos", &mut serving.bootstrap.max_labeled_demos)?;
    serving.prices = options.prices("prices")?;
    evaluate(options, &mut serving.evaluate)?;
    Ok(serving)
}

fn multi_objective(
    metric: Rc<dyn Metric>,
    sources: Vec<Rc<dyn Optimizer>>,
    options: &Options,
) -> Result<MultiObjective> {
    let mut search = MultiObjective { sources, ..MultiObjective::new(metric) };
    if options.value("objectives").is_some() {
        let objectives = options.list("objectives")?.iter();
        search.objectives = objectives.map(|it| objective(&Options::of(it.clone())?)).collect::<Result<_>>()?;
    }
    search.models = options.texts("models")?.into_iter().map(str::to_owned).collect();
    search.preference = match options.text("preference")? {
        None | Some("weights") => Preference::Weights,
        Some("knee") => Preference::Knee,
        Some(other) => return Err(unknown("preference", other, ["weights", "knee"])),
    };
    count(options, "numCandidates", &mut search.num_candidates)?;
    count(options, "minExamples", &mut search.min_examples)?;
    search.halving = options.flag("halving")?.unwrap_or(search.halving);
    search.seed = options.size("seed")?.unwrap_or(search.seed);
    search.prices = options.prices("prices")?;
    evaluate(options, &mut search.evaluate)?;
    Ok(search)
}

/// `{measure, share?, weight?, limit?}`.
fn objective(options: &Options) -> Result<Objective> {
    let objective = match options.text("measure")?.unwrap_or_default() {
        "score" => Objective::score(),
        "latencyMs" => Objective::latency_ms(options.number("share")?.unwrap_or(0.95)),
        "dollars" => Objective::dollars(),
        "tokens" => Objective::tokens(),
        "errorRate" => Objective::error_rate(),
        other => {
            return Err(unknown("measure", other, ["score", "latencyMs", "dollars", "tokens", "errorRate"]));
        }
    };
    let weight = options.number("weight")?.unwrap_or(objective.weight);
    Ok(Objective { weight, limit: options.number("limit")?, ..objective })
}

fn unknown<const N: usize>(field: &str, name: &str, known: [&str; N]) -> Error {
    Error::new(ErrorKind::Config, format!("there is no {field} `{name}`")).at_field(field).with_hint(offer(name, known))
}

/// How candidates are evaluated.
fn evaluate(options: &Options, evaluate: &mut Evaluate) -> Result<()> {
    count(options, "numThreads", &mut evaluate.parallel.num_threads)?;
    count(options, "maxErrors", &mut evaluate.parallel.max_errors)
}

fn count(options: &Options, name: &str, number: &mut usize) -> Result<()> {
    *number = options.count(name)?.map_or(*number, |count| count as usize);
    Ok(())
}

fn optional(options: &Options, name: &str) -> Result<Option<usize>> {
    Ok(options.count(name)?.map(|number| number as usize))
}

fn model(options: &Options, name: &str) -> Result<Option<String>> {
    Ok(options.text(name)?.map(str::to_owned))
}

fn no_metric() -> Error {
    Error::new(ErrorKind::Config, "the optimizer has no metric to compare programs with")
        .at_field("metric")
        .with_hint("give it one: new COPRO({ metric: answerExactMatch })")
}
