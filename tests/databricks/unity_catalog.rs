//! Unity Catalog beside what Databricks' SDK was recorded to send; and its functions as tools.

use std::rc::Rc;

use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::unity_catalog::{Kind, UnityCatalog};
use lakelet::tool::Tool;
use lakelet::value::Value;
use lakelet::{Error, ErrorKind};
use serde_json::{Value as Json, json};

use crate::recorded::{answer, assert_sent, exchanges};
use crate::{Answer, TestHost, workspace};

fn recorded(name: &str) -> (TestHost, Vec<Json>, UnityCatalog) {
    let exchanges = exchanges(name);
    let host = TestHost::new(exchanges.iter().map(answer));
    let catalog = workspace(&host).unity_catalog();
    (host, exchanges, catalog)
}

fn answered(answers: impl IntoIterator<Item = Answer>) -> (TestHost, UnityCatalog) {
    let host = TestHost::new(answers);
    let catalog = workspace(&host).unity_catalog();
    (host, catalog)
}

#[test]
fn catalogs_schemas_and_volumes_are_made_and_listed_as_the_sdk_does() {
    let (host, exchanges, catalog) = recorded("uc-catalog-schema-volume");
    host.run(async move {
        let main = json!({"name": "main", "comment": "c", "properties": {"k": "v"}});
        assert_eq!(catalog.create(Kind::Catalog, &main).await.unwrap()["full_name"], "main");
        catalog.create(Kind::Schema, &json!({"name": "rag", "catalog_name": "main"})).await.unwrap();
        let raw = json!({"catalog_name": "main", "schema_name": "rag", "name": "raw", "volume_type": "MANAGED"});
        catalog.create(Kind::Volume, &raw).await.unwrap();
        assert_eq!(catalog.list(Kind::Catalog, "", None).await.unwrap().len(), 1);
        catalog.list(Kind::Schema, "main", None).await.unwrap();
        catalog.list(Kind::Volume, "main.rag", None).await.unwrap();
    });
    assert_sent(&host, &exchanges);
}

#[test]
fn tables_are_got_listed_and_deleted_as_the_sdk_does() {
    let (host, exchanges, catalog) = recorded("uc-tables");
    host.run(async move {
        assert_eq!(catalog.get(Kind::Table, "main.rag.docs").await.unwrap()["table_type"], "MANAGED");
        assert!(catalog.exists(Kind::Table, "main.rag.docs").await.unwrap());
        assert_eq!(catalog.list(Kind::Table, "main.rag", Some(50)).await.unwrap().len(), 1);
        catalog.delete(Kind::Table, "main.rag.docs", false).await.unwrap();
    });
    assert_sent(&host, &exchanges);
}

#[test]
fn registered_models_have_versions_and_aliases_as_the_sdk_has_them() {
    let (host, exchanges, catalog) = recorded("uc-models-and-aliases");
    host.run(async move {
        let rag = json!({"catalog_name": "main", "schema_name": "ml", "name": "rag", "comment": "c"});
        catalog.create(Kind::Model, &rag).await.unwrap();
        assert_eq!(catalog.set_model_alias("main.ml.rag", "champion", 1).await.unwrap()["version_num"], 1);
        catalog.model_version("main.ml.rag", 1).await.unwrap();
        assert_eq!(catalog.model_version_by_alias("main.ml.rag", "champion").await.unwrap()["status"], "READY");
        assert_eq!(catalog.list(Kind::Model, "main.ml", None).await.unwrap()[0]["name"], "main");
    });
    assert_sent(&host, &exchanges);
}

