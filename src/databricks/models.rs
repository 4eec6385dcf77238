//! The models of a workspace: by type, by name, and by what a task needs.

mod catalogue;
mod learned;
mod retired;
mod selection;

use std::rc::Rc;

use serde_json::{Value as Json, json};

pub use catalogue::ModelFacts;
pub use learned::Observation;
pub use retired::{RETIRED, Retired};
pub use selection::{Candidate, Needs, Reason, Rule, Selection, SelectionTable};

use super::Workspace;
use super::serving::{Embedder, Endpoint, ServingEndpoints};
use crate::error::{Error, ErrorKind, Result};
use crate::lm::LanguageModel;
use crate::nearest::offer;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelType {
    Chat,
    Completion,
    Embedding,
}

/// A model that can be asked.
#[derive(Clone)]
pub enum Model {
    Language(Rc<dyn LanguageModel>),
    Embedding(Rc<Embedder>),
}

/// An endpoint of the workspace as a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedModel {
    /// The endpoint's name.
    pub name: String,
    /// What it is for; `None` for a model of one's own and for an agent.
    pub model_type: Option<ModelType>,
    pub endpoint: Endpoint,
    /// What the catalogue knows of a model of this name.
    pub facts: Option<&'static ModelFacts>,
}

/// The models of a workspace.
///
/// ```
/// use lakelet::databricks::models::Model;
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let registry = workspace.models();
/// if let Model::Language(chat) = registry.get_model("chat", None).await? {
///     println!("{}", chat.name());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ModelRegistry {
    workspace: Workspace,
}

impl Workspace {
    /// The models of the workspace.
    pub fn models(&self) -> ModelRegistry {
        ModelRegistry { workspace: self.clone() }
    }
}

impl ModelType {
    const ALL: [(&'static str, Self); 3] =
        [("chat", Self::Chat), ("completion", Self::Completion), ("embedding", Self::Embedding)];

    /// The type of a name.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), in the words of the study's `ValueError`.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, model_type)| model_type);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Input, format!("Unknown model type: {name}"))
                .with_hint(offer(name, Self::ALL.into_iter().map(|(known, _)| known)))
                .with_python_class("ValueError")
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Embedding => "embedding",
        }
    }

    /// The type of models with a task of serving endpoints.
    fn of_task(task: &str) -> Option<Self> {
        match task {
            "llm/v1/chat" => Some(Self::Chat),
            "llm/v1/completions" => Some(Self::Completion),
            "llm/v1/embeddings" => Some(Self::Embedding),
            _ => None,
        }
    }
}

impl ModelRegistry {
    /// All endpoints that the caller may see, as models.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self) -> Result<Vec<ServedModel>> {
        let endpoints: ServingEndpoints = self.workspace.serving_endpoints();
        Ok(endpoints.list().await?.into_iter().map(ServedModel::of).collect())
    }

    /// The model of a type and name, or the preferred one of the type: of those that are ready, the first in the catalogue, else the first
    /// of the workspace. For `completion` that may be a chat model, since Databricks hosts no other: it is given a chat.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) for an unknown type, and for a name whose model is of another; [`NotFound`](ErrorKind::NotFound) for one that
    /// is retired, with its successor, or not served; [`Conflict`](ErrorKind::Conflict) for one that is not ready.
    pub async fn find(&self, model_type: &str, name: Option<&str>) -> Result<ServedModel> {
        let wanted = ModelType::named(model_type)?;
        let served = self.list().await?;
        match name {
            Some(name) => named(served, wanted, name.strip_prefix("databricks/").unwrap_or(name)),
            None => preferred(served, wanted),
        }
    }

    /// The model itself, to be asked: [`find`](Self::find), and then a client for its type.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub async fn get_model(&self, model_type: &str, name: Option<&str>) -> Result<Model> {
        let found = self.find(model_type, name).await?;
        Ok(match found.model_type {
            Some(ModelType::Embedding) => Model::Embedding(Rc::new(self.workspace.embedder(&found.name)?)),
            Some(ModelType::Completion) => Model::Language(Rc::new(self.workspace.completion(&found.name)?)),
            _ => Model::Language(Rc::new(self.workspace.chat(&found.name)?)),
        })
    }

    /// The model for a task, by a table, of those that are ready in the workspace.
    ///
    /// # Errors
    /// As [`SelectionTable::select`], and what the service refuses.
    pub async fn select_optimal_model(&self, table: &SelectionTable, needs: &Needs) -> Result<Selection> {
        let served = self.list().await?;
        let is_served = |name: &str| served.iter().any(|model| model.name == name && model.endpoint.is_ready);
        table.select(needs, is_served)
    }
}

