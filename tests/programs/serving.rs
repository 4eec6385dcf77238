//! Programs that are to be right, fast and cheap at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use lakelet::cache::{Cached, Memory};
use lakelet::error::Service;
use lakelet::lm::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel, Limited, Limiter};
use lakelet::observe::{Observer, Trial};
use lakelet::optimize::{
    Assumptions, BootstrapFewShot, BootstrapFewShotWithRandomSearch, DatabricksOptimizedOptimizer, LabeledFewShot,
    Latency, MultiObjective, MultiObjectiveResult, Objective, Optimizer, Preference, Training, Weighed,
};
use lakelet::resources::ResourceManager;
use lakelet::run::{Budget, Price, Run, Services, Span};
use lakelet::{Error, ErrorKind, Example, Module, Predict, Prediction, Result, Signature, Value, state};

use super::support::script::chat;
use super::support::task::{exact, example};
use super::support::{ScriptedModel, Stage, server_error};

tests![
    only_answers_that_are_right_and_in_time_become_demos,
    latency_is_estimated_as_in_the_study,
    caches_are_passed_over_where_latency_is_measured,
    failures_are_in_the_statistics_and_not_in_the_latencies,
    numbers_that_mean_nothing_are_refused,
    models_are_chosen_with_programs,
    the_choice_keeps_to_limits_weights_or_the_knee,
    halving_measures_the_better_half_on_more_examples,
    the_same_search_finds_the_same,
    a_spent_budget_leaves_a_choice_among_what_was_measured,
    searches_without_sense_are_refused,
    a_search_keeps_within_the_limits_of_an_endpoint,
    observers_are_told_the_objectives,
    an_estimate_in_tokens_is_an_upper_bound,
];

