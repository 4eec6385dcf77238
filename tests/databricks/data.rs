//! Training sets and predictors over tables: the statements that are sent, what is refused before, and how results are read. What the
//! statements do on Apache Spark is in `tests/peers/test_spark.py`.

use lakelet::databricks::ServingChat;
use lakelet::databricks::data::{
    Asking, Condition, DistributedDataProcessor, ExactMatch, JobPlace, Mode, Output, REFUSED, REPLY, Request, Sample,
    Selection, Size, Source,
};
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::sql::Column;
use lakelet::databricks::wait::Wait;
use lakelet::{ErrorKind, Predict, Signature, Value};
use serde_json::{Map, Value as Json, json};

use crate::{Answer, TestHost, workspace};

fn selection(json: Json) -> lakelet::Result<Selection> {
    Selection::from_json(&json)
}

fn statement(json: Json) -> String {
    selection(json).unwrap().query().unwrap().text
}

/// A statement that has succeeded, with a chunk of rows.
fn succeeded(columns: &[(&str, &str)], rows: Json) -> Answer {
    let column = |(name, text): &(&str, &str)| {
        let word = text.split(['<', '(']).next().unwrap().replace("BIGINT", "LONG");
        json!({"name": name, "type_name": word, "type_text": text})
    };
    let columns: Vec<Json> = columns.iter().map(column).collect();
    Answer::json(json!({
        "statement_id": "s1",
        "status": {"state": "SUCCEEDED"},
        "manifest": {"format": "JSON_ARRAY", "schema": {"columns": columns}, "total_chunk_count": 1},
        "result": {"chunk_index": 0, "data_array": rows},
    }))
}

fn call(host: &TestHost, name: &'static str, arguments: Json) -> lakelet::Result<Json> {
    let (workspace, text) = (workspace(host), arguments.to_string());
    let called =
        host.run(async move { operations::call(&workspace, name, Arguments::read(&text, vec![])?, None).await })?;
    match called {
        Outcome::Json(json) => Ok(json),
        Outcome::Bytes(_) => panic!("bytes"),
    }
}

#[test]
fn a_selection_is_one_statement_with_names_quoted_and_values_as_parameters() {
    let query = selection(json!({
        "from": "bigquery.replit.`lsp.diagnostics`",
        "where": [
            {"column": "codeAction", "operator": "is null"},
            {"column": "code", "operator": "not in", "value": ["E501", "it's"]},
            {"column": "range.start.line", "operator": ">=", "value": 3},
            {"column": "score", "operator": "<", "value": 0.5, "nulls": "keep"},
            {"expression": "length(content) > :n", "parameters": {"n": 10}},
        ],
        "fields": {"line": "range.start.line", "odd `name": "upper(code)"},
        "limit": 5,
    }))
    .unwrap()
    .query()
    .unwrap();
    assert_eq!(
        query.text,
        "SELECT range.start.line AS `line`, upper(code) AS `odd ``name` FROM `bigquery`.`replit`.`lsp.diagnostics` WHERE `codeAction` IS \
         NULL AND (`code` IS NOT NULL AND `code` NOT IN (:lakelet_0, :lakelet_1)) AND `range`.`start`.`line` >= :lakelet_2 AND \
         (`score` IS NULL OR `score` < :lakelet_3) AND (length(content) > :n) LIMIT 5"
    );
    let parameters: Vec<_> =
        query.parameters.iter().map(|it| (it.name.as_str(), it.type_name, it.value.as_str())).collect();
    assert_eq!(
        parameters,
        [
            ("lakelet_0", "STRING", "E501"),
            ("lakelet_1", "STRING", "it's"),
            ("lakelet_2", "BIGINT", "3"),
            ("lakelet_3", "DOUBLE", "0.5"),
            ("n", "BIGINT", "10"),
        ]
    );
}

