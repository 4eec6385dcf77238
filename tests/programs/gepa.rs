//! Instructions that are rewritten by reflection.

use std::rc::Rc;

use lakelet::optimize::gepa::{CandidateSelection, ComponentSelector, Gepa, Limit};
use lakelet::optimize::{Auto, Optimizer, Training};
use lakelet::run::{Budget, Span};
use lakelet::{Error, ErrorKind, Example, Module, Predict, Prediction, Result, Signature, Value};

use super::support::script::chat;
use super::support::task::{exact, example};
use super::support::{Stage, server_error};

tests![
    instructions_are_rewritten_until_they_are_good,
    how_many_examples_are_under_way_changes_nothing,
    a_spent_budget_leaves_the_best_instructions_so_far,
    replies_that_cannot_be_read_are_reflected_on,
    failures_end_nothing_and_count_as_calls,
    what_cannot_be_searched_is_refused,
];

fn qa() -> Rc<dyn Module> {
    Rc::new(Predict::new(Signature::parse("question -> answer").unwrap()))
}

fn gepa(calls: usize) -> Gepa {
    Gepa::new(Rc::new(exact), Limit::MetricCalls(calls)).unwrap()
}

fn proposal(instruction: &str) -> Result<String> {
    Ok(format!(r#"{{"new_instruction": "{instruction}"}}"#))
}

/// A model that needs instructions, and comes to them by and by.
fn stage_of_a_reflecting_model() -> Stage {
    let stage = Stage::new();
    let proposals = ["Be brief.", "Be fair.", "Be right."].map(proposal);
    stage.model.when_in_turn("[[ ## current_instruction ## ]]", 10.0, proposals.into());
    stage.model.when("Be right.", 10.0, &chat(&[("answer", "right")]));
    stage.model.when("easy", 30.0, &chat(&[("answer", "right")]));
    stage.model.when("", 10.0, &chat(&[("answer", "wrong")]));
    stage
}

const QUESTIONS: [&str; 4] = ["a", "b", "easy", "c"];

fn instructions(program: &dyn Module) -> String {
    program.predictors()[0].1.signature().instructions.to_string()
}

fn instructions_are_rewritten_until_they_are_good() {
    let stage = stage_of_a_reflecting_model();
    let trainset = QUESTIONS.map(example);
    let (gepa, training) = (gepa(40), Training::new(qa(), &trainset));
    let run = stage.run();
    let found = stage.wait(gepa.compile(&run, training.clone())).unwrap();
    assert_eq!(instructions(&found.program), "Be right.");
    assert_eq!(found.candidates.iter().map(|tried| tried.score).collect::<Vec<_>>(), [100.0, 25.0]);
    assert!(found.stopped_by.is_none() && !found.program.compiled);
    let asked = stage.model.asked.borrow().len();
    let estimate = gepa.estimate(&training);
    assert!(asked <= estimate.program_calls + estimate.proposals, "{asked} of {estimate:?}");
    let reflected = |text: &str| stage.model.asked.borrow().iter().any(|asked| asked.text().contains(text));
    assert!(reflected(r#""Feedback": "This trajectory got a score of False.""#));
}

fn how_many_examples_are_under_way_changes_nothing() {
    let found = |num_threads| {
        let stage = stage_of_a_reflecting_model();
        let trainset = QUESTIONS.map(example);
        let gepa = Gepa { num_threads, track_best_outputs: true, ..gepa(60) };
        let (run, training) = (stage.run(), Training::new(qa(), &trainset));
        let mut study = gepa.study(&run, &training);
        let outcome = stage.wait(gepa.search(&mut study, training)).unwrap();
        let texts: Vec<String> = outcome.candidates.iter().map(|program| instructions(program)).collect();
        assert_eq!(outcome.highest_score_achieved_per_val_task(), [1.0; 4]);
        let outputs = outcome.best_outputs_valset.unwrap();
        let best: Vec<Vec<usize>> = outputs.iter().map(|of| of.iter().map(|(place, _)| *place).collect()).collect();
        assert_eq!(best, outcome.per_val_instance_best_candidates);
        (texts, outcome.parents, outcome.val_subscores, outcome.discovery_eval_counts, outcome.total_metric_calls)
    };
    let one = found(1);
    assert_eq!((one.0.len(), &one.1), (2, &vec![vec![], vec![0]]));
    assert_eq!(found(8), one);
}

fn a_spent_budget_leaves_the_best_instructions_so_far() {
    let trainset = QUESTIONS.map(example);
    let found = |calls| {
        let stage = stage_of_a_reflecting_model();
        let run = stage.run().within_budget(Budget { calls: Some(calls), ..Budget::default() }).unwrap();
        let found = stage.wait(gepa(1000).compile(&run, Training::new(qa(), &trainset))).unwrap();
        assert_eq!(found.stopped_by.map(|end| end.kind()), Some(ErrorKind::Budget));
        (instructions(&found.program), found.candidates.len())
    };
    let student = instructions(&*qa());
    // The student takes 4 calls, each of the proposals 7, and 4 more when it is kept.
    assert_eq!(found(3), (student.clone(), 0));
    assert_eq!(found(20), (student, 1));
    assert_eq!(found(32), ("Be right.".to_owned(), 2));
}

fn replies_that_cannot_be_read_are_reflected_on() {
    let asked = |add_format_failure_as_feedback| {
        let stage = Stage::new();
        stage.model.when_in_turn("[[ ## current_instruction ## ]]", 1.0, vec![proposal("Be right.")]);
        stage.model.when("", 1.0, "I would rather not say.");
        let trainset = ["a"].map(example);
        let gepa = Gepa { add_format_failure_as_feedback, ..gepa(3) };
        stage.wait(gepa.compile(&stage.run(), Training::new(qa(), &trainset))).unwrap();
        let asked = stage.model.asked.borrow();
        asked.iter().map(|asked| asked.text()).filter(|text| text.contains("current_instruction")).collect::<Vec<_>>()
    };
    assert!(asked(false).is_empty());
    let reflected = &asked(true)[0];
    for part in ["The model's raw response was:\\n```\\nI would rather not say.", "Your output failed to parse."] {
        assert!(reflected.contains(part), "{reflected}");
    }
}

fn failures_end_nothing_and_count_as_calls() {
    let stage = stage_of_a_reflecting_model();
    let trainset = QUESTIONS.map(example);
    let fails = |_: &Example, _: &Prediction, _: Option<&[Rc<Span>]>| -> Result<Value> {
        Err(Error::new(ErrorKind::Input, "the metric fails"))
    };
    let gepa = Gepa::new(Rc::new(fails), Limit::FullEvals(3)).unwrap();
    let (run, training) = (stage.run(), Training::new(qa(), &trainset));
    let outcome = stage.wait(gepa.search(&mut gepa.study(&run, &training), training)).unwrap();
    assert_eq!((outcome.val_aggregate_scores, outcome.total_metric_calls), (vec![0.0], 13));

    // A model that reflects is asked twice, and the search goes on.
    let stage = Stage::new();
    let proposals = vec![Err(server_error()), Err(server_error()), Err(server_error()), proposal("Be right.")];
    stage.model.when_in_turn("[[ ## current_instruction ## ]]", 1.0, proposals);
    stage.model.when("Be right.", 1.0, &chat(&[("answer", "right")]));
    stage.model.when("", 1.0, &chat(&[("answer", "wrong")]));
    let found = stage.wait(self::gepa(20).compile(&stage.run(), Training::new(qa(), &trainset))).unwrap();
    assert_eq!(instructions(&found.program), "Be right.");
}

fn what_cannot_be_searched_is_refused() {
    let stage = Stage::new();
    let trainset = QUESTIONS.map(example);
    for (training, message) in [
        (Training::new(qa(), &[]), "Trainset must be provided and non-empty"),
        (Training::new(qa(), &trainset).with_teacher(qa()), "Teacher is not supported in DspyGEPA yet."),
    ] {
        let error = stage.wait(gepa(20).compile(&stage.run(), training)).err().unwrap();
        assert_eq!((error.message(), error.python_class()), (message, Some("AssertionError")));
    }
    let both = Limit::of(Some(Auto::Light), None, Some(3)).unwrap_err();
    assert_eq!(
        both.message(),
        "Exactly one of max_metric_calls, max_full_evals, auto must be set. You set max_metric_calls=3, \
         max_full_evals=None, auto=light."
    );
    assert!(CandidateSelection::named("parrot").unwrap_err().hint().unwrap().contains("pareto"));
    assert!(ComponentSelector::named("none").unwrap_err().message().starts_with("Unknown module_selector"));
    assert_eq!(Auto::named("lite").unwrap_err().field(), Some("auto"));
}
