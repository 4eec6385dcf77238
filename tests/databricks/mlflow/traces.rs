//! Calls of programs as traces, in both dialects.

use super::*;

/// The spans of an OTLP request: name, type and the name of the parent.
fn spans(host: &TestHost, at: usize) -> Vec<(String, String, Option<String>)> {
    let body = host.body(at);
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let name = |id: &Json| {
        spans.iter().find(|span| span["spanId"] == *id).map(|span| span["name"].as_str().unwrap().to_owned())
    };
    let of = |span: &Json| {
        let kind = attribute(span, "mlflow.spanType").as_str().unwrap().to_owned();
        (span["name"].as_str().unwrap().to_owned(), kind, span.get("parentSpanId").and_then(name))
    };
    spans.iter().map(of).collect()
}

fn attribute(span: &Json, name: &str) -> Json {
    let attributes = span["attributes"].as_array().unwrap();
    let value =
        &attributes.iter().find(|attribute| attribute["key"] == name).unwrap_or_else(|| panic!("no {name}"))["value"];
    value.as_object().unwrap().values().next().unwrap().clone()
}

#[test]
fn a_call_is_traced_with_the_spans_of_mlflows_autolog() {
    let found = Answer::json(
        json!({"experiment": {"experiment_id": "5", "name": "x", "artifact_location": "mlflow-artifacts:/5"}}),
    );
    let host = TestHost::new([found, answers("4"), nothing()]);
    let (program, run) = qa(&host);
    let platform = workspace(&host);
    let prediction = host.run(async move {
        let logger = MlflowLogger::new(&platform, "x").await.unwrap();
        observe::call(&logger, "qa", &*program, &run, question()).await
    });
    assert_eq!(prediction.unwrap().get("answer").and_then(|answer| answer.as_str()), Some("4"));
    let named =
        |name: &str, kind: &str, parent: Option<&str>| (name.to_owned(), kind.to_owned(), parent.map(str::to_owned));
    assert_eq!(
        spans(&host, 2),
        [
            named("ChainOfThought.forward", "CHAIN", None),
            named("Predict.forward", "LLM", Some("ChainOfThought.forward")),
            named("ChatAdapter.format", "PARSER", Some("Predict.forward")),
            named("LM.__call__", "CHAT_MODEL", Some("Predict.forward")),
            named("ChatAdapter.parse", "PARSER", Some("Predict.forward")),
        ]
    );
    let request = &host.requests()[2];
    assert_eq!(request.url, format!("{ADDRESS}/v1/traces"));
    assert!(request.headers.iter().any(|(name, value)| *name == "x-mlflow-experiment-id" && value == "5"));
    let body = host.body(2);
    let all = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let text =
        |i: usize, name: &str| -> Json { serde_json::from_str(attribute(&all[i], name).as_str().unwrap()).unwrap() };
    assert_eq!(text(0, "mlflow.spanInputs"), json!({"question": "What is 2+2?"}));
    assert_eq!(text(0, "mlflow.spanOutputs"), json!({"reasoning": "Add.", "answer": "4"}));
    assert_eq!(attribute(&all[0], "signature"), "question -> reasoning, answer");
    assert_eq!(text(3, "mlflow.spanInputs")["messages"], host.body(1)["messages"]);
    assert_eq!(attribute(&all[3], "mlflow.llm.model"), "llama-v1");
    let tokens = attribute(&all[3], "mlflow.chat.tokenUsage")["values"].clone();
    assert_eq!(tokens[2], json!({"key": "total_tokens", "value": {"intValue": "19"}}));
    assert_eq!(all[0]["traceId"].as_str().unwrap().len(), 32);
}

