//! The models of a workspace: which there are, which is meant, and which is chosen for a task.

use lakelet::ErrorKind;
use lakelet::databricks::models::{Model, ModelFacts, Needs, Observation, RETIRED, SelectionTable};
use lakelet::databricks::operations::{self, Arguments, Outcome};
use serde_json::{Value as Json, json};

use crate::{Answer, TestHost, workspace};

fn endpoint(name: &str, task: &str, ready: bool) -> Json {
    let ready = if ready { "READY" } else { "NOT_READY" };
    json!({"name": name, "task": task, "state": {"ready": ready, "config_update": "NOT_UPDATING"}})
}

/// A workspace with these endpoints, which is asked once.
fn serving(endpoints: &[Json]) -> TestHost {
    TestHost::new([Answer::json(json!({"endpoints": endpoints}))])
}

fn usual() -> TestHost {
    serving(&[
        endpoint("databricks-claude-sonnet-5", "llm/v1/chat", true),
        endpoint("databricks-llama-4-maverick", "llm/v1/chat", true),
        endpoint("databricks-meta-llama-3-3-70b-instruct", "llm/v1/chat", false),
        endpoint("databricks-gte-large-en", "llm/v1/embeddings", true),
        json!({"name": "rag", "state": {"ready": "READY", "config_update": "NOT_UPDATING"}}),
    ])
}

fn get(host: &TestHost, model_type: &'static str, name: Option<&'static str>) -> lakelet::Result<String> {
    let registry = workspace(host).models();
    host.run(async move {
        Ok(match registry.get_model(model_type, name).await? {
            Model::Language(model) => model.name().to_owned(),
            Model::Embedding(embedder) => format!("embedder {}", embedder.name()),
        })
    })
}

fn operation(host: &TestHost, name: &'static str, arguments: Json) -> lakelet::Result<Json> {
    let workspace = workspace(host);
    let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
    let outcome = host.run(async move { operations::call(&workspace, name, arguments, None).await })?;
    let Outcome::Json(json) = outcome else { panic!("no JSON") };
    Ok(json)
}

#[test]
fn a_type_gives_the_preferred_model_that_is_ready() {
    assert_eq!(get(&usual(), "chat", None).unwrap(), "databricks-llama-4-maverick");
    assert_eq!(get(&usual(), "embedding", None).unwrap(), "embedder databricks-gte-large-en");
    // No hosted model completes: a chat model does it, unless there is a true one.
    assert_eq!(get(&usual(), "completion", None).unwrap(), "databricks-llama-4-maverick");
    let own =
        [endpoint("databricks-llama-4-maverick", "llm/v1/chat", true), endpoint("mine", "llm/v1/completions", true)];
    assert_eq!(get(&serving(&own), "completion", None).unwrap(), "mine");
    assert_eq!(get(&serving(&[endpoint("local-chat", "llm/v1/chat", true)]), "chat", None).unwrap(), "local-chat");
    let error = get(&serving(&[]), "chat", None).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::NotFound, "the workspace serves no chat model that is ready")
    );
}

#[test]
fn a_name_gives_that_model_or_says_what_is_wrong_with_it() {
    assert_eq!(
        get(&usual(), "chat", Some("databricks/databricks-claude-sonnet-5")).unwrap(),
        "databricks-claude-sonnet-5"
    );
    for (model_type, name, kind, said, hint) in [
        ("poem", None, ErrorKind::Input, "Unknown model type: poem", "chat"),
        ("poem", Some("databricks-llama-4-maverick"), ErrorKind::Input, "Unknown model type: poem", "chat"),
        ("chat", Some("databricks-dbrx-instruct"), ErrorKind::NotFound, "is retired", "databricks-llama-4-maverick"),
        (
            "completion",
            Some("databricks-mpt-7b-instruct"),
            ErrorKind::NotFound,
            "is retired",
            "databricks-meta-llama-3-1-8b-instruct",
        ),
        ("chat", Some("databricks-llama-4-mavrick"), ErrorKind::NotFound, "not served", "databricks-llama-4-maverick"),
        ("chat", Some("databricks-gte-large-en"), ErrorKind::Input, "llm/v1/embeddings", "databricks-"),
        ("chat", Some("rag"), ErrorKind::Input, "its task is none", "databricks-"),
        ("chat", Some("databricks-meta-llama-3-3-70b-instruct"), ErrorKind::Conflict, "not ready", "Wait"),
    ] {
        let error = get(&usual(), model_type, name).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(said) && error.hint().unwrap().contains(hint), "{error}");
    }
    let error = get(&usual(), "poem", None).unwrap_err();
    assert_eq!(error.python_class(), Some("ValueError"));
    // A workspace that serves a name of the study's under an alias of its own is believed.
    assert_eq!(
        get(
            &serving(&[endpoint("databricks-dbrx-instruct", "llm/v1/chat", true)]),
            "chat",
            Some("databricks-dbrx-instruct")
        )
        .unwrap(),
        "databricks-dbrx-instruct"
    );
}

