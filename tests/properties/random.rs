//! Random inputs, of bytes and of the words that the readers know.

use super::chance::Chance;
use super::checks::{ALL, Check};

/// The words of the fuzz targets' dictionary: one a line, in quotes, `\xHH` for a byte.
fn words() -> Vec<String> {
    let quoted =
        include_str!("../fuzz/words.dict").lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    let unescape = |word: &str| {
        let mut bytes = Vec::new();
        let mut rest = word;
        while let Some((plain, escape)) = rest.split_once('\\') {
            bytes.extend(plain.bytes());
            let (byte, length) = match escape.strip_prefix('x') {
                Some(hex) => (u8::from_str_radix(&hex[..2], 16).expect("two digits"), 3),
                None => (escape.as_bytes()[0], 1),
            };
            bytes.push(byte);
            rest = &escape[length..];
        }
        bytes.extend(rest.bytes());
        String::from_utf8(bytes).expect("a text")
    };
    quoted.map(unescape).collect()
}

fn run((name, check): Check, words: &[&str], count: usize) {
    let mut chance = Chance(name.len() as u64);
    for _ in 0..count {
        let mut bytes = |most| (0..chance.below(most)).map(|_| chance.below(256) as u8).collect::<Vec<u8>>();
        let (mut input, end) = (bytes(8), bytes(8));
        input.extend(chance.text(words, 30).bytes());
        input.extend(end);
        check(&input);
    }
}

#[test]
fn random_inputs_pass_every_check() {
    let words = words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for check in ALL {
        run(check, &words, 1_000);
    }
}
