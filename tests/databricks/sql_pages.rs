//! Results chunk by chunk, behind links to cloud storage; and the warehouses that make them.

use lakelet::ErrorKind;
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::sql::{Column, Rows, Statement};
use lakelet::databricks::wait::Wait;
use lakelet::environment::Environment;
use serde_json::{Value as Json, json};

use crate::{ADDRESS, Answer, TestHost, workspace};

/// What succeeded, with a result of two chunks in a format.
fn succeeded(format: &str, result: Json) -> Answer {
    Answer::json(json!({
        "statement_id": "s1",
        "status": {"state": "SUCCEEDED"},
        "manifest": {
            "format": format,
            "schema": {"columns": [{"name": "id", "type_name": "LONG", "type_text": "BIGINT"}]},
            "total_chunk_count": 2, "total_row_count": 3, "truncated": false,
        },
        "result": result,
    }))
}

fn link(index: u64, next: Option<u64>) -> Json {
    let headers = json!({"X-Amz-Key": "k"});
    json!({"external_links": [{
        "chunk_index": index, "row_count": 1, "external_link": format!("https://bucket.example/{index}?signature=secret"),
        "http_headers": headers, "next_chunk_index": next,
    }]})
}

fn ids(rows: &Rows) -> Vec<&str> {
    rows.rows.iter().map(|row| row[0].as_deref().unwrap()).collect()
}

#[test]
fn chunks_are_fetched_one_by_one_from_cloud_storage_without_the_credential() {
    let host = TestHost::new([
        succeeded("JSON_ARRAY", link(0, Some(1))),
        Answer::new(200, r#"[["1"],["2"]]"#),
        Answer::json(link(1, None)),
        Answer::new(200, r#"[["3"]]"#),
    ]);
    let warehouse = workspace(&host).warehouse("abc");
    let asked = host.clone();
    host.run(async move {
        let mut pages = warehouse.open(&Statement::new("SELECT id FROM t"), &Wait::default()).await.unwrap();
        assert_eq!(
            (pages.total_rows(), pages.total_chunks(), pages.columns()[0].name.as_str()),
            (Some(3), Some(2), "id")
        );
        assert_eq!(asked.requests().len(), 1);
        assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["1", "2"]);
        assert_eq!(asked.requests().len(), 2);
        assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["3"]);
        assert_eq!(pages.next().await.unwrap(), None);
    });
    assert_eq!(host.body(0)["disposition"], "EXTERNAL_LINKS");
    let requests = host.requests();
    assert_eq!(requests[2].url, format!("{ADDRESS}/api/2.0/sql/statements/s1/result/chunks/1"));
    for (request, url) in [
        (&requests[1], "https://bucket.example/0?signature=secret"),
        (&requests[3], "https://bucket.example/1?signature=secret"),
    ] {
        assert_eq!((request.method, request.url.as_str()), ("GET", url));
        assert_eq!(request.headers, [("x-amz-key".into(), "k".to_owned())]);
    }
}

