//! Models that share what an endpoint can take, and models that stand for several.

use std::rc::Rc;

use js_sys::Function;
use serde_json::{Map, Value as Json, json};
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::model::Model;
use crate::error::Error;
use crate::http::retry::Policy;
use crate::json;
use crate::lm::{LanguageModel, PassedOver, Router};
use crate::platform::js::JsClock;
use crate::report;
use crate::resources::ResourceManager;

/// Endpoints with the queues before them.
#[wasm_bindgen]
pub struct Resources {
    resources: ResourceManager,
}

#[wasm_bindgen]
impl Resources {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { resources: ResourceManager::new(Rc::new(JsClock)) }
    }

    /// The model, whose requests wait their turn.
    pub fn get_endpoint(&self, model: &Model, pool_size: Option<usize>) -> Model {
        Model { model: Rc::new(self.resources.get_endpoint(Rc::clone(&model.model), pool_size)) }
    }

    /// What the endpoints are doing, by name, as JSON text.
    pub fn loads(&self) -> String {
        let loads = self.resources.loads().into_iter().map(|(name, load)| {
            let told = json!({
                "inFlight": load.in_flight, "waiting": load.waiting, "limit": load.limit, "poolSize": load.most,
                "pausedMs": load.paused_ms, "halvings": load.halvings,
            });
            (name, told)
        });
        json::text(&Json::Object(loads.collect::<Map<_, _>>()))
    }
}

#[wasm_bindgen]
impl Model {
    /// A model that asks the first of these that can answer. `tell` is called with each that is passed over, as JSON text.
    pub fn routed(
        models: Vec<Model>,
        tell: Option<Function>,
        tries: Option<u32>,
    ) -> std::result::Result<Self, JsValue> {
        let models = models.into_iter().map(|it| it.model).collect();
        let router = Router::new(Rc::new(JsClock), models).map_err(|error: Error| thrown(&error))?;
        let router = match tries {
            Some(tries) => router.with_retries(Policy { tries, ..Policy::default() }),
            None => router,
        };
        let model: Rc<dyn LanguageModel> = match tell {
            Some(tell) => Rc::new(router.telling(move |passed| {
                let _ = tell.call1(&JsValue::NULL, &told(passed).into()); // a listener that throws ends nothing
            })),
            None => Rc::new(router),
        };
        Ok(Self { model })
    }
}

fn told(PassedOver { model, error, for_ms }: &PassedOver) -> String {
    json::text(&json!({"model": &**model, "forMs": for_ms, "error": report::error(error)}))
}
