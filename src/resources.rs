//! What a program may use of a workspace's endpoints.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;

use crate::lm::{LanguageModel, Limited, Limiter, Load};
use crate::time::Clock;

/// How many requests an endpoint is sent at once, when nobody says: the study's size of a pool.
const POOL_SIZE: usize = 5;

/// Hands out models whose requests stand in one queue for each endpoint, however many ask.
///
/// A request over `fetch` has no connection to keep, so what a pool can hold is turns: see [`Limiter`].
///
/// ```
/// use std::rc::Rc;
/// use lakelet::resources::ResourceManager;
/// # fn example(workspace: lakelet::databricks::Workspace, host: lakelet::Host) -> lakelet::Result<()> {
/// let resources = ResourceManager::new(host.clock);
/// let model = resources.get_endpoint(Rc::new(workspace.chat("databricks-claude-sonnet-4-6")?), None);
/// for (endpoint, load) in resources.loads() {
///     println!("{endpoint}: {} in flight, {} waiting", load.in_flight, load.waiting);
/// }
/// # Ok(()) }
/// ```
pub struct ResourceManager {
    clock: Rc<dyn Clock>,
    limiters: RefCell<IndexMap<String, Limiter>>,
}

impl ResourceManager {
    /// Nothing is in use yet.
    pub fn new(clock: Rc<dyn Clock>) -> Self {
        Self { clock, limiters: RefCell::default() }
    }

    /// The model, whose requests wait their turn: `pool_size` of them, 5 unless given, are in flight at once. Who asks for an endpoint
    /// first decides; each call is a caller of its own, with whom the others take turns.
    pub fn get_endpoint(&self, model: Rc<dyn LanguageModel>, pool_size: Option<usize>) -> Limited {
        let mut limiters = self.limiters.borrow_mut();
        let new = || Limiter::new(Rc::clone(&self.clock), pool_size.unwrap_or(POOL_SIZE));
        let limiter = limiters.entry(model.name().to_owned()).or_insert_with(new).clone();
        Limited::new(model, limiter)
    }

    /// What the endpoints are doing, in the order in which they were first asked for.
    pub fn loads(&self) -> Vec<(String, Load)> {
        self.limiters.borrow().iter().map(|(name, limiter)| (name.clone(), limiter.load())).collect()
    }
}
