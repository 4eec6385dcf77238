//! Workspaces, and the models and indexes in them.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::answer::Answer;
use super::errors::thrown;
use super::model::Model;
use super::options::Options;
use crate::databricks::{self, Credential, QueryType};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Policy;
use crate::json;
use crate::platform::js;
use crate::retrieve;

/// A workspace in wasm memory, with its token.
#[wasm_bindgen]
pub struct Workspace {
    workspace: databricks::Workspace,
}

/// Finds passages.
#[wasm_bindgen]
pub struct Retriever {
    pub(super) retriever: Rc<dyn retrieve::Retriever>,
}

#[wasm_bindgen]
impl Workspace {
    /// `{address, token?, clientId?, clientSecret?, tries?, longestCallMs?}`, and the `fetch` to use if not the global one.
    #[wasm_bindgen(constructor)]
    pub fn new(length: usize, fetch: Option<js_sys::Function>) -> std::result::Result<Self, JsValue> {
        open(length, fetch).map(|workspace| Self { workspace }).map_err(|error| thrown(&error))
    }

    /// The normalised address.
    pub fn address(&self) -> String {
        self.workspace.address().to_owned()
    }

    /// A chat model on a serving endpoint; the options are sent with every call.
    pub fn chat(&self, endpoint: &str, length: usize) -> std::result::Result<Model, JsValue> {
        let read = || {
            let mut chat = self.workspace.chat(endpoint)?;
            for (name, value) in Options::read(length)?.into_json() {
                chat = chat.with_option(&name, value);
            }
            Ok(Model { model: Rc::new(chat) })
        };
        read().map_err(|error: Error| thrown(&error))
    }

    /// An index: `{idColumn?, textColumn?, columns?, results?, queryType?, scoreThreshold?}`.
    pub fn index(&self, name: &str, length: usize) -> std::result::Result<Retriever, JsValue> {
        let read = || Ok(Retriever { retriever: Rc::new(index(&self.workspace, name, length)?) });
        read().map_err(|error: Error| thrown(&error))
    }

    /// The vectors of texts by an embedding model on a serving endpoint, as JSON text.
    pub async fn embed(&self, endpoint: &str, texts: Vec<String>) -> std::result::Result<String, JsValue> {
        let embedded = async { self.workspace.embedder(endpoint)?.embed(&texts, None).await };
        embedded.await.map(|it| json::text(&it.vectors.into())).map_err(|error: Error| thrown(&error))
    }

    /// Posts a JSON body to a path below the workspace's address, with its credential.
    pub fn post(&self, path: String, body: Vec<u8>) -> Answer {
        let workspace = self.workspace.clone();
        Answer::expected(Box::pin(async move { workspace.post(&path, body, None).await }))
    }
}

fn open(length: usize, fetch: Option<js_sys::Function>) -> Result<databricks::Workspace> {
    let options = Options::read(length)?;
    let credential = match (options.text("token")?, options.text("clientId")?, options.text("clientSecret")?) {
        (Some(token), None, None) => Credential::token(token),
        (None, Some(id), Some(secret)) => Credential::client(id, secret),
        (None, None, None) => Credential::None,
        _ => {
            return Err(Error::new(ErrorKind::Config, "the workspace is given half a credential, or two")
                .with_hint("give either `token`, or `clientId` and `clientSecret`, or none of them behind a gateway"));
        }
    };
    let address = options.text("address")?.unwrap_or_default();
    let mut workspace = databricks::Workspace::new(address, credential, js::host(fetch)?)?;
    if let Some(tries) = options.count("tries")? {
        workspace = workspace.with_retries(Policy { tries, ..Policy::default() });
    }
    if let Some(ms) = options.number("longestCallMs")? {
        workspace = workspace.with_longest_call_ms(ms);
    }
    Ok(workspace)
}

fn index(workspace: &databricks::Workspace, name: &str, length: usize) -> Result<databricks::VectorIndex> {
    let options = Options::read(length)?;
    let mut index = workspace.index(name)?.columns(options.texts("columns")?);
    if let Some(column) = options.text("idColumn")? {
        index = index.id_column(column);
    }
    if let Some(column) = options.text("textColumn")? {
        index = index.text_column(column);
    }
    if let Some(results) = options.count("results")? {
        index = index.results(results);
    }
    if let Some(score) = options.number("scoreThreshold")? {
        index = index.score_threshold(score);
    }
    Ok(match options.text("queryType")? {
        Some(name) => index.query_type(QueryType::named(name).map_err(|error| error.at_field("queryType"))?),
        None => index,
    })
}
