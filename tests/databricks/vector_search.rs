//! Endpoints, indexes and rows of Vector Search, beside what Databricks' clients were recorded to send.
//!
//! Where the two of them differ we send what its SDK sends: indexes are made and listed at `/indexes`, with the endpoint in the body or
//! query, and rows are scanned by `POST`. Keys of rows to delete go in the body, as the AI Search client sends them: a URL has room for few.

use lakelet::ErrorKind;
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::vector_search::{IndexDefinition, QueryType, Search, VectorSearchManager};
use lakelet::databricks::wait::Wait;
use serde_json::{Map, Value as Json, json};

use crate::recorded::{answer, assert_sent, exchanges, meaning};
use crate::{ADDRESS, Answer, TestHost, workspace};

const DOCS: &str = "main.rag.docs_index";
const DIRECT: &str = "main.rag.direct_index";
const GTE: &str = "databricks-gte-large-en";

/// A manager whose calls are answered as recorded; the AI Search client's look-up of the embedding model is left out, as there is no
/// use for what it finds.
fn recorded(name: &str) -> (TestHost, Vec<Json>, VectorSearchManager) {
    let mut exchanges = exchanges(name);
    exchanges.retain(|exchange| !exchange["request"]["path"].as_str().unwrap().contains("serving-endpoints"));
    let host = TestHost::new(exchanges.iter().map(answer));
    let manager = workspace(&host).vector_search();
    (host, exchanges, manager)
}

/// A manager whose calls are answered like this.
fn answered(answers: impl IntoIterator<Item = Answer>) -> (TestHost, VectorSearchManager) {
    let host = TestHost::new(answers);
    let manager = workspace(&host).vector_search();
    (host, manager)
}

fn rows(rows: Json) -> Vec<Map<String, Json>> {
    rows.as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
}

fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(status, json!({"error_code": code, "message": message}).to_string())
}

fn docs() -> IndexDefinition {
    IndexDefinition::delta_sync(DOCS, "vs_ep", "id", "main.rag.docs").embedding("content", GTE)
}

fn direct() -> IndexDefinition {
    let schema = [("id", "string"), ("text", "string"), ("text_vector", "array<float>")];
    IndexDefinition::direct_access(DIRECT, "vs_ep", "id", &schema).vectors("text_vector", 4)
}

#[test]
fn endpoints_are_made_looked_at_and_deleted_as_the_ai_search_client_does() {
    let (host, exchanges, manager) = recorded("vs-create-endpoint");
    host.run(async move {
        manager.create_endpoint("vs_ep", "STANDARD", Some(10)).await.unwrap();
        assert_eq!(manager.endpoint("vs_ep").await.unwrap()["num_indexes"], 1);
        assert_eq!(manager.endpoints().await.unwrap()[0]["name"], "vs_ep");
        manager.wait_for_endpoint("vs_ep", &Wait::default()).await.unwrap();
        manager.delete_endpoint("vs_ep").await.unwrap();
    });
    assert_sent(&host, &exchanges);
}

#[test]
fn indexes_are_made_as_the_sdk_does() {
    let (host, exchanges, manager) = recorded("vs-sdk-create-indexes");
    host.run(async move {
        let made = manager.create(&docs().columns_to_sync(["id", "content"])).await.unwrap();
        assert_eq!(made["status"]["ready"], true);
        manager.create(&direct()).await.unwrap();
    });
    assert_sent(&host, &exchanges);
}

#[test]
fn definitions_are_those_of_the_ai_search_client() {
    let vectors = IndexDefinition::delta_sync("main.rag.vec_index", "vs_ep", "id", "main.rag.docs");
    for (fixture, definition) in [
        ("vs-create-delta-sync-managed", docs().columns_to_sync(["id", "content"])),
        ("vs-create-delta-sync-self-managed", vectors.vectors("embedding", 1024).continuous()),
        ("vs-create-direct-access", direct()),
    ] {
        let (host, exchanges, manager) = recorded(fixture);
        host.run(async move { manager.create(&definition).await }).unwrap();
        // The endpoint is in the body, not in the path; the schema's text has no spaces.
        let (mut sent, mut wanted) = (host.body(0), exchanges[0]["request"]["body"]["value"].clone());
        assert_eq!(sent.as_object_mut().unwrap().remove("endpoint_name").unwrap(), "vs_ep");
        for body in [&mut sent, &mut wanted] {
            if let Some(schema) = body.pointer_mut("/direct_access_index_spec/schema_json") {
                *schema = serde_json::from_str(schema.as_str().unwrap()).unwrap();
            }
        }
        assert_eq!(sent, wanted, "{fixture}");
    }
}

