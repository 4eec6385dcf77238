//! Saved programs of Python's DSPy, in and out.

use lakelet::{ErrorKind, Example, Module, Pipeline, Predict, Signature, assistant, state};
use serde_json::{Value as Json, json};

tests![
    a_predictor_is_saved_byte_for_byte,
    settings_of_decisions_are_saved_where_python_saves_them,
    a_state_of_the_same_python_class_fits_a_pipeline,
    a_state_that_does_not_fit_changes_nothing,
];

/// Written by DSPy 3.4.1 for `Predict("question -> answer")` with two demos.
const PREDICT: &str = r#"{
  "traces": [],
  "train": [],
  "demos": [
    {
      "augmented": true,
      "question": "q1",
      "answer": "a1"
    },
    {
      "question": "q2",
      "answer": "a2"
    }
  ],
  "signature": {
    "instructions": "Given the fields `question`, produce the fields `answer`.",
    "fields": [
      {
        "prefix": "Question:",
        "description": "${question}"
      },
      {
        "prefix": "Answer:",
        "description": "${answer}"
      }
    ]
  },
  "lm": null,
  "metadata": {
    "dependency_versions": {
      "python": "3.11",
      "dspy": "3.4.1",
      "cloudpickle": "3.1"
    }
  }
}
"#;

fn enterprise() -> Pipeline {
    Pipeline::from_json(assistant::ENTERPRISE_ASSISTANT).unwrap()
}

fn a_predictor_is_saved_byte_for_byte() {
    let mut predict = Predict::new(Signature::parse("question -> answer").unwrap());
    state::load(&mut predict, PREDICT).unwrap();
    assert_eq!(predict.demos()[1], Example::new().with("question", "q2").with("answer", "a2"));
    assert_eq!(state::dump(&predict).unwrap(), PREDICT);
}

fn settings_of_decisions_are_saved_where_python_saves_them() {
    let saved = PREDICT.replace(
        r#"  "lm": null"#,
        "  \"fields\": {\n    \"answer\": {\n      \"threshold\": 0.7\n    }\n  },\n  \"lm\": null",
    );
    let mut predict = Predict::new(Signature::parse("question -> answer: bool").unwrap());
    state::load(&mut predict, &saved).unwrap();
    assert_eq!(predict.decision_settings()["answer"], json!({"threshold": 0.7}));
    assert_eq!(state::dump(&predict).unwrap(), saved);

    let mut text = Predict::new(Signature::parse("question -> answer").unwrap());
    let error = state::load(&mut text, &saved).unwrap_err();
    assert_eq!((error.field(), error.python_class()), (Some("fields"), Some("ValueError")));
    assert!(text.demos().is_empty(), "nothing is loaded");
}

fn a_state_of_the_same_python_class_fits_a_pipeline() {
    let mut tuned: Json = serde_json::from_str(&state::dump(&enterprise()).unwrap()).unwrap();
    let names: Vec<&String> = tuned.as_object().unwrap().keys().collect();
    let expected =
        ["generate_answer", "complex_query.predict", "security_checker.predict", "compliance_formatter", "metadata"];
    assert_eq!(names, expected);
    tuned["generate_answer"]["signature"]["instructions"] = json!("Answer in one sentence.");
    tuned["complex_query.predict"]["demos"] = json!([{"question": "q", "reasoning": "r"}]);
    tuned["retrieve"] = json!({"k": 3});
    let mut program = enterprise();
    state::load(&mut program, &tuned.to_string()).unwrap();
    let predictors = program.predictors();
    assert_eq!(&*predictors[0].1.signature().instructions, "Answer in one sentence.");
    assert_eq!(predictors[1].1.demos().len(), 1);
}

fn a_state_that_does_not_fit_changes_nothing() {
    let saved: Json = serde_json::from_str(&state::dump(&enterprise()).unwrap()).unwrap();
    for (pointer, value, step, field) in [
        ("/metadata", json!({}), None, Some("metadata.dependency_versions")),
        ("/compliance_formatter", Json::Null, None, Some("compliance_formatter")),
        ("/compliance_formatter/signature", Json::Null, Some("compliance_formatter"), Some("signature")),
        ("/compliance_formatter/lm", Json::Null, Some("compliance_formatter"), Some("lm")),
        ("/compliance_formatter/demos", json!("x"), Some("compliance_formatter"), Some("demos")),
        ("/compliance_formatter/demos", json!(["x"]), Some("compliance_formatter"), Some("demos")),
        ("/compliance_formatter/extended_signature", json!({}), Some("compliance_formatter"), None),
    ] {
        let mut state = saved.clone();
        state["generate_answer"]["signature"]["instructions"] = json!("Changed.");
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let members = state.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Json::Null => _ = members.remove(key),
            value => _ = members.insert(key.to_owned(), value),
        }
        let mut program = enterprise();
        let error = state::load(&mut program, &state.to_string()).unwrap_err();
        assert_eq!((error.kind(), error.step(), error.field()), (ErrorKind::State, step, field), "{error}");
        assert_ne!(&*program.predictors()[0].1.signature().instructions, "Changed.");
    }
    assert_eq!(state::load(&mut enterprise(), "{").unwrap_err().kind(), ErrorKind::State);
}