#[test]
fn permissions_are_read_page_by_page_and_changed() {
    let page = |token: &str| {
        Answer::json(
            json!({"privilege_assignments": [{"principal": "a", "privileges": ["SELECT"]}], "next_page_token": token}),
        )
    };
    let (host, catalog) = answered([page("p2"), page(""), page(""), page("")]);
    host.run(async move {
        assert_eq!(catalog.permissions(Kind::Table, "main.rag.docs", Some("a@b")).await.unwrap().len(), 2);
        catalog.effective_permissions(Kind::Model, "main.ml.rag", None).await.unwrap();
        let changes = [json!({"principal": "a", "add": ["SELECT"]})];
        assert_eq!(catalog.update_permissions(Kind::Schema, "main.rag", &changes).await.unwrap()[0]["principal"], "a");
    });
    let urls: Vec<String> =
        host.requests().iter().map(|request| format!("{} {}", request.method, request.url)).collect();
    let base = "https://lake.example/api/2.1/unity-catalog";
    let wanted = [
        format!("GET {base}/permissions/table/main.rag.docs?principal=a%40b"),
        format!("GET {base}/permissions/table/main.rag.docs?principal=a%40b&page_token=p2"),
        format!("GET {base}/effective-permissions/function/main.ml.rag"),
        format!("PATCH {base}/permissions/schema/main.rag"),
    ];
    assert_eq!(urls, wanted);
    assert_eq!(host.body(3), json!({"changes": [{"principal": "a", "add": ["SELECT"]}]}));
}

#[test]
fn what_is_missing_does_not_exist_and_what_is_refused_says_what_to_do() {
    let refused = |status: u16, code: &str, message: &str| {
        Answer::new(status, json!({"error_code": code, "message": message}).to_string())
    };
    let (host, catalog) =
        answered([refused(404, "VOLUME_DOES_NOT_EXIST", "no"), Answer::json(json!({"table_exists": false}))]);
    host.run(async move {
        assert!(!catalog.exists(Kind::Volume, "main.rag.raw").await.unwrap());
        assert!(!catalog.exists(Kind::Table, "main.rag.docs").await.unwrap());
    });
    for (answer, kind, said) in [
        (refused(403, "PERMISSION_DENIED", "no USE CATALOG"), ErrorKind::Permission, "USE SCHEMA"),
        (refused(400, "SCHEMA_ALREADY_EXISTS", "exists"), ErrorKind::Conflict, "already"),
        (refused(400, "INVALID_STATE", "Schema 'rag' is not empty"), ErrorKind::BadRequest, "force"),
    ] {
        let (host, catalog) = answered([answer]);
        let error = host.run(async move { catalog.delete(Kind::Schema, "main.rag", true).await }).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.hint().unwrap().contains(said), "{error}");
        assert!(host.requests()[0].url.ends_with("/schemas/main.rag?force=true"));
    }
    for (kind, name) in
        [(Kind::Table, "docs"), (Kind::Schema, "main"), (Kind::Catalog, "a.b"), (Kind::Table, "a.b/../c.d")]
    {
        let (host, catalog) = answered([]);
        let error = host.run(async move { catalog.get(kind, name).await }).unwrap_err();
        assert_eq!((error.kind(), host.requests().len()), (ErrorKind::Input, 0));
    }
}

/// A function with a parameter of every sort.
fn price() -> Json {
    let parameter = |at: usize, name: &str, type_name: &str, type_text: &str, default: Option<&str>| {
        let spark = match type_name {
            "ARRAY" => json!({"type": "array", "elementType": "string", "containsNull": true}),
            _ => json!(type_text),
        };
        let field = json!({"name": name, "type": spark, "nullable": true, "metadata": {}});
        json!({
            "name": name, "position": at, "type_name": type_name, "type_text": type_text, "type_json": field.to_string(),
            "comment": format!("The {name}."), "parameter_default": default,
        })
    };
    json!({
        "name": "price", "full_name": "main.shop.price", "data_type": "DECIMAL", "comment": "The price of an order.",
        "input_params": {"parameters": [
            parameter(0, "item", "STRING", "string", None),
            parameter(1, "count", "LONG", "bigint", Some("1")),
            parameter(2, "day", "DATE", "date", None),
            parameter(3, "tags", "ARRAY", "array<string>", Some("array()")),
        ]},
    })
}

fn result(columns: Json, rows: Json) -> Answer {
    Answer::json(json!({
        "statement_id": "s1", "status": {"state": "SUCCEEDED"},
        "manifest": {"schema": {"columns": columns}}, "result": {"data_array": rows},
    }))
}

fn call(host: &TestHost, function: &'static str, arguments: Json) -> Result<(Rc<dyn Tool>, Value), Error> {
    let workspace = workspace(host);
    let Value::Dict(arguments) = Value::from(&arguments) else { panic!() };
    host.run(async move {
        let tool = workspace.unity_catalog().tool(&workspace.warehouse("abc"), function).await?;
        let value = tool.call(arguments).await?;
        Ok((Rc::new(tool) as Rc<dyn Tool>, value))
    })
}

