//! Serving endpoints beside what Databricks' SDK was recorded to send; completions and embeddings in many requests.

use std::cell::RefCell;
use std::rc::Rc;

use futures::StreamExt;
use lakelet::ErrorKind;
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::wait::Wait;
use lakelet::lm::{LanguageModel, Message};
use serde_json::{Value as Json, json};

use crate::recorded::{answer, assert_sent, exchanges};
use crate::{ADDRESS, Answer, TestHost, hi, workspace};

fn body(exchange: &Json) -> Json {
    exchange["request"]["body"]["value"].clone()
}

fn operation(host: &TestHost, name: &'static str, arguments: Json) -> lakelet::Result<Outcome> {
    let workspace = workspace(host);
    let arguments = Arguments::read(&arguments.to_string(), Vec::new()).unwrap();
    host.run(async move { operations::call(&workspace, name, arguments, None).await })
}

#[test]
fn endpoints_are_listed_and_got_as_the_sdk_does() {
    let exchanges = exchanges("serving-endpoints-list-get");
    let host = TestHost::new(exchanges.iter().map(answer));
    let endpoints = workspace(&host).serving_endpoints();
    let (all, one) = host.run(async move {
        let all = endpoints.list().await.unwrap();
        let one = endpoints.get(&all[0].name).await.unwrap();
        (all, one)
    });
    assert_sent(&host, &exchanges);
    assert!(all.len() > 1 && all[0] == one);
    assert_eq!(
        (one.task.as_deref(), one.is_ready, one.config_update.as_str()),
        (Some("llm/v1/chat"), true, "NOT_UPDATING")
    );
}

#[test]
fn endpoints_are_made_changed_and_deleted_as_the_sdk_does() {
    for name in ["serving-create-external-model", "serving-create-uc-model"] {
        let exchanges = exchanges(name);
        let host = TestHost::new(exchanges.iter().map(answer));
        let waits = exchanges.len() > 1;
        operation(&host, "serving.create", json!({"definition": body(&exchanges[0]), "wait": waits})).unwrap();
        assert_sent(&host, &exchanges);
    }
    let exchanges = exchanges("serving-update-config-and-governance");
    let host = TestHost::new(exchanges.iter().map(answer));
    let endpoints = workspace(&host).serving_endpoints();
    let bodies: Vec<_> = exchanges.iter().map(body).collect();
    host.run(async move {
        endpoints.update_config("rag-ep", &bodies[0]).await.unwrap();
        assert_eq!(endpoints.set_ai_gateway("rag-ep", &bodies[1]).await.unwrap(), bodies[1]);
        assert_eq!(endpoints.set_rate_limits("rag-ep", &bodies[2]).await.unwrap(), bodies[2]);
        endpoints.change_tags("rag-ep", &bodies[3]).await.unwrap();
        endpoints.delete("rag-ep").await.unwrap();
    });
    assert_sent(&host, &exchanges);
}

#[test]
fn a_model_of_ones_own_is_asked_as_the_sdk_does() {
    let exchanges = exchanges("serving-query-dataframe-records");
    let host = TestHost::new(exchanges.iter().map(answer));
    let asked = json!({"name": "rag-ep", "body": body(&exchanges[0])});
    let Outcome::Json(told) = operation(&host, "serving.query", asked).unwrap() else { panic!("no JSON") };
    assert_sent(&host, &exchanges);
    assert_eq!(told["predictions"], json!([{"answer": "42"}]));
    for form in ["dataframe_split", "instances", "inputs"] {
        let host = TestHost::new([Answer::json(json!({"predictions": [1]}))]);
        operation(&host, "serving.query", json!({"name": "m", "body": {form: [[1]]}})).unwrap();
        assert_eq!(host.body(0), json!({form: [[1]]}));
    }
    let error = operation(&host, "serving.query", json!({"name": "m", "body": {"stream": true}})).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, Some("stream")));
}

fn state(ready: &str, update: &str, said: &str) -> Answer {
    let entity = json!({"name": "m", "state": {"deployment": "DEPLOYMENT_CREATING", "deployment_state_message": said}});
    Answer::json(json!({
        "name": "rag", "state": {"ready": ready, "config_update": update}, "pending_config": {"served_entities": [entity]},
    }))
}

#[test]
fn an_endpoint_is_waited_for_and_tells_how_far_it_is() {
    let host = TestHost::new([
        state("NOT_READY", "IN_PROGRESS", ""),
        state("NOT_READY", "IN_PROGRESS", "building"),
        state("NOT_READY", "IN_PROGRESS", "starting"),
        state("READY", "NOT_UPDATING", ""),
    ]);
    let told = Rc::new(RefCell::new(Vec::new()));
    let listener = told.clone();
    let wait = Wait::default().telling(move |progress| listener.borrow_mut().push(progress.message.clone()));
    let endpoints = workspace(&host).serving_endpoints();
    let made = host.run(async move { endpoints.create_and_wait(&json!({"name": "rag", "config": {}}), &wait).await });
    assert!(made.unwrap().is_ready);
    assert_eq!(*told.borrow(), ["building", "starting"]);
    assert_eq!(host.requests()[3].url, format!("{ADDRESS}/api/2.0/serving-endpoints/rag"));
}

