//! What is posted.
//!
//! DSPy posts through client libraries that change what it decided; only that is compared: messages, `response_format`, tools
//! and sampling parameters, all of them and nothing beside. The body that `databricks::ServingChat` posts stands for it. From
//! a recorded body is taken back what its client did:
//!
//! - `model` and `stream` are the transport's: Lakelet names the endpoint in the path.
//! - OpenAI's client says `max_completion_tokens` for `max_tokens`, and asks once for each of `n` completions.
//! - Its responses API says `max_output_tokens`, has messages as `instructions` and `input`, the format in `text`, and a
//!   function in the tool itself.
//! - LiteLLM makes a schema the tool `json_tool_call` for Claude on Databricks, and drops `json_object` there; Databricks takes
//!   both as `response_format`, which is what DSPy decided.
//! - Of embeddings, texts and how they are cut into requests are compared. That LiteLLM refuses an option is its own decision.

use std::cell::RefCell;
use std::rc::Rc;

use futures::StreamExt;
use futures::executor::block_on;
use futures::future::{LocalBoxFuture, ready};
use futures::stream::{LocalBoxStream, once};
use lakelet::databricks::{Credential, Workspace};
use lakelet::http::{Body, Fetch, Request, Response};
use lakelet::lm::Capabilities;
use lakelet::run::{Run, Services};
use lakelet::value::Value;
use lakelet::{Host, Result};
use serde_json::{Map, Value as Json, json};

use super::callable::Program;
use super::calls::Stopped;
use super::compare::{check, same};
use super::{Outcome, cases};

/// Where the workspace of the cases is.
pub const ADDRESS: &str = "https://lake.example";

/// Answers every request by its body, and keeps the addresses and the bodies.
pub struct Recorder<F> {
    answer: F,
    pub urls: RefCell<Vec<String>>,
    pub bodies: RefCell<Vec<Json>>,
}

impl<F: Fn(&Json) -> Json> Fetch for Recorder<F> {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response>> {
        let body: Json = serde_json::from_slice(&request.body).expect("a body is JSON");
        let answer = (self.answer)(&body).to_string().into_bytes();
        self.urls.borrow_mut().push(request.url);
        self.bodies.borrow_mut().push(body);
        Box::pin(ready(Ok(Response { status: 200, headers: Vec::new(), body: Box::new(Whole(answer)) })))
    }
}

struct Whole(Vec<u8>);

impl Body for Whole {
    fn whole(self: Box<Self>) -> LocalBoxFuture<'static, Result<Vec<u8>>> {
        Box::pin(ready(Ok(self.0)))
    }

    fn chunks(self: Box<Self>) -> LocalBoxStream<'static, Result<Vec<u8>>> {
        once(ready(Ok(self.0))).boxed_local()
    }
}

/// A workspace whose services give these answers, and what was asked of it.
pub fn workspace<F: Fn(&Json) -> Json + 'static>(answer: F) -> (Workspace, Rc<Recorder<F>>) {
    let recorder = Rc::new(Recorder { answer, urls: RefCell::default(), bodies: RefCell::default() });
    let host = Host { fetch: recorder.clone(), clock: Rc::new(Stopped) };
    (Workspace::new(ADDRESS, Credential::None, host).expect("an address"), recorder)
}

/// The endpoint of a model's name.
fn endpoint(model: &Json) -> &str {
    model.as_str().unwrap_or_default().split_once('/').map_or("", |(_, endpoint)| endpoint)
}

pub fn request(input: &Json, expected: &Json) -> Outcome {
    let expected = &expected["ok"];
    let reply = input["reply"].clone();
    let (workspace, recorder) = workspace(move |body| {
        let choice = json!({"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"});
        json!({"model": "m", "choices": vec![choice; body["n"].as_u64().unwrap_or(1) as usize]})
    });
    let can = |name: &str| expected["capabilities"][name] == true;
    let mut model = workspace.chat(endpoint(&input["lm"]["model"])).expect("a name").with_capabilities(Capabilities {
        json_object: can("response_format_param"),
        json_schema: can("response_schema"),
        function_calling: can("function_calling"),
        reasoning: can("reasoning"),
    });
    for (name, value) in input["lm"].as_object().into_iter().flatten() {
        if name != "model" && name != "model_type" {
            model = model.with_option(name, value.clone());
        }
    }
    let run = Run::new(Rc::new(Services::new(Rc::new(Stopped)).with_model("lm", Rc::new(model))));
    let adapter = cases::adapter(&input["adapter"])?;
    let work = async {
        let types = cases::types(&input["typedefs"])?;
        Program::build(&input["program"], &adapter, &types)?.call(&run, &input["inputs"], &types).await
    };
    let outputs = block_on(work).map(|prediction| cases::to_json(&Value::Dict(prediction.fields)));
    check(&json!({"ok": expected["outputs"]}), outputs)?;
    let sent = json!(*recorder.bodies.borrow());
    same(&decided(&expected["requests"], &sent), &sent)
}

