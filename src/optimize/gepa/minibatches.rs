//! Minibatches of the examples.

use crate::python::Random;

/// Gives the examples in minibatches, in another random order each time through: GEPA's `EpochShuffledBatchSampler`.
pub(super) struct Minibatches {
    /// How many examples there are.
    examples: usize,
    size: usize,
    /// Places of examples; a number of them that the size divides.
    shuffled: Vec<usize>,
    epoch: usize,
}

impl Minibatches {
    /// Minibatches of so many examples each, at least one.
    pub(super) fn new(examples: usize, size: usize) -> Self {
        Self { examples, size, shuffled: Vec::new(), epoch: 0 }
    }

    /// The places of the examples of an iteration.
    pub(super) fn next(&mut self, iteration: usize, random: &mut Random) -> Vec<usize> {
        let start = iteration * self.size;
        let epoch = start.checked_div(self.shuffled.len());
        if epoch.is_none_or(|epoch| epoch > self.epoch) {
            self.epoch = epoch.unwrap_or(0);
            self.shuffle(random);
        }
        let start = start % self.shuffled.len().max(1);
        self.shuffled.iter().skip(start).take(self.size).copied().collect()
    }

    /// Shuffles, and fills the last minibatch up with the examples that are there least often, of equals the last one.
    fn shuffle(&mut self, random: &mut Random) {
        self.shuffled = (0..self.examples).collect();
        random.shuffle(&mut self.shuffled);
        let missing = self.examples.next_multiple_of(self.size) - self.examples;
        let last_first: Vec<usize> = self.shuffled.iter().rev().copied().collect();
        self.shuffled.extend(last_first.into_iter().cycle().take(missing));
    }
}
