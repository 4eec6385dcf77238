//! Optimizers: the programs that they make, and every call on the way there.

use std::cell::RefCell;
use std::rc::Rc;

use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use lakelet::embed::EmbeddingModel;
use lakelet::metric::Metric;
use lakelet::module::{Knn, Variant};
use lakelet::optimize::{
    Attempt, BetterTogether, BootstrapFewShot, BootstrapFewShotWithRandomSearch, Copro, DemoSets, InferRules,
    LabeledFewShot, Optimizer, Training, dataset_summary,
};
use lakelet::python::Random;
use lakelet::run::{Run, Services};
use lakelet::signature::Types;
use lakelet::value::{Custom, Value};
use lakelet::{Error, ErrorKind, Evaluate, Example, Module, Result};
use serde_json::{Map, Value as Json, json};

use super::callable::Program;
use super::calls::Stopped;
use super::compare::{check, same, same_error};
use super::evaluate::{example, metric};
use super::scripted::{ScriptedLm, digest, sha256};
use super::{Outcome, cases, gepa};

/// What a case works with.
struct Case<'a> {
    input: &'a Json,
    student: Rc<dyn Module>,
    teacher: Option<Rc<dyn Module>>,
    trainset: Vec<Example>,
    valset: Option<Vec<Example>>,
    lm: Rc<ScriptedLm>,
    teacher_lm: Option<Rc<ScriptedLm>>,
    reflection_lm: Option<Rc<ScriptedLm>>,
    run: Run,
}

impl<'a> Case<'a> {
    fn of(input: &'a Json) -> Result<Self> {
        let types = cases::types(&input["typedefs"])?;
        let adapter = cases::adapter(&input["adapter"]).map_err(|reason| Error::new(ErrorKind::Unsupported, reason))?;
        let program = |node: &Json, set: &Json| -> Result<Rc<dyn Module>> {
            let mut program = Program::build(node, &adapter, &types)?;
            let demos = set.as_object().into_iter().flatten().map(|(path, set)| (path.clone(), set["demos"].clone()));
            program.set_demos(&Json::Object(demos.collect()), &types)?;
            let program: Rc<dyn Module> = program.into_module().into();
            if node["compiled"] != true {
                return Ok(program);
            }
            let mut compiled = Variant::copy_of(&program);
            compiled.compiled = true;
            Ok(Rc::new(compiled))
        };
        let lm = Rc::new(ScriptedLm::new(&input["lm"]));
        let mut services = Services::new(Rc::new(Stopped)).with_model("lm", lm.clone());
        let teacher_lm = input["options"]["teacher_settings"].get("lm").map(|script| Rc::new(ScriptedLm::new(script)));
        if let Some(teacher_lm) = &teacher_lm {
            services = services.with_model("teacher", teacher_lm.clone());
        }
        let reflection_lm = input.get("reflection_lm").map(|script| Rc::new(ScriptedLm::new(script)));
        if let Some(reflection_lm) = &reflection_lm {
            services = services.with_model("reflection", reflection_lm.clone());
        }
        Ok(Self {
            input,
            student: program(&input["student"], &input["student_set"])?,
            teacher: input.get("teacher").map(|teacher| program(teacher, &Json::Null)).transpose()?,
            trainset: examples(&input["trainset"], &types)?,
            valset: input.get("valset").map(|valset| examples(valset, &types)).transpose()?,
            lm,
            teacher_lm,
            reflection_lm,
            run: Run::new(Rc::new(services)),
        })
    }

