//! Demos and rules from what goes well at times, and badly at others.

use std::cell::RefCell;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use lakelet::lm::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel};
use lakelet::metric::Metric;
use lakelet::optimize::{Estimate, Optimizer, Simba, SimbaTrials, Training};
use lakelet::run::{Budget, Run, Services, Span};
use lakelet::{Error, ErrorKind, Example, Module, Prediction, Result, Value, state};
use serde_json::{Value as Json, json};

use super::support::Stage;
use super::support::script::chat;
use super::support::task::{Asked, answer_of, exact, one, sha, two};

tests![
    calls_and_programs_are_those_of_dspy,
    the_order_in_which_calls_end_changes_nothing,
    a_spent_budget_leaves_the_best_so_far,
    an_estimate_is_an_upper_bound,
    settings_that_leave_nothing_to_do_are_refused,
    examples_without_inputs_are_refused,
    predictors_that_ask_different_models_are_refused,
    scores_that_are_too_large_are_refused,
];

/// Answers what follows from its name, the prompt and the rollout; one reply in 13 cannot be read.
struct Hashing {
    name: &'static str,
    calls: Rc<RefCell<Vec<String>>>,
}

impl Hashing {
    fn reply(&self, asked: &Asked) -> ChatResponse {
        let hash = sha(&format!("{} {} {}", self.name, asked.rollout, sha(&asked.text)));
        let number = usize::from_str_radix(&hash[..4], 16).unwrap();
        let value = |name: &str| match name {
            "answer" => ["right", "wrong", "almost"][number % 3].to_owned(),
            "module_advice" => {
                let modules = asked.text.rsplit("[[ ## module_names ## ]]").next().unwrap().split("\n  \"").skip(1);
                let modules = modules.filter_map(|rest| rest.split('"').next());
                let told = modules.filter(|module| sha(&format!("{hash}{module}")).as_str() < "c");
                let told = told.map(|module| format!("\"{module}\": \"If asked, {} {module}.\"", &hash[..6]));
                format!("{{{}}}", told.collect::<Vec<_>>().join(", "))
            }
            _ => format!("Words of {name} {}", &hash[..6]),
        };
        let names = asked.fields().filter(|_| !number.is_multiple_of(13));
        answer_of(&names.map(|name| (name, value(name))).collect::<Vec<_>>())
    }
}

impl LanguageModel for Hashing {
    fn name(&self) -> &str {
        self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let asked = Asked::of(&request);
        let Asked { text, rollout, temperature } = &asked;
        self.calls.borrow_mut().push(format!("{} {} {rollout} {temperature}", &self.name[..1], &sha(text)[..8]));
        let answer = self.reply(&asked);
        Box::pin(async { Ok(answer) })
    }

    fn stream(&self, _: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        unreachable!("nobody watches")
    }
}

/// A run with models of three names, and what they are asked.
fn hashing(stage: &Stage) -> (Run, Rc<RefCell<Vec<String>>>) {
    let calls = Rc::new(RefCell::new(Vec::new()));
    let mut services = Services::new(stage.clock.clone());
    for name in ["lm", "teacher", "prompt"] {
        services = services.with_model(name, Rc::new(Hashing { name, calls: calls.clone() }));
    }
    (Run::new(Rc::new(services)), calls)
}

/// A program whose predictors have so many demos.
fn program(kind: &Json, demos: u64) -> Rc<dyn Module> {
    let mut program = if kind == "two" { two() } else { one() };
    for (_, predict) in program.predictors_mut() {
        let names: Vec<String> = predict.signature().fields.iter().map(|field| field.name.to_string()).collect();
        let demo = |i| names.iter().fold(Example::new(), |demo, name| demo.with(name, format!("{name} {i}")));
        predict.set_demos((0..demos).map(demo).collect());
    }
    program.into()
}

fn examples(count: usize) -> Vec<Example> {
    let example =
        |i| Example::new().with("question", format!("question {i}")).with("answer", "right").with_inputs(&["question"]);
    (0..count).map(example).collect()
}

fn answer(prediction: &Prediction) -> Result<&str> {
    let answer = prediction.get("answer").and_then(Value::as_str);
    answer.ok_or_else(|| Error::new(ErrorKind::Input, "there is no answer"))
}

fn graded(example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>) -> Result<Value> {
    if example.get("question").and_then(Value::as_str).is_some_and(|question| question.ends_with('7')) {
        return Err(Error::new(ErrorKind::Input, "no sevens"));
    }
    Ok(match answer(prediction)? {
        "right" => Value::Int(1),
        "almost" => 0.5.into(),
        _ => false.into(),
    })
}

