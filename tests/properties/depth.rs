//! Nesting without end and text that could be looked at again and again come to an end.

use lakelet::adapter::defang;

use super::checks::ALL;
use super::checks::input::pieces;
use super::checks::replies::{adapters, told};

/// What is repeated.
const PARTS: [&str; 40] = [
    "[",
    "{",
    "(",
    "]",
    "}",
    "{\"a\":",
    "{\"a\": [",
    "{'a'",
    "{b: ",
    "({",
    "[(",
    "{]",
    "={]",
    "{a}",
    "\"",
    "'",
    "“„",
    "\\",
    "\"a\"x\"b\"",
    "x, ",
    ", \"",
    "{\\\"a\\\": ",
    "{\\\"a\\\": 1} ",
    "/* ",
    "# ",
    "```json",
    "\"```json ",
    "-",
    "not ",
    "lambda: ",
    "list[",
    "int | ",
    "x[",
    "f(",
    "<a>",
    "<answer>",
    "&",
    "[[ ## ",
    "[[ ## answer ## ]]",
    "<<CUSTOM-TYPE-START-IDENTIFIER>>",
];

/// Before the repeated parts: the choices that checks take from the front, and what opens a text.
const STARTS: [&[u8]; 5] =
    [b"", b"\0\0\0", b"\x01\x01\x01{\"answer\": \"", b"\x02\0\x02<answer>", b"\0\x02\x05q -> a: "];

#[test]
fn long_and_deep_texts_come_to_an_end() {
    for (_, check) in ALL {
        for part in PARTS {
            for start in STARTS {
                let mut input = start.to_vec();
                input.extend(part.repeat(300).bytes());
                check(&input);
            }
        }
    }
}

/// Each of these would take half a minute if it took time in the square of the length.
#[test]
fn very_long_texts_come_to_an_end() {
    for part in ["{]", "a,={]", "({]", "{\\\"a\\\": 1} "] {
        let text = part.repeat(10_000);
        lakelet::json_repair::loads(&text);
        lakelet::literal::eval(&text);
        defang::text(&text);
    }
}

#[test]
fn white_space_in_single_characters_comes_to_an_end() {
    let signature = lakelet::Signature::parse("question -> answer").expect("a signature");
    let replies = ["[[ ## answer ## ]]\n", "{\"answer\": \"", "<answer>", "{\"answer\": \""];
    for (adapter, start) in adapters().iter().zip(replies) {
        for text in ["", "x"] {
            let reply = [start, text, &" \t".repeat(40_000)].concat();
            told(&**adapter, &signature, &pieces(&reply, 0), "answer");
        }
    }
}
