//! Instructions and demos that are chosen together.

use std::cell::RefCell;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use lakelet::lm::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel};
use lakelet::module::Parallel;
use lakelet::optimize::{Auto, Choice, Estimate, MiproTrials, MiproV2, Optimizer, Study, Tpe, Training};
use lakelet::run::{Budget, Run, Services};
use lakelet::{Error, ErrorKind, Evaluate, Example, Module, Result, Value, state};
use serde_json::{Value as Json, json};

use super::support::Stage;
use super::support::script::chat;
use super::support::task::{Asked, answer_of, exact, one, sha, two};

tests![
    points_are_those_of_optuna,
    calls_and_programs_are_those_of_dspy,
    the_same_seed_finds_the_same_program,
    a_spent_budget_leaves_the_best_so_far,
    an_estimate_is_an_upper_bound,
    where_all_is_evaluated_the_search_goes_on,
    descriptions_may_fail_and_instructions_may_not,
    a_program_that_always_fails_stays_as_it_is,
    settings_that_contradict_each_other_are_refused,
];

/// Recorded from optuna 5.0.0: `TPESampler(seed=seed, multivariate=True)`, without searches that come to equally likely points: there the last
/// bit of a logarithm decides, which WebAssembly computes otherwise.
fn points_are_those_of_optuna() {
    let recorded: Json = serde_json::from_str(include_str!("recorded/tpe.json")).unwrap();
    for study in recorded.as_array().unwrap() {
        let options = study["options"].as_array().unwrap().iter().zip(0..);
        let choice = |(options, i): (&Json, usize)| Choice {
            name: format!("{i}_p"),
            options: options.as_u64().unwrap() as usize,
        };
        let mut tpe = Tpe::new(options.map(choice).collect(), study["seed"].as_u64().unwrap() as u32);
        for (number, trial) in study["trials"].as_array().unwrap().iter().enumerate() {
            let point = tpe.ask();
            assert_eq!(json!(point), trial[0], "trial {number} of {}", study["seed"]);
            tpe.tell(point, trial[1].as_f64().unwrap());
        }
    }
}

/// Answers what follows from the prompt, and keeps what it was asked.
#[derive(Default)]
struct Hashing {
    calls: RefCell<Vec<String>>,
}

impl LanguageModel for Hashing {
    fn name(&self) -> &str {
        "hashing"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let asked = Asked::of(&request);
        let (hash, Asked { rollout, temperature, .. }) = (sha(&asked.text), &asked);
        self.calls.borrow_mut().push(format!("{} {rollout} {temperature}", &hash[..8]));
        let value = |name: &str| match name {
            "answer" if u8::from_str_radix(&hash[..2], 16).unwrap().is_multiple_of(3) => "wrong".to_owned(),
            "answer" => "right".to_owned(),
            "proposed_instruction" => format!("Instruction: {name} {}", &hash[..6]),
            _ => format!("Some words: {name} {}", &hash[..6]),
        };
        let answer = answer_of(&asked.fields().map(|name| (name, value(name))).collect::<Vec<_>>());
        Box::pin(async { Ok(answer) })
    }

    fn stream(&self, _: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        unreachable!("nobody watches")
    }
}

fn examples(count: usize, name: &str) -> Vec<Example> {
    let example =
        |i| Example::new().with("question", format!("{name} {i}")).with("answer", "right").with_inputs(&["question"]);
    (0..count).map(example).collect()
}

/// Evaluates one example after the other.
fn optimizer() -> MiproV2 {
    let parallel = Parallel { num_threads: 1, max_errors: 10 };
    MiproV2 { evaluate: Evaluate { parallel, failure_score: 0.0 }, ..MiproV2::new(Rc::new(exact)) }
}

