//! `KNN`: the examples that are most like a question.

use std::rc::Rc;

use crate::embed::{self, EmbeddingModel};
use crate::error::Result;
use crate::example::Example;
use crate::python::write_str;
use crate::run::Run;
use crate::value::Value;

/// Finds the `k` examples whose inputs are nearest to those of a call: DSPy 3.4.1's `KNN`.
///
/// Near is what has a large dot product, in 32-bit floats. Of equals the later one comes first.
pub struct Knn {
    pub k: usize,
    trainset: Vec<Example>,
    vectors: Vec<Vec<f32>>,
    model: Rc<dyn EmbeddingModel>,
}

impl Knn {
    /// Embeds the inputs of the examples, those that [`Example::with_inputs`] names.
    ///
    /// # Errors
    /// What the model fails with, and [`Protocol`](crate::ErrorKind::Protocol) when it does not give a vector for each text.
    pub async fn new(run: &Run, k: usize, trainset: Vec<Example>, model: Rc<dyn EmbeddingModel>) -> Result<Self> {
        let texts: Vec<String> = trainset.iter().map(|example| text(example.inputs())).collect();
        let vectors = embed(run, &*model, &texts).await?;
        Ok(Self { k, trainset, vectors, model })
    }

    /// The nearest examples, the nearest first. All `inputs` count, in their order.
    ///
    /// # Errors
    /// As [`Knn::new`].
    pub async fn nearest(&self, run: &Run, inputs: &Example) -> Result<Vec<&Example>> {
        let question = text(inputs.fields.iter().map(|(name, value)| (name.as_str(), value)));
        let question = embed(run, &*self.model, &[question]).await?;
        let question = question.first().map_or(&[][..], Vec::as_slice);
        let mut nearest: Vec<(f32, &Example)> = Vec::new();
        for (vector, example) in self.vectors.iter().zip(&self.trainset) {
            let score = dot(vector, question);
            let place = nearest.partition_point(|(better, _)| *better > score);
            if place < self.k {
                nearest.insert(place, (score, example));
                nearest.truncate(self.k);
            }
        }
        Ok(nearest.into_iter().map(|(_, example)| example).collect())
    }
}

/// `name: value | name: value`.
fn text<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        out.push_str(if out.is_empty() { "" } else { " | " });
        out.push_str(name);
        out.push_str(": ");
        write_str(&mut out, value);
    }
    out
}

async fn embed(run: &Run, model: &dyn EmbeddingModel, texts: &[String]) -> Result<Vec<Vec<f32>>> {
    let vectors = run.in_time(embed::vectors(model, texts, run.deadline_ms())).await?;
    Ok(vectors.into_iter().map(|vector| vector.into_iter().map(|number| number as f32).collect()).collect())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_core::future::LocalBoxFuture;

    use super::*;
    use crate::run::Services;
    use crate::time::Clock;

    struct Stopped;

    impl Clock for Stopped {
        fn now_ms(&self) -> f64 {
            0.0
        }

        fn sleep(&self, _ms: f64) -> LocalBoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }

        fn random(&self) -> f64 {
            0.5
        }
    }

    /// Knows the vectors of some texts, and keeps the texts.
    #[derive(Default)]
    struct Table {
        vectors: Vec<(&'static str, [f64; 2])>,
        asked: RefCell<Vec<String>>,
    }

    impl EmbeddingModel for Table {
        fn embed<'a>(&'a self, texts: &'a [String], _: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
            self.asked.borrow_mut().extend_from_slice(texts);
            let vector =
                |text: &String| self.vectors.iter().find(|(known, _)| known == text).map_or([0.5; 2], |it| it.1);
            Box::pin(std::future::ready(Ok(texts.iter().map(|text| vector(text).to_vec()).collect())))
        }
    }

    fn nearest(k: usize, table: Rc<Table>) -> Vec<String> {
        let example =
            |q: &str, a: i64| Example::new().with("q", q).with("n", 1.0).with("a", a).with_inputs(&["n", "q"]);
        let trainset = vec![example("a", 1), example("b", 2), example("c", 3)];
        futures::executor::block_on(async {
            let run = Run::new(Rc::new(Services::new(Rc::new(Stopped))));
            let knn = Knn::new(&run, k, trainset, table).await.unwrap();
            let nearest = knn.nearest(&run, &Example::new().with("q", "x")).await.unwrap();
            nearest
                .into_iter()
                .map(|example| example.get("q").and_then(Value::as_str).unwrap_or_default().to_owned())
                .collect()
        })
    }

    #[test]
    fn the_nearest_come_first() {
        let vectors = vec![
            ("q: a | n: 1.0", [1.0, 0.0]),
            ("q: b | n: 1.0", [0.0, 1.0]),
            ("q: c | n: 1.0", [0.9, 0.1]),
            ("q: x", [1.0, 0.05]),
        ];
        let table = Rc::new(Table { vectors: vectors.clone(), ..Table::default() });
        assert_eq!(nearest(2, Rc::clone(&table)), ["a", "c"]);
        assert_eq!(*table.asked.borrow(), vectors.iter().map(|(text, _)| *text).collect::<Vec<_>>());
        assert_eq!(nearest(5, table), ["a", "c", "b"]);
    }

    #[test]
    fn of_equals_the_later_comes_first() {
        assert_eq!(nearest(2, Rc::default()), ["c", "b"]);
    }
}