    /// The same with another optimizer.
    fn with_input<'b>(&self, input: &'b Json) -> Case<'b> {
        Case {
            input,
            student: Rc::clone(&self.student),
            teacher: self.teacher.clone(),
            trainset: self.trainset.clone(),
            valset: self.valset.clone(),
            lm: Rc::clone(&self.lm),
            teacher_lm: self.teacher_lm.clone(),
            reflection_lm: self.reflection_lm.clone(),
            run: self.run.clone(),
        }
    }

    fn training(&self) -> Training<'_> {
        let training = Training::new(Rc::clone(&self.student), &self.trainset);
        Training { teacher: self.teacher.clone(), valset: self.valset.as_deref(), ..training }
    }

    fn metric(&self) -> Rc<dyn Metric> {
        match self.input["metric"]["kind"].as_str() {
            Some("predictor") => Rc::new(gepa::OfPredictor(self.input["metric"].clone())),
            _ => Rc::new(metric(&self.input["metric"])),
        }
    }

    fn option(&self, name: &str) -> Option<usize> {
        self.input["options"][name].as_u64().map(|number| number as usize)
    }

    fn bootstrap(&self) -> BootstrapFewShot {
        let mut bootstrap = BootstrapFewShot::new(self.metric());
        if self.input["metric"]["kind"] == "none" || self.input["metric"].is_null() {
            bootstrap.metric = None;
        }
        bootstrap.metric_threshold = self.input["options"]["metric_threshold"].as_f64();
        bootstrap.teacher_model = self.teacher_lm.as_ref().map(|_| "teacher".to_owned());
        for (name, place) in [
            ("max_bootstrapped_demos", &mut bootstrap.max_bootstrapped_demos),
            ("max_labeled_demos", &mut bootstrap.max_labeled_demos),
            ("max_rounds", &mut bootstrap.max_rounds),
            ("max_errors", &mut bootstrap.max_errors),
        ] {
            *place = self.option(name).unwrap_or(*place);
        }
        bootstrap
    }

    /// On one thread, as the cases were recorded.
    fn evaluate(&self) -> Evaluate {
        let mut evaluate = Evaluate::default();
        evaluate.parallel.num_threads = 1;
        evaluate.parallel.max_errors = self.option("max_errors").unwrap_or(evaluate.parallel.max_errors);
        evaluate
    }

    /// The optimizers of a case, `{NAME: {"optimizer", "options"}}`, as one.
    fn better_together(&self, optimizers: &Json) -> Result<BetterTogether> {
        let options = &self.input["options"];
        let mut together = BetterTogether::new(self.metric());
        together.optimizers.clear();
        for (name, given) in optimizers.as_object().into_iter().flatten() {
            let given =
                json!({"optimizer": given["optimizer"], "options": given["options"], "metric": self.input["metric"]});
            let of_its_own = self.with_input(&given);
            let options = &given["options"];
            let optimizer: Rc<dyn Optimizer> = match given["optimizer"].as_str().unwrap_or_default() {
                "LabeledFewShot" => Rc::new(LabeledFewShot {
                    k: of_its_own.option("k").unwrap_or(LabeledFewShot::default().k),
                    sample: options["sample"] != false,
                }),
                "BootstrapFewShot" => Rc::new(of_its_own.bootstrap()),
                "GEPA" => Rc::new(gepa::optimizer(self.metric(), options)?),
                other => return Err(Error::new(ErrorKind::Unsupported, format!("not built: {other}"))),
            };
            together.optimizers.insert(name.clone(), optimizer);
        }
        together.strategy = options["strategy"].as_str().map_or(together.strategy, str::to_owned);
        together.valset_ratio = options["valset_ratio"].as_f64().unwrap_or(together.valset_ratio);
        together.shuffle_trainset_between_steps = options["shuffle_trainset_between_steps"] != false;
        together.seed = options["seed"].as_i64().unwrap_or(together.seed);
        together.evaluate = self.evaluate();
        Ok(together)
    }

    /// The program that the optimizer makes, and what it tells beside.
    fn compile(&self, expected: &Json) -> Result<(Variant, Json)> {
        let (run, training, options) = (&self.run, self.training(), &self.input["options"]);
        let best =
            |optimizer: &dyn Optimizer| Ok((block_on(optimizer.compile(run, training.clone()))?.program, json!({})));
        match self.input["optimizer"].as_str().unwrap_or_default() {
            "LabeledFewShot" => best(&LabeledFewShot {
                k: self.option("k").unwrap_or(LabeledFewShot::default().k),
                sample: options["sample"] != false,
            }),
            "BootstrapFewShot" => best(&self.bootstrap()),
            "BootstrapFewShotWithRandomSearch" => {
                let mut search = BootstrapFewShotWithRandomSearch::new(self.metric());
                search.bootstrap = self.bootstrap();
                search.num_candidate_programs =
                    self.option("num_candidate_programs").unwrap_or(search.num_candidate_programs);
                search.labeled_sample = options["labeled_sample"] != false;
                search.stop_at_score = options["stop_at_score"].as_f64();
                search.restrict = options["restrict"].as_array().map(|all| all.iter().flat_map(Json::as_i64).collect());
                search.evaluate = self.evaluate();
                let candidates = block_on(search.search(&mut search.study(run, &training), training))?;
                let told = candidates.iter().map(|candidate| {
                    let evaluation = &candidate.evaluation;
                    let subscores: Vec<f64> = evaluation.rows.iter().map(|row| row.points).collect();
                    json!({"seed": candidate.seed, "score": evaluation.score, "subscores": subscores})
                });
                let told = json!({"candidates": told.collect::<Vec<_>>()});
                let best = candidates.into_iter().next().map(|best| best.program);
                Ok((best.unwrap_or_else(|| Variant::copy_of(&self.student)), told))
            }
            "COPRO" => {
                let mut optimizer = Copro::new(self.metric());
                optimizer.breadth = self.option("breadth").unwrap_or(optimizer.breadth);
                optimizer.depth = self.option("depth").unwrap_or(optimizer.depth);
                optimizer.evaluate = self.evaluate();
                let attempts = block_on(optimizer.search(&mut optimizer.study(run, &training), training))?;
                let told = attempts.candidates.iter().map(|Attempt { instruction, prefix, score, depth, .. }| {
                    json!({"instruction": instruction, "prefix": prefix, "score": score, "depth": depth})
                });
                let told = json!({"candidates": told.collect::<Vec<_>>(), "total_calls": attempts.total_calls});
                let best = attempts.candidates.into_iter().next().map(|best| best.program);
                Ok((best.unwrap_or_else(|| Variant::copy_of(&self.student)), told))
            }
            "InferRules" => {
                let mut optimizer = InferRules::new(self.metric());
                optimizer.bootstrap = self.bootstrap();
                optimizer.num_candidates = self.option("num_candidates").unwrap_or(optimizer.num_candidates);
                optimizer.num_rules = self.option("num_rules").unwrap_or(optimizer.num_rules);
                optimizer.evaluate = self.evaluate();
                best(&optimizer)
            }
            "BetterTogether" => {
                let together = self.better_together(&options["optimizers"])?;
                let steps = block_on(together.search(&mut together.study(run, &training), training))?;
                let told = steps.candidate_programs.iter().map(
                    |step| json!({"strategy": step.strategy, "score": step.score, "program": described(&step.program)}),
                );
                let failed = steps.compilation_error.is_some();
                let told = json!({"candidates": told.collect::<Vec<_>>(), "failed": failed});
                Ok((steps.best, told))
            }
            "GEPA" => {
                let optimizer = gepa::optimizer(self.metric(), options)?;
                let outcome = block_on(optimizer.search(&mut optimizer.study(run, &training), training))?;
                let told = json!({"gepa": gepa::told(&outcome, &expected["gepa"])});
                Ok((outcome.best_candidate().cloned().unwrap_or_else(|| Variant::copy_of(&self.student)), told))
            }
            other => Err(Error::new(ErrorKind::Unsupported, format!("not built: {other}"))),
        }
    }
}

