//! What runs may spend, and work that goes on where it was broken off.

use std::cell::RefCell;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::future::join;
use lakelet::cache::{Cached, Journal, Memory};
use lakelet::module::Parallel;
use lakelet::observe::{Observer, Trial};
use lakelet::optimize::{BootstrapFewShot, BootstrapFewShotWithRandomSearch, Optimizer, Training};
use lakelet::run::{Budget, Event, Price, Run, Services, Spent, Stop};
use lakelet::{Error, ErrorKind, Evaluate, Example, Module, Predict, Result, Signature, state};

use super::support::script::chat;
use super::support::task::{exact, example};
use super::support::{Stage, server_error};

tests![
    every_limit_ends_the_calls,
    a_word_ends_the_calls_and_not_what_is_under_way,
    a_budget_that_allows_nothing_is_refused,
    an_evaluation_tells_how_far_it_came,
    a_spent_budget_leaves_the_best_program_so_far,
    a_bootstrap_keeps_what_it_has_learned,
    work_that_was_broken_off_goes_on_where_it_was,
    what_a_cache_knew_it_knows_when_work_goes_on,
    a_journal_that_cannot_be_written_ends_the_work,
    observers_are_told_and_stop_nothing,
];

fn qa() -> Rc<dyn Module> {
    Rc::new(Predict::new(Signature::parse("question -> answer").unwrap()))
}

fn one_at_a_time() -> Evaluate {
    Evaluate { parallel: Parallel { num_threads: 1, max_errors: 10 }, failure_score: 0.0 }
}

fn price(input: f64, output: f64) -> Budget {
    Budget { prices: [("scripted".to_owned(), Price { input, output })].into(), ..Budget::default() }
}

/// A model that is right when it has seen a demo.
fn stage_of_a_learner() -> Stage {
    let stage = Stage::new();
    stage.model.when("hard", 100.0, &chat(&[("answer", "wrong")]));
    stage.model.when("", 100.0, &chat(&[("answer", "right")]));
    stage
}

fn every_limit_ends_the_calls() {
    // A call takes 100 ms, 10 tokens of prompt and 5 of answer.
    for (budget, calls, spent) in [
        (Budget { calls: Some(3), ..Budget::default() }, 3, (45, 0.0)),
        (Budget { tokens: Some(40), ..Budget::default() }, 3, (45, 0.0)),
        (Budget { dollars: Some(0.03), ..price(1000.0, 2000.0) }, 2, (30, 0.04)),
        (Budget { seconds: Some(0.35), ..Budget::default() }, 4, (60, 0.0)),
    ] {
        let stage = stage_of_a_learner();
        let run = stage.run().within_budget(budget.clone()).unwrap();
        let qa = qa();
        let error = stage.wait(async {
            loop {
                if let Err(error) = qa.call(&run, Example::new().with("question", "?")).await {
                    return error;
                }
            }
        });
        assert_eq!((error.kind(), stage.model.asked.borrow().len()), (ErrorKind::Budget, calls), "{budget:?}");
        let (tokens, dollars) = spent;
        assert_eq!(run.spent(), Some(Spent { calls: calls as u64, tokens, dollars }));
    }
}

fn a_word_ends_the_calls_and_not_what_is_under_way() {
    let (stage, stop, qa) = (stage_of_a_learner(), Stop::default(), qa());
    let run = stage.run().within_budget(Budget { until: Some(stop.clone()), ..Budget::default() }).unwrap();
    let ask = || qa.call(&run, Example::new().with("question", "?"));
    let (under_way, next) = stage.wait(async {
        let (under_way, ()) = join(ask(), async { stop.now() }).await;
        (under_way, ask().await)
    });
    assert!(under_way.is_ok());
    let error = next.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Budget, "the work was stopped"));
    assert_eq!(run.spent().unwrap().calls, 1);
}

fn a_budget_that_allows_nothing_is_refused() {
    let stage = Stage::new();
    for (budget, field) in [
        (Budget { calls: Some(0), ..Budget::default() }, "calls"),
        (Budget { dollars: Some(-1.0), ..Budget::default() }, "dollars"),
        (Budget { seconds: Some(f64::NAN), ..Budget::default() }, "seconds"),
    ] {
        let error = stage.run().within_budget(budget).err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
    }
    let run = stage.run().within_budget(Budget { dollars: Some(1.0), ..Budget::default() }).unwrap();
    let error = stage.wait(qa().call(&run, Example::new().with("question", "?"))).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("prices")));
}