#[test]
fn rows_are_written_deleted_scanned_and_listed_as_the_sdk_does() {
    let (host, mut exchanges, manager) = recorded("vs-sdk-data");
    let changed = host.run(async move {
        let row = json!([{"id": "d1", "text": "hi", "text_vector": [0.1, 0.2, 0.3, 0.4]}]);
        let changed = manager.upsert(DIRECT, &rows(row)).await.unwrap();
        manager.delete(DIRECT, &["d1", "d2"]).await.unwrap();
        let scanned = manager.scan(DIRECT, 1, Some("a")).await.unwrap();
        let record = json!({"id": "d1", "text": "hi", "text_vector": [0.1, 0.2]});
        assert_eq!((&scanned.rows[..], scanned.last_primary_key.as_deref()), (&rows(json!([record]))[..], Some("d1")));
        manager.sync(DOCS).await.unwrap();
        manager.get(DOCS).await.unwrap();
        assert_eq!(manager.list("vs_ep").await.unwrap()[0]["name"], DOCS);
        changed
    });
    assert_eq!((changed.success_row_count, changed.failed_primary_keys), (1, vec![]));
    let delete = &mut exchanges[1]["request"];
    delete["body"] = json!({"value": {"primary_keys": delete["query"]["primary_keys"]}});
    delete["query"] = json!({});
    assert_sent(&host, &exchanges);
}

#[test]
fn rows_are_written_and_deleted_as_the_ai_search_client_does() {
    let (host, mut exchanges, manager) = recorded("vs-upsert-delete");
    host.run(async move {
        let two = json!([{"id": "d1", "text": "hi", "text_vector": [0.1, 0.2, 0.3, 0.4]}, {"id": "d2", "text": "yo", "text_vector": [0.4, 0.3, 0.2, 0.1]}]);
        manager.upsert(DIRECT, &rows(two)).await.unwrap();
        manager.delete(DIRECT, &["d1"]).await.unwrap();
    });
    let written: Json = serde_json::from_str(host.body(0)["inputs_json"].as_str().unwrap()).unwrap();
    let wanted = &mut exchanges[0]["request"]["body"]["value"]["inputs_json"];
    assert_eq!(written, serde_json::from_str::<Json>(wanted.as_str().unwrap()).unwrap());
    *wanted = host.body(0)["inputs_json"].clone(); // the same rows, without spaces
    assert_sent(&host, &exchanges);
}

#[test]
fn an_index_is_described_waited_for_and_dropped() {
    let (host, _, manager) = recorded("vs-get-index-by-name-only");
    host.run(async move {
        assert_eq!(manager.get(DOCS).await.unwrap()["endpoint_name"], "vs_ep");
        assert!(!manager.exists("main.rag.nope").await.unwrap());
    });
    let state =
        |state: &str| Answer::json(json!({"status": {"detailed_state": state, "message": "m", "ready": false}}));
    let (host, manager) = answered([
        state("PROVISIONING"),
        state("ONLINE_TRIGGERED_UPDATE"),
        state("ONLINE_TRIGGERED_UPDATE"),
        state("ONLINE_NO_PENDING_UPDATE"),
        Answer::json(json!({})),
    ]);
    host.run(async move {
        let found = manager.wait_until_ready(DOCS, false, &Wait::default()).await.unwrap();
        assert_eq!(found["status"]["detailed_state"], "ONLINE_TRIGGERED_UPDATE");
        let found = manager.wait_until_ready(DOCS, true, &Wait::default()).await.unwrap();
        assert_eq!(found["status"]["detailed_state"], "ONLINE_NO_PENDING_UPDATE");
        manager.drop_index(DOCS).await.unwrap();
    });
    let (method, url) = host.requests().last().map(|request| (request.method, request.url.clone())).unwrap();
    assert_eq!((method, url), ("DELETE", format!("{ADDRESS}/api/2.0/vector-search/indexes/{DOCS}")));
}