impl ServedModel {
    fn of(endpoint: Endpoint) -> Self {
        let model_type = endpoint.task.as_deref().and_then(ModelType::of_task);
        Self { name: endpoint.name.clone(), model_type, facts: ModelFacts::named(&endpoint.name), endpoint }
    }

    /// Whether it can be asked as a model of that type.
    fn serves(&self, wanted: ModelType) -> bool {
        self.model_type == Some(wanted) || (wanted, self.model_type) == (ModelType::Completion, Some(ModelType::Chat))
    }

    /// `{name, type, task, ready, state, entity, context, output, usd_per_million, until}`.
    pub fn to_json(&self) -> Json {
        let Self { name, model_type, endpoint, facts } = self;
        let entity = endpoint.json.pointer("/config/served_entities/0/entity_name");
        json!({
            "name": name, "type": model_type.map(ModelType::as_str), "task": endpoint.task, "ready": endpoint.is_ready,
            "state": endpoint.json.get("state"), "entity": entity,
            "context": facts.and_then(|facts| facts.context), "output": facts.and_then(|facts| facts.output),
            "usd_per_million": facts.and_then(|facts| facts.usd_per_million).map(|(input, output)| [input, output]),
            "until": facts.and_then(|facts| facts.until.as_deref()),
        })
    }
}

fn named(served: Vec<ServedModel>, wanted: ModelType, name: &str) -> Result<ServedModel> {
    let known: Vec<String> =
        served.iter().filter(|model| model.serves(wanted)).map(|model| model.name.clone()).collect();
    let Some(found) = served.into_iter().find(|model| model.name == name) else {
        let hint = match Retired::named(name) {
            Some(retired) => retired.hint(),
            None => offer(name, known.iter().map(String::as_str)),
        };
        let fate = if Retired::named(name).is_some() { "is retired" } else { "is not served in this workspace" };
        return Err(Error::new(ErrorKind::NotFound, format!("the model `{name}` {fate}")).with_hint(hint));
    };
    if !found.serves(wanted) {
        let task = found.endpoint.task.as_deref().unwrap_or("none");
        let message = format!("`{name}` is no {} model: its task is {task}", wanted.as_str());
        let hint = offer(name, known.iter().map(String::as_str));
        return Err(Error::new(ErrorKind::Input, message).at_field("model_name").with_hint(hint));
    }
    if !found.endpoint.is_ready {
        let message = format!("the endpoint `{name}` is not ready");
        return Err(Error::new(ErrorKind::Conflict, message)
            .with_retryable(true)
            .with_hint("Wait until it is, or start it."));
    }
    Ok(found)
}

fn preferred(served: Vec<ServedModel>, wanted: ModelType) -> Result<ServedModel> {
    let rank = |model: &ServedModel| {
        let place = ModelFacts::all().iter().position(|facts| facts.name == model.name);
        (model.model_type != Some(wanted), place.unwrap_or(usize::MAX))
    };
    let ready = served.into_iter().filter(|model| model.endpoint.is_ready && model.serves(wanted));
    ready.min_by_key(rank).ok_or_else(|| {
        let message = format!("the workspace serves no {} model that is ready", wanted.as_str());
        Error::new(ErrorKind::NotFound, message)
            .with_hint("Make a serving endpoint, or ask for the right to query one: endpoints that one may not see are not listed.")
    })
}