fn an_evaluation_tells_how_far_it_came() {
    let stage = stage_of_a_learner();
    let run = stage.run().within_budget(Budget { calls: Some(3), ..Budget::default() }).unwrap();
    let devset = ["hard", "b", "c", "d", "e"].map(example);
    let mut done = Vec::new();
    let watch = |progress: &lakelet::evaluate::Progress| done.push(progress.done);
    let evaluation = stage.wait(one_at_a_time().run(&run, &*qa(), &devset, &exact, watch)).unwrap();
    assert_eq!((evaluation.score, evaluation.done(), evaluation.failed, done), (66.67, 3, 0, vec![1, 2, 3]));
    assert_eq!(evaluation.stopped_by.map(|end| end.kind()), Some(ErrorKind::Budget));
    assert_eq!(evaluation.rows.iter().map(|row| row.is_done()).collect::<Vec<_>>(), [true, true, true, false, false]);
}

fn search() -> BootstrapFewShotWithRandomSearch {
    BootstrapFewShotWithRandomSearch {
        num_candidate_programs: 2,
        evaluate: one_at_a_time(),
        ..BootstrapFewShotWithRandomSearch::new(Rc::new(exact))
    }
}

fn a_spent_budget_leaves_the_best_program_so_far() {
    let stage = stage_of_a_learner();
    let trainset = ["a", "b", "c", "d"].map(example);
    let training = Training::new(qa(), &trainset);
    let run = stage.run().within_budget(Budget { calls: Some(10), ..Budget::default() }).unwrap();
    let search = search();
    let found = stage.wait(search.compile(&run, training.clone())).unwrap();
    assert_eq!(found.stopped_by.map(|end| end.kind()), Some(ErrorKind::Budget));
    assert_eq!(found.candidates.iter().map(|tried| tried.score).collect::<Vec<_>>(), [100.0, 100.0]);
    assert!(found.program.predictors()[0].1.demos().is_empty());

    let estimate = search.estimate(&training);
    let whole = stage.run();
    stage.wait(search.compile(&whole, training)).unwrap();
    let asked = stage.model.asked.borrow().len() - 10;
    assert!(asked <= estimate.program_calls, "{asked} of {estimate:?}");

    // Before anything was scored the best program is the student.
    let run = stage.run().within_budget(Budget { calls: Some(2), ..Budget::default() }).unwrap();
    let found = stage.wait(search.compile(&run, Training::new(qa(), &trainset))).unwrap();
    assert!(found.candidates.is_empty() && found.stopped_by.is_some());
}

fn a_bootstrap_keeps_what_it_has_learned() {
    let stage = stage_of_a_learner();
    let run = stage.run().within_budget(Budget { calls: Some(2), ..Budget::default() }).unwrap();
    let trainset = ["a", "b", "c", "d"].map(example);
    let optimizer = BootstrapFewShot { max_labeled_demos: 0, ..BootstrapFewShot::new(Rc::new(exact)) };
    let found = stage.wait(optimizer.compile(&run, Training::new(qa(), &trainset))).unwrap();
    assert_eq!((found.program.predictors()[0].1.demos().len(), found.stopped_by.is_some()), (2, true));
}

/// The state of the program that a search finds, and what it scored.
fn found(stage: &Stage, run: &Run) -> (String, Vec<f64>) {
    let trainset = ["hard", "a", "b", "hard too", "c"].map(example);
    let found = stage.wait(search().compile(run, Training::new(qa(), &trainset))).unwrap();
    (state::dump(&found.program).unwrap(), found.candidates.iter().map(|tried| tried.score).collect())
}