#[test]
fn a_change_that_fails_says_why_and_what_is_left() {
    for (ready, update, kind, left) in [
        ("NOT_READY", "UPDATE_FAILED", ErrorKind::Server, "serves nothing"),
        ("READY", "UPDATE_FAILED", ErrorKind::Server, "what it served before"),
        ("READY", "UPDATE_CANCELED", ErrorKind::Cancelled, "what it served before"),
    ] {
        let host = TestHost::new([state(ready, update, "no such model")]);
        let endpoints = workspace(&host).serving_endpoints();
        let error = host.run(async move { endpoints.ready("rag", &Wait::default()).await }).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains("no such model") && error.hint().unwrap().contains(left), "{error}");
    }
}

#[test]
fn refusals_say_what_to_do() {
    for (status, code, kind, hint) in [
        (409, "RESOURCE_ALREADY_EXISTS", ErrorKind::Conflict, "another name"),
        (409, "RESOURCE_CONFLICT", ErrorKind::Conflict, "wait until"),
        (404, "RESOURCE_DOES_NOT_EXIST", ErrorKind::NotFound, "names"),
        (403, "PERMISSION_DENIED", ErrorKind::Permission, "CAN MANAGE"),
    ] {
        let host = TestHost::new([Answer::new(status, json!({"error_code": code, "message": "m"}).to_string())]);
        let error = operation(&host, "serving.update_config", json!({"name": "rag", "config": {}})).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.hint().unwrap().contains(hint), "{error}");
    }
    let host = TestHost::new([]);
    let error = operation(&host, "serving.create", json!({"definition": {"config": {}}})).unwrap_err();
    assert_eq!((error.kind(), error.field(), host.requests().len()), (ErrorKind::Input, Some("name"), 0));
}

#[test]
fn a_model_that_completes_is_given_one_text_and_asked_as_the_sdk_and_openai_do() {
    for (name, at) in [("serving-query-completions", "invocations"), ("openai-completions", "completions")] {
        let exchanges = exchanges(name);
        let host = TestHost::new(exchanges.iter().map(answer));
        let model = workspace(&host).completion("my-completions-ep").unwrap().with_option("max_tokens", 8.into());
        assert!(!model.capabilities().json_object);
        let said = host.run(model.complete(hi())).unwrap();
        assert_eq!(said.completions[0].text.as_deref(), Some(" Paris."));
        assert_eq!(said.usage.completion_tokens, 2);
        // The same members; the text is DSPy's, and the endpoint stands in the path.
        let mut wanted = body(&exchanges[0]);
        wanted.as_object_mut().unwrap().remove("model");
        wanted["prompt"] = "Hi\n\nBEGIN RESPONSE:".into();
        assert_eq!(host.body(0), wanted);
        assert!(exchanges[0]["request"]["path"].as_str().unwrap().ends_with(at));
    }
}

#[test]
fn a_completion_is_streamed_and_takes_no_images() {
    let chunk = |text: &str, finish: Json| {
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "text": text, "finish_reason": finish}]}))
    };
    let frames = chunk(" Par", Json::Null) + &chunk("is.", "stop".into()) + "data: [DONE]\n\n";
    let host = TestHost::new([Answer::new(200, frames)]);
    let model = workspace(&host).completion("m").unwrap();
    let deltas: Vec<_> = host.run(model.stream(hi()).collect());
    assert_eq!(deltas.iter().map(|delta| delta.as_ref().unwrap().text.as_str()).collect::<String>(), " Paris.");
    let mut tail = String::new();
    let image = json!({"type": "image_url", "image_url": {"url": "data:,"}});
    Message { content: lakelet::lm::Content::Parts(vec![image]), ..Message::text("user", "") }.write_json(&mut tail);
    let mut request = hi();
    request.prompt.tail = tail;
    assert_eq!(host.run(model.complete(request)).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn many_texts_are_embedded_in_several_requests_at_once_and_keep_their_order() {
    // Answers that come the later the earlier they were asked for: nothing may depend on it.
    let vectors = |from: usize, count: usize, after: f64| {
        let data: Vec<_> = (0..count).map(|i| json!({"index": i, "embedding": [(from + i) as f64]})).collect();
        Answer::json(json!({"data": data, "usage": {"prompt_tokens": count, "total_tokens": count}})).after(after)
    };
    let host = TestHost::new([
        vectors(0, 150, 400.0),
        vectors(150, 150, 300.0),
        vectors(300, 150, 200.0),
        vectors(450, 150, 100.0),
        vectors(600, 20, 100.0),
    ]);
    let embedder = workspace(&host).embedder("databricks-gte-large-en").unwrap();
    let texts: Vec<String> = (0..620).map(|i| i.to_string()).collect();
    let answer = host.run(async move { embedder.embed(&texts, None).await }).unwrap();
    assert_eq!(answer.vectors, (0..620).map(|i| vec![f64::from(i)]).collect::<Vec<_>>());
    assert_eq!(answer.usage.total_tokens, 620);
    let sizes: Vec<_> = (0..5).map(|at| host.body(at)["input"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [150, 150, 150, 150, 20]);
    assert_eq!(host.now(), 500.0, "four requests in flight, and the fifth when the first has ended");
}
