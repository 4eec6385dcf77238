//! Jobs and pipelines beside what Databricks' SDK was recorded to send, and what becomes of those that fail.

use std::cell::RefCell;
use std::rc::Rc;

use lakelet::ErrorKind;
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::wait::Wait;
use serde_json::{Map, Value as Json, json};

use crate::recorded::{answer, assert_sent, exchanges};
use crate::{Answer, TestHost, workspace};

fn members(json: Json) -> Map<String, Json> {
    json.as_object().unwrap().clone()
}

/// A wait, and what it tells.
fn listening() -> (Wait, Rc<RefCell<Vec<String>>>) {
    let told = Rc::new(RefCell::new(Vec::new()));
    let listener = told.clone();
    let tell = move |progress: &lakelet::databricks::wait::Progress| {
        listener.borrow_mut().push(format!("{}: {}", progress.state, progress.message));
    };
    (Wait::default().telling(tell), told)
}

#[test]
fn a_one_time_run_is_submitted_waited_for_and_read_as_the_sdk_does() {
    let exchanges = exchanges("jobs-submit-notebook");
    let host = TestHost::new(exchanges.iter().map(answer));
    let jobs = workspace(&host).jobs();
    let output = host.run(async move {
        let extract = json!({"task_key": "extract", "notebook_task": {
            "notebook_path": "/Users/dev@example.com/n", "base_parameters": {"table": "main.rag.diag"}, "source": "WORKSPACE"}});
        let train = json!({"task_key": "train", "depends_on": [{"task_key": "extract"}], "environment_key": "default",
            "spark_python_task": {"python_file": "/Workspace/x.py", "parameters": ["--n", "1"]}});
        let environment = json!({"environment_key": "default", "spec": {"environment_version": "4", "dependencies": ["dspy"]}});
        let id = jobs
            .submit(&json!({"run_name": "lsp-diagnostics", "idempotency_token": "tok-1", "timeout_seconds": 3600,
                "environments": [environment], "tasks": [extract, train]}))
            .await?;
        let run = jobs.finish(id, &Wait::default()).await?;
        assert_eq!((run.id, run.result.as_str(), run.tasks[0].key.as_str()), (4242, "SUCCESS", "main"));
        jobs.output(run.tasks[0].id).await
    });
    assert_eq!(output.unwrap()["notebook_output"]["result"], "{\"accuracy\": 0.9}");
    assert_sent(&host, &exchanges);
}

#[test]
fn a_job_is_made_run_listed_and_deleted_as_the_sdk_does() {
    let exchanges = exchanges("jobs-create-run-now-list");
    let host = TestHost::new(exchanges.iter().map(answer));
    let jobs = workspace(&host).jobs();
    let found = host.run(async move {
        let id = jobs
            .create(&json!({"name": "nightly", "tasks": [{"task_key": "t", "notebook_task": {"notebook_path": "/n"}}],
                "max_concurrent_runs": 1, "tags": {"a": "b"}, "parameters": [{"name": "p", "default": "1"}],
                "schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"}}))
            .await?;
        let run = jobs.run_now(id, &members(json!({"job_parameters": {"p": "2"}}))).await?;
        let listed = jobs.list(&members(json!({"limit": 25})), None).await?;
        let runs = jobs.runs(&members(json!({"job_id": id, "completed_only": true, "limit": 5})), None).await?;
        jobs.delete(id).await?;
        Ok::<_, lakelet::Error>((id, run, listed.len(), runs.len()))
    });
    assert_eq!(found.unwrap(), (7, 4242, 1, 1));
    assert_sent(&host, &exchanges);
}

fn run(life: &str, result: &str, tasks: Json) -> Answer {
    Answer::json(json!({"run_id": 7, "run_page_url": "https://lake.example/run/7", "tasks": tasks,
        "state": {"life_cycle_state": life, "result_state": result, "state_message": "Task b failed with message: Workload failed"}}))
}

fn task(key: &str, id: i64, life: &str, result: &str) -> Json {
    json!({"task_key": key, "run_id": id, "state": {"life_cycle_state": life, "result_state": result, "state_message": "Workload failed"}})
}