#[test]
fn models_are_listed_with_task_state_limits_and_price() {
    let told = operation(&usual(), "models.list", json!({})).unwrap();
    assert_eq!(told[0]["usd_per_million"], json!([3.0, 15.0]));
    assert_eq!((&told[0]["type"], &told[0]["context"]), (&json!("chat"), &json!(1_000_000)));
    assert_eq!((&told[2]["ready"], &told[3]["type"]), (&json!(false), &json!("embedding")));
    assert_eq!(
        (&told[4]["type"], &told[4]["task"], &told[4]["usd_per_million"]),
        (&Json::Null, &Json::Null, &Json::Null)
    );
    let catalogue = operation(&TestHost::new([]), "models.catalogue", json!({})).unwrap();
    let named = |name: &str| catalogue.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!(named("databricks-dbrx-instruct")["successor"], "databricks-llama-4-maverick");
    assert_eq!(named("databricks-claude-sonnet-4")["until"], "2026-10-09");
    let known = |name: &str| ModelFacts::named(name).is_some();
    assert!(RETIRED.iter().all(|retired| known(retired.successor) && !known(retired.name)));
    assert!(SelectionTable::study().models.values().all(|candidate| known(&candidate.model)));
}

fn needs(task_complexity: f64, latency_budget_ms: f64, max_cost_per_1k: f64) -> Needs {
    Needs { task_complexity, latency_budget_ms: Some(latency_budget_ms), max_cost_per_1k: Some(max_cost_per_1k) }
}

#[test]
fn the_studys_thresholds_decide_in_the_studys_order() {
    let study = SelectionTable::study();
    for (complexity, latency, cost, choice) in [
        (0.9, 199.0, 1.0, "low_complexity"),    // the latency comes first
        (0.9, 200.0, 0.0014, "low_complexity"), // then the cost
        (0.71, 200.0, 0.0015, "high_complexity"),
        (0.7, 200.0, 0.0015, "medium_complexity"),
        (0.0, 5000.0, 1.0, "medium_complexity"),
    ] {
        let chosen = study.select(&needs(complexity, latency, cost), |_| true).unwrap();
        assert_eq!(chosen.choice, choice, "{complexity} {latency} {cost}");
        assert_eq!(chosen.candidate, study.models[choice]);
    }
    let unlimited = Needs { task_complexity: 1.0, latency_budget_ms: None, max_cost_per_1k: None };
    assert_eq!(study.select(&unlimited, |_| true).unwrap().choice, "high_complexity");
}

