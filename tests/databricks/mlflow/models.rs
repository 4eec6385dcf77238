//! Programs as models, and their registries.

use super::*;

#[test]
fn a_model_is_logged_and_registered_with_the_calls_of_the_recorded_client() {
    let fixture = "mlflow-oss-rest-log-pyfunc-model";
    let all = exchanges(fixture);
    // The recorded client wrote five files of its own, and so do we.
    let host = TestHost::new(all[1..12].iter().map(answer));
    let program = ChainOfThought::new(&Signature::parse("question -> answer").unwrap()).unwrap();
    let logged = LoggedProgram::of_chain_of_thought("rag", &program).unwrap();
    let mlflow = workspace(&host).mlflow();
    let run = mlflow.run("{hex32#1}");
    let experiment = Experiment { id: "1".to_owned(), ..open_source() };
    let options = ModelOptions::new(LLAMA).registered(Register::Workspace);
    let model =
        host.run(async move { mlflow.log_model(&experiment, Some(&run), "rag", &logged, &options).await }).unwrap();
    assert_eq!((model.id.as_str(), model.uri.as_str()), ("m-{hex32#2}", "models:/m-{hex32#2}"));
    assert_eq!(model.registered, Some(("dspy-rag".to_owned(), "1".to_owned())));
    for (ours, theirs) in [(0, 1), (7, 8), (8, 9), (9, 10)] {
        let (line, body) = sent(&host, ours);
        let wanted = &all[theirs]["request"];
        let path = wanted["path"].as_str().unwrap().replace("m-{hex32#2}", "m-%7Bhex32%232%7D");
        assert_eq!(line, format!("{} {path}", wanted["method"].as_str().unwrap()));
        assert_eq!(body, wanted["body"]["value"]);
    }
    let files: Vec<_> = (1..6).map(|at| sent(&host, at).0.rsplit_once("/artifacts/").unwrap().1.to_owned()).collect();
    assert_eq!(files, ["python_model.py", "program.json", "requirements.txt", "python_env.yaml", "MLmodel"]);
    let written = String::from_utf8(host.requests()[5].body.clone()).unwrap();
    for line in [
        "    loader_module: mlflow.pyfunc.loaders.code_model",
        "    model_code_path: python_model.py",
        "model_uuid: m-{hex32#2}",
        r#"  inputs: '[{"type":"string","name":"question","required":true}]'"#,
    ] {
        assert!(written.lines().any(|written| written == line), "{written}");
    }
    let carried: Json = serde_json::from_slice(&host.requests()[2].body).unwrap();
    assert_eq!(carried["models"], json!({"default": LLAMA}));
    assert!(carried["state"]["program.predict"]["signature"]["instructions"].is_string(), "{carried}");
}

fn unity(host: &TestHost) -> Result<lakelet::databricks::mlflow::LoggedModel> {
    let program = ChainOfThought::new(&Signature::parse("question -> answer").unwrap()).unwrap();
    let logged = LoggedProgram::of_chain_of_thought("rag", &program).unwrap();
    let mlflow = workspace(host).mlflow();
    let options = ModelOptions::new(LLAMA).registered(Register::Unity("main.ml".to_owned()));
    host.run(async move { mlflow.log_model(&databricks(), None, "my rag", &logged, &options).await })
}

fn logged_model() -> Answer {
    Answer::json(
        json!({"model": {"info": {"model_id": "m-1", "artifact_uri": "dbfs:/databricks/mlflow-tracking/881122/logged_models/m-1/artifacts"}}}),
    )
}

