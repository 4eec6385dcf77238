//! A predictor's messages with places for its inputs, which an engine fills in.

use std::rc::Rc;

use lakelet::adapter::{ChatAdapter, JsonAdapter, TwoStepAdapter, XmlAdapter};
use lakelet::databricks::ServingChat;
use lakelet::lm::Capabilities;
use lakelet::module::{Piece, Template, TemplateField};
use lakelet::{ChainOfThought, ErrorKind, Example, Predict, Signature, Value};
use serde_json::{Value as Json, json};

use crate::{LLAMA, TestHost, workspace};

fn template(predict: &Predict) -> Template {
    predict.template(ServingChat::CAPABILITIES).unwrap()
}

fn predict(signature: &str) -> Predict {
    Predict::new(Signature::parse(signature).unwrap())
}

/// The messages with these texts for the inputs.
fn filled(template: &Template, inputs: &[(&str, &str)]) -> Json {
    let of = |name: &str| inputs.iter().find(|(known, _)| *known == name).unwrap().1;
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Input(name) => of(name).to_owned(),
    };
    let message = |message: &lakelet::module::TemplateMessage| json!({"role": message.role, "content": message.content.iter().map(text).collect::<String>()});
    template.messages.iter().map(message).collect()
}

fn prompt(predict: &Predict, inputs: &Example) -> Json {
    let mut text = String::new();
    predict.prompt(inputs).unwrap().write_json(&mut text);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn filled_in_it_is_the_prompt_of_a_call() {
    let texts = [("context", "[1] «a»\n[2] «b»"), ("question", " \"q\" \\ \u{e000}0\u{e000}\n")];
    let context = Value::List(vec!["a".into(), "b".into()]);
    let inputs = Example::new().with("context", context).with("question", texts[1].1);
    let demo = Example::new().with("context", "c").with("question", "\u{e000}1\u{e000}").with("answer", "a");
    let adapters: [Rc<dyn lakelet::adapter::Adapter>; 3] =
        [Rc::new(ChatAdapter::default()), Rc::new(JsonAdapter::default()), Rc::new(XmlAdapter::default())];
    for adapter in adapters {
        let mut predict = predict("context, question -> answer");
        predict.set_adapter(adapter);
        predict.set_demos(vec![demo.clone()]);
        assert_eq!(filled(&template(&predict), &texts), prompt(&predict, &inputs), "{}", predict.adapter().name());
    }
}

#[test]
fn it_tells_what_is_sent_beside_the_messages_and_how_replies_are_read() {
    let signature = Signature::parse("question, n: int -> answer").unwrap();
    let mut program = ChainOfThought::new(&signature).unwrap();
    program.predict.set_config(json!({"temperature": 0.5}).as_object().unwrap().clone());
    let field = |name: &str, is_text| TemplateField { name: name.to_owned(), is_text };
    let told = template(&program.predict);
    assert_eq!(told.inputs, [field("question", true), field("n", false)]);
    assert_eq!(told.outputs, [field("reasoning", true), field("answer", true)]);
    assert_eq!((told.adapter.as_str(), &told.response_format), ("ChatAdapter", &None));
    assert_eq!(told.options["temperature"], 0.5);

    program.predict.set_adapter(Rc::new(JsonAdapter::default()));
    assert_eq!(template(&program.predict).response_format.unwrap()["type"], "json_schema");
    assert_eq!(program.predict.template(Capabilities::default()).unwrap().response_format, None);
}

#[test]
fn its_json_is_read_as_it_was() {
    let mut predict = predict("question -> answer: int");
    predict.set_adapter(Rc::new(JsonAdapter::default()));
    let told = template(&predict);
    let json = serde_json::from_str(&told.to_json().to_string()).unwrap();
    assert_eq!(Template::from_json(&json), Some(told));
    assert_eq!(Template::from_json(&json!({})), None);
}

#[test]
fn text_of_the_program_is_never_taken_for_a_place() {
    let mut signature = Signature::parse("question -> answer").unwrap();
    signature.instructions = "Between \u{e000} and \u{e001}0\u{e001}.".into();
    let told = template(&Predict::new(signature));
    let places = told.messages.iter().flat_map(|message| &message.content);
    let places: Vec<_> = places.filter(|piece| matches!(piece, Piece::Input(_))).collect();
    assert_eq!(places, [&Piece::Input("question".to_owned())]);
}

#[test]
fn what_has_no_template_says_why() {
    let host = TestHost::new([]);
    let mut two_step = predict("q -> a");
    two_step.set_adapter(Rc::new(TwoStepAdapter::new(Rc::new(workspace(&host).chat(LLAMA).unwrap()))));
    let mut several = predict("q -> a");
    several.set_config(json!({"n": 3}).as_object().unwrap().clone());
    let mut decided = predict("q -> a: bool");
    decided.set_decision_settings(json!({"a": {"threshold": 0.5}}).as_object().unwrap().clone()).unwrap();
    for (predict, kind, said) in [
        (two_step, ErrorKind::Unsupported, "TwoStepAdapter needs a model"),
        (several, ErrorKind::Unsupported, "one completion"),
        (decided, ErrorKind::Unsupported, "decided by probabilities"),
        (predict("history: dspy.History, q -> a"), ErrorKind::Input, "must be a history"),
    ] {
        let error = predict.template(ServingChat::CAPABILITIES).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(said), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
}