#[test]
fn a_choice_says_why() {
    let chosen = SelectionTable::study().select(&needs(0.9, 500.0, 0.01), |_| true).unwrap();
    assert_eq!(
        chosen.to_string(),
        "databricks-llama-4-maverick for the task.\n\
         low_complexity: not chosen, because the latency budget of 500 ms is not below 200.\n\
         low_complexity: not chosen, because the limit of 0.01 USD per 1K tokens is not below 0.0015.\n\
         high_complexity: chosen, because the complexity of 0.9 is above 0.7."
    );
    assert_eq!(chosen.reasons.iter().map(|reason| reason.decides).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn of_models_that_are_not_served_the_next_is_chosen() {
    let asked = json!({"task_complexity": 0.9, "latency_budget": 1000, "max_cost_per_1k": 0.01, "served": true});
    let told = operation(&usual(), "models.select", asked.clone()).unwrap();
    assert_eq!((&told["choice"], &told["model"]), (&json!("high_complexity"), &json!("databricks-llama-4-maverick")));
    let only = [endpoint("databricks-meta-llama-3-3-70b-instruct", "llm/v1/chat", true)];
    let told = operation(&serving(&only), "models.select", asked.clone()).unwrap();
    assert_eq!(told["choice"], "medium_complexity");
    assert!(told["text"].as_str().unwrap().contains("`databricks-llama-4-maverick` is not served here"), "{told}");
    let error = operation(&serving(&[]), "models.select", asked).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn the_table_is_data() {
    let study = SelectionTable::study();
    assert_eq!(SelectionTable::read(&study.to_json()).unwrap(), study);
    let mine = json!({"rules": [{"task_complexity_above": 0.2, "choose": "big"}, {"choose": "small"}],
        "models": {"big": {"model": "a"}, "small": {"model": "b", "usd_per_1k": 0.1}}});
    let asked = json!({"task_complexity": 0.1, "table": mine});
    assert_eq!(operation(&TestHost::new([]), "models.select", asked).unwrap()["model"], "b");
    for (table, field) in [
        (json!({"rules": []}), "models"),
        (json!({"models": {}}), "rules"),
        (json!({"models": {"a": {}}, "rules": []}), "model"),
        (json!({"models": {}, "rules": [{"choose": "a"}]}), "choose"),
        (
            json!({"models": {"a": {"model": "m"}}, "rules": [{"choose": "a", "max_cost_per_1k_below": "x"}]}),
            "max_cost_per_1k_below",
        ),
    ] {
        let error = SelectionTable::read(&table).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{error}");
    }
    for (complexity, latency, field) in
        [(1.5, 1.0, "task_complexity"), (f64::NAN, 1.0, "task_complexity"), (0.5, -1.0, "latency_budget")]
    {
        let error = study.select(&needs(complexity, latency, 1.0), |_| true).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
    }
}

fn seen(model: &str, latency_ms: f64, score: Option<f64>) -> Observation {
    Observation { model: model.to_owned(), latency_ms, prompt_tokens: 750, completion_tokens: 250, score }
}

#[test]
fn a_table_is_learned_from_latencies_and_list_prices() {
    let (strong, weak) = ("databricks-claude-sonnet-5", "databricks-meta-llama-3-1-8b-instruct");
    let mut calls: Vec<_> = (1..=20).map(|i| seen(strong, 100.0 * f64::from(i), None)).collect();
    calls.extend((1..=20).map(|i| seen(weak, 10.0 * f64::from(i), None)));
    let table = SelectionTable::learned(&calls).unwrap();
    // 3/4 of the tokens at 3 USD a million, 1/4 at 15; 95 % of the calls within 1900 ms.
    assert_eq!((table.models[strong].latency_ms, table.models[weak].latency_ms), (Some(1900.0), Some(190.0)));
    assert!((table.models[strong].usd_per_1k.unwrap() - 0.006).abs() < 1e-9);
    for (complexity, latency, cost, model) in [
        (0.9, 2000.0, 0.01, strong),
        (0.4, 2000.0, 0.01, weak),
        (0.9, 1000.0, 0.01, weak),  // too slow
        (0.9, 2000.0, 0.001, weak), // too dear
        (0.9, 100.0, 0.01, weak),   // all are too slow: the fastest
    ] {
        let chosen = table.select(&needs(complexity, latency, cost), |_| true).unwrap();
        assert_eq!(chosen.candidate.model, model, "{complexity} {latency} {cost}\n{chosen}");
    }
    assert_eq!(SelectionTable::read(&table.to_json()).unwrap(), table);
    // A score says more than a price.
    let scored = [seen(strong, 100.0, Some(0.5)), seen(weak, 100.0, Some(0.9)), seen("local-chat", 50.0, Some(0.1))];
    let table = SelectionTable::learned(&scored).unwrap();
    assert_eq!(table.select(&needs(0.9, 500.0, 1.0), |_| true).unwrap().candidate.model, weak);
    assert_eq!(table.models["local-chat"].usd_per_1k, None);
    assert_eq!(SelectionTable::learned(&[]).unwrap_err().field(), Some("observations"));
    assert_eq!(SelectionTable::learned(&[seen("m", f64::NAN, None)]).unwrap_err().field(), Some("latency_ms"));
}
