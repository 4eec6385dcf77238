//! Python's `set` of small numbers: the order in which it is gone through.

/// A `set` of numbers that gives them in the order in which CPython 3.11 gives them: that of its hash table. What is drawn from
/// such a set by chance depends on it.
///
/// ```
/// use lakelet::python::NumberSet;
/// let set: NumberSet = [8, 1, 0].into_iter().collect();
/// assert_eq!(set.iter().collect::<Vec<_>>(), [8, 1, 0]); // 8 took the place of 0
/// ```
#[derive(Clone, Debug)]
pub struct NumberSet {
    table: Vec<Option<usize>>,
    len: usize,
}

/// The smallest table.
const SMALLEST: usize = 8;

/// How many places behind the first one are looked at, before a jump.
const LINEAR_PROBES: usize = 9;

/// How many bits of the hash go into each jump.
const PERTURB_SHIFT: u32 = 5;

impl Default for NumberSet {
    fn default() -> Self {
        Self { table: vec![None; SMALLEST], len: 0 }
    }
}

impl NumberSet {
    /// The numbers in Python's order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.table.iter().copied().flatten()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a number is there.
    pub fn contains(&self, number: usize) -> bool {
        self.iter().any(|other| other == number)
    }

    /// `set.add(number)`.
    pub fn insert(&mut self, number: usize) {
        let mask = self.table.len() - 1;
        if self.place(number) && self.len * 5 >= mask * 3 {
            self.resize(self.len * 4);
        }
    }

    /// `set(other)`: the table may be smaller, and so the order another one.
    pub fn copy(&self) -> Self {
        let mut copy = Self::default();
        if self.len * 5 >= (SMALLEST - 1) * 3 {
            copy.resize(self.len * 2);
        }
        if copy.table.len() == self.table.len() {
            return self.clone();
        }
        self.iter().for_each(|number| _ = copy.place(number));
        copy
    }

    /// `self & other`.
    pub fn intersection(&self, other: &Self) -> Self {
        let (larger, smaller) = if other.len > self.len { (other, self) } else { (self, other) };
        smaller.iter().filter(|number| larger.contains(*number)).collect()
    }

    /// Puts a number into the table; false when it is there.
    fn place(&mut self, number: usize) -> bool {
        let mask = self.table.len() - 1;
        let (mut first, mut perturb) = (number & mask, number);
        loop {
            let last = if first + LINEAR_PROBES <= mask { first + LINEAR_PROBES } else { first };
            for slot in self.table.iter_mut().take(last + 1).skip(first) {
                match slot {
                    Some(other) if *other == number => return false,
                    Some(_) => {}
                    None => {
                        *slot = Some(number);
                        self.len += 1;
                        return true;
                    }
                }
            }
            perturb >>= PERTURB_SHIFT;
            first = first.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
        }
    }

    /// Puts all numbers into a table with more places than `places`.
    fn resize(&mut self, places: usize) {
        let mut size = SMALLEST;
        while size <= places {
            size *= 2;
        }
        let old = std::mem::replace(self, Self { table: vec![None; size], len: 0 });
        old.iter().for_each(|number| _ = self.place(number));
    }
}

impl FromIterator<usize> for NumberSet {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|number| set.insert(number));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[list(s), list(set(s)), list(s & t)]` as Python 3.11 gives them, for `s` and `t` of numbers that were added in order.
    #[test]
    fn the_order_is_pythons() {
        let recorded = include_str!("number_set.txt");
        for line in recorded.lines() {
            let mut lists = line.split('|').map(|list| list.split_whitespace().map(|n| n.parse().unwrap()).collect());
            let mut next = || -> Vec<usize> { lists.next().unwrap() };
            let (s, t): (NumberSet, NumberSet) = (next().into_iter().collect(), next().into_iter().collect());
            assert_eq!(s.iter().collect::<Vec<_>>(), next(), "{line}");
            assert_eq!(s.copy().iter().collect::<Vec<_>>(), next(), "{line}");
            assert_eq!(s.intersection(&t).iter().collect::<Vec<_>>(), next(), "{line}");
        }
    }
}