fn qa() -> Rc<dyn Module> {
    Rc::new(Predict::new(Signature::parse("question -> answer").unwrap()))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// A model under a name of its own, of which is known how often it was asked at once.
struct Named {
    name: &'static str,
    model: Rc<ScriptedModel>,
    in_flight: Rc<Cell<usize>>,
    most: Cell<usize>,
    /// Each so-manieth request is refused, as one too many.
    refuses_each: usize,
    asked: Cell<usize>,
    refused: Cell<usize>,
}

impl Named {
    fn new(name: &'static str, model: Rc<ScriptedModel>) -> Self {
        let (in_flight, most, asked, refused) = Default::default();
        Self { name, model, in_flight, most, refuses_each: usize::MAX, asked, refused }
    }
}

impl LanguageModel for Named {
    fn name(&self) -> &str {
        self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.model.capabilities()
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get().is_multiple_of(self.refuses_each) {
            self.refused.set(self.refused.get() + 1);
            let service = Service { status: 429, retry_after_ms: Some(500.0), ..Service::default() };
            let error = Error::new(ErrorKind::RateLimited, "too many requests").with_retryable(true);
            return Box::pin(async move { Err(error.with_service(service)) });
        }
        let in_flight = Rc::clone(&self.in_flight);
        in_flight.set(in_flight.get() + 1);
        self.most.set(self.most.get().max(in_flight.get()));
        let answer = self.model.complete(request);
        Box::pin(async move {
            let answer = answer.await;
            in_flight.set(in_flight.get() - 1);
            answer
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        self.model.stream(request)
    }
}

/// A run with a model that is right, slow and dear, and one that is quick, cheap and wrong on what is hard.
fn two_models(stage: &Stage) -> Run {
    let small = Rc::new(ScriptedModel::new(Rc::clone(&stage.clock)));
    small.when("hard", 100.0, &chat(&[("answer", "wrong")]));
    small.when("", 100.0, &chat(&[("answer", "right")]));
    stage.model.when("", 900.0, &chat(&[("answer", "right")]));
    let services = Services::new(stage.clock.clone())
        .with_model("large", Rc::new(Named::new("large", stage.model.clone())))
        .with_model("small", Rc::new(Named::new("small", small)));
    Run::new(Rc::new(services))
}

fn search() -> MultiObjective {
    MultiObjective {
        objectives: vec![Objective::score(), Objective::latency_ms(0.95), Objective::dollars()],
        models: vec!["large".to_owned(), "small".to_owned()],
        prices: [("large", 300.0), ("small", 10.0)]
            .map(|(name, input)| (name.to_owned(), Price { input, output: 0.0 }))
            .into(),
        ..MultiObjective::new(Rc::new(exact))
    }
}

/// Half of the examples are hard.
fn valset(count: usize) -> Vec<Example> {
    (0..count).map(|i| example(&format!("{} {i}", if i % 2 == 0 { "hard" } else { "plain" }))).collect()
}

fn searched(stage: &Stage, run: &Run, search: &MultiObjective, valset: &[Example]) -> MultiObjectiveResult {
    stage.wait(search.search(run, Training::new(qa(), valset))).unwrap()
}

fn chosen(found: &MultiObjectiveResult) -> Option<&str> {
    found.candidates[found.chosen.unwrap()].model.as_deref()
}

fn serving() -> DatabricksOptimizedOptimizer {
    DatabricksOptimizedOptimizer::new(Rc::new(exact))
}

fn questions(program: &dyn Module) -> Vec<String> {
    let text = |demo: &Example| demo.get("question").and_then(Value::as_str).unwrap_or_default().to_owned();
    program.predictors()[0].1.demos().iter().map(text).collect()
}

fn only_answers_that_are_right_and_in_time_become_demos() {
    let stage = Stage::new();
    stage.model.when("late\n", 1200.0, &chat(&[("answer", "right")]));
    stage.model.when("wrong\n", 10.0, &chat(&[("answer", "no")]));
    stage.model.when("", 200.0, &chat(&[("answer", "right")]));
    let trainset = ["late", "wrong", "good", "fine"].map(example);
    let optimizer = DatabricksOptimizedOptimizer {
        bootstrap: BootstrapFewShot { max_labeled_demos: 0, ..serving().bootstrap },
        prices: [("scripted".to_owned(), Price { input: 1000.0, output: 2000.0 })].into(),
        ..serving()
    };
    let valset = ["a", "b", "late"].map(example);
    let training = Training::new(qa(), &trainset).with_valset(&valset);
    let estimate = optimizer.estimate(&training);
    let (found, stats) = stage.wait(optimizer.optimize_for_serving(&stage.run(), training)).unwrap();
    assert_eq!(questions(&found.program), ["good", "fine"]);
    let stats = stats.unwrap();
    assert_eq!((stats.calls, stats.p50_ms, stats.p95_ms), (3, Some(200.0), Some(1200.0)));
    assert_eq!((stats.tokens, stats.error_rate), (15.0, 0.0));
    assert!(close(stats.dollars.unwrap(), 0.02));
    // 0.8 - 0.2 * (0.2 + 0.2 + 1.2) / 3
    assert_eq!(found.candidates[0].score, 69.33);
    assert_eq!(stage.model.asked.borrow().len(), estimate.program_calls);
}

fn latency_is_estimated_as_in_the_study() {
    // 100 ms, and half a millisecond a character: 600 ms for a thousand.
    let long = "right".repeat(200);
    let stage = Stage::new();
    stage.model.when("long\n", 1.0, &chat(&[("answer", &long)]));
    stage.model.when("", 9000.0, &chat(&[("answer", "right")]));
    let is_right = |_: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
        Ok(prediction.get("answer").and_then(Value::as_str).unwrap_or_default().contains("right").into())
    };
    let optimizer = DatabricksOptimizedOptimizer {
        budget_ms: 599.0,
        latency: Latency::STUDY,
        bootstrap: BootstrapFewShot { max_labeled_demos: 0, ..serving().bootstrap },
        ..DatabricksOptimizedOptimizer::new(Rc::new(is_right))
    };
    let trainset = ["long", "short"].map(example);
    let (found, stats) =
        stage.wait(optimizer.optimize_for_serving(&stage.run(), Training::new(qa(), &trainset))).unwrap();
    assert_eq!(questions(&found.program), ["short"]);
    // The statistics are measured all the same.
    assert_eq!(stats.unwrap().p95_ms, Some(9000.0));
}

fn caches_are_passed_over_where_latency_is_measured() {
    for (latency, asked) in [(Latency::Measured, 4), (Latency::STUDY, 2)] {
        let stage = Stage::new();
        stage.model.when("", 100.0, &chat(&[("answer", "right")]));
        let cached = Rc::new(Cached::new(stage.model.clone(), Rc::new(Memory::default())));
        let run = Run::new(Rc::new(Services::new(stage.clock.clone()).with_model("cached", cached)));
        let warm = async {
            for question in ["a", "b"] {
                qa().call(&run, Example::new().with("question", question)).await.unwrap();
            }
        };
        stage.wait(warm);
        let before = stage.model.asked.borrow().len();
        let bootstrap = BootstrapFewShot { max_labeled_demos: 0, ..serving().bootstrap };
        let optimizer = DatabricksOptimizedOptimizer { latency, bootstrap, ..serving() };
        let trainset = ["a", "b"].map(example);
        let found = stage.wait(optimizer.optimize_for_serving(&run, Training::new(qa(), &trainset))).unwrap();
        assert_eq!(stage.model.asked.borrow().len() - before, asked, "{latency:?}");
        assert_eq!(found.1.unwrap().p50_ms, Some(100.0));
    }
}

fn failures_are_in_the_statistics_and_not_in_the_latencies() {
    let stage = Stage::new();
    stage.model.when_in_turn("bad", 5.0, vec![Err(server_error())]);
    stage.model.when("", 100.0, &chat(&[("answer", "right")]));
    let (trainset, valset) = (["a"].map(example), ["a", "bad", "b", "c"].map(example));
    let training = Training::new(qa(), &trainset).with_valset(&valset);
    let stats = stage.wait(serving().optimize_for_serving(&stage.run(), training)).unwrap().1.unwrap();
    assert_eq!((stats.calls, stats.error_rate, stats.p50_ms), (4, 0.25, Some(100.0)));
    assert_eq!(stats.dollars, None);
}

fn numbers_that_mean_nothing_are_refused() {
    let stage = Stage::new();
    let bad_price = [("scripted".to_owned(), Price { input: f64::NAN, output: 0.0 })];
    for (optimizer, field) in [
        (DatabricksOptimizedOptimizer { accuracy_weight: f64::NAN, ..serving() }, "accuracy_weight"),
        (DatabricksOptimizedOptimizer { latency_weight: -1.0, ..serving() }, "latency_weight"),
        (DatabricksOptimizedOptimizer { budget_ms: 0.0, ..serving() }, "budget_ms"),
        (DatabricksOptimizedOptimizer { threshold: Some(f64::NAN), ..serving() }, "threshold"),
        (DatabricksOptimizedOptimizer { prices: bad_price.into(), ..serving() }, "prices"),
    ] {
        let trainset = [example("a")];
        let found = stage.wait(optimizer.compile(&stage.run(), Training::new(qa(), &trainset)));
        let error = found.err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
    }
}

fn models_are_chosen_with_programs() {
    let stage = Stage::new();
    let run = two_models(&stage);
    let search = MultiObjective { sources: vec![Rc::new(LabeledFewShot::default())], halving: false, ..search() };
    let valset = valset(10);
    let found = searched(&stage, &run, &search, &valset);
    let rounded = |value: &f64| (1e6 * value).round() / 1e6;
    let values = |one: &Weighed| one.objectives.values().map(rounded).collect::<Vec<_>>();
    let told: Vec<_> =
        found.candidates.iter().map(|one| (one.model.clone().unwrap(), one.examples, values(one))).collect();
    let large = ("large".to_owned(), 10, vec![100.0, 900.0, 0.003]);
    let demos_are_hard = ("small".to_owned(), 10, vec![0.0, 100.0, 0.0001]);
    let small = ("small".to_owned(), 10, vec![50.0, 100.0, 0.0001]);
    assert_eq!(told, [large.clone(), small, large, demos_are_hard]);
    assert_eq!(found.front, [0, 1, 2]);
    assert_eq!(found.optimized.candidates.len(), 4);
    let names: Vec<_> = found.candidates[0].objectives.keys().map(String::as_str).collect();
    assert_eq!(names, ["score", "latency_p95_ms", "dollars"]);
    // Two of three objectives speak for the small model.
    assert_eq!(chosen(&found), Some("small"));
    assert_eq!(found.optimized.program.predictors()[0].1.model(), Some("small"));
}

fn the_choice_keeps_to_limits_weights_or_the_knee() {
    let stage = Stage::new();
    let run = two_models(&stage);
    let valset = valset(4);
    let [score, latency, dollars] = [Objective::score(), Objective::latency_ms(0.95), Objective::dollars()];
    let with = |objectives: Vec<Objective>, preference| MultiObjective { objectives, preference, ..search() };
    let weights = Preference::Weights;
    for (objectives, preference, model, said) in [
        (vec![score.clone().weighing(3.0), latency.clone(), dollars.clone()], weights, "large", "by the weights"),
        (
            vec![score.clone().limited_to(90.0), latency.clone(), dollars.clone()],
            weights,
            "large",
            "keep to all limits",
        ),
        (
            vec![score.clone().weighing(9.0), latency.clone().limited_to(800.0), dollars.clone()],
            weights,
            "small",
            "keep to all limits",
        ),
        (vec![score.clone(), latency.clone().limited_to(50.0), dollars.clone()], weights, "small", "none keeps to all"),
        (vec![score.clone(), latency, dollars], Preference::Knee, "small", "nearest to the best"),
        (vec![score], Preference::Knee, "large", "1 of 2 candidates on 4 examples"),
    ] {
        let found = searched(&stage, &run, &with(objectives, preference), &valset);
        assert_eq!(chosen(&found), Some(model), "{}", found.why);
        assert!(found.why.contains(said), "{}", found.why);
    }
}

/// Demos in four random orders.
fn random_search() -> BootstrapFewShotWithRandomSearch {
    BootstrapFewShotWithRandomSearch {
        num_candidate_programs: 4,
        ..BootstrapFewShotWithRandomSearch::new(Rc::new(exact))
    }
}

fn halving_measures_the_better_half_on_more_examples() {
    let stage = Stage::new();
    let run = two_models(&stage);
    let (trainset, valset) = (valset(6), valset(16));
    let search = MultiObjective { sources: vec![Rc::new(random_search())], min_examples: 4, ..search() };
    let training = Training::new(qa(), &trainset).with_valset(&valset);
    let found = stage.wait(search.search(&run, training.clone())).unwrap();
    let mut counts: Vec<usize> = found.candidates.iter().map(|one| one.examples).collect();
    let calls: usize = counts.iter().sum();
    let all = counts.len();
    counts.retain(|count| *count == 16);
    assert!(all >= 6 && counts.len() == all.div_ceil(2).div_ceil(2), "{} of {all}", counts.len());
    assert!(calls < all * 16 && all * 16 <= search.estimate(&training).program_calls);
    assert!(found.front.iter().all(|place| found.candidates[*place].examples == 16));
}

fn the_same_search_finds_the_same() {
    let found = || {
        let stage = Stage::new();
        let run = two_models(&stage);
        let search = MultiObjective { sources: vec![Rc::new(random_search())], min_examples: 2, seed: 3, ..search() };
        let found = searched(&stage, &run, &search, &valset(9));
        let candidates: Vec<_> = found.candidates.into_iter().map(|one| (one.examples, one.objectives)).collect();
        (state::dump(&found.optimized.program).unwrap(), candidates, found.front, found.chosen, found.why)
    };
    assert_eq!(found(), found());
}

fn a_spent_budget_leaves_a_choice_among_what_was_measured() {
    let stage = Stage::new();
    let valset = valset(8);
    let search = MultiObjective { min_examples: 2, halving: false, ..search() };
    let within = |calls| {
        let run = two_models(&stage).within_budget(Budget { calls: Some(calls), ..Budget::default() }).unwrap();
        searched(&stage, &run, &search, &valset)
    };
    // Both on two examples, one on two more; that one is alone with the most.
    let found = within(6);
    assert_eq!(found.optimized.stopped_by.map(|end| end.kind()), Some(ErrorKind::Budget));
    assert_eq!(found.candidates.iter().map(|one| one.examples).collect::<Vec<_>>(), [4, 2]);
    assert_eq!((found.front, found.chosen), (vec![0], Some(0)));
    let found = within(1);
    assert_eq!((found.front.len(), found.chosen), (0, None));
    assert!(found.optimized.stopped_by.is_some() && found.why.contains("budget"), "{}", found.why);
}

fn searches_without_sense_are_refused() {
    let stage = Stage::new();
    let run = two_models(&stage);
    let with = |objectives: Vec<Objective>| MultiObjective { objectives, ..search() };
    let score = Objective::score;
    for (search, kind, field) in [
        (with(Vec::new()), ErrorKind::Input, Some("objectives")),
        (with(vec![score(), score()]), ErrorKind::Input, Some("objectives")),
        (with(vec![score().weighing(f64::NAN)]), ErrorKind::Input, Some("weight")),
        (with(vec![score().weighing(-1.0)]), ErrorKind::Input, Some("weight")),
        (with(vec![score().weighing(0.0)]), ErrorKind::Input, Some("weight")),
        (with(vec![score().limited_to(f64::NAN)]), ErrorKind::Input, Some("limit")),
        (with(vec![Objective::latency_ms(95.0)]), ErrorKind::Input, Some("share")),
        (MultiObjective { models: vec!["smal".to_owned()], ..search() }, ErrorKind::Config, None),
        (MultiObjective { prices: Default::default(), ..search() }, ErrorKind::Config, Some("prices")),
    ] {
        let valset = valset(2);
        let error = stage.wait(search.search(&run, Training::new(qa(), &valset))).err().unwrap();
        assert_eq!((error.kind(), error.field()), (kind, field), "{error}");
    }
    let empty = stage.wait(search().search(&run, Training::new(qa(), &[]))).err().unwrap();
    assert_eq!(empty.kind(), ErrorKind::Input);
}

fn a_search_keeps_within_the_limits_of_an_endpoint() {
    let stage = Stage::new();
    stage.model.when("hard", 100.0, &chat(&[("answer", "wrong")]));
    stage.model.when("", 100.0, &chat(&[("answer", "right")]));
    let endpoint = Rc::new(Named { refuses_each: 7, ..Named::new("endpoint", stage.model.clone()) });
    let resources = ResourceManager::new(stage.clock.clone());
    let limiter = Limiter::new(stage.clock.clone(), 3);
    let models: [Rc<dyn LanguageModel>; 2] =
        [Rc::new(Limited::new(endpoint.clone(), limiter)), Rc::new(resources.get_endpoint(endpoint.clone(), Some(3)))];
    for model in models {
        endpoint.most.set(0);
        endpoint.refused.set(0);
        let run = Run::new(Rc::new(Services::new(stage.clock.clone()).with_model("endpoint", model)));
        let search = MultiObjective {
            objectives: vec![Objective::score(), Objective::latency_ms(0.95), Objective::error_rate()],
            models: vec!["endpoint".to_owned()],
            sources: vec![Rc::new(random_search())],
            ..search()
        };
        let found = searched(&stage, &run, &search, &valset(12));
        // Eight examples are under way at once, and three requests; those that were refused were asked again.
        assert_eq!(endpoint.most.get(), 3);
        assert!(endpoint.refused.get() > 5);
        assert!(found.candidates.iter().all(|one| one.stats.is_some_and(|stats| stats.error_rate == 0.0)));
        assert_eq!(found.candidates[0].objectives["score"], 50.0);
    }
}

/// Remembers what it is told.
#[derive(Default)]
struct Remembering(RefCell<Vec<Vec<(String, f64)>>>);

impl Observer for Remembering {
    fn tried<'a>(&'a self, trial: Trial<'a>) -> LocalBoxFuture<'a, Result<()>> {
        self.0.borrow_mut().push(trial.objectives.to_vec());
        Box::pin(async { Ok(()) })
    }
}

fn observers_are_told_the_objectives() {
    let stage = Stage::new();
    let run = two_models(&stage);
    let observer = Rc::new(Remembering::default());
    let valset = valset(4);
    let training = || Training::new(qa(), &valset).with_observer(observer.clone());
    stage.wait(search().search(&run, training())).unwrap();
    stage.wait(serving().compile(&run, training())).unwrap();
    let told = observer.0.borrow();
    assert_eq!((told.len(), &told[1][1]), (3, &("latency_p95_ms".to_owned(), 100.0)));
    assert_eq!(told[2][0], ("latency_p50_ms".to_owned(), 900.0));
}

fn an_estimate_in_tokens_is_an_upper_bound() {
    let reply = chat(&[("answer", "right")]);
    for (question, optimizer) in [
        ("a", Rc::new(random_search()) as Rc<dyn Optimizer>),
        ("a longer question, of some words. ", Rc::new(random_search())),
        ("a question ", Rc::new(serving())),
    ] {
        let stage = Stage::new();
        stage.model.when("", 1.0, &reply);
        let trainset: Vec<_> = (1..20).map(|times| example(&question.repeat(times))).collect();
        let training = Training::new(qa(), &trainset);
        let forecast = optimizer.estimate(&training).forecast(&training, Assumptions::default()).unwrap();
        stage.wait(optimizer.compile(&stage.run(), training)).unwrap();
        let asked = stage.model.asked.borrow();
        let characters = |text: &str| text.chars().count().div_ceil(4);
        let prompts: usize = asked.iter().map(|asked| characters(&asked.text())).sum();
        let answers = asked.len() * characters(&reply);
        let pairs = [
            (asked.len(), forecast.model_calls),
            (prompts, forecast.prompt_tokens),
            (answers, forecast.completion_tokens),
        ];
        // At most ten times as much, though each prompt is taken for the longest one.
        for (came_to, expected) in pairs {
            assert!(came_to <= expected, "{came_to} of {forecast:?}");
        }
        assert!(forecast.prompt_tokens <= 10 * prompts, "{prompts} of {forecast:?}");
        let price = Price { input: 2.0, output: 4.0 };
        assert!(forecast.dollars(price) * 1e6 >= (2 * prompts + 4 * answers) as f64);
    }
}
