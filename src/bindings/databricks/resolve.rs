//! Configurations, found among options, variables and files.

use js_sys::Function;
use serde_json::{Map, Value as Json, json};
use wasm_bindgen::prelude::*;

use super::members;
use crate::bindings::wasm::errors::{from_thrown, thrown};
use crate::databricks::{Config, IndexSettings, Method, Sources};
use crate::environment::Environment;
use crate::error::Result;
use crate::http::url::{self, PlainHttp};
use crate::json;

/// Finds a configuration among options and variables, both as JSON text, and files, by a function from a path to a text or `undefined`. Gives
/// what was found as JSON text: `Found` in `js/src/auth/resolve.ts`. It holds secrets.
#[wasm_bindgen]
pub fn resolve(options: &str, environment: &str, read: Option<Function>) -> std::result::Result<String, JsValue> {
    find(options, environment, read).map(|found| json::text(&found)).map_err(|error| thrown(&error))
}

fn find(options: &str, environment: &str, read: Option<Function>) -> Result<Json> {
    let options = texts(members(options)?).map(|(name, value)| (snake(&name), value)).collect::<Vec<_>>();
    let environment = Environment::from(texts(members(environment)?).collect::<Vec<_>>());
    let read = read.map(|read| {
        move |path: &str| {
            let text = read.call1(&JsValue::NULL, &path.into()).map_err(|thrown| from_thrown(&thrown))?;
            Ok(text.as_string())
        }
    });
    let read = read.as_ref().map(|read| read as &dyn Fn(&str) -> Result<Option<String>>);
    let config = Config::resolve(&Sources { options: &options, environment: &environment, read })?;

    let host = url::base(&config.host, PlainHttp::Loopback).map_err(|error| error.at_field("DATABRICKS_HOST"))?;
    let mut found =
        json!({"host": host, "authType": config.method.name(), "scopes": config.scopes, "settings": settings(&config)});
    let mut tell = |name: &str, value: Option<&str>| {
        if let (Some(value), Some(members)) = (value, found.as_object_mut()) {
            members.insert(name.to_owned(), value.into());
        }
    };
    match &config.method {
        Method::Pat { token } => tell("token", Some(token.reveal())),
        Method::OauthM2m { client_id, client_secret } => {
            tell("clientId", Some(client_id));
            tell("clientSecret", Some(client_secret.reveal()));
        }
        Method::EnvOidc { variable, client_id } => {
            tell("variable", Some(variable));
            tell("clientId", client_id.as_deref());
        }
        Method::FileOidc { path, client_id } => {
            tell("path", Some(path));
            tell("clientId", client_id.as_deref());
        }
        Method::GithubOidc { client_id, audience } => {
            tell("clientId", Some(client_id));
            tell("audience", audience.as_deref());
        }
        Method::ExternalBrowser { client_id, client_secret } => {
            tell("clientId", client_id.as_deref());
            tell("clientSecret", client_secret.as_ref().map(|secret| secret.reveal()));
        }
        Method::ModelServing { path } => tell("path", Some(path)),
        Method::DatabricksCli => {}
    }
    tell("chat", environment.get("LAKELET_CHAT_ENDPOINT"));
    if let (Some(index), Some(members)) = (IndexSettings::read(&environment)?, found.as_object_mut()) {
        members.insert("index".to_owned(), index_options(&index));
    }
    Ok(found)
}

/// The settings that are no secrets, by their names in JavaScript.
fn settings(config: &Config) -> Map<String, Json> {
    let names = [
        ("profile", "profile"),
        ("accountId", "account_id"),
        ("workspaceId", "workspace_id"),
        ("warehouseId", "warehouse_id"),
        ("clusterId", "cluster_id"),
        ("serverlessComputeId", "serverless_compute_id"),
    ];
    let found = |(name, setting): (&str, &str)| Some((name.to_owned(), config.get(setting)?.into()));
    names.into_iter().filter_map(found).collect()
}

/// `IndexOptions` of `js/src/workspace.ts`, with the index's name.
fn index_options(index: &IndexSettings) -> Json {
    let mut options = Map::from_iter([("name".to_owned(), index.name.into())]);
    for (name, value) in [("idColumn", index.id), ("textColumn", index.text), ("queryType", index.query_type)] {
        if let Some(value) = value {
            options.insert(name.to_owned(), value.into());
        }
    }
    if !index.columns.is_empty() {
        let columns: Map<String, Json> =
            index.columns.iter().map(|(column, name)| ((*name).to_owned(), (*column).into())).collect();
        options.insert("columns".to_owned(), columns.into());
    }
    options.into()
}

fn texts(members: Map<String, Json>) -> impl Iterator<Item = (String, String)> {
    members.into_iter().filter_map(|(name, value)| match value {
        Json::String(text) => Some((name, text)),
        Json::Array(items) => Some((name, items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" "))),
        _ => None,
    })
}

/// `clientId` as the SDKs' settings are written: `client_id`.
fn snake(name: &str) -> String {
    let letters = name
        .chars()
        .flat_map(|letter| letter.is_ascii_uppercase().then_some('_').into_iter().chain([letter.to_ascii_lowercase()]));
    letters.collect()
}
