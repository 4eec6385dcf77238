//! MLflow: our requests beside those of its real clients, in both dialects, and what becomes of what is refused.

mod models;
mod traces;

use lakelet::databricks::mlflow::{
    CallRecord, EvaluationRecord, Experiment, LogOptions, LoggedProgram, MlflowLogger, ModelOptions, Price, Register,
    RunStatus,
};
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::lm::LanguageModel;
use lakelet::metric::answer_exact_match;
use lakelet::observe::{self, Observer};
use lakelet::run::{Services, Span};
use lakelet::{ChainOfThought, ErrorKind, Example, Module, Pipeline, Prediction, Result, Run, Signature};
use serde_json::{Value as Json, json};
use std::rc::Rc;

use crate::recorded::{answer, exchanges, recorded};
use crate::{ADDRESS, Answer, LLAMA, TestHost, says, workspace};

const RUN: &str = "00000000000000000000000000000001";

/// The recorded exchange of a method at the end of a path.
fn exchange(fixture: &str, method: &str, end: &str) -> Json {
    let found = exchanges(fixture).into_iter().find(|exchange| {
        let request = &exchange["request"];
        request["method"] == method && request["path"].as_str().unwrap().ends_with(end)
    });
    found.unwrap_or_else(|| panic!("{fixture} has no {method} {end}"))
}

/// A request as method, path with query, and JSON body without the moments in it.
fn sent(host: &TestHost, at: usize) -> (String, Json) {
    let request = &host.requests()[at];
    let path = request.url.strip_prefix(ADDRESS).unwrap_or(&request.url);
    (format!("{} {path}", request.method), timeless(serde_json::from_slice(&request.body).unwrap_or(Json::Null)))
}