/// An optimizer with the options of a recorded case.
fn with_options(options: &Json) -> MiproV2 {
    let new = optimizer();
    let number = |name: &str| options[name].as_u64().map(|number| number as usize);
    let switch = |name: &str| options[name].as_bool().unwrap_or(true);
    MiproV2 {
        auto: options["auto"].as_str().map(|auto| match auto {
            "light" => Auto::Light,
            "medium" => Auto::Medium,
            _ => Auto::Heavy,
        }),
        num_candidates: number("num_candidates"),
        num_trials: number("num_trials"),
        seed: options["seed"].as_u64().map_or(new.seed, |seed| seed as u32),
        max_bootstrapped_demos: number("max_bootstrapped_demos").unwrap_or(new.max_bootstrapped_demos),
        max_labeled_demos: number("max_labeled_demos").unwrap_or(new.max_labeled_demos),
        init_temperature: options["init_temperature"].as_f64().unwrap_or(new.init_temperature),
        minibatch: switch("minibatch"),
        minibatch_size: number("minibatch_size").unwrap_or(new.minibatch_size),
        minibatch_full_eval_steps: number("minibatch_full_eval_steps").unwrap_or(new.minibatch_full_eval_steps),
        program_aware_proposer: switch("program_aware_proposer"),
        data_aware_proposer: switch("data_aware_proposer"),
        fewshot_aware_proposer: switch("fewshot_aware_proposer"),
        tip_aware_proposer: switch("tip_aware_proposer"),
        view_data_batch_size: number("view_data_batch_size").unwrap_or(new.view_data_batch_size),
        ..new
    }
}

fn search(optimizer: &MiproV2, stage: &Stage, run: &Run, training: Training) -> Result<MiproTrials> {
    let mut study = Study::new("MIPROv2", run, optimizer.evaluate, &*optimizer.metric, &training);
    stage.wait(optimizer.search(run, &mut study, training))
}

/// Recorded from DSPy 3.4.1 with optuna 5.0.0, with [`Hashing`] for a model and what stands here for the source code of a program: every
/// prompt, what was scored in which order, and the program that was found.
fn calls_and_programs_are_those_of_dspy() {
    let recorded: Json = serde_json::from_str(include_str!("recorded/mipro.json")).unwrap();
    for (number, case) in recorded.as_array().unwrap().iter().enumerate() {
        let stage = Stage::new();
        let model = Rc::new(Hashing::default());
        let run = Run::new(Rc::new(Services::new(stage.clock.clone()).with_model("hashing", model.clone())));
        let student: Rc<dyn Module> = if case["program"] == "two" { two() } else { one() }.into();
        let trainset = examples(case["trainset"].as_u64().unwrap() as usize, "question");
        let valset = examples(case["valset"].as_u64().unwrap() as usize, "validation");
        let mut training = Training::new(student, &trainset);
        training.valset = Some(&*valset).filter(|valset| !valset.is_empty());
        let found = search(&with_options(&case["options"]), &stage, &run, training).unwrap();
        let calls = model.calls.borrow();
        for (place, (asked, expected)) in calls.iter().zip(case["calls"].as_array().unwrap()).enumerate() {
            assert_eq!(asked, expected.as_str().unwrap(), "call {place} of case {number}");
        }
        assert_eq!(calls.len(), case["calls"].as_array().unwrap().len(), "case {number}");
        let trials: Vec<_> = found.trials.iter().map(|trial| json!([trial.score, trial.total_eval_calls])).collect();
        assert_eq!((json!(trials), json!(found.score)), (case["trials"].clone(), case["score"].clone()));
        let question = |demo: &Example| demo.get("question").and_then(Value::as_str).map(str::to_owned);
        let program = found.program.predictors().into_iter().map(|(_, predict)| {
            let questions: Vec<_> = predict.demos().iter().map(question).collect();
            json!([&*predict.signature().instructions, questions])
        });
        assert_eq!(Json::from_iter(program), case["found"], "case {number}");
    }
}

/// A model that writes instructions, and answers well when it is told to take care.
fn stage_of_a_careful_one() -> Stage {
    let stage = Stage::new();
    let wrong = chat(&[("answer", "wrong")]);
    stage.model.when("`[[ ## observations ## ]]`", 1.0, &chat(&[("observations", "They are questions.")]));
    stage.model.when("`[[ ## summary ## ]]`", 1.0, &chat(&[("summary", "Questions.")]));
    stage.model.when("`[[ ## program_description ## ]]`", 1.0, &chat(&[("program_description", "It answers.")]));
    stage.model.when("`[[ ## module_description ## ]]`", 1.0, &chat(&[("module_description", "All of it.")]));
    let proposals = ["Be quick.", "Take care.", "Guess."];
    let proposals = proposals.map(|text| Ok(chat(&[("proposed_instruction", text)])));
    stage.model.when_in_turn("`[[ ## proposed_instruction ## ]]`", 1.0, proposals.into());
    stage.model.when("Take care.", 1.0, &chat(&[("answer", "right")]));
    stage.model.when("question 1", 1.0, &chat(&[("answer", "right")]));
    stage.model.when("", 1.0, &wrong);
    stage
}