/// What DSPy decided, of what a client posted.
fn decided(requests: &Json, sent: &Json) -> Json {
    let mut bodies: Vec<Json> = Vec::new();
    for request in requests.as_array().into_iter().flatten() {
        let mut body = request["body"].as_object().cloned().unwrap_or_default();
        let model = body.shift_remove("model").unwrap_or_default();
        body.shift_remove("stream");
        for name in ["max_completion_tokens", "max_output_tokens"] {
            if let Some(longest) = body.shift_remove(name) {
                body.insert("max_tokens".to_owned(), longest);
            }
        }
        if body.contains_key("input") {
            body = of_responses(body);
        }
        let is_claude = model.as_str().is_some_and(|model| model.starts_with("databricks-claude"));
        if is_claude {
            of_claude(&mut body, &sent[bodies.len()]["response_format"]);
        }
        // One of the completions that were asked for together.
        let asked_for = sent[bodies.len().saturating_sub(1)]["n"].as_u64().unwrap_or(1) as usize;
        match bodies.last_mut() {
            Some(last) if asked_for > 1 && !body.contains_key("n") => last["n"] = json!(asked_for),
            _ => bodies.push(Json::Object(body)),
        }
    }
    json!(bodies)
}

fn of_claude(body: &mut Map<String, Json>, sent_format: &Json) {
    if body.get("tools").is_some_and(|tools| tools[0]["function"]["name"] == "json_tool_call") {
        let tools = body.shift_remove("tools").unwrap_or_default();
        body.shift_remove("tool_choice");
        let schema =
            json!({"name": "DSPyProgramOutputs", "schema": tools[0]["function"]["parameters"], "strict": true});
        body.insert("response_format".to_owned(), json!({"type": "json_schema", "json_schema": schema}));
    } else if *sent_format == json!({"type": "json_object"}) {
        body.insert("response_format".to_owned(), sent_format.clone());
    }
}

fn of_responses(mut body: Map<String, Json>) -> Map<String, Json> {
    let mut messages = Vec::new();
    if let Some(instructions) = body.shift_remove("instructions") {
        messages.push(json!({"role": "system", "content": instructions}));
    }
    for item in body.shift_remove("input").unwrap_or_default().as_array().into_iter().flatten() {
        messages.push(json!({"role": item["role"], "content": item["content"][0]["text"]}));
    }
    if let Some(Json::Object(mut schema)) = body.shift_remove("text").map(|mut text| text["format"].take()) {
        let ty = schema.shift_remove("type").unwrap_or_default();
        let schema = if schema.is_empty() { json!({"type": ty}) } else { json!({"type": ty, "json_schema": schema}) };
        body.insert("response_format".to_owned(), schema);
    }
    for tool in body.get_mut("tools").and_then(Json::as_array_mut).into_iter().flatten() {
        let mut function = tool.as_object().cloned().unwrap_or_default();
        let ty = function.shift_remove("type");
        function.entry("description").or_insert(Json::Null);
        *tool = json!({"type": ty, "function": function});
    }
    body.insert("messages".to_owned(), json!(messages));
    body
}

pub fn embed(input: &Json, expected: &Json) -> Outcome {
    if expected["error"]["class"] == "UnsupportedParamsError" {
        return Ok(());
    }
    let vectors = RefCell::new(expected["ok"]["embeddings"].as_array().cloned().unwrap_or_default().into_iter());
    let (workspace, recorder) = workspace(move |body| {
        let texts = body["input"].as_array().into_iter().flatten();
        let vectors: Vec<Json> =
            texts.filter_map(|_| Some(json!({"embedding": vectors.borrow_mut().next()?}))).collect();
        json!({"data": vectors})
    });
    let mut embedder = workspace.embedder(endpoint(&input["model"])).expect("a name");
    if let Some(size) = input["options"]["batch_size"].as_u64() {
        embedder = embedder.with_batch_size(size as usize);
    }
    let texts = input["inputs"].as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
    let texts: Vec<String> = texts.collect();
    let embeddings = block_on(embedder.embed(&texts, None)).map(|answer| json!(answer.vectors));
    check(&json!({"ok": expected["ok"]["embeddings"]}), embeddings)?;
    let asked = expected["ok"]["requests"].as_array().into_iter().flatten();
    let asked: Vec<Json> = asked.map(|request| json!({"input": request["body"]["input"]})).collect();
    same(&json!(asked), &json!(*recorder.bodies.borrow()))
}