#[test]
fn on_databricks_a_trace_is_a_record_and_a_file() {
    let fixture = "mlflow-oss-rest-trace-v3";
    let stored = json!({"trace": {"trace_info": {"tags": {"mlflow.artifactLocation": "dbfs:/databricks/mlflow-tracking/881122/traces/tr-1/artifacts"}}}});
    let host = TestHost::new([answers("4"), Answer::json(stored), nothing()]);
    let (program, run) = qa(&host);
    let mlflow = workspace(&host).mlflow();
    let id = host.run(async move {
        let answer = program.call(&run, question()).await;
        let record = CallRecord { user: Some("dev".to_owned()), ..CallRecord::of("qa", &run, &question(), &answer) };
        mlflow.log_trace(&databricks(), &record).await.unwrap()
    });
    let wanted = exchange(fixture, "POST", "/api/3.0/mlflow/traces");
    let (line, body) = sent(&host, 1);
    assert_eq!(line, "POST /api/3.0/mlflow/traces");
    let (info, recorded) = (&body["trace"]["trace_info"], &wanted["request"]["body"]["value"]["trace"]["trace_info"]);
    // All that the recorded client tells but an id of its own; previews and tokens are those of our call.
    for (name, value) in recorded.as_object().unwrap().iter().filter(|(name, _)| *name != "client_request_id") {
        assert_eq!(std::mem::discriminant(&info[name]), std::mem::discriminant(value), "{name}");
    }
    assert_eq!(info["trace_id"], id);
    assert_eq!(info["trace_location"]["mlflow_experiment"]["experiment_id"], "881122");
    assert_eq!(info["response_preview"], r#"{"reasoning":"Add.","answer":"4"}"#);
    assert_eq!(info["trace_metadata"]["mlflow.trace.user"], "dev");
    let tokens = recorded["trace_metadata"]["mlflow.trace.tokenUsage"].as_str().unwrap().replace(' ', "");
    assert_eq!(info["trace_metadata"]["mlflow.trace.tokenUsage"], tokens);
    let (line, file) = sent(&host, 2);
    assert_eq!(
        line,
        "PUT /api/2.0/fs/files/WorkspaceInternal/Mlflow/Artifacts/881122/Runs/traces/tr-1/artifacts/traces.json?overwrite=true"
    );
    let upload = exchange(fixture, "PUT", "traces.json");
    let recorded = &upload["request"]["body"]["value"]["spans"][0];
    for (name, value) in recorded.as_object().unwrap() {
        let ours = &file["spans"][1][name];
        assert_eq!(std::mem::discriminant(ours), std::mem::discriminant(value), "{name}");
    }
    assert_eq!(file["spans"][0]["parent_span_id"], Json::Null);
    assert_eq!(file["spans"][1]["parent_span_id"], file["spans"][0]["span_id"]);
    assert_eq!(file["spans"][0]["span_id"], "AAAAAAAAAAE=");
    assert_eq!(file["spans"][0]["attributes"]["mlflow.spanType"], r#""CHAIN""#);
}

#[test]
fn a_call_that_fails_is_traced_as_an_error() {
    let host = TestHost::new([Answer::new(403, r#"{"error_code": "PERMISSION_DENIED", "message": "no"}"#), nothing()]);
    let (program, run) = qa(&host);
    let mlflow = workspace(&host).mlflow();
    host.run(async move {
        let answer = program.call(&run, question()).await;
        mlflow.log_trace(&open_source(), &CallRecord::of("qa", &run, &question(), &answer)).await.unwrap()
    });
    let all = host.body(1)["resourceSpans"][0]["scopeSpans"][0]["spans"].clone();
    assert_eq!(all[0]["status"]["code"], 2);
    assert!(all[0]["status"]["message"].as_str().unwrap().contains("no (HTTP 403"), "{}", all[0]);
    assert_eq!(all[0]["events"][0]["attributes"][0]["value"]["stringValue"], "permission");
    // The model failed, not the reading of its answer.
    let names: Vec<_> = spans(&host, 1).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["ChainOfThought.forward", "Predict.forward", "ChatAdapter.format", "LM.__call__"]);
    assert_eq!(all[3]["status"]["code"], 2);
}

#[test]
fn steps_of_pipelines_tools_and_passages_have_types_of_their_own() {
    let span = |id: usize, parent: Json, name: &str, kind: &str, inputs: Json, outputs: Json| {
        json!({"id": id, "parent": parent, "name": name, "kind": kind, "startMs": id, "durationMs": 1, "status": "done",
               "inputs": inputs, "outputs": outputs, "calls": [], "withheld": false})
    };
    let passage =
        json!({"passages": [{"id": "a", "text": "16 weeks", "score": 0.5, "uri": "file:a"}], "contexts": ["16 weeks"]});
    let found = json!({"docs": ["x"], "doc_ids": [7], "doc_uris": ["u"], "extra_columns": [{"title": "t"}]});
    let record = CallRecord::read(&json!({
        "name": "assistant", "beganMs": 1000, "durationMs": 9, "inputs": {"question": "q"}, "outputs": {"answer": "a"},
        "tags": {"stage": "test"}, "session": "s1", "runId": RUN,
        "spans": [
            span(0, Json::Null, "retrieve", "retrieve", json!({"query[0]": "q"}), passage),
            span(1, Json::Null, "find", "retrieve", json!({"query": "q"}), found),
            span(2, Json::Null, "approval", "guard", json!({}), json!({})),
            span(3, Json::Null, "agent", "react", json!({"question": "q"}), json!({"answer": "a"})),
            span(4, json!(3), "agent.search", "tool", json!({"query": "q"}), json!({"result": "25"})),
            span(5, json!(3), "try", "try", json!({}), json!({})),
            span(6, json!(5), "agent", "predict", json!({"question": "q"}), json!({"answer": "a"})),
        ],
    }))
    .unwrap();
    let host = TestHost::new([nothing()]);
    let mlflow = workspace(&host).mlflow();
    host.run(async move { mlflow.log_trace(&open_source(), &record).await }).unwrap();
    let all = host.body(0)["resourceSpans"][0]["scopeSpans"][0]["spans"].clone();
    let shown: Vec<_> = spans(&host, 0)
        .into_iter()
        .map(|(name, kind, parent)| format!("{} {name} {kind}", parent.unwrap_or_default()))
        .collect();
    assert_eq!(
        shown,
        [
            " assistant CHAIN",
            "assistant Retrieve.forward RETRIEVER",
            "assistant Retrieve.forward RETRIEVER",
            "assistant approval GUARDRAIL",
            "assistant ReAct.forward AGENT",
            "ReAct.forward Tool.search TOOL",
            "ReAct.forward Predict.forward LLM",
        ]
    );
    let outputs = |i: usize| -> Json {
        serde_json::from_str(attribute(&all[i], "mlflow.spanOutputs").as_str().unwrap()).unwrap()
    };
    let metadata = json!({"score": 0.5, "uri": "file:a", "doc_uri": "file:a"});
    assert_eq!(outputs(1), json!([{"page_content": "16 weeks", "metadata": metadata, "id": "a"}]));
    let metadata = json!({"title": "t", "doc_id": 7, "doc_uri": "u"});
    assert_eq!(outputs(2), json!([{"page_content": "x", "metadata": metadata, "id": 7}]));
    assert_eq!(outputs(5), "25", "the text of a tool stays a text");
    assert_eq!(attribute(&all[0], "mlflow.traceTag.stage"), "test");
    assert_eq!(attribute(&all[0], "session.id"), "s1");
    assert!(host.requests()[0].headers.iter().any(|(name, value)| *name == "x-mlflow-run-id" && value == RUN));
}
