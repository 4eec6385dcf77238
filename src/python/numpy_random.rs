//! numpy's `default_rng`: the Poisson numbers that SIMBA draws.

/// numpy's `default_rng(seed)`, a PCG64 seeded through a `SeedSequence`: draws what numpy 2.4 draws from the same seed.
///
/// ```
/// use lakelet::python::NumpyRandom;
/// let mut random = NumpyRandom::new(0);
/// assert_eq!(random.random(), 0.6369616873214543);
/// assert_eq!(NumpyRandom::new(1).poisson(1000.0), 1001);
/// ```
#[derive(Clone, Debug)]
pub struct NumpyRandom {
    state: u128,
    increment: u128,
}

const MULTIPLIER: u128 = 2_549_297_995_355_413_924 << 64 | 4_865_540_595_714_422_341;

impl NumpyRandom {
    /// `numpy.random.default_rng(seed)`.
    pub fn new(seed: u32) -> Self {
        let [a, b, c, d] = spread(seed).map(u128::from);
        let mut random = Self { state: 0, increment: (c << 64 | d) << 1 | 1 };
        random.step();
        random.state = random.state.wrapping_add(a << 64 | b);
        random.step();
        random
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    /// A number from 0 up to 1, without 1.
    pub fn random(&mut self) -> f64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let word = folded.rotate_right((self.state >> 122) as u32);
        (word >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A number that is Poisson distributed around the mean, which is finite and not below 0.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean >= 10.0 { self.poisson_of_many(mean) } else { self.poisson_of_few(mean) }
    }

    /// Multiplies, as Knuth does.
    fn poisson_of_few(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        let (end, mut product) = ((-mean).exp(), self.random());
        let mut number = 0;
        while product > end {
            product *= self.random();
            number += 1;
        }
        number
    }

    /// Hörmann's transformed rejection, PTRS.
    fn poisson_of_many(&mut self, mean: f64) -> u64 {
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let scale = 1.1239 + 1.1328 / (b - 3.4);
        let often = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let (u, v) = (self.random() - 0.5, self.random());
            let edge = 0.5 - u.abs();
            let number = ((2.0 * a / edge + b) * u + mean + 0.43).floor();
            if edge >= 0.07 && v <= often {
                return number as u64;
            }
            if number < 0.0 || (edge < 0.013 && v > edge) {
                continue;
            }
            let likelihood = -mean + number * mean.ln() - log_gamma(number + 1.0);
            if v.ln() + scale.ln() - (a / (edge * edge) + b).ln() <= likelihood {
                return number as u64;
            }
        }
    }
}

/// The words that a seed leads to: `SeedSequence(seed).generate_state(4, numpy.uint64)`.
fn spread(seed: u32) -> [u64; 4] {
    let mut key: u32 = 0x43b0_d7e5;
    let mut hashed = |word: u32| {
        let before = word ^ key;
        key = key.wrapping_mul(0x931e_8875);
        let mixed = before.wrapping_mul(key);
        mixed ^ mixed >> 16
    };
    let mut pool = [seed, 0, 0, 0].map(&mut hashed);
    for from in 0..pool.len() {
        for to in (0..pool.len()).filter(|to| *to != from) {
            let mixed = pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(hashed(pool[from]).wrapping_mul(0x4973_f715));
            pool[to] = mixed ^ mixed >> 16;
        }
    }
    let mut key: u32 = 0x8b51_f9dd;
    let mut drawn = |place: usize| {
        let before = pool[place % pool.len()] ^ key;
        key = key.wrapping_mul(0x58f3_8ded);
        let mixed = before.wrapping_mul(key);
        u64::from(mixed ^ mixed >> 16)
    };
    [0, 2, 4, 6].map(|place| drawn(place) | drawn(place + 1) << 32)
}

/// The logarithm of the gamma function of a number from 1 on, by Stirling's series.
fn log_gamma(number: f64) -> f64 {
    const SERIES: [f64; 10] = [
        -1.39243221690590,
        1.796443723688307e-01,
        -2.955065359477124e-02,
        6.41025641025641e-03,
        -1.917526917526918e-03,
        8.417508417508418e-04,
        -5.952380952380952e-04,
        7.936507936507937e-04,
        -2.777777777777778e-03,
        8.333333333333333e-02,
    ];
    const HALF_LOG_TAU: f64 = 0.5 * 1.8378770664093453;
    if number == 1.0 || number == 2.0 {
        return 0.0;
    }
    let raised = (7.0 - number).max(0.0).floor();
    let mut at = number + raised;
    let square = (1.0 / at) * (1.0 / at);
    let series = SERIES.into_iter().reduce(|sum, term| sum * square + term).unwrap_or_default();
    let mut log = series / at + HALF_LOG_TAU + (at - 0.5) * at.ln() - at;
    for _ in 0..raised as u32 {
        log -= (at - 1.0).ln();
        at -= 1.0;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::NumpyRandom;

    /// Drawn by numpy 2.4.6.
    #[test]
    fn numbers_are_those_of_numpy() {
        let means = [0.0, 0.25, 0.5, 1.0, 2.75, 9.9, 10.0, 12.5, 40.0, 1000.0, 0.75, 3.0];
        for (seed, pair, numbers) in [
            (0, [0.6369616873214543, 0.2697867137638703], [0, 0, 0, 0, 0, 9, 12, 17, 36, 1016, 1, 6]),
            (1, [0.5118216247002567, 0.9504636963259353], [0, 0, 1, 1, 4, 9, 12, 21, 41, 1001, 2, 1]),
            (42, [0.7739560485559633, 0.4388784397520523], [0, 0, 0, 2, 4, 15, 10, 8, 37, 997, 0, 3]),
            (u32::MAX, [0.2519435680449965, 0.21906579628685663], [0, 0, 0, 0, 4, 10, 9, 9, 48, 1001, 0, 2]),
        ] {
            let mut random = NumpyRandom::new(seed);
            assert_eq!([random.random(), random.random()], pair);
            let mut random = NumpyRandom::new(seed);
            assert_eq!(means.map(|mean| random.poisson(mean)), numbers, "{seed}");
        }
    }
}