fn work_that_was_broken_off_goes_on_where_it_was() {
    let stage = stage_of_a_learner();
    let whole = found(&stage, &stage.run());
    let calls = stage.model.asked.borrow().len();

    let store = Rc::new(Memory::default());
    let journal = || Journal::new(store.clone(), "search");
    let run = stage.run().recorded_in(journal());
    // The work is dropped while a call is under way.
    let trainset = ["hard", "a", "b", "hard too", "c"].map(example);
    let broken_off = run.clone().within_ms(1250.0);
    stage.wait(search().compile(&broken_off, Training::new(qa(), &trainset))).err().unwrap();
    let before = stage.model.asked.borrow().len() - calls;
    assert_eq!(before, 13);

    let journal = journal();
    let run = stage.run().recorded_in(journal.clone());
    assert_eq!(found(&stage, &run), whole);
    let after = stage.model.asked.borrow().len() - calls - before;
    assert_eq!((journal.replayed() as usize, after), (before - 1, calls - (before - 1)));
    assert_eq!(run.usage().total_tokens, 15 * calls as u64);

    // What was replayed took as long as it did when it was asked for, and is paid from the budget.
    let run = stage.run().recorded_in(Journal::new(store, "search"));
    let run = run.within_budget(Budget { calls: Some(calls as u64), ..Budget::default() }).unwrap();
    let devset = ["a", "b"].map(example);
    let evaluation = stage.wait(one_at_a_time().run(&run, &*qa(), &devset, &exact, |_| ())).unwrap();
    assert_eq!((evaluation.latency_ms(0.5), run.spent().unwrap().calls), (Some(100.0), 2));
    assert_eq!(stage.model.asked.borrow().len(), calls + before + after);
}

fn what_a_cache_knew_it_knows_when_work_goes_on() {
    let stage = stage_of_a_learner();
    let store = Rc::new(Memory::default());
    // Each time in a process of its own, so that the cache begins empty.
    let evaluate = |questions: &[&str]| {
        let cached = Cached::new(stage.model.clone(), Rc::new(Memory::default()));
        let services = Services::new(stage.clock.clone()).with_model("scripted", Rc::new(cached));
        let run = Run::new(Rc::new(services)).recorded_in(Journal::new(store.clone(), "evaluation"));
        let devset: Vec<Example> = questions.iter().copied().map(example).collect();
        stage.wait(one_at_a_time().run(&run, &*qa(), &devset, &exact, |_| ())).unwrap();
        stage.model.asked.borrow().len()
    };
    assert_eq!(evaluate(&["a", "b"]), 2);
    assert_eq!(evaluate(&["a", "b", "a", "c", "b"]), 3);
}

/// A store that is full.
struct Full;

impl lakelet::cache::Cache for Full {
    fn get(&self, _: &str) -> LocalBoxFuture<'static, Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    fn put(&self, _: &str, _: String) -> LocalBoxFuture<'static, Result<()>> {
        Box::pin(async { Err(Error::new(ErrorKind::Server, "no room")) })
    }
}

fn a_journal_that_cannot_be_written_ends_the_work() {
    let stage = stage_of_a_learner();
    let run = stage.run().recorded_in(Journal::new(Rc::new(Full), "search"));
    let error = stage.wait(qa().call(&run, Example::new().with("question", "?"))).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Cancelled, "the journal cannot be written: no room"));
}

/// Remembers what it is told, and fails.
#[derive(Default)]
struct Failing(RefCell<Vec<String>>);

impl Observer for Failing {
    fn tried<'a>(&'a self, trial: Trial<'a>) -> LocalBoxFuture<'a, Result<()>> {
        self.0.borrow_mut().push(format!("{} {}: {}", trial.optimizer, trial.number, trial.evaluation.score));
        Box::pin(async { Err(server_error()) })
    }

    fn optimized<'a>(
        &'a self,
        ended: std::result::Result<&'a dyn Module, &'a Error>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        self.0.borrow_mut().push(format!("ended well: {}", ended.is_ok()));
        Box::pin(async { Ok(()) })
    }
}

fn observers_are_told_and_stop_nothing() {
    let stage = stage_of_a_learner();
    let trainset = ["a", "b"].map(example);
    let observer = Rc::new(Failing::default());
    let search = BootstrapFewShotWithRandomSearch { restrict: Some(vec![-3, 0]), ..search() };
    let training = Training::new(qa(), &trainset).with_observer(observer.clone());
    stage.wait(search.compile(&stage.watched(), training)).unwrap();
    let name = "BootstrapFewShotWithRandomSearch";
    let expected = [format!("{name} 0: 100"), format!("{name} 1: 100"), "ended well: true".to_owned()];
    assert_eq!(*observer.0.borrow(), expected);
    let is_warning = |event: &&Event| matches!(event, Event::Warning { .. });
    assert_eq!(stage.events.borrow().iter().filter(is_warning).count(), 2);
}