#[test]
fn sources_are_tables_files_and_other_selections() {
    let of = |from: Json| statement(json!({"from": from, "fields": {"a": "a"}}));
    assert_eq!(of(json!("t")), "SELECT a AS `a` FROM `t`");
    assert_eq!(
        of(json!({"files": "/Volumes/a/b/c/x`y", "format": "json"})),
        "SELECT a AS `a` FROM json.`/Volumes/a/b/c/x``y`"
    );
    assert_eq!(
        of(json!({"files": "/Volumes/a/b/c/it's", "format": "csv", "options": {"header": true, "sep": "\\"}})),
        r"SELECT a AS `a` FROM read_files('/Volumes/a/b/c/it\'s', format => 'csv', header => true, sep => '\\')"
    );
    let inner = json!({"from": "t", "fields": {"a": "b"}, "where": [{"column": "b", "value": true}]});
    assert_eq!(of(inner), "SELECT a AS `a` FROM (SELECT b AS `a` FROM `t` WHERE `b` = :lakelet_0)");
}

#[test]
fn a_sample_is_drawn_by_a_digest_of_the_fields_and_the_seed() {
    let of = |sample: Json, limit: Json| {
        statement(json!({"from": "t", "fields": {"a": "x", "b": "y"}, "sample": sample, "limit": limit}))
    };
    let digest = "md5(concat(:lakelet_0, to_json(struct(`a`, `b`))))";
    let rows = "SELECT `a`, `b` FROM (SELECT x AS `a`, y AS `b` FROM `t`)";
    assert_eq!(of(json!({"seed": 7, "rows": 10}), json!(4)), format!("{rows} ORDER BY {digest} LIMIT 4"));
    assert_eq!(of(json!({"seed": 7, "share": 0.25}), Json::Null), format!("{rows} WHERE {digest} < :lakelet_1"));
    let quarter = Selection {
        sample: Some(Sample { seed: 7, size: Size::Share(0.25) }),
        ..Selection::new(Source::Table("t".to_owned()), [("a", "x")])
    };
    assert_eq!(quarter.query().unwrap().parameters[1].value, "40000000");
    assert_eq!(selection(quarter.to_json()).unwrap(), quarter);
}

#[test]
fn what_cannot_be_a_selection_is_refused_at_its_member() {
    let with = |name: &str, value: Json| {
        let mut json = json!({"from": "t", "fields": {"a": "a"}});
        json[name] = value;
        json
    };
    let condition = |condition: Json| with("where", json!([condition]));
    for (json, field) in [
        (json!({"fields": {"a": "a"}}), "from"),
        (json!({"from": "t"}), "fields"),
        (with("from", json!("a..b")), "from"),
        (with("from", json!("`a")), "from"),
        (with("from", json!({"files": "/x"})), "format"),
        (with("from", json!({"files": "/x", "format": "j son"})), "format"),
        (with("from", json!({"files": "/x", "format": "csv", "options": {"a b": 1}})), "a b"),
        (with("fields", json!({})), "fields"),
        (with("fields", json!({"a": 1})), "a"),
        (with("fields", json!({"a": " "})), "a"),
        (with("fields", json!({"a": "x", "A": "y"})), "a"),
        (with("inputs", json!(["b"])), "b"),
        (with("limit", json!(-1)), "limit"),
        (with("sample", json!({"rows": 5})), "sample"),
        (with("sample", json!({"seed": 1, "rows": "x"})), "rows"),
        (with("sample", json!({"seed": 1, "share": 1.5})), "share"),
        (condition(json!({"operator": "="})), "column"),
        (condition(json!({"column": "c", "operator": "~", "value": 1})), "operator"),
        (condition(json!({"column": "c"})), "value"),
        (condition(json!({"column": "c", "value": null})), "c"),
        (condition(json!({"column": "c", "value": [1, 2]})), "c"),
        (condition(json!({"column": "c", "operator": "in", "value": []})), "c"),
        (condition(json!({"column": "c", "operator": "in", "value": [null]})), "c"),
        (condition(json!({"column": "c", "value": {"a": 1}})), "c"),
        (condition(json!({"column": "c", "value": 1, "nulls": "maybe"})), "nulls"),
        (condition(json!({"expression": "a = :lakelet_1", "parameters": {"lakelet_1": 1}})), "lakelet_1"),
    ] {
        let error = selection(json.clone()).and_then(|it| it.query()).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{json}: {error}");
        assert!(error.hint().is_some(), "{json}");
    }
    let twice =
        |value| Condition::Expression { sql: ":p".to_owned(), parameters: Map::from_iter([("p".to_owned(), value)]) };
    let mut two = Selection::new(Source::Table("t".to_owned()), [("a", "a")]);
    two.conditions = vec![twice(json!(1)), twice(json!(1))];
    assert_eq!(two.query().unwrap().parameters.len(), 1);
    two.conditions = vec![twice(json!(1)), twice(json!(2))];
    assert_eq!(two.query().unwrap_err().field(), Some("p"));
}

