//! Valid JSON, as Python's `json` module defines it.
//!
//! It differs from other readers where replies differ: `NaN` and `Infinity` are numbers, whole numbers have any length, the last
//! of equal keys wins but keeps the first one's place, and values come out as [`Value`]s at once.

use crate::value::{Map, Value};

/// How deep containers may nest. Python gives up near 250.
pub(crate) const MAX_DEPTH: usize = 200;

/// The text is not valid JSON: where reading stopped, in bytes.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub at: usize,
}

/// Python refuses longer whole numbers.
const MAX_DIGITS: usize = 4300;

/// `json.loads(text)`.
pub(crate) fn loads(text: &str) -> Result<Value, Invalid> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(reader.invalid()) }
}

/// `json.JSONDecoder().raw_decode(text)`: the value at the start, and how many bytes it takes.
pub(crate) fn prefix(text: &str) -> Result<(Value, usize), Invalid> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    Ok((value, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn invalid(&self) -> Invalid {
        Invalid { at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str, value: Value) -> Result<Value, Invalid> {
        if self.eat(word) { Ok(value) } else { Err(self.invalid()) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Invalid> {
        if depth > MAX_DEPTH {
            return Err(self.invalid());
        }
        match self.peek() {
            Some(b'"') => self.string().map(Value::Str),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b't') => self.expect("true", Value::Bool(true)),
            Some(b'f') => self.expect("false", Value::Bool(false)),
            Some(b'n') => self.expect("null", Value::None),
            Some(b'N') => self.expect("NaN", Value::Float(f64::NAN)),
            Some(b'I') => self.expect("Infinity", Value::Float(f64::INFINITY)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.invalid()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Invalid> {
        self.at += 1;
        let mut map = Map::new();
        self.skip_space();
        if self.eat("}") {
            return Ok(Value::Dict(map));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.invalid());
            }
            let key = self.string()?;
            self.skip_space();
            if !self.eat(":") {
                return Err(self.invalid());
            }
            self.skip_space();
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            self.skip_space();
            if self.eat("}") {
                return Ok(Value::Dict(map));
            }
            if !self.eat(",") {
                return Err(self.invalid());
            }
            self.skip_space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Invalid> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat("]") {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat("]") {
                return Ok(Value::List(items));
            }
            if !self.eat(",") {
                return Err(self.invalid());
            }
            self.skip_space();
        }
    }

    fn number(&mut self) -> Result<Value, Invalid> {
        let start = self.at;
        let minus = self.eat("-");
        if minus && self.eat("Infinity") {
            return Ok(Value::Float(f64::NEG_INFINITY));
        }
        if !self.eat("0") && self.digits() == 0 {
            return Err(self.invalid());
        }
        let digits = self.at - start;
        let whole = self.at;
        let mut float = false;
        if self.eat(".") {
            float = self.digits() > 0;
            if !float {
                self.at = whole;
            }
        }
        let mantissa = self.at;
        if (mantissa > whole || !float) && matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() > 0 {
                float = true;
            } else {
                self.at = mantissa;
            }
        }
        let text = self.text.get(start..self.at).ok_or_else(|| self.invalid())?;
        if float {
            return text.parse().map(Value::Float).map_err(|_| self.invalid());
        }
        match text.parse() {
            Ok(small) => Ok(Value::Int(small)),
            Err(_) if digits > MAX_DIGITS => Err(self.invalid()),
            Err(_) => Ok(Value::BigInt(text.to_owned())),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, Invalid> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(b) if b != b'"' && b != b'\\' && b >= b' ') {
                self.at += 1;
            }
            let plain = self.text.get(start..self.at).ok_or_else(|| self.invalid())?;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if out.is_empty() {
                        return Ok(plain.to_owned());
                    }
                    out.push_str(plain);
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(plain);
                    self.at += 1;
                    out.push(self.escape()?);
                }
                _ => return Err(self.invalid()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Invalid> {
        let letter = self.peek().ok_or_else(|| self.invalid())?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex4()?;
                let after = self.at;
                if (0xd800..0xdc00).contains(&high) && self.eat("\\u") {
                    match self.hex4() {
                        Ok(low @ 0xdc00..0xe000) => {
                            let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                            return char::from_u32(code).ok_or_else(|| self.invalid());
                        }
                        _ => self.at = after,
                    }
                }
                // Python keeps half a surrogate pair; no Rust text can.
                char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.invalid()),
        })
    }

    fn hex4(&mut self) -> Result<u32, Invalid> {
        let hex = self.text.get(self.at..self.at + 4).ok_or_else(|| self.invalid())?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.invalid());
        }
        self.at += 4;
        u32::from_str_radix(hex, 16).map_err(|_| self.invalid())
    }
}