#[test]
fn a_function_is_a_tool_that_runs_on_a_warehouse() {
    let host = TestHost::new([
        Answer::json(price()),
        result(json!([{"name": "x", "type_name": "DECIMAL"}]), json!([["12.50"]])),
    ]);
    let (tool, value) =
        call(&host, "main.shop.price", json!({"item": "it's", "day": "2026-11-30", "tags": ["a", "b"]})).unwrap();
    assert_eq!(value, Value::from("12.50"));
    assert_eq!(tool.spec().name, "main__shop__price");
    assert_eq!(tool.spec().desc, "The price of an order.");
    let arguments = json!({
        "item": {"type": "string", "description": "The item."},
        "count": {"type": "integer", "description": "The count. (Default: 1)", "default": 1},
        "day": {"type": "string", "format": "date", "description": "The day."},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "The tags. (Default: array())", "default": "array()"},
    });
    assert_eq!(Json::Object(tool.spec().args.clone()), arguments);
    let statement = "SELECT `main`.`shop`.`price`(:p0, `day` => :p2, `tags` => from_json(:p3, 'array<string>'))";
    let parameters = json!([
        {"name": "p0", "type": "string", "value": "it's"},
        {"name": "p2", "type": "date", "value": "2026-11-30"},
        {"name": "p3", "type": "STRING", "value": "[\"a\",\"b\"]"},
    ]);
    assert_eq!(host.body(1), json!({"statement": statement, "warehouse_id": "abc", "parameters": parameters}));
}

#[test]
fn a_table_function_gives_its_first_rows() {
    let orders =
        json!({"name": "orders", "full_name": "main.shop.orders", "data_type": "TABLE_TYPE", "input_params": {}});
    let columns = json!([{"name": "id", "type_name": "INT"}, {"name": "total", "type_name": "DOUBLE"}]);
    let host = TestHost::new([Answer::json(orders), result(columns, json!([["1", "2.5"], ["2", null]]))]);
    let (_, value) = call(&host, "main.shop.orders", json!({})).unwrap();
    let rows = json!({"rows": [{"id": 1, "total": 2.5}, {"id": 2, "total": null}], "truncated": false});
    assert_eq!(value, Value::from(&rows));
    let statement = "SELECT * FROM `main`.`shop`.`orders`()";
    assert_eq!(host.body(1), json!({"statement": statement, "warehouse_id": "abc", "row_limit": 100}));
}

#[test]
fn arguments_that_a_function_cannot_take_are_named() {
    for (arguments, field) in [(json!({"item": "a"}), "day"), (json!({"item": "a", "day": "d", "cuont": 1}), "cuont")] {
        let host = TestHost::new([Answer::json(price())]);
        let error = call(&host, "main.shop.price", arguments).err().unwrap();
        assert_eq!((error.kind(), error.field(), host.requests().len()), (ErrorKind::Input, Some(field), 1));
    }
}

#[test]
fn operations_give_tools_and_call_their_functions() {
    let long = json!({"full_name": format!("main.tools.{}", "x".repeat(80)), "data_type": "LONG"});
    let listed = json!({"functions": [price(), long]});
    let host =
        TestHost::new([Answer::json(listed), result(json!([{"name": "x", "type_name": "LONG"}]), json!([["7"]]))]);
    let run = |name: &'static str, arguments: Json| {
        let workspace = workspace(&host);
        let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
        match host.run(async move { operations::call(&workspace, name, arguments, None).await }).unwrap() {
            Outcome::Json(json) => json,
            Outcome::Bytes(_) => panic!("bytes"),
        }
    };
    let tools = run("unity_catalog.tools", json!({"within": "main.tools"}));
    assert_eq!(tools[0]["name"], "main__shop__price");
    assert_eq!(tools[1]["name"], "x".repeat(64));
    let call = json!({"function": tools[1]["function"], "warehouse_id": "abc", "arguments": {}});
    assert_eq!(run("unity_catalog.call_function", call), json!(7));
}