#[test]
fn examples_are_written_to_a_table_or_to_parquet() {
    let rows = Selection::new(Source::Table("t".to_owned()), [("a", "x"), ("b", "y")]);
    let of = |output: Json| Output::from_json(&output).and_then(|output| output.query(&rows));
    let text = |output| of(output).unwrap().text;
    let query = "SELECT x AS `a`, y AS `b` FROM `t`";
    assert_eq!(text(json!({"table": "c.s.t"})), format!("CREATE TABLE `c`.`s`.`t` AS {query}"));
    assert_eq!(text(json!({"table": "t2", "mode": "replace"})), format!("CREATE OR REPLACE TABLE `t2` AS {query}"));
    assert_eq!(text(json!({"table": "t2", "mode": "append"})), format!("INSERT INTO `t2` (`a`, `b`) {query}"));
    let parquet = text(json!({"parquet": "/Volumes/a/b/c/it's"}));
    assert_eq!(parquet, format!(r"INSERT OVERWRITE DIRECTORY '/Volumes/a/b/c/it\'s' USING parquet {query}"));
    for (output, field) in
        [(json!({}), "output"), (json!({"table": "t", "mode": "x"}), "mode"), (json!({"parquet": "x"}), "parquet")]
    {
        assert_eq!(of(output).unwrap_err().field(), Some(field));
    }
}

#[test]
fn the_pipeline_of_the_study_reads_writes_and_reads_back() {
    let columns = [("code_file", "STRING"), ("error_line", "INT"), ("error_message", "STRING")];
    let host = TestHost::new([
        succeeded(&[("num_affected_rows", "BIGINT")], json!([["1"]])),
        succeeded(&columns, json!([["import os\n", "0", "F401: unused"]])),
    ]);
    let processor = DistributedDataProcessor::new(&workspace(&host), "w");
    let diagnostics = Selection::lsp_diagnostics(Source::Table("replit.lsp_diagnostics".to_owned()), false);
    let output = Output::Table { name: "main.repair.trainset".to_owned(), mode: Mode::Create };
    let pages = host.run(async move {
        let stored = processor.write(&Selection::training_dataset(diagnostics), &output, &Wait::default()).await?;
        let mut examples = processor.examples(&stored, &Wait::default()).await?;
        Ok::<_, lakelet::Error>((examples.next().await?, examples.next().await?))
    });
    let (page, end) = pages.unwrap();
    let page = page.unwrap();
    assert_eq!(end, None);
    let inputs: Vec<_> = page[0].inputs().collect();
    assert_eq!(
        inputs,
        [
            ("code_file", &"import os\n".into()),
            ("error_line", &Value::Int(0)),
            ("error_message", &"F401: unused".into())
        ]
    );
    assert!(
        host.body(0)["statement"].as_str().unwrap().starts_with("CREATE TABLE `main`.`repair`.`trainset` AS SELECT ")
    );
    assert_eq!(
        host.body(1)["statement"],
        "SELECT `code_file` AS `code_file`, `error_line` AS `error_line`, `error_message` AS `error_message` FROM \
         `main`.`repair`.`trainset`"
    );
    assert_eq!(host.body(1)["disposition"], "EXTERNAL_LINKS");
}

