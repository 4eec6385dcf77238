//! Answers that are kept, so that the same question is paid for once.
//!
//! Requests are told apart as DSPy 3.4.1 tells them apart ([`key`]). A [`Cache`] is any store of texts by key: the memory
//! of this process ([`Memory`]), the Cache API or IndexedDB of a page, the key-value store of an edge runtime.
//!
//! ```
//! use std::rc::Rc;
//! use lakelet::cache::{Cached, Memory};
//! # fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
//! let store = Rc::new(Memory::default());
//! let model = Cached::new(Rc::new(workspace.chat("databricks-claude-sonnet-4-6")?), store);
//! # Ok(())
//! # }
//! ```

mod embeddings;
mod entry;
mod journal;
mod key;
mod memory;
mod model;

pub use embeddings::CachedEmbeddings;
pub use journal::Journal;
pub(crate) use journal::Journaled;
pub use key::key;
pub use memory::Memory;
pub use model::Cached;

use futures_core::future::LocalBoxFuture;

use crate::error::Result;

/// A store of texts by key.
pub trait Cache {
    /// The text that was put under the key, unless it is gone.
    ///
    /// # Errors
    /// What the store fails with; the answer is then asked for.
    fn get(&self, key: &str) -> LocalBoxFuture<'static, Result<Option<String>>>;

    /// Keeps a text under the key.
    ///
    /// # Errors
    /// What the store fails with; the answer is then not kept.
    fn put(&self, key: &str, text: String) -> LocalBoxFuture<'static, Result<()>>;
}
