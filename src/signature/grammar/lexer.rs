//! Text into tokens.

use std::borrow::Cow;

use super::syntax_error;
use crate::error::{Error, Result};
use crate::python::{is_identifier, nfkc};

/// A token of Python.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A name or keyword, in normal form.
    Name(Cow<'a, str>),
    /// A number as written.
    Number(&'a str),
    /// A string as written, with prefix and quotes.
    Text(&'a str),
    /// An operator or bracket.
    Op(&'a str),
    End,
}

/// Reads one token ahead.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the token behind `token` begins to be looked for.
    next: usize,
    /// Where `token` begins.
    start: usize,
    pub(super) token: Token<'a>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        let mut lexer = Self { text, next: 0, start: 0, token: Token::End };
        lexer.advance()?;
        Ok(lexer)
    }

    /// An error at the current token.
    pub(super) fn error(&self, message: &str) -> Error {
        syntax_error(message, self.text, self.start)
    }

    pub(super) fn is_op(&self, op: &str) -> bool {
        self.token == Token::Op(op)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Name(name) if name == word)
    }

    /// Steps over an operator, if it is the current token.
    pub(super) fn take_op(&mut self, op: &str) -> Result<bool> {
        let found = self.is_op(op);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Steps over a keyword, if it is the current token.
    pub(super) fn take_word(&mut self, word: &str) -> Result<bool> {
        let found = self.is_word(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect_op(&mut self, op: &str) -> Result<()> {
        if self.take_op(op)? { Ok(()) } else { Err(self.error(&format!("expected `{op}`"))) }
    }

    /// The current token; the next one becomes current.
    pub(super) fn advance(&mut self) -> Result<Token<'a>> {
        self.skip_blanks()?;
        self.start = self.next;
        let token = self.read()?;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Blanks, line ends, comments, and backslashes that continue a line.
    fn skip_blanks(&mut self) -> Result<()> {
        loop {
            match self.byte(self.next) {
                b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => self.next += 1,
                b'\\' if matches!(self.byte(self.next + 1), b'\n' | b'\r') => self.next += 2,
                b'#' => match self.text.get(self.next..).and_then(|rest| rest.find('\n')) {
                    Some(end) => self.next += end,
                    // Python meets the closing bracket of the list inside the comment.
                    None => return Err(syntax_error("a comment swallows the end of the list", self.text, self.next)),
                },
                _ => return Ok(()),
            }
        }
    }

    fn take(&mut self, end: usize) -> &'a str {
        let token = self.text.get(self.next..end).unwrap_or("");
        self.next = end;
        token
    }

    fn read(&mut self) -> Result<Token<'a>> {
        let at = self.next;
        match self.byte(at) {
            0 if at >= self.text.len() => Ok(Token::End),
            b'\'' | b'"' => self.read_text(at),
            b'0'..=b'9' => Ok(self.read_number()),
            b'.' if self.byte(at + 1).is_ascii_digit() => Ok(self.read_number()),
            b if b == b'_' || b.is_ascii_alphabetic() || !b.is_ascii() => self.read_name(),
            _ => {
                let rest = self.text.get(at..).unwrap_or("");
                let width = if rest.starts_with("...") {
                    3
                } else if ["**", "//", "<<", ">>", "<=", ">=", "==", "!=", ":="].iter().any(|op| rest.starts_with(op)) {
                    2
                } else if b"()[]{},:.=+-*/%@&|^~<>".contains(&self.byte(at)) {
                    1
                } else {
                    return Err(syntax_error("a character that no field list holds", self.text, at));
                };
                Ok(Token::Op(self.take(at + width)))
            }
        }
    }

    fn read_name(&mut self) -> Result<Token<'a>> {
        let mut end = self.next;
        while matches!(self.byte(end), b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80..) {
            end += 1;
        }
        let name = self.text.get(self.next..end).unwrap_or("");
        if name.len() <= 2 && matches!(self.byte(end), b'\'' | b'"') && is_text_prefix(name) {
            return self.read_text(end);
        }
        if !is_identifier(name) {
            return Err(syntax_error("a character that no name holds", self.text, self.next));
        }
        self.next = end;
        Ok(Token::Name(nfkc(name)))
    }

    fn read_number(&mut self) -> Token<'a> {
        let mut end = self.next;
        let hexadecimal = matches!(self.byte(end + 1), b'x' | b'X');
        loop {
            match self.byte(end) {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' => end += 1,
                b'+' | b'-' if !hexadecimal && matches!(self.byte(end - 1), b'e' | b'E') => end += 1,
                _ => return Token::Number(self.take(end)),
            }
        }
    }

    /// Reads a string whose opening quote is at `quote`.
    fn read_text(&mut self, quote: usize) -> Result<Token<'a>> {
        let mark = self.byte(quote);
        let triple = self.byte(quote + 1) == mark && self.byte(quote + 2) == mark;
        let mut at = quote + if triple { 3 } else { 1 };
        loop {
            match self.byte(at) {
                0 if at >= self.text.len() => {
                    return Err(syntax_error("a text without closing quote", self.text, quote));
                }
                b'\\' => at += 2,
                b'\n' | b'\r' if !triple => return Err(syntax_error("a text without closing quote", self.text, quote)),
                b if b == mark && !triple => return Ok(Token::Text(self.take(at + 1))),
                b if b == mark && self.byte(at + 1) == mark && self.byte(at + 2) == mark => {
                    return Ok(Token::Text(self.take(at + 3)));
                }
                _ => at += 1,
            }
        }
    }
}

fn is_text_prefix(name: &str) -> bool {
    ["r", "u", "b", "f", "br", "rb", "fr", "rf"].iter().any(|prefix| prefix.eq_ignore_ascii_case(name))
}
