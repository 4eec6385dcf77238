//! Python's `random.Random`: the numbers that DSPy's optimizers draw.

use std::collections::HashSet;

use sha2::{Digest, Sha512};

use crate::error::{Error, ErrorKind, Result};

/// The length of the generator's state, in words.
const N: usize = 624;

/// How far apart the words are that are mixed with each other.
const M: usize = 397;

/// A Mersenne Twister that draws what Python's `random.Random` (CPython 3.11) draws from the same seed.
///
/// ```
/// use lakelet::python::Random;
/// let mut random = Random::new(0);
/// assert_eq!(random.random(), 0.8444218515250481);
/// assert_eq!(Random::new(0).sample(10, 3)?, [6, 9, 0]);
/// let mut numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/// Random::new(1).shuffle(&mut numbers);
/// assert_eq!(numbers, [6, 8, 9, 7, 5, 3, 0, 4, 1, 2]);
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone)]
pub struct Random {
    state: [u32; N],
    /// How many words of the state have been drawn.
    drawn: usize,
}

impl Random {
    /// `random.Random(seed)` for an `int`; the sign does not count.
    pub fn new(seed: i128) -> Self {
        Self::from_bytes(&seed.unsigned_abs().to_le_bytes())
    }

    /// `random.Random(seed)` for a `str`.
    ///
    /// ```
    /// assert_eq!(lakelet::python::Random::from_text("").random(), 0.9602256525641875);
    /// ```
    pub fn from_text(seed: &str) -> Self {
        let mut bytes = [seed.as_bytes(), &Sha512::digest(seed)].concat();
        bytes.reverse(); // Python reads them as one number, the first byte highest
        Self::from_bytes(&bytes)
    }

    /// `numpy.random.RandomState(seed)`: the same generator, seeded in another way. What [`random`](Random::random) gives is its
    /// `random_sample()`.
    ///
    /// ```
    /// assert_eq!(lakelet::python::Random::of_numpy(0).random(), 0.5488135039273248);
    /// ```
    pub fn of_numpy(seed: u32) -> Self {
        Self { state: spread(seed), drawn: N }
    }

    /// Seeds with a number, given lowest byte first.
    fn from_bytes(number: &[u8]) -> Self {
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        let mut key: Vec<u32> = number.chunks(4).map(word).collect();
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        Self { state: scrambled(&key), drawn: N }
    }

    /// 32 random bits.
    fn word(&mut self) -> u32 {
        if self.drawn == N {
            self.twist();
        }
        let mut y = self.state[self.drawn];
        self.drawn += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for i in 0..N {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ odd;
        }
        self.drawn = 0;
    }

    /// A number from 0 up to 1, without 1.
    pub fn random(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// A number of so many random bits, 64 at most.
    pub fn getrandbits(&mut self, bits: u32) -> u64 {
        let bits = bits.min(64);
        let mut number = 0;
        for shift in (0..bits).step_by(32) {
            let unused = 32 - (bits - shift).min(32);
            number |= u64::from(self.word() >> unused) << shift;
        }
        number
    }

    /// `randrange(n)`: a number below `n`. For 0 it is 0.
    pub fn randrange(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let bits = n.ilog2() + 1;
        loop {
            let number = self.getrandbits(bits);
            if number < n {
                return number;
            }
        }
    }

    /// A number from `low` to `high`, both included; `low` where `high` is below it.
    pub fn randint(&mut self, low: i64, high: i64) -> i64 {
        let width = i128::from(high) - i128::from(low) + 1;
        low.wrapping_add_unsigned(self.randrange(u64::try_from(width).unwrap_or(0)))
    }

    /// The place of something among `n`: a [`randrange`](Random::randrange) over lengths.
    fn place(&mut self, n: usize) -> usize {
        self.randrange(n as u64) as usize
    }

    /// One of the items; `None` when there are none.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.place(items.len()))
    }

    /// Draws `k` times from as many places as there are weights, with replacement, and gives the places.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when the weights do not sum up to a finite number above zero.
    pub fn choices(&mut self, weights: &[f64], k: usize) -> Result<Vec<usize>> {
        let mut total = 0.0;
        let ends: Vec<f64> = weights.iter().map(|weight| (total += weight, total).1).collect();
        if !(total > 0.0 && total.is_finite()) {
            let message = format!("Total of weights must be finite and greater than zero, and is {total}");
            return Err(Error::new(ErrorKind::Input, message).with_python_class("ValueError"));
        }
        let last = ends.len().saturating_sub(1);
        Ok((0..k)
            .map(|_| {
                let point = self.random() * total;
                ends.partition_point(|end| *end <= point).min(last)
            })
            .collect())
    }

    /// Draws `k` of `n` places without replacement, in random order.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when `k` is more than `n`.
    pub fn sample(&mut self, n: usize, k: usize) -> Result<Vec<usize>> {
        if k > n {
            let error = Error::new(ErrorKind::Input, "Sample larger than population or is negative");
            return Err(error.with_hint(format!("ask for at most {n}")).with_python_class("ValueError"));
        }
        // Python copies the population where that takes less memory than a set of what was drawn.
        let mut set_size = 21;
        if k > 5 {
            let mut power = 4;
            while power < 3 * k {
                power *= 4;
            }
            set_size += power;
        }
        if n <= set_size {
            let mut pool: Vec<usize> = (0..n).collect();
            return Ok((0..k)
                .map(|_| {
                    let drawn = self.place(pool.len());
                    pool.swap_remove(drawn)
                })
                .collect());
        }
        let mut drawn = HashSet::new();
        let mut next = || {
            loop {
                let place = self.place(n);
                if drawn.insert(place) {
                    return place;
                }
            }
        };
        Ok((0..k).map(|_| next()).collect())
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.place(last + 1);
            items.swap(last, other);
        }
    }
}

/// The state that one word leads to: the reference code's `init_genrand`.
fn spread(seed: u32) -> [u32; N] {
    let mut state = [seed; N];
    let mut before = seed;
    for (i, word) in state.iter_mut().enumerate().skip(1) {
        *word = 1_812_433_253_u32.wrapping_mul(mixed(before)).wrapping_add(i as u32);
        before = *word;
    }
    state
}

/// The state that a key leads to: the reference code's `init_by_array`.
fn scrambled(key: &[u32]) -> [u32; N] {
    let mut before: u32 = 19_650_218;
    let mut state = spread(before);
    let steps_with_key = N.max(key.len());
    for step in 0..steps_with_key + N - 1 {
        let i = 1 + step % (N - 1);
        state[i] = if step < steps_with_key {
            let j = step % key.len();
            (state[i] ^ mixed(before).wrapping_mul(1_664_525)).wrapping_add(key[j]).wrapping_add(j as u32)
        } else {
            (state[i] ^ mixed(before).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32)
        };
        before = state[i];
    }
    state[0] = 0x8000_0000;
    state
}

fn mixed(word: u32) -> u32 {
    word ^ (word >> 30)
}