#[test]
fn a_job_is_a_file_that_hands_the_statement_to_spark() {
    let host = TestHost::new([Answer::json(json!({})), Answer::json(json!({"run_id": 7}))]);
    let processor = DistributedDataProcessor::new(&workspace(&host), "w");
    let rows = selection(json!({"from": "t", "fields": {"a": "a"}, "where": [{"column": "a", "value": "\"é\"\\\n"}]}))
        .unwrap();
    let output = Output::Parquet { directory: "/Volumes/a/b/c/d".to_owned() };
    let compute = json!({"existing_cluster_id": "0923"}).as_object().unwrap().clone();
    let place = JobPlace { path: "/Users/me/set.py".to_owned(), run_name: "set".to_owned(), compute };
    assert_eq!(host.run(async move { processor.submit(&rows, &output, &place).await }).unwrap(), 7);
    let form = String::from_utf8(host.requests()[0].body.clone()).unwrap();
    let query = r#"{\"name\":\"lakelet_0\",\"type\":\"STRING\",\"value\":\"\\\"é\\\"\\\\\\n\"}"#;
    assert!(form.contains(query), "{form}");
    assert!(form.contains("SparkSession.builder.getOrCreate().sql("), "{form}");
    let task = json!({
        "task_key": "query",
        "spark_python_task": {"python_file": "/Users/me/set.py", "source": "WORKSPACE"},
        "existing_cluster_id": "0923",
    });
    assert_eq!(host.body(1), json!({"run_name": "set", "tasks": [task]}));
}

fn asking(signature: &str, config: Json) -> Asking {
    let mut predict = Predict::new(Signature::parse(signature).unwrap());
    predict.set_config(config.as_object().unwrap().clone());
    let selection = selection(json!({"from": "t", "fields": {"id": "id", "question": "q"}})).unwrap();
    Asking {
        endpoint: "it's-llama".to_owned(),
        request: Request::default(),
        template: predict.template(ServingChat::CAPABILITIES).unwrap(),
        selection,
    }
}

fn column(name: &str, type_text: &str) -> Column {
    Column { name: name.to_owned(), type_name: String::new(), type_text: type_text.to_owned() }
}

#[test]
fn a_predictor_is_asked_in_one_statement() {
    let asking =
        asking("question -> answer", json!({"temperature": 0.5, "stop": ["a'b"], "max_tokens": 10, "rollout_id": 3}));
    assert_eq!(asking.probe().unwrap().text, "SELECT * FROM (SELECT id AS `id`, q AS `question` FROM `t`) LIMIT 0");
    let columns = [column("id", "BIGINT"), column("question", "STRING")];
    let text = asking.query(&columns, None).unwrap();
    assert!(
        text.text.contains("request => concat(:lakelet_0, lakelet_input_0, :lakelet_1), modelParameters"),
        "{}",
        text.text
    );
    assert!(text.parameters[0].value.ends_with("produce the fields `answer`.\n\n[[ ## question ## ]]\n"));
    let query = Asking { request: Request::Messages, ..asking.clone() }.query(&columns, None).unwrap();
    assert_eq!(
        query.text,
        "SELECT `id`, `question`, CAST(lakelet_refused AS STRING) AS lakelet_refused, CASE WHEN lakelet_refused IS NULL THEN \
         ai_query('it\\'s-llama', request => named_struct('messages', array(named_struct('role', 'system', 'content', :lakelet_0), \
         named_struct('role', 'user', 'content', concat(:lakelet_1, lakelet_input_0, :lakelet_2)))), modelParameters => \
         named_struct('temperature', 0.5, 'stop', array('a\\'b'), 'max_tokens', 10), failOnError => false) END AS lakelet_reply FROM \
         (SELECT *, CASE WHEN instr(lakelet_input_0, '<<CUSTOM-TYPE-START-IDENTIFIER>>') > 0 THEN 'question' END AS lakelet_refused FROM \
         (SELECT *, coalesce(`question`, 'None') AS lakelet_input_0 FROM (SELECT id AS `id`, q AS `question` FROM `t`)))"
    );
    assert_eq!(query.parameters[1].value, "[[ ## question ## ]]\n");
    assert!(query.parameters[0].value.starts_with("Your input fields are:\n1. `question` (str):"));
    let output = Output::from_json(&json!({"table": "a", "mode": "append"})).unwrap();
    let written = asking.query(&[column("question", "STRING")], Some(&output)).unwrap().text;
    assert!(
        written.starts_with(&format!("INSERT INTO `a` (`id`, `question`, `{REFUSED}`, `{REPLY}`) SELECT `id`, ")),
        "{written}"
    );
}

