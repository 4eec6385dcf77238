//! SQL statements beside those that Databricks' SDKs were recorded to send, and what becomes of ones that fail or take long.

use std::cell::RefCell;
use std::rc::Rc;

use lakelet::ErrorKind;
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::sql::Statement;
use lakelet::databricks::wait::Wait;
use serde_json::{Value as Json, json};

use crate::recorded::{answer, assert_sent, exchanges};
use crate::{ADDRESS, Answer, TestHost, workspace};

const ID: &str = "01f0c0de-0000-1111-2222-333344445555";

#[test]
fn a_statement_with_parameters_and_two_chunks_is_that_of_the_sdk() {
    let exchanges = exchanges("sql-execute-inline");
    let host = TestHost::new(exchanges.iter().map(answer));
    let warehouse = workspace(&host).warehouse("abc123");
    let statement = Statement::new("SELECT id, name FROM docs WHERE lang = :lang AND id > :n")
        .within("main", "rag")
        .parameter("lang", "en")
        .typed_parameter("n", Some("INT"), Some("5"))
        .typed_parameter("nul", None, None)
        .option("wait_timeout", "30s".into())
        .option("on_wait_timeout", "CANCEL".into())
        .option("disposition", "INLINE".into())
        .option("format", "JSON_ARRAY".into())
        .option("row_limit", 100.into())
        .option("byte_limit", 1_000_000.into());
    let rows = host.run(async move { warehouse.execute(&statement, &Wait::default()).await }).unwrap();
    assert_sent(&host, &exchanges);
    let record = |id: i64, name: Json| json!({"id": id, "name": name}).as_object().unwrap().clone();
    assert_eq!(rows.records(), [record(1, "a".into()), record(2, Json::Null)]);
    assert!(!rows.truncated);
}

#[test]
fn a_statement_that_runs_on_is_looked_at_until_it_is_done() {
    let exchanges = exchanges("sql-execute-async-poll-cancel");
    let host = TestHost::new(exchanges.iter().map(answer));
    let warehouse = workspace(&host).warehouse("abc123");
    let told = Rc::new(RefCell::new(Vec::new()));
    let listener = told.clone();
    let wait = Wait::default().telling(move |progress| listener.borrow_mut().push(progress.state.clone()));
    let statement = Statement::new("SELECT 1").option("wait_timeout", "0s".into());
    let rows = host.run(async move {
        let rows = warehouse.execute(&statement, &wait).await?;
        warehouse.cancel(ID).await.map(|()| rows)
    });
    assert_eq!(rows.unwrap().rows, [[Some("1".to_owned())]]);
    assert_sent(&host, &exchanges);
    assert_eq!(*told.borrow(), ["PENDING"]);
}

#[test]
fn a_statement_that_fails_says_what_the_engine_says() {
    let exchanges = exchanges("sql-execute-failed");
    let host = TestHost::new(exchanges.iter().map(answer));
    let warehouse = workspace(&host).warehouse("abc123");
    let statement = Statement::new("SELECT * FROM bad_table");
    let error = host.run(async move { warehouse.execute(&statement, &Wait::default()).await }).unwrap_err();
    assert_sent(&host, &exchanges);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("`bad_table` cannot be found"), "{error}");
    assert!(error.hint().unwrap().contains("catalog and schema"));
    assert!(!error.is_retryable());
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled() {
    let running = || Answer::json(json!({"statement_id": ID, "status": {"state": "RUNNING"}}));
    let host = TestHost::new([running(), running(), running(), Answer::json(json!({}))]);
    let warehouse = workspace(&host).warehouse("abc123");
    let wait = Wait::at_most_ms(300.0);
    let error = host.run(async move { warehouse.execute(&Statement::new("SELECT 1"), &wait).await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert!(error.message().contains("still RUNNING"), "{error}");
    assert!(error.hint().unwrap().contains("was cancelled"));
    assert_eq!(host.requests().last().unwrap().url, format!("{ADDRESS}/api/2.0/sql/statements/{ID}/cancel"));
}

#[test]
fn the_operation_gives_columns_rows_and_records() {
    let exchanges = exchanges("sql-js-execute");
    let chunk = &crate::recorded::exchanges("sql-execute-inline")[1];
    let host = TestHost::new([answer(&exchanges[0]), answer(chunk)]);
    let workspace = workspace(&host);
    let arguments = json!({"warehouse_id": "abc123", "statement": "SELECT 1", "wait_timeout": "30s"}).to_string();
    let arguments = Arguments::read(&arguments, Vec::new()).unwrap();
    let outcome = host.run(async move { operations::call(&workspace, "sql.execute", arguments, None).await });
    let Outcome::Json(told) = outcome.unwrap() else { panic!("no JSON") };
    assert_eq!(told["rows"], json!([["1", "a"], ["2", null]]));
    assert_eq!(told["records"][0], json!({"id": 1, "name": "a"}));
    assert_eq!(host.body(0), exchanges[0]["request"]["body"]["value"]);
}

#[test]
fn arguments_and_names_that_are_wrong_are_named() {
    let host = TestHost::new([]);
    for (name, arguments, kind, said) in [
        ("sql.execute", json!({"warehouse_id": "a"}), ErrorKind::Input, "`statement` is missing"),
        ("sql.execute", json!({"statement": "SELECT 1"}), ErrorKind::Input, "`warehouse_id` is missing"),
        ("sql.get", json!({"warehouse_id": "a", "statement_id": 1}), ErrorKind::Input, "`statement_id` must be a text"),
        ("sql.drop", json!({"warehouse_id": "a"}), ErrorKind::Unsupported, "no operation `sql.drop`"),
        ("nothing", json!({}), ErrorKind::Unsupported, "no operation `nothing.`"),
    ] {
        let workspace = workspace(&host);
        let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
        let error = host.run(async move { operations::call(&workspace, name, arguments, None).await }).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
        assert!(error.message().contains(said), "{error}");
    }
}
