//! Vector Search: what is refused before it is sent, and how answers are read.

use lakelet::databricks::{QueryType, VectorIndex};
use lakelet::retrieve::{Passage, Query, Retriever};
use lakelet::{ErrorKind, Example};
use serde_json::{Value as Json, json};

use crate::{Answer, TestHost, workspace};

const INDEX: &str = "main.rag.docs_index";

fn text() -> Query {
    Query { text: Some("delta".to_owned()), ..Query::default() }
}

fn rows(names: &[&str], rows: Json) -> Answer {
    let columns: Vec<Json> = names.iter().map(|name| json!({"name": name})).collect();
    Answer::json(json!({"manifest": {"columns": columns}, "result": {"data_array": rows}}))
}

fn ask(configure: impl Fn(VectorIndex) -> VectorIndex, query: Query, answer: Answer) -> lakelet::Result<Vec<Passage>> {
    let host = TestHost::new([answer]);
    host.run(configure(workspace(&host).index(INDEX).unwrap()).retrieve(query))
}

#[test]
fn rows_become_passages_best_first() {
    let answer = rows(&["id", "text", "year", "score"], json!([[7.0, "low", 2024, 0.2], [1e300, null, null, 0.9]]));
    let passages = ask(|index| index.columns(["year", "id"]), text(), answer).unwrap();
    assert_eq!(passages[1].id, "7");
    assert_eq!(passages[1].columns, *json!({"year": 2024, "id": 7.0}).as_object().unwrap());
    assert_eq!((passages[0].text.as_str(), passages[0].score), ("", 0.9));
}

#[test]
fn no_hits_are_an_empty_list_in_either_spelling() {
    for result in [json!({"row_count": 0}), json!({"row_count": 0, "data_array": []}), json!(null)] {
        let answer =
            Answer::json(json!({"manifest": {"columns": [{"name": "id"}, {"name": "text"}]}, "result": result}));
        assert_eq!(ask(|index| index, text(), answer).unwrap(), []);
    }
    let data_plane = json!({"manifest": {"columnCount": 3, "columns": [{"name": "id"}, {"name": "text"}, {"name": "score"}]},
        "result": {"rowCount": 1, "dataArray": [["a", "b", 0.5]]}});
    assert_eq!(ask(|index| index, text(), Answer::json(data_plane)).unwrap()[0].id, "a");
}

#[test]
fn an_index_that_lacks_a_column_is_named_with_the_column() {
    let refusal = json!({"error_code": "INVALID_PARAMETER_VALUE",
        "message": "Requested columns to fetch are not present in index: content"});
    for answer in [rows(&["id", "score"], json!([])), Answer::new(400, refusal.to_string())] {
        let error = ask(|index| index.text_column("content"), text(), answer).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::BadRequest, Some("content")));
        let told = error.to_string();
        assert!(told.contains("content") && told.contains(INDEX) && told.contains("Catalog page"), "{told}");
    }
    // A refusal about something else keeps its own words.
    let other = Answer::new(
        400,
        r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "Bad filter on main.rag.docs_index"}"#,
    );
    let error = ask(|index| index.text_column("rag"), text(), other).unwrap_err();
    assert_eq!(error.field(), Some("filters"));
    assert!(error.hint().unwrap().contains("year >="), "{error}");
}

#[test]
fn queries_that_cannot_work_are_not_sent() {
    let vector = || Query { vector: Some(vec![0.5; 4]), ..Query::default() };
    let both = || Query { vector: Some(vec![0.5; 4]), ..text() };
    type Configure = fn(VectorIndex) -> VectorIndex;
    let plain: Configure = |index| index;
    let hybrid: Configure = |index| index.query_type(QueryType::Hybrid);
    let full_text: Configure = |index| index.query_type(QueryType::FullText);
    for (configure, query, field) in [
        (plain, Query::default(), "query"),
        (plain, both(), "query"),
        (hybrid, vector(), "query"),
        (full_text, both(), "query"),
        (plain, Query { vector: Some(vec![f64::NAN]), ..Query::default() }, "query"),
        (plain, Query { k: Some(0), ..text() }, "k"),
        (hybrid, Query { k: Some(201), ..text() }, "k"),
        (plain, Query { filters: Some(json!(7)), ..text() }, "filters"),
    ] {
        let host = TestHost::new([]);
        let error = host.run(configure(workspace(&host).index(INDEX).unwrap()).retrieve(query)).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{error}");
        assert!(error.hint().is_some() && host.requests().is_empty());
    }
    assert!(ask(hybrid, both(), rows(&["id", "text", "score"], json!([]))).is_ok());
}

#[test]
fn answers_that_are_no_rows_are_told_apart() {
    for answer in [
        Answer::new(200, "<html>"),
        Answer::json(json!({})),
        rows(&["id", "text", "score"], json!([["only-an-id"]])),
        rows(&["id", "text", "score"], json!([{"id": 1}])),
    ] {
        let error = ask(|index| index, text(), answer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.message().contains(INDEX), "{error}");
    }
}

#[test]
fn pages_that_bring_nothing_end_the_search() {
    let page =
        json!({"manifest": {"columns": [{"name": "id"}, {"name": "text"}]}, "result": {}, "next_page_token": "again"});
    let host = TestHost::new(std::iter::repeat_n(Answer::json(page), 5));
    let passages = host.run(workspace(&host).index(INDEX).unwrap().retrieve(text())).unwrap();
    assert!(passages.is_empty());
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn documents_come_in_mlflows_schema() {
    let answer = rows(
        &["metadata", "text", "uri", "lang", "score"],
        json!([[r#"{"document_id": "d1", "page": 3}"#, "Leave is 25 days.", "/leave", "en", 0.7]]),
    );
    let host = TestHost::new([answer]);
    let rm =
        workspace(&host).databricks_rm(INDEX).unwrap().id_column("metadata").uri_column("uri").columns(["uri", "lang"]);
    let found = host.run(async move { rm.documents(&Example::new().with("query", "leave")).await }).unwrap();
    let metadata = json!({"doc_id": "d1", "doc_uri": "/leave", "lang": "en", "score": 0.7, "metadata": {"page": 3}});
    assert_eq!(found, [json!({"page_content": "Leave is 25 days.", "metadata": metadata, "type": "Document"})]);
}