#[test]
fn a_run_tells_how_far_it_is_and_a_task_that_fails_its_error_and_trace() {
    let trace =
        "Traceback (most recent call last):\n  File \"<cell 2>\", line 1\nZeroDivisionError: division by zero\n";
    let host = TestHost::new([
        run("RUNNING", "", json!([task("a", 8, "RUNNING", ""), task("b", 9, "BLOCKED", "")])),
        run("RUNNING", "", json!([task("a", 8, "TERMINATED", "SUCCESS"), task("b", 9, "RUNNING", "")])),
        run(
            "INTERNAL_ERROR",
            "FAILED",
            json!([task("a", 8, "TERMINATED", "SUCCESS"), task("b", 9, "TERMINATED", "FAILED")]),
        ),
        Answer::json(json!({"error": "ZeroDivisionError: division by zero", "error_trace": trace})),
    ]);
    let jobs = workspace(&host).jobs();
    let (wait, told) = listening();
    let error = host.run(async move { jobs.finish(7, &wait).await }).unwrap_err();
    assert_eq!(*told.borrow(), ["RUNNING: 0 of 2 tasks ended", "RUNNING: 1 of 2 tasks ended"]);
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    let message = "run 7 ended as FAILED: task `b`: ZeroDivisionError: division by zero\nTraceback";
    assert!(error.message().starts_with(message), "{error}");
    assert!(error.hint().unwrap().contains("https://lake.example/run/7"), "{error}");
    assert!(host.requests()[3].url.ends_with("/runs/get-output?run_id=9"));
}

#[test]
fn each_way_to_end_badly_is_an_error_of_its_own() {
    for (life, result, task_result, kind) in [
        ("TERMINATED", "CANCELED", "CANCELED", ErrorKind::Cancelled),
        ("TERMINATED", "TIMEDOUT", "TIMEDOUT", ErrorKind::Deadline),
        ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "EXCLUDED", ErrorKind::Conflict),
        ("INTERNAL_ERROR", "", "", ErrorKind::Server),
        ("INTERNAL_ERROR", "FAILED", "FAILED", ErrorKind::BadRequest),
    ] {
        let host =
            TestHost::new([run(life, result, json!([task("b", 9, life, task_result)])), Answer::json(json!({}))]);
        let jobs = workspace(&host).jobs();
        let error = host.run(async move { jobs.finish(7, &Wait::default()).await }).unwrap_err();
        assert_eq!(error.kind(), kind, "{result}: {error}");
        assert!(error.message().contains(if result.is_empty() { life } else { result }), "{error}");
    }
}

#[test]
fn a_run_that_takes_too_long_goes_on_and_is_named() {
    let host = TestHost::new(std::iter::repeat_with(|| run("RUNNING", "", json!([]))).take(9));
    let jobs = workspace(&host).jobs();
    let error = host.run(async move { jobs.finish(7, &Wait::at_most_ms(300.0)).await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert!(error.hint().unwrap().contains("Run 7 goes on"), "{error}");
}

#[test]
fn what_does_not_exist_is_not_found_though_databricks_says_400() {
    let refused = |what: &str| {
        Answer::new(
            400,
            json!({"error_code": "INVALID_PARAMETER_VALUE", "message": format!("{what} 7 does not exist.")})
                .to_string(),
        )
    };
    let host = TestHost::new([refused("Run"), refused("Job")]);
    let jobs = workspace(&host).jobs();
    let errors =
        host.run(async move { [jobs.run(7).await.map(drop).unwrap_err(), jobs.job(7).await.map(drop).unwrap_err()] });
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.service().unwrap().status, 400);
        assert!(error.message().contains("7 does not exist"), "{error}");
    }
}

#[test]
fn lists_go_on_page_after_page_with_their_filter() {
    let page = |ids: &[i64], next: Option<&str>| {
        let runs: Vec<_> = ids.iter().map(|id| json!({"run_id": id})).collect();
        Answer::json(json!({"runs": runs, "has_more": next.is_some(), "next_page_token": next}))
    };
    let host = TestHost::new([page(&[1, 2], Some("t")), page(&[3], None)]);
    let jobs = workspace(&host).jobs();
    let found = host.run(async move { jobs.runs(&members(json!({"job_id": 5})), None).await }).unwrap();
    assert_eq!(found.len(), 3);
    assert!(host.requests()[1].url.ends_with("/runs/list?job_id=5&page_token=t"));
}