#[test]
fn an_expired_link_is_renewed_and_a_failed_chunk_can_be_read_again() {
    let expired = || Answer::new(403, "<Error><Code>AccessDenied</Code></Error>");
    let host = TestHost::new([
        succeeded("JSON_ARRAY", link(0, None)),
        expired(),
        Answer::json(link(0, None)),
        Answer::new(200, r#"[["1"]]"#),
        succeeded("JSON_ARRAY", link(0, None)),
        expired(),
        Answer::json(link(0, None)),
        expired(),
        Answer::new(200, r#"[["1"]]"#),
    ]);
    let warehouse = workspace(&host).warehouse("abc");
    host.run(async move {
        let statement = Statement::new("SELECT 1");
        let mut pages = warehouse.open(&statement, &Wait::default()).await.unwrap();
        assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["1"]);
        let mut pages = warehouse.open(&statement, &Wait::default()).await.unwrap();
        let error = pages.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert!(error.hint().unwrap().contains("expired"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["1"]);
    });
}

#[test]
fn a_result_in_csv_is_taken_as_bytes() {
    let host = TestHost::new([succeeded("CSV", link(0, None)), Answer::new(200, "id\n1\n")]);
    let warehouse = workspace(&host).warehouse("abc");
    host.run(async move {
        let statement = Statement::new("SELECT 1").option("format", "CSV".into());
        let mut pages = warehouse.open(&statement, &Wait::default()).await.unwrap();
        assert_eq!(pages.next().await.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(pages.next_bytes().await.unwrap().unwrap(), b"id\n1\n");
        assert_eq!(pages.next_bytes().await.unwrap(), None);
    });
}

#[test]
fn links_that_lead_astray_are_not_followed() {
    for url in ["http://bucket.example/x", "/api/2.0/x", "file:///etc/passwd"] {
        let host = TestHost::new([succeeded("JSON_ARRAY", json!({"external_links": [{"external_link": url}]}))]);
        let warehouse = workspace(&host).warehouse("abc");
        let error = host.run(async move { warehouse.execute(&Statement::new("SELECT 1"), &Wait::default()).await });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Protocol, "{url}");
        assert_eq!(host.requests().len(), 1);
    }
}

#[test]
fn chunks_that_go_round_in_circles_are_an_error() {
    let round = json!({"chunk_index": 0, "next_chunk_index": 1, "data_array": [["1"]]});
    let host = TestHost::new([succeeded("JSON_ARRAY", round.clone()), Answer::json(round)]);
    let warehouse = workspace(&host).warehouse("abc");
    let error = host.run(async move { warehouse.execute(&Statement::new("SELECT 1"), &Wait::default()).await });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Protocol);
}

#[test]
fn reading_goes_on_at_a_chunk() {
    let host = TestHost::new([Answer::json(link(1, None)), Answer::new(200, r#"[["3"]]"#)]);
    let id = Column { name: "id".to_owned(), type_name: "LONG".to_owned(), type_text: "BIGINT".to_owned() };
    let mut pages = workspace(&host).warehouse("abc").pages("s1", vec![id], 1);
    let rows = host.run(async move { pages.next().await }).unwrap().unwrap();
    assert_eq!(rows.records()[0]["id"], 3);
}

#[test]
fn operations_open_a_result_and_read_its_chunks() {
    let host = TestHost::new([
        succeeded("JSON_ARRAY", link(0, Some(1))),
        Answer::json(link(1, None)),
        Answer::new(200, r#"[["3"]]"#),
        Answer::json(link(1, None)),
        Answer::new(200, "3\n"),
    ]);
    let call = |name: &'static str, arguments: Json| {
        let workspace = workspace(&host);
        let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
        host.run(async move { operations::call(&workspace, name, arguments, None).await }).unwrap()
    };
    let Outcome::Json(opened) = call("sql.open", json!({"warehouse_id": "abc", "statement": "SELECT id FROM t"}))
    else {
        panic!()
    };
    let columns = json!([{"name": "id", "type_name": "LONG", "type_text": "BIGINT"}]);
    let wanted = json!({"statement_id": "s1", "columns": columns, "total_row_count": 3, "total_chunk_count": 2, "truncated": false});
    assert_eq!(opened, wanted);
    let place = json!({"warehouse_id": "abc", "statement_id": "s1", "columns": columns, "chunk_index": 1});
    let Outcome::Json(page) = call("sql.page", place.clone()) else { panic!() };
    assert_eq!(page["records"], json!([{"id": 3}]));
    assert_eq!(call("sql.file", place), Outcome::Bytes(b"3\n".to_vec()));
}

#[test]
fn a_warehouse_is_started_and_waited_for() {
    let state = |state: &str| Answer::json(json!({"id": "abc", "state": state}));
    let host = TestHost::new([
        Answer::json(json!({})),
        state("STARTING"),
        state("RUNNING"),
        Answer::json(json!({})),
        state("DELETED"),
    ]);
    let warehouse = workspace(&host).warehouse("abc");
    let error = host.run(async move {
        assert_eq!(warehouse.start(&Wait::default()).await.unwrap()["state"], "RUNNING");
        warehouse.start(&Wait::default()).await.unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.message().contains("DELETED"), "{error}");
    let requests = host.requests();
    assert_eq!(
        (requests[0].method, requests[0].url.as_str()),
        ("POST", "https://lake.example/api/2.0/sql/warehouses/abc/start")
    );
    assert_eq!(
        (requests[1].method, requests[1].url.as_str()),
        ("GET", "https://lake.example/api/2.0/sql/warehouses/abc")
    );
}

#[test]
fn warehouses_are_listed_over_all_pages() {
    let host = TestHost::new([
        Answer::json(json!({"warehouses": [{"id": "a"}], "next_page_token": "p 2"})),
        Answer::json(json!({"warehouses": [{"id": "b"}], "next_page_token": ""})),
    ]);
    let workspace = workspace(&host);
    let found = host.run(async move { workspace.warehouses().await }).unwrap();
    assert_eq!(found, [json!({"id": "a"}), json!({"id": "b"})]);
    assert_eq!(host.requests()[1].url, "https://lake.example/api/2.0/sql/warehouses?page_token=p%202");
}

#[test]
fn the_environment_names_the_warehouse() {
    let workspace = workspace(&TestHost::new([]));
    let named =
        |settings: Vec<(String, String)>| lakelet::databricks::warehouse(&Environment::from(settings), &workspace);
    assert!(format!("{:?}", named(vec![("DATABRICKS_WAREHOUSE_ID".into(), "abc".into())]).unwrap()).contains("abc"));
    assert_eq!(named(vec![]).unwrap_err().field(), Some("DATABRICKS_WAREHOUSE_ID"));
}