fn timeless(mut body: Json) -> Json {
    fn strip(json: &mut Json) {
        match json {
            Json::Object(members) => {
                members.retain(|name, _| !["start_time", "end_time", "timestamp"].contains(&name.as_str()));
                members.values_mut().for_each(strip);
            }
            Json::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut body);
    body
}

fn assert_as_recorded(host: &TestHost, at: usize, exchange: &Json) {
    let wanted = &exchange["request"];
    let query = wanted["query"].as_object().into_iter().flatten();
    let query: Vec<_> = query
        .map(|(name, values)| format!("{name}={}", lakelet::http::url::encoded(values[0].as_str().unwrap())))
        .collect();
    let path = [wanted["path"].as_str().unwrap(), &query.join("&")].join(if query.is_empty() { "" } else { "?" });
    let (line, body) = sent(host, at);
    assert_eq!(line, format!("{} {path}", wanted["method"].as_str().unwrap()));
    assert_eq!(body, timeless(wanted["body"]["value"].clone()));
}

fn experiment(location: &str) -> Experiment {
    Experiment {
        id: "881122".to_owned(),
        name: "/Users/dev@example.com/dspy".to_owned(),
        artifact_location: location.to_owned(),
    }
}

fn databricks() -> Experiment {
    experiment("dbfs:/databricks/mlflow-tracking/881122")
}

fn open_source() -> Experiment {
    experiment("mlflow-artifacts:/881122")
}

fn run_at(artifact_uri: &str) -> Answer {
    Answer::json(
        json!({"run": {"info": {"run_id": RUN, "run_name": "r1", "experiment_id": "881122", "artifact_uri": artifact_uri}}}),
    )
}

fn databricks_run() -> Answer {
    run_at(&format!("dbfs:/databricks/mlflow-tracking/881122/{RUN}/artifacts"))
}

fn nothing() -> Answer {
    Answer::json(json!({}))
}

#[test]
fn runs_are_those_of_the_sdk() {
    let fixture = "mlflow-sdk-experiments-runs";
    let recorded = |method, end| exchange(fixture, method, end);
    let created = recorded("POST", "runs/create");
    let host = TestHost::new([
        answer(&recorded("GET", "get-by-name")),
        answer(&created),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
    ]);
    let mlflow = workspace(&host).mlflow();
    host.run(async move {
        let experiment = mlflow.experiment("/Users/dev@example.com/dspy").await?;
        let run = mlflow.start_run(&experiment, Some("r1"), &[("k", "v")]).await?;
        run.log_metrics(&[("latency", 12.5)], 0).await?;
        run.log_params(&[("k", "5")]).await?;
        run.set_tags(&[("a", "b")]).await?;
        run.end(RunStatus::Finished).await
    })
    .unwrap();
    assert_as_recorded(&host, 0, &recorded("GET", "get-by-name"));
    assert_as_recorded(&host, 1, &created);
    // The SDK sends in one call what we send in three, as each of them is logged when it is known.
    let mut together = json!({});
    for at in 2..5 {
        let (line, body) = sent(&host, at);
        assert_eq!(line, "POST /api/2.0/mlflow/runs/log-batch");
        together.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    }
    assert_eq!(together, timeless(recorded("POST", "log-batch")["request"]["body"]["value"].clone()));
    assert_as_recorded(&host, 5, &recorded("POST", "runs/update"));
}

#[test]
fn an_experiment_that_is_not_there_is_created_once() {
    let missing = || Answer::new(404, r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}"#);
    let found = || Answer::json(json!({"experiment": {"experiment_id": "1", "name": "/a", "artifact_location": "x"}}));
    // The open-source server says with 400 that somebody else was faster.
    let exists = Answer::new(400, r#"{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "yes"}"#);
    for created in [Answer::json(json!({"experiment_id": "1"})), exists] {
        let host = TestHost::new([missing(), created, found()]);
        let mlflow = workspace(&host).mlflow();
        assert_eq!(host.run(async move { mlflow.experiment("/a").await }).unwrap().id, "1");
        assert_eq!(sent(&host, 1), ("POST /api/2.0/mlflow/experiments/create".to_owned(), json!({"name": "/a"})));
    }
    let deleted = json!({"experiment": {"experiment_id": "1", "name": "/a", "lifecycle_stage": "deleted"}});
    let host = TestHost::new([Answer::json(deleted)]);
    let mlflow = workspace(&host).mlflow();
    let error = host.run(async move { mlflow.experiment("/a").await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let refused =
        Answer::new(400, r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "must be an absolute path"}"#);
    let host = TestHost::new([missing(), refused]);
    let mlflow = workspace(&host).mlflow();
    let error = host.run(async move { mlflow.experiment("dspy").await }).unwrap_err();
    assert!(error.message().contains("MLflow experiment `dspy`: must be an absolute path"), "{error}");
}

#[test]
fn artifacts_go_where_the_server_says() {
    let upload = exchange("mlflow-dbx-run-metrics-artifact", "PUT", "pipeline_config.json");
    let host = TestHost::new([databricks_run(), nothing()]);
    let run = workspace(&host).mlflow().run(RUN);
    let config = json!({"modules": ["Predict"]});
    host.run(async move { run.log_dict("pipeline_config.json", &config).await }).unwrap();
    assert_as_recorded(&host, 1, &upload);

    let proxied = exchange("mlflow-oss-rest-log-pyfunc-model", "PUT", "artifacts/prefix.txt");
    let host = TestHost::new([run_at("mlflow-artifacts:/1/abc/artifacts"), nothing()]);
    let run = workspace(&host).mlflow().run("abc");
    host.run(async move { run.log_artifact("a b/prefix.txt", b"answer:\n".to_vec()).await }).unwrap();
    assert_eq!(sent(&host, 1).0, "PUT /api/2.0/mlflow-artifacts/artifacts/1/abc/artifacts/a%20b/prefix.txt");
    assert_eq!(host.requests()[1].body, proxied["request"]["body"]["value"].as_str().unwrap().as_bytes());

    let host = TestHost::new([run_at("s3://bucket/1/abc/artifacts")]);
    let run = workspace(&host).mlflow().run("abc");
    let error = host.run(async move { run.log_artifact("a", Vec::new()).await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("--serve-artifacts"), "{error}");
}

#[test]
fn a_signed_url_takes_what_the_files_api_refuses() {
    let fixture = "mlflow-dbx-artifact-presigned-fallback";
    let upload = exchange(fixture, "PUT", "artifacts/pipeline_config.json");
    let credentials = exchange(fixture, "POST", "credentials-for-write");
    let signed = exchange(fixture, "PUT", "/presigned/pipeline_config.json");
    let host = TestHost::new([databricks_run(), answer(&upload), answer(&credentials), answer(&signed)]);
    let run = workspace(&host).mlflow().run(RUN);
    let config = json!({"modules": ["Predict"]});
    host.run(async move { run.log_dict("pipeline_config.json", &config).await }).unwrap();
    assert_as_recorded(&host, 1, &upload);
    assert_as_recorded(&host, 2, &credentials);
    assert_as_recorded(&host, 3, &signed);
    assert!(host.requests()[3].headers.iter().all(|(name, _)| *name != "authorization"), "the credential stays here");
    // A credential that is refused is refused everywhere.
    let host = TestHost::new([databricks_run(), Answer::new(401, "{}"), Answer::new(401, "{}")]);
    let run = workspace(&host).mlflow().run(RUN);
    let error = host.run(async move { run.log_artifact("a", b"x".to_vec()).await }).unwrap_err();
    assert_eq!((error.kind(), host.requests().len()), (ErrorKind::Auth, 2));
}

/// A chain of thought, a run that asks the host's model, and what it is asked.
fn qa(host: &TestHost) -> (Rc<dyn Module>, Run) {
    let program = ChainOfThought::new(&Signature::parse("question -> answer").unwrap()).unwrap();
    let model: Rc<dyn LanguageModel> = Rc::new(workspace(host).chat(LLAMA).unwrap());
    (Rc::new(program), Run::new(Rc::new(Services::new(host.host().clock).with_model("m", model))))
}

fn answers(answer: &str) -> Answer {
    says(&format!("[[ ## reasoning ## ]]\nAdd.\n\n[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]"))
}

fn question() -> Example {
    Example::new().with("question", "What is 2+2?")
}

const GREETER: &str = r#"{
    "lakelet": 1, "name": "qa", "inputs": {"question": "str"},
    "steps": {"answer": {"do": "chain_of_thought", "signature": "question -> answer", "inputs": {"question": "question"}}},
    "outputs": {"answer": "answer.answer"}
}"#;

fn metric(example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>) -> Result<lakelet::Value> {
    Ok(answer_exact_match(example, prediction, 1.0)?.into())
}

fn testset() -> Vec<Example> {
    let sum = |question: &str, answer: &str| {
        Example::new().with("question", question).with("answer", answer).with_inputs(&["question"])
    };
    vec![sum("2+2?", "4"), sum("3*4?", "12")]
}

fn evaluate(host: &TestHost) -> Result<f64> {
    let program = Pipeline::from_json(GREETER).unwrap();
    let logged = LoggedProgram::of_pipeline(GREETER, &program).unwrap();
    let (_, run) = qa(host);
    let platform = workspace(host);
    let prices = [(LLAMA.to_owned(), Price { input_usd: 0.5, output_usd: 1.5 })];
    let options = LogOptions { samples: 1, prices: prices.into_iter().collect(), ..LogOptions::default() };
    host.run(async move {
        let logger = MlflowLogger::new(&platform, "/a").await?;
        let testset = testset();
        let (_, evaluation) =
            logger.log_pipeline_metrics(&run, &program, &logged, &testset, &metric, Some("first"), &options).await?;
        Ok(evaluation.score)
    })
}

#[test]
fn an_evaluation_is_a_run_with_its_metrics_program_data_and_predictions() {
    let found = Answer::json(
        json!({"experiment": {"experiment_id": "881122", "name": "/a", "artifact_location": "dbfs:/databricks/mlflow-tracking/881122"}}),
    );
    let mut all = vec![found, databricks_run(), answers("4"), answers("13")];
    all.extend((0..8).map(|_| nothing()));
    let host = TestHost::new(all);
    assert_eq!(evaluate(&host).unwrap(), 50.0);
    let lines: Vec<_> = (4..12).map(|at| sent(&host, at)).collect();
    let short: Vec<_> = lines.iter().map(|(line, _)| line.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        short,
        [
            "log-inputs",
            "log-batch",
            "pipeline_config.json?overwrite=true",
            "program.json?overwrite=true",
            "sample_predictions.json?overwrite=true",
            "log-batch",
            "log-batch",
            "update"
        ]
    );
    let dataset = &lines[0].1["datasets"][0];
    assert_eq!(dataset["tags"], json!([{"key": "mlflow.data.context", "value": "eval"}]));
    assert_eq!(dataset["dataset"]["name"], "testset");
    let params: Vec<_> =
        lines[1].1["params"].as_array().unwrap().iter().map(|param| param["key"].as_str().unwrap()).collect();
    assert_eq!(params[..4], ["program", "num_examples", "models", "qa.answer.predict.signature.instructions"]);
    assert_eq!(lines[2].1, serde_json::from_str::<Json>(GREETER).unwrap());
    let table = json!({
        "columns": ["example_question", "example_answer", "pred_answer", "score", "latency_ms"], "data": [["2+2?", "4", "4", true, 0.0]],
    });
    assert_eq!(lines[4].1, table);
    assert_eq!(lines[5].1["tags"][0]["key"], "mlflow.loggedArtifacts");
    let metrics = lines[6].1["metrics"].as_array().unwrap();
    let value = |name: &str| {
        metrics.iter().find(|metric| metric["key"] == name).map(|metric| metric["value"].as_f64().unwrap())
    };
    assert_eq!(value("accuracy"), Some(0.5));
    assert_eq!(value("avg_latency_ms"), Some(0.0));
    // Two calls of 14 tokens in and 5 out.
    assert_eq!(value("estimated_cost_usd"), Some(0.028 * 0.5 + 0.01 * 1.5));
    assert_eq!(lines[7].1["status"], "FINISHED");
}

#[test]
fn a_run_whose_evaluation_fails_ends_as_failed() {
    let found =
        Answer::json(json!({"experiment": {"experiment_id": "881122", "name": "/a", "artifact_location": "x"}}));
    let refused = || Answer::new(400, r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "bad dataset"}"#);
    let host = TestHost::new([found, databricks_run(), answers("4"), answers("12"), refused(), nothing(), nothing()]);
    let error = evaluate(&host).unwrap_err();
    assert!(error.message().contains("bad dataset"), "{error}");
    assert_eq!(sent(&host, 5).1["tags"][0]["key"], "error");
    assert_eq!(sent(&host, 6).1["status"], "FAILED");
}

#[test]
fn a_model_without_a_price_leaves_the_cost_out() {
    let evaluation = json!({"score": 50, "failed": 0, "durationMs": 1, "usage": {}, "lmUsage": {"a": {"prompt_tokens": 1}}, "results": []});
    let record = EvaluationRecord::read(&evaluation).unwrap();
    let host = TestHost::new([
        nothing(),
        nothing(),
        databricks_run(),
        nothing(),
        databricks_run(),
        nothing(),
        databricks_run(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
    ]);
    let run = workspace(&host).mlflow().run(RUN);
    let logged = LoggedProgram::of_document(serde_json::from_str(GREETER).unwrap(), json!({}));
    host.run(async move { run.log_evaluation(&logged, &record, &LogOptions::default()).await }).unwrap();
    let batches: Vec<_> = (0..host.requests().len()).map(|at| sent(&host, at).1).collect();
    assert!(
        batches.iter().any(|body| body["tags"][0] == json!({"key": "lakelet.no_price_for", "value": "a"})),
        "{batches:?}"
    );
    assert!(!batches.iter().any(|body| body.to_string().contains("estimated_cost_usd")));
}

#[test]
fn trials_of_an_optimizer_are_runs_below_one_of_its_own() {
    let found =
        Answer::json(json!({"experiment": {"experiment_id": "881122", "name": "/a", "artifact_location": "x"}}));
    let mut all = vec![answers("4"), answers("13"), found];
    all.extend([databricks_run(), databricks_run()]);
    all.extend((0..6).map(|_| nothing()));
    let host = TestHost::new(all);
    let (program, run) = qa(&host);
    let platform = workspace(&host);
    host.run(async move {
        let evaluation = lakelet::Evaluate::default().run(&run, &*program, &testset(), &metric, |_| ()).await?;
        let logger = MlflowLogger::new(&platform, "/a").await?;
        let objectives = [("latency_p95_ms".to_owned(), 12.5)];
        let trial = observe::Trial {
            optimizer: "RandomSearch",
            number: 0,
            program: &*program,
            evaluation: &evaluation,
            objectives: &objectives,
        };
        logger.tried(trial).await?;
        logger.optimized(Ok(&*program)).await
    })
    .unwrap();
    assert_eq!(sent(&host, 3).1["run_name"], "RandomSearch");
    assert_eq!(sent(&host, 4).1["tags"], json!([{"key": "mlflow.parentRunId", "value": RUN}]));
    let logged = sent(&host, 6).1["metrics"].clone();
    let logged: Vec<_> = logged.as_array().unwrap().iter().map(|metric| (&metric["key"], &metric["value"])).collect();
    assert_eq!(logged, [(&json!("eval"), &json!(50.0)), (&json!("latency_p95_ms"), &json!(12.5))]);
    let rest: Vec<_> = (5..11).map(|at| sent(&host, at).0.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(
        rest,
        ["model.json?overwrite=true", "log-batch", "update", "log-batch", "best_model.json?overwrite=true", "update"]
    );
}

#[test]
fn the_operations_do_the_same() {
    let found = Answer::json(
        json!({"experiment": {"experiment_id": "5", "name": "x", "artifact_location": "mlflow-artifacts:/5"}}),
    );
    let host = TestHost::new([found, nothing()]);
    let platform = workspace(&host);
    let call = json!({"name": "qa", "beganMs": 1, "durationMs": 1, "inputs": {}, "outputs": {}, "spans": []});
    let arguments = Arguments::read(&json!({"experiment": "x", "call": call}).to_string(), Vec::new()).unwrap();
    let outcome =
        host.run(async move { operations::call(&platform, "mlflow.log_trace", arguments, None).await }).unwrap();
    let Outcome::Json(told) = outcome else { panic!("no JSON") };
    assert!(told["trace_id"].as_str().unwrap().starts_with("tr-"));
    for (name, arguments, said) in [
        ("mlflow.log_trace", json!({"experiment": "x", "call": {"name": "a"}}), "`spans` of the record"),
        ("mlflow.end_run", json!({"run_id": "a", "status": "DONE"}), "not `DONE`"),
        ("mlflow.log_metrics", json!({"run_id": "a", "metrics": {"x": "high"}}), "the metric `x`"),
        ("mlflow.log_model", json!({"experiment": "x", "name": "m", "program": {"kind": "react"}}), "kind `react`"),
        ("mlflow.log_evaluation", json!({"run_id": "a", "evaluation": {}}), "no `results`"),
        ("mlflow.drop", json!({"run_id": "a"}), "no operation `mlflow.drop`"),
    ] {
        let platform = workspace(&host);
        let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
        let error = host.run(async move { operations::call(&platform, name, arguments, None).await }).unwrap_err();
        assert!(error.message().contains(said), "{name}: {error}");
    }
    assert!(recorded("mlflow-dbx-uc-registry")["exchanges"].is_array());
}