#[test]
fn unity_catalog_keeps_the_files_of_a_version_itself() {
    let version = || Answer::json(json!({"model_version": {"version": "3", "status": "PENDING_REGISTRATION"}}));
    let exists = || Answer::new(409, r#"{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "yes"}"#);
    let mut answers = vec![logged_model()];
    answers.extend((0..6).map(|_| nothing()));
    answers.extend([exists(), version()]);
    answers.extend((0..6).map(|_| nothing()));
    let host = TestHost::new(answers);
    assert_eq!(unity(&host).unwrap().registered, Some(("main.ml.dspy_my_rag".to_owned(), "3".to_owned())));
    let created = exchange("mlflow-dbx-uc-registry", "POST", "registered-models/create");
    assert_eq!(sent(&host, 7).0, format!("POST {}", created["request"]["path"].as_str().unwrap()));
    assert_eq!(sent(&host, 8).1, json!({"name": "main.ml.dspy_my_rag", "source": "models:/m-1", "model_id": "m-1"}));
    assert_eq!(sent(&host, 9).0, "PUT /api/2.0/fs/files/Models/main/ml/dspy_my_rag/3/python_model.py?overwrite=true");
    let finalized = json!({"name": "main.ml.dspy_my_rag", "version": "3"});
    assert_eq!(sent(&host, 14), ("POST /api/2.0/mlflow/unity-catalog/model-versions/finalize".to_owned(), finalized));

    // A version whose files cannot be written does not stay.
    let mut answers = vec![logged_model()];
    answers.extend((0..6).map(|_| nothing()));
    let refused = || Answer::new(404, r#"{"error_code": "NOT_FOUND", "message": "no such place"}"#);
    answers.extend([exists(), version(), refused(), refused(), nothing()]);
    let host = TestHost::new(answers);
    let error = unity(&host).unwrap_err();
    assert!(error.hint().unwrap().contains("Version 3 of `main.ml.dspy_my_rag` was deleted again"), "{error}");
    assert_eq!(sent(&host, 11).0, "DELETE /api/2.0/mlflow/unity-catalog/model-versions/delete");
}

#[test]
fn a_model_without_all_its_files_is_marked_as_failed() {
    let full = || Answer::new(400, r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "disk full"}"#);
    let host = TestHost::new([logged_model(), full(), full(), nothing()]);
    let error = unity(&host).unwrap_err();
    assert!(error.message().contains("disk full"), "{error}");
    assert!(error.hint().unwrap().contains("m-1 is left without all its files"), "{error}");
    assert_eq!(sent(&host, 3).1, json!({"model_id": "m-1", "status": "LOGGED_MODEL_UPLOAD_FAILED"}));
}

#[test]
fn what_python_cannot_run_is_named_before_anything_is_sent() {
    let step = |step: Json| json!({"lakelet": 1, "name": "p", "inputs": {"question": "str"}, "steps": {"s": step}, "outputs": {"x": "s.x"}});
    let mut redacting = step(json!({"do": "literal", "value": 1}));
    redacting["redact"] = json!({"rules": ["email"]});
    for (document, kind, said) in [
        (
            step(json!({"do": "screen", "question": "question", "rules": ["email"]})),
            ErrorKind::Unsupported,
            "step `s`: a step of the kind `screen`",
        ),
        (
            step(json!({"do": "sources", "answer": "question", "passages": "s.passages"})),
            ErrorKind::Unsupported,
            "kind `sources`",
        ),
        (
            step(json!({"do": "predict", "signature": "q -> x", "choices": {"x": "s.x"}})),
            ErrorKind::Unsupported,
            "choices",
        ),
        (redacting, ErrorKind::Unsupported, "redaction"),
        (
            step(json!({"do": "predict", "signature": "q -> x", "model": "big"})),
            ErrorKind::Input,
            "`big` is not among those",
        ),
        (step(json!({"do": "retrieve", "query": "question"})), ErrorKind::Input, "field `index`"),
    ] {
        let host = TestHost::new([]);
        let mlflow = workspace(&host).mlflow();
        let logged = LoggedProgram::of_document(document, json!({}));
        let error = host
            .run(async move { mlflow.log_model(&databricks(), None, "p", &logged, &ModelOptions::new(LLAMA)).await })
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(host.requests().is_empty());
    }
    let error = LoggedProgram::of_module("p", "react", &json!({}), &json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let custom = json!({"fields": [{"name": "q", "io": "input", "type": "Ticket"}, {"name": "a", "io": "output", "type": "str"}]});
    let error = LoggedProgram::of_module("p", "predict", &custom, &json!({})).unwrap_err();
    assert!(error.message().contains("Ticket"), "{error}");
}
