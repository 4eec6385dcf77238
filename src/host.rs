//! What the core asks of the place where it runs.

use std::rc::Rc;

use crate::http::Fetch;
use crate::time::Clock;

/// A way out and a clock. Cloning shares both.
#[derive(Clone)]
pub struct Host {
    pub fetch: Rc<dyn Fetch>,
    pub clock: Rc<dyn Clock>,
}