#[test]
fn what_will_not_become_ready_is_an_error_and_not_waited_for() {
    for (state, updates) in [("OFFLINE_FAILED", false), ("ONLINE_PIPELINE_FAILED", true)] {
        let answer = Answer::json(json!({"status": {"detailed_state": state, "message": "no such column"}}));
        let (host, manager) = answered([answer]);
        let error =
            host.run(async move { manager.wait_until_ready(DOCS, updates, &Wait::default()).await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert!(error.message().contains(state) && error.message().contains("no such column"), "{error}");
    }
    let (host, manager) = answered([Answer::json(json!({"endpoint_status": {"state": "OFFLINE"}}))]);
    let error = host.run(async move { manager.wait_for_endpoint("vs_ep", &Wait::default()).await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
}

#[test]
fn queries_are_those_of_the_sdk() {
    let (host, mut exchanges, manager) = recorded("vs-sdk-query");
    let search = Search {
        text: Some("delta".to_owned()),
        columns: vec!["id".to_owned(), "content".to_owned()],
        results: Some(2),
        query_type: Some(QueryType::Hybrid),
        filters: Some(json!({"lang": "en"})),
        score_threshold: Some(0.1),
        rerank_by: vec!["content".to_owned()],
        ..Search::default()
    };
    let found = host.run(async move { manager.query(DOCS, &search).await }).unwrap();
    exchanges.truncate(1); // there were two rows: another page is not asked for
    assert_sent(&host, &exchanges);
    let first = json!({"id": "d1", "content": "Delta Lake stores tables.", "score": 0.91});
    assert_eq!((found.records().len(), Json::Object(found.records()[0].clone())), (2, first));
}

#[test]
fn a_reranker_is_that_of_the_ai_search_client() {
    let (_, exchanges, _) = recorded("vs-query-reranker");
    let (host, manager) = answered([answer(&exchanges[1])]);
    let search = Search {
        text: Some("delta".to_owned()),
        columns: vec!["id".to_owned(), "content".to_owned()],
        results: Some(5),
        query_type: Some(QueryType::Hybrid),
        rerank_by: vec!["content".to_owned()],
        debug_level: Some(1),
        ..Search::default()
    };
    host.run(async move { manager.query(DOCS, &search).await }).unwrap();
    // It asks beforehand whether the index can be reranked, which the query itself tells; and names the model that is the default.
    let mut wanted = exchanges[1]["request"]["body"]["value"].clone();
    wanted["reranker"].as_object_mut().unwrap().remove("model_type").unwrap();
    assert_eq!(meaning(host.body(0)), meaning(wanted));
}

#[test]
fn a_query_with_all_there_is_says_so() {
    let result = json!({
        "manifest": {"columns": [{"name": "id"}, {"name": "score"}], "facet_columns": [{"name": "facet"}, {"name": "value"}, {"name": "count"}]},
        "result": {"data_array": [["a", 0.5]]},
        "facet_result": {"facet_array": [["lang", "en", "7"]]},
        "debug_info": {"response_time": 3},
        "next_page_token": "2",
    });
    let next =
        json!({"manifest": {"columns": [{"name": "id"}, {"name": "score"}]}, "result": {"data_array": [["b", 0.4]]}});
    let host = TestHost::new([Answer::json(result), Answer::json(next)]);
    let workspace = workspace(&host);
    let arguments = json!({
        "index_name": DOCS, "columns": ["id"], "query_text": "delta", "query_type": "FULL_TEXT", "filters": "lang = 'en'",
        "num_results": 5, "query_columns": ["title"], "sort_columns": ["year DESC"], "facets": ["lang TOP 3"], "debug_level": 1,
    });
    let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
    let outcome = host.run(async move { operations::call(&workspace, "vector_search.query", arguments, None).await });
    assert_eq!(
        host.body(0),
        json!({
            "columns": ["id"], "query_text": "delta", "query_type": "FULL_TEXT", "filter_string": "lang = 'en'",
            "num_results": 5, "query_columns": ["title"], "sort_columns": ["year DESC"], "facets": ["lang TOP 3"], "debug_level": 1,
        })
    );
    assert_eq!(host.body(1), json!({"page_token": "2"}));
    let found = json!({
        "columns": ["id", "score"], "records": [{"id": "a", "score": 0.5}, {"id": "b", "score": 0.4}],
        "facets": [{"facet": "lang", "value": "en", "count": "7"}], "debug_info": {"response_time": 3},
    });
    assert_eq!(outcome.unwrap(), Outcome::Json(found));
}

#[test]
fn many_rows_are_written_in_requests_of_ten_megabytes() {
    let row = |id: &str| json!({"id": id, "text": "x".repeat(6_000_000)});
    let done = Answer::json(json!({"status": "SUCCESS", "result": {"success_row_count": 1}}));
    let failed = json!({"status": "FAILURE", "result": {"success_row_count": 0, "failed_primary_keys": ["b"]}});
    let dimension = refused(400, "INVALID_PARAMETER_VALUE", "Vector has 3 dimensions, the index 4");
    let (host, manager) = answered([done.clone(), Answer::json(failed), done, dimension]);
    let all = rows(json!([row("a"), row("b")]));
    let error = host.run(async move {
        let changed = manager.upsert(DIRECT, &all).await.unwrap();
        assert_eq!((changed.success_row_count, changed.failed_primary_keys), (1, vec!["b".to_owned()]));
        manager.upsert(DIRECT, &all).await.unwrap_err()
    });
    let hint = error.hint().unwrap();
    assert!(hint.contains("embedding_dimension") && hint.contains("1 rows were written before"), "{error}");

    let (host, manager) = answered([]);
    let large = rows(json!([{"id": "a"}, {"id": "b", "text": "x".repeat(10_000_000)}]));
    let error = host.run(async move { manager.upsert(DIRECT, &large).await }).unwrap_err();
    assert_eq!((error.kind(), host.requests().len()), (ErrorKind::Input, 0));
    assert!(error.message().contains("row 1"), "{error}");
}

#[test]
fn refusals_say_what_to_do() {
    for (answer, kind, field, said) in [
        (
            refused(400, "INVALID_PARAMETER_VALUE", "'filters_json' is for standard endpoints"),
            ErrorKind::BadRequest,
            Some("filters"),
            "storage-optimized",
        ),
        (
            refused(400, "INVALID_PARAMETER_VALUE", "'query_vector' has 3 dimensions"),
            ErrorKind::BadRequest,
            None,
            "embedding_dimension",
        ),
        (refused(400, "INVALID_STATE", "Index is not ready"), ErrorKind::BadRequest, None, "Wait until"),
        (
            refused(400, "INVALID_PARAMETER_VALUE", "query_text needs an embedding model"),
            ErrorKind::BadRequest,
            None,
            "vectors",
        ),
        (refused(400, "BAD_REQUEST", "Quota exceeded for indexes"), ErrorKind::BadRequest, None, "50 indexes"),
        (refused(429, "RESOURCE_EXHAUSTED", "slow down"), ErrorKind::RateLimited, None, "less often"),
        (refused(403, "PERMISSION_DENIED", "no"), ErrorKind::Permission, None, "Grant SELECT"),
        (refused(404, "RESOURCE_DOES_NOT_EXIST", "no"), ErrorKind::NotFound, None, "catalog.schema.index"),
    ] {
        let host = TestHost::new([answer]);
        let workspace = workspace(&host).with_retries(lakelet::http::retry::Policy { tries: 1, ..Default::default() });
        let search = Search { text: Some("x".to_owned()), columns: vec!["id".to_owned()], ..Search::default() };
        let error = host.run(async move { workspace.vector_search().query(DOCS, &search).await }).unwrap_err();
        assert_eq!((error.kind(), error.field()), (kind, field), "{error}");
        assert!(error.hint().unwrap().contains(said), "{error}");
    }
    for definition in
        [docs().vectors("v", 4), docs().subtype("FULL_TEXT"), IndexDefinition::delta_sync(DOCS, "e", "id", "a.b.c")]
    {
        let (host, manager) = answered([]);
        let error = host.run(async move { manager.create(&definition).await }).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("embedding_source_columns")));
    }
}

const STUDY: &str = "main.rag.knowledge_base";

fn index_state(source: &str) -> Answer {
    let spec = json!({"source_table": source, "embedding_source_columns": [{"name": "content", "embedding_model_endpoint_name": GTE}]});
    Answer::json(json!({"name": STUDY, "status": {"detailed_state": "ONLINE"}, "delta_sync_index_spec": spec}))
}

fn online() -> Answer {
    Answer::json(json!({"endpoint_status": {"state": "ONLINE"}}))
}

fn ok() -> Answer {
    Answer::json(json!({}))
}

fn exists() -> Answer {
    refused(409, "RESOURCE_ALREADY_EXISTS", "already exists")
}

fn create_index(host: &TestHost) -> lakelet::Result<Json> {
    let manager = workspace(host).vector_search();
    host.run(async move { manager.create_index(STUDY, GTE, "main.rag.docs", None, &Wait::default()).await })
}

#[test]
fn an_index_is_created_over_a_table_with_its_endpoint() {
    let host = TestHost::new([ok(), online(), ok(), index_state("main.rag.docs"), ok(), index_state("main.rag.docs")]);
    assert_eq!(create_index(&host).unwrap()["name"], STUDY);
    assert_eq!(host.body(0), json!({"name": "main_rag_knowledge_base_endpoint", "endpoint_type": "STANDARD"}));
    let definition = json!({
        "name": STUDY, "endpoint_name": "main_rag_knowledge_base_endpoint", "primary_key": "id", "index_type": "DELTA_SYNC",
        "delta_sync_index_spec": {
            "source_table": "main.rag.docs", "pipeline_type": "TRIGGERED", "columns_to_sync": ["id", "content"],
            "embedding_source_columns": [{"name": "content", "embedding_model_endpoint_name": GTE}],
        },
    });
    assert_eq!(host.body(2), definition);
    assert!(host.requests()[4].url.ends_with("/sync"));
}

#[test]
fn creating_an_index_again_uses_what_is_there_unless_it_is_another() {
    let host =
        TestHost::new([exists(), online(), exists(), index_state("main.rag.docs"), ok(), index_state("main.rag.docs")]);
    create_index(&host).unwrap();
    let host = TestHost::new([exists(), online(), exists(), index_state("main.rag.other")]);
    let error = create_index(&host).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("main.rag.other"), "{error}");
    assert!(!error.to_string().contains("Made before"), "{error}");
}

#[test]
fn what_was_made_before_a_step_failed_is_named() {
    let host = TestHost::new([ok(), online(), refused(400, "INVALID_PARAMETER_VALUE", "change data feed is off")]);
    let error = create_index(&host).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(hint.contains("setup_delta_table"), "{error}");
    assert!(
        hint.contains("Made before and left: vector search endpoint `main_rag_knowledge_base_endpoint`"),
        "{error}"
    );
    let failed = Answer::json(json!({"status": {"detailed_state": "OFFLINE_FAILED", "message": "no permission"}}));
    let host = TestHost::new([exists(), online(), ok(), failed]);
    let hint = create_index(&host).unwrap_err().hint().unwrap().to_owned();
    assert!(hint.contains(&format!("left: vector index `{STUDY}`")) && !hint.contains("endpoint `"), "{hint}");
    let host = TestHost::new([]);
    let manager = workspace(&host).vector_search();
    let error =
        host.run(async move { manager.create_index("docs", GTE, "a.b.c", None, &Wait::default()).await }).unwrap_err();
    assert_eq!((error.kind(), error.field(), host.requests().len()), (ErrorKind::Input, Some("index_name"), 0));
}

#[test]
fn a_delta_table_is_set_up_by_two_statements() {
    let succeeded = || Answer::json(json!({"statement_id": "s1", "status": {"state": "SUCCEEDED"}}));
    let host = TestHost::new([succeeded(), succeeded()]);
    let (workspace_, wait) = (workspace(&host), Wait::default());
    host.run(async move {
        let warehouse = workspace_.warehouse("abc");
        workspace_.vector_search().setup_delta_table(&warehouse, "main.rag.my-docs", true, &wait).await
    })
    .unwrap();
    let create = "CREATE TABLE IF NOT EXISTS IDENTIFIER(:table) \
                  (id STRING NOT NULL, content STRING, metadata MAP<STRING, STRING>, embedding ARRAY<FLOAT>)";
    let parameters = json!([{"name": "table", "value": "`main`.`rag`.`my-docs`"}]);
    assert_eq!(host.body(0), json!({"statement": create, "warehouse_id": "abc", "parameters": parameters}));
    let alter = host.body(1);
    assert!(
        alter["statement"]
            .as_str()
            .unwrap()
            .starts_with("ALTER TABLE IDENTIFIER(:table) SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true'")
    );
    assert_eq!(alter["parameters"], parameters);

    let failed = json!({"statement_id": "s2", "status": {"state": "FAILED", "error": {"message": "no"}}});
    let host = TestHost::new([succeeded(), Answer::json(failed)]);
    let workspace = workspace(&host);
    let error = host.run(async move {
        let warehouse = workspace.warehouse("abc");
        workspace.vector_search().setup_delta_table(&warehouse, "main.rag.docs", false, &Wait::default()).await
    });
    assert!(error.unwrap_err().hint().unwrap().contains("`main.rag.docs` is there, without its properties"));
}
