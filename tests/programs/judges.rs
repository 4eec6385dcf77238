//! Metrics that ask a model, against what DSPy 3.4.1 sends and makes of the same answer (`recorded/judges.json`).

use lakelet::metric::{CompleteAndGrounded, SemanticF1};
use lakelet::{Example, Module, Value};
use serde_json::{Value as Json, json};

use super::support::Stage;
use super::support::script::chat;

tests![a_response_is_held_against_the_ground_truth, completeness_and_groundedness_are_asked_for_one_by_one,];

const ANSWER: [(&str, &str); 9] = [
    ("reasoning", "r"),
    ("ground_truth_key_ideas", "a"),
    ("system_response_key_ideas", "b"),
    ("system_response_claims", "c"),
    ("discussion", "d"),
    ("recall", "0.5"),
    ("precision", "1.0"),
    ("completeness", "0.5"),
    ("groundedness", "0.8"),
];

fn recorded(judge: &str) -> Json {
    serde_json::from_str::<Json>(include_str!("recorded/judges.json")).unwrap()[judge].take()
}

fn asks_as_dspy(judge: &dyn Module, name: &str) {
    let stage = Stage::new();
    stage.model.when("", 1.0, &chat(&ANSWER));
    let example = Example::new().with("question", "How many days?").with("response", "25 days.");
    let context = vec!["p1", "p2"];
    let prediction = Example::new().with("response", "30 days").with("context", context);
    let inputs =
        Example::new().with("example", Value::Dict(example.fields)).with("pred", Value::Dict(prediction.fields));
    let run = stage.run();
    let score = stage.wait(judge.call(&run, inputs.clone())).unwrap();
    let sent: Vec<Json> = stage.model.asked.borrow().iter().map(|asked| json!(asked.messages)).collect();
    let recorded = recorded(name);
    assert_eq!(Json::from(sent), recorded["messages"]);
    assert_eq!(score.get("score"), Some(&Value::from(recorded["score"].as_f64().unwrap())));

    let traced = stage.wait(judge.call(&run, inputs.with("trace", Value::List(vec![])))).unwrap();
    assert_eq!(traced.get("score"), Some(&Value::from(recorded["traced"].as_bool().unwrap())));
}

fn a_response_is_held_against_the_ground_truth() {
    asks_as_dspy(&SemanticF1::new(false).unwrap(), "semantic_f1");
    asks_as_dspy(&SemanticF1::new(true).unwrap(), "decompositional");
}

fn completeness_and_groundedness_are_asked_for_one_by_one() {
    asks_as_dspy(&CompleteAndGrounded::new().unwrap(), "complete_and_grounded");
}