/// Instructions only, on parts of the validation set.
fn instructions_only() -> MiproV2 {
    MiproV2 {
        max_bootstrapped_demos: 0,
        max_labeled_demos: 0,
        auto: None,
        num_candidates: Some(3),
        num_trials: Some(8),
        minibatch_size: 4,
        minibatch_full_eval_steps: 3,
        ..optimizer()
    }
}

fn instructions(program: &dyn Module) -> String {
    program.predictors()[0].1.signature().instructions.to_string()
}

fn the_same_seed_finds_the_same_program() {
    let trainset = examples(10, "question");
    let found = || {
        let stage = stage_of_a_careful_one();
        let optimizer = instructions_only();
        let found = stage.wait(optimizer.compile(&stage.run(), Training::new(one().into(), &trainset))).unwrap();
        let scores: Vec<f64> = found.candidates.iter().map(|tried| tried.score).collect();
        (state::dump(&found.program).unwrap(), instructions(&found.program), scores, stage.model.asked.borrow().len())
    };
    let first = found();
    assert_eq!((first.1.as_str(), first.2[0]), ("Take care.", 100.0));
    assert_eq!(found(), first);
}

fn a_spent_budget_leaves_the_best_so_far() {
    let trainset = examples(10, "question");
    let whole = stage_of_a_careful_one();
    whole.wait(instructions_only().compile(&whole.run(), Training::new(one().into(), &trainset))).unwrap();
    let calls = whole.model.asked.borrow().len() as u64;
    let mut kept = Vec::new();
    for calls in (1..calls).step_by(7) {
        let stage = stage_of_a_careful_one();
        let run = stage.run().within_budget(Budget { calls: Some(calls), ..Budget::default() }).unwrap();
        let found = stage.wait(instructions_only().compile(&run, Training::new(one().into(), &trainset))).unwrap();
        assert_eq!(found.stopped_by.map(|end| end.kind()), Some(ErrorKind::Budget), "{calls}");
        kept.push(instructions(&found.program));
    }
    assert!(kept[0].starts_with("Given the fields"));
    assert_eq!(kept.last().map(String::as_str), Some("Take care."));
    kept.dedup();
    assert_eq!(kept.len(), 2, "{kept:?}");
}

fn an_estimate_is_an_upper_bound() {
    let trainset = examples(30, "question");
    let all_at_once = MiproV2 { minibatch: false, ..instructions_only() };
    for optimizer in [optimizer(), instructions_only(), all_at_once] {
        let stage = stage_of_a_careful_one();
        let training = Training::new(one().into(), &trainset);
        let Estimate { program_calls, proposals } = optimizer.estimate(&training);
        stage.wait(optimizer.compile(&stage.run(), training)).unwrap();
        let asked = stage.model.asked.borrow();
        let proposed = asked.iter().filter(|asked| !asked.text().contains("`[[ ## answer ## ]]`")).count();
        assert_eq!(proposed, proposals);
        assert!(asked.len() - proposed <= program_calls, "{} of {program_calls}", asked.len() - proposed);
    }
}

fn where_all_is_evaluated_the_search_goes_on() {
    let stage = stage_of_a_careful_one();
    let optimizer = MiproV2 { num_candidates: Some(1), ..instructions_only() };
    let trainset = examples(10, "question");
    let found = search(&optimizer, &stage, &stage.run(), Training::new(one().into(), &trainset)).unwrap();
    let full: Vec<bool> = found.trials.iter().map(|trial| trial.full_eval).collect();
    assert_eq!(full, [true, false, false, false, true, false, false, false, false, false]);
}

