//! Python's text, where it shows in prompts: `repr` and `str` of values, lines, white space, indentation, case, names; what its
//! [`csv`](csv_line) writes; and its [random numbers](Random), [numpy's](NumpyRandom), and the order of its [sets of numbers](NumberSet).
//!
//! DSPy builds prompts with Python's string methods, so their rules (CPython 3.11) are part of the prompt.

mod case;
mod class;
mod csv;
mod custom;
mod digits;
mod lines;
mod names;
mod number_set;
mod numpy_random;
mod random;
mod repr;
mod scalar;
mod unicode;
mod words;

pub use case::{capitalize, is_upper, lower, title};
pub use class::class_of;
pub use csv::csv_line;
pub use digits::decimal_digit;
pub use lines::{Lines, cleandoc, dedent, is_space, splitlines, strip, strip_end, strip_start};
pub use names::{is_identifier, is_keyword, nfkc};
pub use number_set::NumberSet;
pub use numpy_random::NumpyRandom;
pub use random::Random;
pub use repr::{float_repr, repr, str_of, str_repr, write_repr, write_str, write_str_repr};
pub use words::{is_word, nfd, tokens};