pub fn compile(input: &Json, expected: &Json) -> Outcome {
    let case = Case::of(input).map_err(|error| error.to_string())?;
    let before = described(&*case.student);
    let expected = &expected["ok"];
    let result = case.compile(expected);
    if let Err(error) = &result
        && error.kind() == ErrorKind::Unsupported
    {
        return Err(error.message().to_owned());
    }
    if described(&*case.student) != before {
        return Err("the student was changed".to_owned());
    }
    same_calls(&expected["lm_calls"], &case.lm)?;
    if let Some(teacher_lm) = &case.teacher_lm {
        same_calls(&expected["teacher_lm_calls"], teacher_lm).map_err(|reason| format!("teacher: {reason}"))?;
    }
    if let Some(reflection_lm) = &case.reflection_lm {
        same_calls(&expected["reflection_calls"], reflection_lm).map_err(|reason| format!("reflection: {reason}"))?;
    }
    match (expected.get("error"), result) {
        (Some(expected), Err(error)) => same_error(expected, &error),
        (Some(expected), Ok(_)) => Err(format!("expected {}", expected["class"])),
        (None, Err(error)) => Err(format!("unexpected error: {error}")),
        (None, Ok((program, mut told))) => {
            told["compiled"] = program.compiled.into();
            if let (Json::Object(told), Json::Object(described)) = (&mut told, described(&program)) {
                told.extend(described);
            }
            let mut expected = expected.clone();
            for beside in ["lm_calls", "teacher_lm_calls", "reflection_calls", "student_untouched"] {
                expected.as_object_mut().map(|expected| expected.shift_remove(beside));
            }
            same(&expected, &told)
        }
    }
}

pub fn demo_sets(input: &Json, expected: &Json) -> Outcome {
    let work = || {
        let case = Case::of(input)?;
        let mut sets = DemoSets::new(case.bootstrap(), case.option("num_candidate_sets").unwrap_or_default());
        sets.include_non_bootstrapped = input["options"]["include_non_bootstrapped"] != false;
        let mut random = Random::new(input["seed"].as_i64().unwrap_or_default().into());
        let made = block_on(sets.create(&case.run, case.training(), &mut random))?;
        let set = |demos: &Vec<Example>| Json::Array(demos.iter().map(example_json).collect());
        let of_predictor = |sets: &Vec<Vec<Example>>| Json::Array(sets.iter().map(set).collect());
        let made = made.iter().enumerate().map(|(place, sets)| (place.to_string(), of_predictor(sets)));
        Ok(Json::Object(made.collect()))
    };
    check(expected, work())
}

