//! Passages in memory, found by their embeddings.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Passage, Query, Retriever};
use crate::embed::{self, EmbeddingModel};
use crate::error::{Error, ErrorKind, Result};

/// The least length by which a vector is divided.
const SHORTEST: f64 = 1e-10;

/// Texts that are found by the nearness of their embeddings: DSPy 3.4.1's `Embeddings`, without an index of its own.
///
/// Near is what has a large dot product with the query, when both have the length 1. A passage's id is its position. Filters
/// are refused: texts have no columns.
#[derive(Clone)]
pub struct Embeddings(Rc<Corpus>);

struct Corpus {
    texts: Vec<String>,
    vectors: Vec<Vec<f64>>,
    model: Rc<dyn EmbeddingModel>,
    k: usize,
}

impl Embeddings {
    /// Embeds the texts. A query that does not say how many passages it wants gets `k`; DSPy's own default is 5.
    ///
    /// # Errors
    /// What the model fails with, and [`Protocol`](ErrorKind::Protocol) when it does not give a vector for each text.
    pub async fn new(texts: Vec<String>, model: Rc<dyn EmbeddingModel>, k: usize) -> Result<Self> {
        let vectors = embed(&*model, &texts, None).await?;
        Ok(Self(Rc::new(Corpus { texts, vectors, model, k })))
    }
}

impl Corpus {
    async fn nearest(&self, query: Query) -> Result<Vec<Passage>> {
        if query.filters.is_some() {
            return Err(Error::new(ErrorKind::Input, "texts in memory cannot be filtered").at_field("filters"));
        }
        let vector = match (query.vector, query.text) {
            (Some(vector), _) => normalized(vector),
            (None, Some(text)) => embed(&*self.model, &[text], query.deadline_ms).await?.pop().unwrap_or_default(),
            (None, None) => {
                return Err(Error::new(ErrorKind::Input, "a query needs a text or a vector").at_field("query"));
            }
        };
        let k = query.k.map_or(self.k, |k| k as usize);
        let mut nearest: Vec<(f64, usize)> = Vec::new();
        for (i, known) in self.vectors.iter().enumerate() {
            let score = known.iter().zip(&vector).map(|(a, b)| a * b).sum::<f64>();
            let place = nearest.partition_point(|(better, _)| *better >= score);
            if place < k {
                nearest.insert(place, (score, i));
                nearest.truncate(k);
            }
        }
        let passage = |(score, i): (f64, usize)| {
            Some(Passage { id: i.to_string(), text: self.texts.get(i)?.clone(), score, ..Passage::default() })
        };
        Ok(nearest.into_iter().filter_map(passage).collect())
    }
}

impl Retriever for Embeddings {
    fn retrieve(&self, query: Query) -> LocalBoxFuture<'static, Result<Vec<Passage>>> {
        let corpus = Rc::clone(&self.0);
        Box::pin(async move { corpus.nearest(query).await })
    }
}

/// A vector of length 1 for each text.
async fn embed(model: &dyn EmbeddingModel, texts: &[String], deadline_ms: Option<f64>) -> Result<Vec<Vec<f64>>> {
    let vectors = embed::vectors(model, texts, deadline_ms).await?;
    Ok(vectors.into_iter().map(normalized).collect())
}

fn normalized(vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|number| number * number).sum::<f64>().sqrt().max(SHORTEST);
    vector.into_iter().map(|number| number / length).collect()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// The vector of a text is the numbers in it.
    struct Numbers;

    impl EmbeddingModel for Numbers {
        fn embed<'a>(&'a self, texts: &'a [String], _: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
            let vector = |text: &String| text.split(' ').filter_map(|number| number.parse().ok()).collect();
            Box::pin(std::future::ready(Ok(texts.iter().map(vector).collect())))
        }
    }

    fn found(k: usize, query: Query) -> Result<Vec<String>> {
        let texts = ["10 0", "0 1", "3 4", "0 2", "0 0"].map(str::to_owned).to_vec();
        let embeddings = Embeddings::new(texts, Rc::new(Numbers), k).now_or_never().unwrap().unwrap();
        let passages = embeddings.retrieve(query).now_or_never().unwrap()?;
        Ok(passages
            .into_iter()
            .map(|passage| format!("{}: {} {:.2}", passage.id, passage.text, passage.score))
            .collect())
    }

    #[test]
    fn direction_counts_and_of_equals_the_first() {
        let text = Query { text: Some("0 7".to_owned()), ..Query::default() };
        assert_eq!(found(3, text.clone()).unwrap(), ["1: 0 1 1.00", "3: 0 2 1.00", "2: 3 4 0.80"]);
        assert_eq!(found(3, Query { k: Some(1), ..text }).unwrap(), ["1: 0 1 1.00"]);
        let vector = Query { vector: Some(vec![5.0, 0.0]), ..Query::default() };
        assert_eq!(found(1, vector).unwrap(), ["0: 10 0 1.00"]);
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        assert_eq!(found(1, Query::default()).unwrap_err().field(), Some("query"));
        let filtered = Query { filters: Some(serde_json::json!({})), ..Query::default() };
        assert_eq!(found(1, filtered).unwrap_err().field(), Some("filters"));
    }
}
