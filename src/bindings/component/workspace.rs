//! Workspaces, and the models and indexes in them.

use std::cell::RefCell;
use std::rc::Rc;

use super::errors::{Result, outward};
use super::fields::parameters;
use super::wit::programs;
use crate::cache::{Cache, Cached, Memory};
use crate::databricks::{self, Credential, QueryType, VectorIndex};
use crate::environment::Environment;
use crate::http::retry::Policy;
use crate::platform::wasi;
use crate::platform::wasi::bindings::wasi::cli::environment::get_environment;
use crate::run::{Run, Services, Sink};

/// A workspace with its token, the names that programs know its parts by, and the answers that it keeps.
pub struct Workspace {
    pub(super) workspace: databricks::Workspace,
    services: RefCell<Rc<Services>>,
    answers: Rc<dyn Cache>,
}

impl programs::GuestWorkspace for Workspace {
    fn open(connection: programs::Connection) -> Result<programs::Workspace> {
        open(connection).map(programs::Workspace::new).map_err(outward)
    }

    fn from_environment() -> Result<programs::Workspace> {
        from_environment().map(programs::Workspace::new).map_err(outward)
    }

    fn add_model(&self, name: String, endpoint: String, options: Option<String>) -> Result<()> {
        let add = || {
            let mut chat = self.workspace.chat(&endpoint)?;
            for (name, value) in options.map(|text| parameters("options", &text)).transpose()?.unwrap_or_default() {
                chat = chat.with_option(&name, value);
            }
            let model = Rc::new(Cached::new(Rc::new(chat), Rc::clone(&self.answers)));
            Rc::make_mut(&mut self.services.borrow_mut()).models.insert(name, model);
            Ok(())
        };
        add().map_err(outward)
    }

    fn add_index(&self, name: String, index: programs::VectorIndex) -> Result<()> {
        let index = self::index(&self.workspace, index).map_err(outward)?;
        Rc::make_mut(&mut self.services.borrow_mut()).retrievers.insert(name, Rc::new(index));
        Ok(())
    }
}

impl Workspace {
    /// The answers of all models that are there are kept.
    fn new(workspace: databricks::Workspace, mut services: Services) -> Self {
        let answers: Rc<dyn Cache> = Rc::new(Memory::default());
        for model in services.models.values_mut() {
            *model = Rc::new(Cached::new(Rc::clone(model), Rc::clone(&answers)));
        }
        Self { workspace, services: RefCell::new(Rc::new(services)), answers }
    }

    /// Begins a run here; its events go to the sink, if there is one.
    pub(super) fn begin(&self, options: &programs::RunOptions, sink: Option<Sink>) -> Run {
        let services = Rc::clone(&self.services.borrow());
        let mut run = match sink {
            Some(sink) => Run::watched(services, sink),
            None => Run::new(services),
        };
        if let Some(ms) = options.deadline_ms {
            run = run.within_ms(ms as f64);
        }
        if !options.cache {
            run = run.with_lm_settings([("cache".to_owned(), false.into())].into_iter().collect());
        }
        run
    }
}

fn open(connection: programs::Connection) -> crate::Result<Workspace> {
    let credential = match &connection.credential {
        programs::Credential::None => Credential::None,
        programs::Credential::Token(token) => Credential::token(token),
        programs::Credential::Client(client) => Credential::client(&client.id, &client.secret),
    };
    let mut workspace = databricks::Workspace::new(&connection.host, credential, wasi::host())?;
    if let Some(tries) = connection.tries {
        workspace = workspace.with_retries(Policy { tries, ..Policy::default() });
    }
    if let Some(ms) = connection.longest_call_ms {
        workspace = workspace.with_longest_call_ms(ms as f64);
    }
    Ok(Workspace::new(workspace, Services::new(wasi::host().clock)))
}

fn from_environment() -> crate::Result<Workspace> {
    let environment = Environment::from(get_environment());
    let workspace = databricks::workspace(&environment, wasi::host())?;
    let services = databricks::services(&environment, &workspace)?;
    Ok(Workspace::new(workspace, services))
}

fn index(workspace: &databricks::Workspace, given: programs::VectorIndex) -> crate::Result<VectorIndex> {
    let mut index = workspace.index(&given.name)?.columns(given.columns);
    if let Some(column) = given.id_column {
        index = index.id_column(&column);
    }
    if let Some(column) = given.text_column {
        index = index.text_column(&column);
    }
    if let Some(results) = given.results {
        index = index.results(results);
    }
    if let Some(query_type) = given.query_type {
        index = index.query_type(match query_type {
            programs::QueryType::Ann => QueryType::Ann,
            programs::QueryType::Hybrid => QueryType::Hybrid,
            programs::QueryType::FullText => QueryType::FullText,
        });
    }
    if let Some(score) = given.score_threshold {
        index = index.score_threshold(score);
    }
    Ok(index)
}
