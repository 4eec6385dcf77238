//! An embedding model with a memory.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::future::join_all;
use serde_json::Value as Json;

use super::{Cache, key};
use crate::embed::{EmbeddingModel, vectors};
use crate::error::Result;
use crate::json;

/// What DSPy's key says of the function that asks.
const ASKED_BY: &str = "dspy.clients.embedding._cached_compute_embeddings";

/// An embedding model whose vectors are kept, each by its text. A store that fails is passed over.
///
/// The key of a text is the one that DSPy 3.4.1 gives it when `dspy.Embedder` is asked for it alone.
#[derive(Clone)]
pub struct CachedEmbeddings {
    model: Rc<dyn EmbeddingModel>,
    name: String,
    store: Rc<dyn Cache>,
}

impl CachedEmbeddings {
    /// Keeps the vectors of a model in a store. The name tells them apart from those of other models there.
    pub fn new(model: Rc<dyn EmbeddingModel>, name: &str, store: Rc<dyn Cache>) -> Self {
        Self { model, name: name.to_owned(), store }
    }

    fn key(&self, text: &str) -> String {
        let asked: [(&str, Json); 4] = [
            ("positional_arg_0", self.name.as_str().into()),
            ("positional_arg_1", [text].as_slice().into()),
            ("caching", true.into()),
            ("_fn_identifier", ASKED_BY.into()),
        ];
        key(&asked.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    }

    async fn find(&self, text: &str) -> Option<Vec<f64>> {
        let kept = json::read(&self.store.get(&self.key(text)).await.ok()??).ok()?;
        let numbers: Option<Vec<f64>> = kept.as_array()?.iter().map(Json::as_f64).collect();
        numbers.filter(|vector| !vector.is_empty())
    }

    async fn keep(&self, text: &str, vector: &[f64]) {
        _ = self.store.put(&self.key(text), json::text(&vector.into())).await; // the vector is there, kept or not
    }
}

impl EmbeddingModel for CachedEmbeddings {
    fn embed<'a>(&'a self, texts: &'a [String], deadline_ms: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
        Box::pin(async move {
            let found = join_all(texts.iter().map(|text| self.find(text))).await;
            let missing: Vec<String> =
                texts.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(text, _)| text.clone()).collect();
            let made = match missing.is_empty() {
                true => Vec::new(),
                false => vectors(&*self.model, &missing, deadline_ms).await?,
            };
            join_all(missing.iter().zip(&made).map(|(text, vector)| self.keep(text, vector))).await;
            let mut made = made.into_iter();
            Ok(found.into_iter().filter_map(|found| found.or_else(|| made.next())).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::FutureExt;

    use super::super::Memory;
    use super::*;

    /// Gives each text its length as a vector, and remembers what it was asked.
    #[derive(Default)]
    struct Lengths(RefCell<Vec<String>>);

    impl EmbeddingModel for Lengths {
        fn embed<'a>(&'a self, texts: &'a [String], _: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
            self.0.borrow_mut().extend_from_slice(texts);
            let vectors = texts.iter().map(|text| vec![text.len() as f64, 0.5]).collect();
            Box::pin(async move { Ok(vectors) })
        }
    }

    #[test]
    fn only_new_texts_are_asked_for_and_all_keep_their_places() {
        let model = Rc::new(Lengths::default());
        let cached = CachedEmbeddings::new(model.clone(), "m", Rc::new(Memory::default()));
        let embed = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            cached.embed(&texts, None).now_or_never().unwrap().unwrap()
        };
        assert_eq!(embed(&["a", "bb"]), [[1.0, 0.5], [2.0, 0.5]]);
        assert_eq!(embed(&["ccc", "bb", "dddd", "a"]), [[3.0, 0.5], [2.0, 0.5], [4.0, 0.5], [1.0, 0.5]]);
        assert!(embed(&[]).is_empty());
        assert_eq!(*model.0.borrow(), ["a", "bb", "ccc", "dddd"]);
    }

    #[test]
    fn the_key_is_the_one_of_dspy() {
        let cached =
            CachedEmbeddings::new(Rc::new(Lengths::default()), "databricks-gte-large-en", Rc::new(Memory::default()));
        assert_eq!(cached.key("delta lake"), "87088ff4678a511cd0f3621291ddc75613b66109de2bbeabdce8d6d32e1fe6f9");
    }
}