fn descriptions_may_fail_and_instructions_may_not() {
    let trainset = examples(10, "question");
    let stage = Stage::new();
    stage.model.when("`[[ ## observations ## ]]`", 1.0, "no field");
    stage.model.when("`[[ ## program_description ## ]]`", 1.0, "no field");
    stage.model.when("observations", 1.0, "no field");
    stage.model.when("`[[ ## proposed_instruction ## ]]`", 1.0, &chat(&[("proposed_instruction", "Try.")]));
    stage.model.when("answer", 1.0, &chat(&[("answer", "right")]));
    stage.model.when("", 1.0, "no field");
    let found = search(&instructions_only(), &stage, &stage.run(), Training::new(one().into(), &trainset)).unwrap();
    assert_eq!(found.instructions[0][1..], ["Try.", "Try."]);
    let asked = stage.model.asked.borrow();
    let proposal = asked.iter().find(|asked| asked.text().contains("`[[ ## proposed_instruction ## ]]`")).unwrap();
    assert!(!proposal.text().contains("dataset_description"));
    assert!(proposal.text().contains("[[ ## program_description ## ]]\nNot available"));
    assert!(proposal.text().contains("[[ ## module_description ## ]]\nNot provided"));

    let stage = Stage::new();
    stage.model.when("", 1.0, "no field");
    let optimizer = MiproV2 { data_aware_proposer: false, program_aware_proposer: false, ..instructions_only() };
    let error = search(&optimizer, &stage, &stage.run(), Training::new(one().into(), &trainset)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Parse);
}

fn a_program_that_always_fails_stays_as_it_is() {
    let stage = Stage::new();
    stage.model.when("`[[ ## proposed_instruction ## ]]`", 1.0, &chat(&[("proposed_instruction", "Try.")]));
    stage.model.when("validation", 1.0, "no field");
    stage.model.when("question", 1.0, &chat(&[("answer", "right")]));
    let (trainset, valset) = (examples(4, "question"), examples(12, "validation"));
    let mut optimizer = instructions_only();
    (optimizer.data_aware_proposer, optimizer.program_aware_proposer) = (false, false);
    let training = Training::new(one().into(), &trainset).with_valset(&valset);
    let found = search(&optimizer, &stage, &stage.run(), training).unwrap();
    assert_eq!((found.score, instructions(&found.program)), (0.0, instructions(&*one())));
}

fn settings_that_contradict_each_other_are_refused() {
    let trainset = examples(10, "question");
    let free = || MiproV2 { auto: None, ..optimizer() };
    let sized = || MiproV2 { num_candidates: Some(4), num_trials: Some(4), ..free() };
    let (both, neither) = (MiproV2 { num_candidates: Some(4), ..optimizer() }, free());
    let no_trials = MiproV2 { num_candidates: Some(8), ..free() };
    let none = MiproV2 { num_candidates: Some(0), ..sized() };
    let no_steps = MiproV2 { minibatch_size: 4, minibatch_full_eval_steps: 0, ..sized() };
    let empty_parts = MiproV2 { minibatch_size: 0, ..sized() };
    let no_demo = MiproV2 { max_bootstrapped_demos: 0, minibatch_size: 4, ..sized() };
    let all = &trainset[..];
    let recommended = "If auto is None, num_trials must also be provided. Given num_candidates=8, we'd recommend setting num_trials \
                       to ~12.";
    let too_large = "Minibatch size cannot exceed the size of the valset. Valset size: 8.";
    let too_few = "Trainset must have at least 2 examples if no valset specified.";
    for (new, trainset, valset, field, message) in [
        (both, all, None, "auto", "If auto is not None, num_candidates and num_trials cannot be set, since they"),
        (neither, all, None, "num_candidates", "If auto is None, num_candidates must also be provided."),
        (no_trials, all, None, "num_trials", recommended),
        (none, all, None, "num_candidates", "num_candidates must be at least 1"),
        (sized(), all, None, "minibatch_size", too_large),
        (empty_parts, all, None, "minibatch_size", "a part of 0 examples"),
        (no_steps, all, None, "minibatch_full_eval_steps", "minibatch_full_eval_steps must be at least 1"),
        (no_demo, all, None, "max_bootstrapped_demos", "there is no number between 1 and 0"),
        (optimizer(), &all[..0], None, "trainset", "Trainset cannot be empty."),
        (optimizer(), &all[..1], None, "trainset", too_few),
        (optimizer(), all, Some(&all[..0]), "valset", "Validation set must have at least 1 example."),
    ] {
        let stage = stage_of_a_careful_one();
        let training = Training { valset, ..Training::new(one().into(), trainset) };
        let error: Error = stage.wait(new.compile(&stage.run(), training)).err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{error}");
        assert!(error.message().starts_with(message), "{error}");
    }
}