#[test]
fn what_sql_cannot_ask_is_refused() {
    let missing = asking("other -> answer", json!({})).probe().unwrap_err();
    assert_eq!((missing.kind(), missing.field()), (ErrorKind::Input, Some("other")));
    let mut ours = asking("question -> answer", json!({}));
    ours.selection.fields.push(("Lakelet_x".to_owned(), "1".to_owned()));
    assert_eq!(ours.probe().unwrap_err().field(), Some("Lakelet_x"));
    let tools = asking("question -> answer", json!({"tools": [{"type": "function"}]}));
    let error = tools.query(&[column("question", "STRING")], None).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, Some("tools")));
    for of in [
        "TIMESTAMP",
        "BINARY",
        "VARIANT",
        "MAP<INT, STRING>",
        "ARRAY<TIMESTAMP>",
        "ARRAY<DECIMAL(3,1)>",
        "ARRAY<INT>",
        "?",
    ] {
        let error = asking("question -> answer", json!({})).query(&[column("question", of)], None).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("question")), "{of}");
        assert!(error.message().contains(of) && error.hint().is_some(), "{error}");
    }
}

#[test]
fn replies_are_read_with_what_failed_in_between() {
    let columns = [("id", "BIGINT"), (REFUSED, "STRING"), (REPLY, "STRUCT<result: STRING, errorMessage: STRING>")];
    let rows = json!([
        ["1", null, r#"{"result":"said \"so\"","errorMessage":null}"#],
        ["2", null, r#"{"result":null,"errorMessage":"HTTP 429"}"#],
        ["3", "question", null],
        ["4", null, null],
        ["5", null, r#"{"response":"older","errorStatus":null}"#],
    ]);
    let host = TestHost::new([Answer::json(json!({"chunk_index": 0, "data_array": rows}))]);
    let columns: Vec<Json> = columns.iter().map(|(name, text)| json!({"name": name, "type_text": text})).collect();
    let told =
        call(&host, "data.replies", json!({"warehouse_id": "w", "statement_id": "s1", "columns": columns})).unwrap();
    let code = |i: usize| told[i]["error"]["code"].as_str();
    assert_eq!(told[0], json!({"example": {"id": 1}, "reply": "said \"so\""}));
    assert_eq!((code(1), code(2), code(3)), (Some("server"), Some("input"), Some("server")));
    assert_eq!(told[1]["error"]["message"], "the model did not answer: HTTP 429");
    assert_eq!(told[2]["error"]["field"], "question");
    assert_eq!(told[4]["reply"], "older");
}

#[test]
fn exact_matches_are_counted_where_sql_can_tell() {
    let asked = asking("question -> answer", json!({}));
    let of = |output: &str, wanted: &str| ExactMatch {
        answered: asked.selection.clone(),
        template: asked.template.clone(),
        output: output.to_owned(),
        wanted: wanted.to_owned(),
    };
    assert_eq!(of("reasoning", "id").check().unwrap_err().field(), Some("reasoning"));
    assert_eq!(of("answer", "gold").check().unwrap_err().field(), Some("gold"));
    let mut typed = of("answer", "id");
    typed.template = asking("question -> answer, n: int", json!({})).template;
    assert_eq!(typed.check().unwrap_err().kind(), ErrorKind::Unsupported);
    let counts = [("wanted", "STRING"), ("rows", "BIGINT"), ("decided", "BIGINT"), ("right", "BIGINT")];
    let host = TestHost::new([
        succeeded(&counts, json!([["x", "10", "8", "5"]])),
        succeeded(&[("wanted", "INT"), counts[1], counts[2], counts[3]], json!([["1", "10", "8", "5"]])),
    ]);
    let arguments = json!({
        "warehouse_id": "w", "selection": asked.selection.to_json(), "template": asked.template.to_json(), "output_field": "answer",
        "wanted": "question",
    });
    let counted = call(&host, "data.exact_matches", arguments.clone()).unwrap();
    assert_eq!(counted["counted"], json!({"rows": 10, "decided": 8, "right": 5}));
    assert!(counted["statement"].as_str().unwrap().ends_with("WHERE NOT `lakelet_decided`"));
    assert_eq!(call(&host, "data.exact_matches", arguments).unwrap_err().kind(), ErrorKind::Unsupported);
}
