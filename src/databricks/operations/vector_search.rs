//! `vector_search.*`: endpoints, indexes and their rows.

use serde_json::{Map, Value as Json, json};

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::databricks::vector_search::{Changed, Found, IndexDefinition, QueryType, Search};
use crate::error::{Error, ErrorKind, Result};

/// Members of a `…_index_spec` that go through as they are.
const SPEC: [&str; 7] = [
    "pipeline_type",
    "embedding_source_columns",
    "embedding_vector_columns",
    "columns_to_sync",
    "columns_to_index",
    "embedding_writeback_table",
    "budget_policy_id",
];

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let manager = workspace.vector_search();
    let wait = given.wait(tell)?;
    let index = || given.text("index_name");
    let endpoint = || given.text("endpoint_name");
    let done = |()| json!({});
    Ok(match name {
        "create_endpoint" => {
            let endpoint_type = given.optional_text("endpoint_type")?.unwrap_or("STANDARD");
            manager.create_endpoint(endpoint()?, endpoint_type, given.optional_integer("target_qps")?).await?
        }
        "endpoint" => manager.endpoint(endpoint()?).await?,
        "endpoints" => manager.endpoints().await?.into(),
        "wait_for_endpoint" => manager.wait_for_endpoint(endpoint()?, &wait).await?,
        "delete_endpoint" => manager.delete_endpoint(endpoint()?).await.map(done)?,
        "create_delta_sync_index" => {
            let table = given.text("source_table")?;
            let definition = IndexDefinition::delta_sync(index()?, endpoint()?, given.text("primary_key")?, table);
            manager.create(&completed(definition, &given)?).await?
        }
        "create_direct_access_index" => {
            let schema = given.object("schema")?.iter().map(|(name, kind)| (name.as_str(), kind.as_str()));
            let schema: Option<Vec<_>> = schema.map(|(name, kind)| Some((name, kind?))).collect();
            let schema = schema.ok_or_else(|| wrong("schema", "must name a type for each column"))?;
            let primary_key = given.text("primary_key")?;
            let definition = IndexDefinition::direct_access(index()?, endpoint()?, primary_key, &schema);
            manager.create(&completed(definition, &given)?).await?
        }
        "create_index" => {
            let (model, table) = (given.text("embedding_model")?, given.text("source_table")?);
            manager.create_index(index()?, model, table, given.optional_text("endpoint_name")?, &wait).await?
        }
        "setup_delta_table" => {
            let warehouse = workspace.warehouse(given.text("warehouse_id")?);
            let embeddings = given.flag("embeddings")?;
            manager.setup_delta_table(&warehouse, given.text("table_name")?, embeddings, &wait).await.map(done)?
        }
        "get" => manager.get(index()?).await?,
        "exists" => manager.exists(index()?).await?.into(),
        "list" => manager.list(endpoint()?).await?.into(),
        "drop" => manager.drop_index(index()?).await.map(done)?,
        "sync" => manager.sync(index()?).await.map(done)?,
        "wait_until_ready" => manager.wait_until_ready(index()?, given.flag("updates")?, &wait).await?,
        "upsert" => changed(manager.upsert(index()?, &rows(given.list("rows")?)?).await?),
        "delete" => changed(manager.delete(index()?, &given.texts("primary_keys")?).await?),
        "scan" => {
            let results = count(given.optional_count("num_results")?, "num_results")?.unwrap_or(100);
            let scanned = manager.scan(index()?, results, given.optional_text("last_primary_key")?).await?;
            json!({"rows": scanned.rows, "last_primary_key": scanned.last_primary_key})
        }
        "query" => told(manager.query(index()?, &search(&given)?).await?),
        _ => return Err(unknown("vector_search", name)),
    }
    .into())
}

fn completed(mut definition: IndexDefinition, given: &Arguments) -> Result<IndexDefinition> {
    for name in SPEC {
        if let Some(value) = given.value(name) {
            definition = definition.spec(name, value.clone());
        }
    }
    Ok(match given.optional_text("index_subtype")? {
        Some(subtype) => definition.subtype(subtype),
        None => definition,
    })
}

fn rows(given: &[Json]) -> Result<Vec<Map<String, Json>>> {
    let row = |(at, row): (usize, &Json)| {
        row.as_object().cloned().ok_or_else(|| wrong("rows", &format!("holds something else than an object at {at}")))
    };
    given.iter().enumerate().map(row).collect()
}

fn search(given: &Arguments) -> Result<Search> {
    let texts = |name| Ok::<_, Error>(given.texts(name)?.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let vector = given.list("query_vector")?.iter().map(Json::as_f64).collect::<Option<Vec<_>>>();
    let vector = vector.ok_or_else(|| wrong("query_vector", "must be a list of numbers"))?;
    Ok(Search {
        text: given.optional_text("query_text")?.map(str::to_owned),
        vector: (!vector.is_empty()).then_some(vector),
        columns: texts("columns")?,
        results: count(given.optional_count("num_results")?, "num_results")?,
        query_type: given.optional_text("query_type")?.map(QueryType::named).transpose()?,
        filters: given.value("filters").cloned(),
        score_threshold: given.optional_number("score_threshold")?,
        rerank_by: texts("columns_to_rerank")?,
        query_columns: texts("query_columns")?,
        sort_columns: texts("sort_columns")?,
        facets: texts("facets")?,
        debug_level: count(given.optional_count("debug_level")?, "debug_level")?,
    })
}

fn told(found: Found) -> Json {
    let records = found.records();
    json!({"columns": found.columns, "records": records, "facets": found.facets, "debug_info": found.debug_info})
}

fn changed(Changed { success_row_count, failed_primary_keys }: Changed) -> Json {
    json!({"success_row_count": success_row_count, "failed_primary_keys": failed_primary_keys})
}

fn count(given: Option<usize>, name: &str) -> Result<Option<u32>> {
    given.map(|count| u32::try_from(count).map_err(|_| wrong(name, "is too large"))).transpose()
}

fn wrong(name: &str, problem: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{name}` {problem}")).at_field(name)
}
