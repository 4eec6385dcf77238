//! Workspaces, and the models and indexes in them.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::answer::Answer;
use super::errors::thrown;
use super::model::Model;
use super::options::Options;
use super::store::Store;
use crate::bindings::wasm;
use crate::cache::CachedEmbeddings;
use crate::databricks::{self, NamedColumns, QueryType, ServingChat};
use crate::embed::EmbeddingModel;
use crate::error::{Error, Result};
use crate::json;
use crate::retrieve;
use crate::value::Value;

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
    /// What [`wasm::open`] takes.
    #[wasm_bindgen(constructor)]
    pub fn new(length: usize, fetch: Option<Function>, tokens: Option<Function>) -> std::result::Result<Self, JsValue> {
        let open = || wasm::open(&Options::read(length)?.into_json(), fetch, tokens);
        open().map(|workspace| Self { workspace }).map_err(|error| thrown(&error))
    }

    /// The normalised address.
    pub fn address(&self) -> String {
        self.workspace.address().to_owned()
    }

    /// A chat model on a serving endpoint; the options are sent with every call.
    pub fn chat(&self, endpoint: &str, length: usize) -> std::result::Result<Model, JsValue> {
        model(self.workspace.chat(endpoint), length)
    }

    /// A model that completes text; likewise.
    pub fn completion(&self, endpoint: &str, length: usize) -> std::result::Result<Model, JsValue> {
        model(self.workspace.completion(endpoint), length)
    }

    /// An index: `{idColumn?, textColumn?, columns?, results?, queryType?, scoreThreshold?}`; columns by the names that they go by, or a list.
    pub fn index(&self, name: &str, length: usize) -> std::result::Result<Retriever, JsValue> {
        let read = || Ok(Retriever { retriever: index(&self.workspace, name, &Options::read(length)?)? });
        read().map_err(|error: Error| thrown(&error))
    }

    /// An embedding model on a serving endpoint.
    pub fn embedder(&self, endpoint: &str) -> std::result::Result<Embedder, JsValue> {
        let embedder = self.workspace.embedder(endpoint).map_err(|error| thrown(&error))?;
        Ok(Embedder { name: embedder.name().to_owned(), model: Rc::new(embedder) })
    }

    /// Looks for tokens in a store before it fetches them, and keeps them there.
    pub fn keep_tokens(&mut self, store: &Store) {
        self.workspace = self.workspace.clone().with_token_store(Rc::clone(&store.cache));
    }

    /// Posts a JSON body to a path below the workspace's address, with its credential.
    pub fn post(&self, path: String, body: Vec<u8>) -> Answer {
        let workspace = self.workspace.clone();
        Answer::expected(Box::pin(async move { workspace.post(&path, body, None).await }))
    }
}

/// Makes vectors of texts.
#[wasm_bindgen]
pub struct Embedder {
    name: String,
    model: Rc<dyn EmbeddingModel>,
}

#[wasm_bindgen]
impl Embedder {
    /// The same model, whose vectors are kept in a store.
    pub fn cached(&self, store: &Store) -> Self {
        let model = CachedEmbeddings::new(Rc::clone(&self.model), &self.name, Rc::clone(&store.cache));
        Self { name: self.name.clone(), model: Rc::new(model) }
    }

    /// The vectors, as JSON text.
    pub async fn embed(&self, texts: Vec<String>) -> std::result::Result<String, JsValue> {
        let embedded = self.model.embed(&texts, None).await;
        embedded.map(|vectors| json::text(&vectors.into())).map_err(|error| thrown(&error))
    }
}

fn model(chat: Result<ServingChat>, length: usize) -> std::result::Result<Model, JsValue> {
    let read = || {
        let options = Options::read(length)?.into_json();
        let chat = options.into_iter().fold(chat?, |chat, (name, value)| chat.with_option(&name, value));
        Ok(Model { model: Rc::new(chat) })
    };
    read().map_err(|error: Error| thrown(&error))
}

fn index(workspace: &databricks::Workspace, name: &str, options: &Options) -> Result<Rc<dyn retrieve::Retriever>> {
    let mut index = workspace.index(name)?;
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
    if let Some(name) = options.text("queryType")? {
        index = index.query_type(QueryType::named(name).map_err(|error| error.at_field("queryType"))?);
    }
    match options.value("columns") {
        Some(Value::Dict(columns)) => {
            let pair = |(name, column): (&String, &Value)| Some((column.as_str()?.to_owned(), name.clone()));
            Ok(Rc::new(NamedColumns::new(index, columns.iter().filter_map(pair).collect())))
        }
        _ => Ok(Rc::new(index.columns(options.texts("columns")?))),
    }
}