#[test]
fn a_pipeline_is_made_started_looked_at_and_deleted_as_the_sdk_does() {
    let exchanges = exchanges("pipelines-create-start-get");
    let host = TestHost::new(exchanges.iter().map(answer));
    let pipelines = workspace(&host).pipelines();
    let found = host.run(async move {
        let id = pipelines
            .create(&json!({"name": "docs", "catalog": "main", "schema": "rag", "serverless": true, "continuous": false,
                "development": true, "channel": "CURRENT", "configuration": {"k": "v"},
                "libraries": [{"notebook": {"path": "/Users/dev@example.com/dlt"}}, {"glob": {"include": "/Workspace/p/**"}}]}))
            .await?;
        let update = pipelines.start(&id, &members(json!({"full_refresh": true}))).await?;
        let followed = pipelines.follow(&id, &update, &Wait::default()).await?;
        let events = pipelines.events(&id, Some("level='ERROR'"), Some(10)).await?;
        let got = pipelines.get(&id).await?;
        pipelines.delete(&id).await?;
        Ok::<_, lakelet::Error>((followed, events.len(), got))
    });
    let (followed, events, got) = found.unwrap();
    assert_eq!((&followed["state"], events, &got["state"]), (&json!("COMPLETED"), 1, &json!("IDLE")));
    assert_sent(&host, &exchanges);
}

fn update(state: &str) -> Answer {
    Answer::json(json!({"update": {"update_id": "u", "state": state}}))
}

fn events(messages: &[&str]) -> Answer {
    let events: Vec<_> = messages
        .iter()
        .map(|message| json!({"id": message, "message": message, "origin": {"update_id": "u"}, "error": {"exceptions": [{"message": "the table is gone"}]}}))
        .collect();
    Answer::json(json!({"events": events}))
}

#[test]
fn an_update_is_followed_by_its_events_and_says_why_it_failed() {
    let host = TestHost::new([
        update("INITIALIZING"),
        events(&["started"]),
        update("RUNNING"),
        events(&["b is RUNNING", "a is RUNNING", "started"]),
        update("FAILED"),
        events(&["Update u is FAILED.", "b has FAILED"]),
    ]);
    let pipelines = workspace(&host).pipelines();
    let (wait, told) = listening();
    let error = host.run(async move { pipelines.follow("p", "u", &wait).await }).unwrap_err();
    assert_eq!(*told.borrow(), ["INITIALIZING: started", "RUNNING: a is RUNNING\nb is RUNNING"]);
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(
        error.message().ends_with("ended as FAILED: b has FAILED\nthe table is gone\nUpdate u is FAILED."),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("stay"));
}

#[test]
fn a_pipeline_that_is_stopped_is_waited_for() {
    let state = |state: &str| Answer::json(json!({"state": state}));
    let host = TestHost::new([Answer::json(json!({})), state("STOPPING"), state("IDLE")]);
    let pipelines = workspace(&host).pipelines();
    let (wait, told) = listening();
    host.run(async move { pipelines.stop("p", &wait).await }).unwrap();
    assert_eq!(*told.borrow(), ["STOPPING: "]);
    assert!(host.requests()[0].url.ends_with("/api/2.0/pipelines/p/stop"));
}

#[test]
fn operations_pass_objects_of_the_api_through() {
    let host = TestHost::new([
        Answer::json(json!({"run_id": 7})),
        run("TERMINATED", "SUCCESS", json!([])),
        Answer::json(json!({})),
        Answer::json(json!({"pipeline_id": "p"})),
    ]);
    let call = |name: &'static str, arguments: Json| {
        let workspace = workspace(&host);
        let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
        host.run(async move { operations::call(&workspace, name, arguments, None).await })
    };
    let tasks = json!([{"task_key": "t", "sql_task": {"warehouse_id": "w"}}]);
    assert_eq!(call("jobs.submit", json!({"run": {"tasks": tasks}})).unwrap(), Outcome::Json(json!({"run_id": 7})));
    assert_eq!(host.body(0), json!({"tasks": tasks}));
    let Outcome::Json(run) = call("jobs.finish", json!({"run_id": 7, "timeout_ms": 1000})).unwrap() else { panic!() };
    assert_eq!(run["state"]["result_state"], "SUCCESS");
    call("jobs.update", json!({"job_id": 7, "settings": {"name": "x"}, "remove": ["tags"]})).unwrap();
    assert_eq!(host.body(2), json!({"job_id": 7, "new_settings": {"name": "x"}, "fields_to_remove": ["tags"]}));
    call("pipelines.create", json!({"spec": {"name": "p"}})).unwrap();
    assert_eq!(host.body(3), json!({"name": "p"}));
    for (name, field) in [("jobs.run", "run_id"), ("pipelines.start", "pipeline_id"), ("jobs.submit", "run")] {
        assert_eq!(call(name, json!({})).unwrap_err().field(), Some(field), "{name}");
    }
    assert_eq!(call("jobs.sing", json!({})).unwrap_err().kind(), ErrorKind::Unsupported);
}