pub fn summary(input: &Json, expected: &Json) -> Outcome {
    let lm = Rc::new(ScriptedLm::new(&input["lm"]));
    let run = Run::new(Rc::new(Services::new(Rc::new(Stopped)).with_model("lm", lm.clone())));
    let work = || {
        let trainset = examples(&input["trainset"], &Types::new())?;
        let batch_size = input["view_data_batch_size"].as_u64().unwrap_or_default() as usize;
        let summary = block_on(dataset_summary(&run, &trainset, batch_size))?;
        Ok(json!({"summary": summary, "calls": *lm.calls.borrow()}))
    };
    check(expected, work())
}

pub fn knn(input: &Json, expected: &Json) -> Outcome {
    let table = Rc::new(Table { input: input.clone(), vectorized: RefCell::default() });
    let work = || {
        let run = Run::new(Rc::new(Services::new(Rc::new(Stopped))));
        let trainset = examples(&input["trainset"], &Types::new())?;
        let query = cases::example(&input["query"], &Types::new())?;
        let k = input["k"].as_u64().unwrap_or_default() as usize;
        let neighbors = block_on(async {
            let knn = Knn::new(&run, k, trainset, table.clone()).await?;
            Ok::<_, Error>(knn.nearest(&run, &query).await?.into_iter().map(example_json).collect::<Vec<_>>())
        })?;
        Ok(json!({"vectorized": *table.vectorized.borrow(), "neighbors": neighbors}))
    };
    check(expected, work())
}

/// Gives texts the vectors of a case, and keeps the texts.
struct Table {
    input: Json,
    vectorized: RefCell<Vec<String>>,
}

impl EmbeddingModel for Table {
    fn embed<'a>(&'a self, texts: &'a [String], _: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
        self.vectorized.borrow_mut().extend_from_slice(texts);
        let vector = |text: &String| {
            let vector = self.input["vectors"].get(text).unwrap_or(&self.input["default"]);
            vector.as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
        };
        Box::pin(std::future::ready(Ok(texts.iter().map(vector).collect())))
    }
}

fn examples(given: &Json, types: &Types) -> Result<Vec<Example>> {
    given.as_array().into_iter().flatten().map(|given| example(given, types)).collect()
}

fn example_json(example: &Example) -> Json {
    let mut inputs = Some(&example.input_keys).filter(|names| !names.is_empty()).cloned();
    inputs.iter_mut().for_each(|names| names.sort()); // a set in Python
    cases::to_json(&Value::Custom(Box::new(Custom::Example(example.fields.clone(), inputs))))
}

/// What predictors of a program have learned.
fn described(program: &dyn Module) -> Json {
    let (mut demos, mut instructions, mut prefixes) = (Map::new(), Map::new(), Map::new());
    for (path, predict) in program.predictors() {
        let signature = predict.signature();
        demos.insert(path.clone(), predict.demos().iter().map(example_json).collect());
        instructions.insert(path.clone(), signature.instructions.to_string().into());
        prefixes.insert(path, signature.fields.iter().map(|field| field.prefix.clone()).collect());
    }
    json!({"demos": demos, "instructions": instructions, "prefixes": prefixes})
}

/// Compares the calls of a model; of long logs the case holds most messages as their digest, or how many calls there are and the
/// digest of the lines that the digests of their messages are.
fn same_calls(expected: &Json, lm: &ScriptedLm) -> Outcome {
    let mut calls = json!(*lm.calls.borrow());
    if expected.is_object() {
        let calls = lm.calls.borrow();
        let lines: String = calls.iter().map(|call| digest(&call["messages"]) + "\n").collect();
        return same(expected, &json!({"count": calls.len(), "sha256": sha256(&lines)}));
    }
    let expected = expected.as_array().map_or(&[][..], Vec::as_slice);
    for (call, expected) in calls.as_array_mut().into_iter().flatten().zip(expected) {
        let digest = digest(&call["messages"]);
        call["messages_sha256"] = digest.into();
        if expected.get("messages").is_none() {
            call.as_object_mut().map(|call| call.shift_remove("messages"));
        }
    }
    same(&json!(expected), &calls).map_err(|reason| format!("calls: {reason}"))
}