fn info(example: &Example, prediction: &Prediction, trace: Option<&[Rc<Span>]>) -> Result<Value> {
    let fields =
        [("score", graded(example, prediction, trace)?), ("feedback", format!("Got {}.", answer(prediction)?).into())];
    Ok(Value::Dict(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Scores what failed too, and gives no score where it is wrong.
fn none(_: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>) -> Result<Value> {
    Ok(match answer(prediction) {
        Err(_) => 0.4.into(),
        Ok("wrong") => Value::None,
        Ok(_) => Value::Int(1),
    })
}

fn optimizer(metric: Rc<dyn Metric>) -> Simba {
    Simba { num_threads: 1, ..Simba::new(metric) }
}

/// An optimizer with the options of a recorded case.
fn recorded(case: &Json) -> Simba {
    let options = &case["options"];
    let number = |name: &str| options[name].as_u64().unwrap() as usize;
    let temperature = |name: &str| options[name].as_f64().unwrap();
    let model = |name: &str| (options[name] == true).then(|| name.to_owned());
    let metric: Rc<dyn Metric> = match case["metric"].as_str().unwrap() {
        "exact" => Rc::new(exact),
        "graded" => Rc::new(graded),
        "info" => Rc::new(info),
        _ => Rc::new(none),
    };
    Simba {
        bsize: number("bsize"),
        num_candidates: number("num_candidates"),
        max_steps: number("max_steps"),
        max_demos: number("max_demos"),
        demo_input_field_maxlen: number("demo_input_field_maxlen"),
        temperature_for_sampling: temperature("temperature_for_sampling"),
        temperature_for_candidates: temperature("temperature_for_candidates"),
        seed: number("seed") as u32,
        teacher_model: model("teacher"),
        prompt_model: model("prompt"),
        ..optimizer(metric)
    }
}

fn search(optimizer: &Simba, stage: &Stage, run: &Run, training: Training) -> Result<SimbaTrials> {
    let mut study = optimizer.study(run, &training);
    stage.wait(optimizer.search(&mut study, training))
}

/// Recorded from DSPy 3.4.1 with numpy 2.4.6, with [`Hashing`] for models and what stands here for the source code of a program:
/// every prompt in the order of calls, what was scored, and the program that was found.
fn calls_and_programs_are_those_of_dspy() {
    let cases: Json = serde_json::from_str(include_str!("recorded/simba.json")).unwrap();
    for (number, case) in cases.as_array().unwrap().iter().enumerate() {
        let stage = Stage::new();
        let (run, calls) = hashing(&stage);
        let trainset = examples(case["trainset"].as_u64().unwrap() as usize);
        let training = Training::new(program(&case["program"], case["demos"].as_u64().unwrap()), &trainset);
        let found = search(&recorded(case), &stage, &run, training).unwrap();
        for (place, (asked, expected)) in calls.borrow().iter().zip(case["calls"].as_array().unwrap()).enumerate() {
            assert_eq!(asked, expected.as_str().unwrap(), "call {place} of case {number}");
        }
        assert_eq!(calls.borrow().len(), case["calls"].as_array().unwrap().len(), "case {number}");
        let scores: Vec<f64> = found.candidate_programs.iter().map(|candidate| candidate.score).collect();
        let expected: Vec<f64> =
            case["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect();
        assert_eq!(scores, expected, "case {number}");
        let logs: Vec<_> = case["logs"].as_array().unwrap().iter().map(Json::as_f64).collect();
        assert_eq!(found.trial_logs, logs, "case {number}");
        let shown = |value: &Value| value.as_str().map_or_else(|| json!(value == &Value::Bool(true)), Json::from);
        let demo =
            |demo: &Example| demo.fields.iter().map(|(name, value)| json!([name, shown(value)])).collect::<Json>();
        let program = found.program.predictors().into_iter().map(|(_, predict)| {
            json!([&*predict.signature().instructions, predict.demos().iter().map(demo).collect::<Json>()])
        });
        assert_eq!(Json::from_iter(program), case["found"], "case {number}");
    }
}

/// Small batches, and rules from a model of their own.
fn small() -> Simba {
    let prompt_model = Some("prompt".to_owned());
    Simba { bsize: 5, num_candidates: 3, max_steps: 3, prompt_model, ..optimizer(Rc::new(graded)) }
}

fn the_order_in_which_calls_end_changes_nothing() {
    let trainset = examples(12);
    let found = |num_threads, waits: [f64; 3]| {
        let stage = Stage::new();
        stage.model.when(
            "module_advice",
            1.0,
            &chat(&[("discussion", "-"), ("module_advice", "{\"self\": \"Care.\"}")]),
        );
        stage.model.when("Care.", 5.0, &chat(&[("answer", "right")]));
        for (last, wait) in ["0", "3", "5"].into_iter().zip(waits) {
            let reply = if last == "5" { "almost" } else { "right" };
            stage.model.when(&format!("{last}\n\nRespond"), wait, &chat(&[("answer", reply)]));
        }
        stage.model.when("", 1.0, &chat(&[("answer", "wrong")]));
        let optimizer = Simba { num_threads, prompt_model: None, ..small() };
        let training = Training::new(program(&"one".into(), 0), &trainset);
        let found = search(&optimizer, &stage, &stage.run(), training).unwrap();
        let scores: Vec<f64> = found.candidate_programs.iter().map(|candidate| candidate.score).collect();
        (state::dump(&found.program).unwrap(), scores, found.trial_logs, stage.model.asked.borrow().len())
    };
    let one_by_one = found(1, [1.0, 1.0, 1.0]);
    assert!(one_by_one.1[0] > 0.0 && one_by_one.0.contains("Care."), "{one_by_one:?}");
    assert_eq!(found(8, [90.0, 7.0, 30.0]), one_by_one);
    assert_eq!(found(3, [2.0, 50.0, 20.0]), one_by_one);
}

fn a_spent_budget_leaves_the_best_so_far() {
    let trainset = examples(12);
    let found = |budget: Option<u64>| {
        let stage = Stage::new();
        let (run, calls) = hashing(&stage);
        let run = match budget {
            Some(calls) => run.within_budget(Budget { calls: Some(calls), ..Budget::default() }).unwrap(),
            None => run,
        };
        let training = Training::new(program(&"one".into(), 0), &trainset);
        let found = stage.wait(small().compile(&run, training)).unwrap();
        let calls = calls.borrow().len() as u64;
        (found.stopped_by.map(|end| end.kind()), state::dump(&found.program).unwrap(), found.candidates.len(), calls)
    };
    let student = state::dump(&*program(&"one".into(), 0)).unwrap();
    let (stopped_by, _, _, calls) = found(None);
    assert_eq!(stopped_by, None);
    let mut has_led = false;
    for budget in (1..calls).step_by(5) {
        let (stopped_by, kept, candidates, asked) = found(Some(budget));
        assert_eq!((stopped_by, asked), (Some(ErrorKind::Budget), budget));
        assert!(budget > 15 || kept == student, "nothing was tried yet");
        has_led |= candidates == 0 && kept != student;
    }
    assert!(has_led, "what did best on a batch is kept");
}

fn an_estimate_is_an_upper_bound() {
    let trainset = examples(12);
    for optimizer in [small(), Simba { num_candidates: 9, ..small() }, Simba { max_steps: 0, ..small() }] {
        let stage = Stage::new();
        let (run, calls) = hashing(&stage);
        let training = Training::new(program(&"one".into(), 0), &trainset);
        let Estimate { program_calls, proposals } = optimizer.estimate(&training);
        let asked_at_most = 2 * (program_calls + proposals); // what cannot be read is asked for once more
        stage.wait(optimizer.compile(&run, training)).unwrap();
        let asked = calls.borrow().len();
        assert!(program_calls / 2 < asked && asked <= asked_at_most, "{asked} of {asked_at_most}");
    }
}

fn refused(optimizer: &Simba, student: Rc<dyn Module>, trainset: &[Example]) -> Error {
    let stage = Stage::new();
    stage.wait(optimizer.compile(&hashing(&stage).0, Training::new(student, trainset))).err().unwrap()
}

fn settings_that_leave_nothing_to_do_are_refused() {
    let cold = || Simba { temperature_for_sampling: 0.0, ..small() };
    let cold_too = || Simba { temperature_for_candidates: 0.0, ..small() };
    for (optimizer, count, field, message) in [
        (small(), 4, "trainset", "Trainset too small: 4 < 5"),
        (Simba::new(Rc::new(exact)), 0, "trainset", "Trainset too small: 0 < 32"),
        (Simba { bsize: 0, ..small() }, 5, "bsize", "bsize must be at least 1"),
        (Simba { num_candidates: 0, ..small() }, 5, "num_candidates", "num_candidates must be at least 1"),
        (cold(), 5, "temperature_for_sampling", "temperature_for_sampling must not be 0: scores are divided by it"),
        (
            cold_too(),
            5,
            "temperature_for_candidates",
            "temperature_for_candidates must not be 0: scores are divided by it",
        ),
    ] {
        let error = refused(&optimizer, program(&"one".into(), 0), &examples(count));
        assert_eq!((error.kind(), error.field(), error.message()), (ErrorKind::Input, Some(field), message));
    }
}

fn examples_without_inputs_are_refused() {
    let mut trainset = examples(6);
    trainset[3].input_keys.clear();
    let error = refused(&small(), program(&"one".into(), 0), &trainset);
    assert!(error.message().starts_with("Inputs have not been set for this example."), "{error}");
    trainset[3].input_keys.push("context".to_owned());
    let error = refused(&small(), program(&"one".into(), 0), &trainset);
    assert_eq!(error.message(), "row 3 of the trainset lacks the input `context`");
}

fn predictors_that_ask_different_models_are_refused() {
    let mut student = two();
    student.predictors_mut()[1].1.set_model(Some("teacher".to_owned()));
    let error = refused(&small(), student.into(), &examples(6));
    assert_eq!(error.message(), "Multiple LMs are being used in the module. There's no unique LM to return.");
    assert_eq!((error.kind(), error.python_class()), (ErrorKind::Input, Some("ValueError")));
}

fn scores_that_are_too_large_are_refused() {
    let in_thousands = |_: &Example, _: &Prediction, _: Option<&[Rc<Span>]>| Ok(Value::Int(1000));
    let optimizer = Simba { metric: Rc::new(in_thousands), ..small() };
    let error = refused(&optimizer, program(&"one".into(), 0), &examples(6));
    assert!(error.message().starts_with("Total of weights must be finite"), "{error}");
    assert!(error.hint().unwrap().contains("between 0 and 1"));
}
