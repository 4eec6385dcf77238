//! A workspace from the settings of an environment.

use lakelet::databricks::{self, workspace};
use lakelet::environment::Environment;
use lakelet::retrieve::Query;
use lakelet::{Error, ErrorKind, Host, Result, Run, Services};
use serde_json::json;

use crate::{Answer, TestHost, hi, says};

const NAMED: [(&str, &str); 4] = [
    ("DATABRICKS_HOST", "https://lake.example"),
    ("DATABRICKS_TOKEN", "dapi-very-secret"),
    ("LAKELET_CHAT_ENDPOINT", "chat"),
    ("LAKELET_INDEX", "main.rag.docs"),
];

/// The settings above, with others in their place or beside them.
fn environment(others: &[(&str, &str)]) -> Environment {
    let mut settings: Vec<(String, String)> = Vec::new();
    for (name, value) in others.iter().chain(&NAMED) {
        settings.push(((*name).to_owned(), (*value).to_owned()));
    }
    settings.into()
}

fn services(environment: &Environment, host: Host) -> Result<Services> {
    databricks::services(environment, &workspace(environment, host)?)
}

fn refused(others: &[(&str, &str)]) -> Error {
    match services(&environment(others), TestHost::new([]).host()) {
        Ok(_) => panic!("{others:?} was taken"),
        Err(error) => error,
    }
}

#[test]
fn model_and_index_are_those_of_the_settings() {
    let rows = json!({
        "manifest": {"columns": [{"name": "chunk"}, {"name": "body"}, {"name": "headline"}, {"name": "score"}]},
        "result": {"data_array": [["a", "About leave.", "Leave", 0.5]]},
    });
    let host = TestHost::new([says("Hello"), Answer::json(rows)]);
    let columns = [
        ("LAKELET_COLUMNS", "id=chunk, text=body, title=headline"),
        ("LAKELET_QUERY_TYPE", "ANN"),
        ("DATABRICKS_WORKSPACE_ID", "123"),
    ];
    let run = Run::new(services(&environment(&columns), host.host()).unwrap().into());
    let said = host.run(run.model(None).unwrap().complete(hi())).unwrap();
    assert_eq!(said.completions[0].text.as_deref(), Some("Hello"));
    let query = Query { text: Some("leave".to_owned()), ..Query::default() };
    let passages = host.run(run.retriever(None).unwrap().retrieve(query)).unwrap();
    assert_eq!((passages[0].id.as_str(), passages[0].text.as_str()), ("a", "About leave."));
    assert_eq!(passages[0].columns, *json!({"title": "Leave"}).as_object().unwrap());
    let requests = host.requests();
    assert_eq!(requests[0].url, "https://lake.example/serving-endpoints/chat/invocations");
    assert_eq!(requests[1].url, "https://lake.example/api/2.0/vector-search/indexes/main.rag.docs/query");
    assert_eq!(host.body(1)["columns"], json!(["chunk", "body", "headline"]));
    assert_eq!(host.body(1)["query_type"], "ANN");
    for header in
        [("authorization".into(), "Bearer dapi-very-secret".into()), ("x-databricks-workspace-id".into(), "123".into())]
    {
        assert!(requests.iter().all(|request| request.headers.contains(&header)), "{header:?}");
    }
}

#[test]
fn without_an_index_there_is_only_the_model() {
    let services = services(&environment(&[("LAKELET_INDEX", "")]), TestHost::new([]).host()).unwrap();
    assert_eq!((services.models.len(), services.retrievers.len()), (1, 0));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("DATABRICKS_HOST", "")], "DATABRICKS_HOST"),
        (&[("DATABRICKS_HOST", "http://lake.example")], "DATABRICKS_HOST"),
        (&[("DATABRICKS_TOKEN", "")], "DATABRICKS_TOKEN"),
        (&[("DATABRICKS_CLIENT_ID", "id"), ("DATABRICKS_CLIENT_SECRET", "secret")], "DATABRICKS_AUTH_TYPE"),
        (&[("DATABRICKS_TOKEN", ""), ("DATABRICKS_CLIENT_ID", "id")], "DATABRICKS_CLIENT_SECRET"),
        (&[("DATABRICKS_TOKEN", ""), ("DATABRICKS_AUTH_TYPE", "external-browser")], "DATABRICKS_AUTH_TYPE"),
        (&[("LAKELET_CHAT_ENDPOINT", " ")], "LAKELET_CHAT_ENDPOINT"),
        (&[("LAKELET_COLUMNS", "text")], "LAKELET_COLUMNS"),
        (&[("LAKELET_QUERY_TYPE", "HYBIRD")], "LAKELET_QUERY_TYPE"),
    ];
    for (others, setting) in cases {
        let error = refused(others);
        assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some(setting)), "{others:?}");
        assert!(error.hint().is_some(), "{error}");
    }
    assert_eq!(refused(&[("LAKELET_QUERY_TYPE", "HYBIRD")]).hint(), Some("did you mean `HYBRID`?"));
}

#[test]
fn another_issuers_token_in_the_environment_is_traded_in() {
    let token = Answer::json(json!({"access_token": "one", "expires_in": 3600}));
    let host = TestHost::new([token, says("Hello")]);
    let settings =
        [("DATABRICKS_TOKEN", ""), ("DATABRICKS_OIDC_TOKEN", "e.y.J"), ("LAKELET_SCOPES", "model-serving sql")];
    let run = Run::new(services(&environment(&settings), host.host()).unwrap().into());
    host.run(run.model(None).unwrap().complete(hi())).unwrap();
    let form = String::from_utf8(host.requests()[0].body.clone()).unwrap();
    assert!(form.contains("subject_token=e.y.J") && form.ends_with("scope=model-serving%20sql"), "{form}");
    assert!(!form.contains("client_id"));
}

#[test]
fn an_environment_shows_no_values() {
    assert!(!format!("{:?}", environment(&[])).contains("dapi"));
}
