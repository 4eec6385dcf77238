//! Escapes inside of strings.

use super::cursor::{Cursor, QUOTES};
use super::string::Scan;

impl Cursor {
    /// The text ends with a backslash: reads the escape that it starts. Tells whether there was one.
    pub(super) fn escape(&mut self, scan: &mut Scan) -> bool {
        let Some(c) = self.here() else { return false };
        if scan.low_quotes > 0 && c == '"' {
            replace_backslash(scan, c);
            scan.low_quotes -= 1;
            self.at += 1;
            return true;
        }
        if c == '\\' && self.backslash_run(scan) {
            return true;
        }
        let plain = match c {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'b' => '\u{8}',
            '\\' => '\\',
            _ if Some(c) == scan.active_close() => c,
            'u' => return self.code_escape(scan, 4),
            'x' => return self.code_escape(scan, 2),
            _ if c == '„' || QUOTES.contains(c) => {
                replace_backslash(scan, c);
                self.at += 1;
                return true;
            }
            _ => return false,
        };
        replace_backslash(scan, plain);
        self.at += 1;
        while let Some(next) = self.here() {
            if !scan.text.ends_with('\\') || !(next == '\\' || Some(next) == scan.active_close()) {
                break;
            }
            replace_backslash(scan, next);
            self.at += 1;
        }
        true
    }

    /// An even run of backslashes is half as many, unless its end may be an escaped quote.
    fn backslash_run(&mut self, scan: &mut Scan) -> bool {
        let mut end = self.at + 1;
        while self.char_at(end) == Some('\\') && self.afford() {
            end += 1;
        }
        let length = end + 1 - self.at;
        let next = self.char_at(end);
        let ends_value = || self.char_at(self.past_space(end + 1)).is_none_or(|c| ",:}]".contains(c));
        let next_is_close = next.is_some() && next == scan.active_close();
        if !length.is_multiple_of(2) || (next_is_close && !ends_value()) {
            return false;
        }
        scan.text.extend(std::iter::repeat_n('\\', length / 2 - 1));
        self.at = end;
        true
    }

    /// `\u` or `\x` with its digits.
    fn code_escape(&mut self, scan: &mut Scan, digits: usize) -> bool {
        let Some(mut code) = self.hex(self.at + 1, digits) else { return false };
        self.at += 1 + digits;
        if (0xd800..0xdc00).contains(&code) && self.text.get(self.at..self.at + 2) == Some(&['\\', 'u'][..]) {
            // Python would keep two halves of a character that no encoder takes.
            if let Some(low @ 0xdc00..0xe000) = self.hex(self.at + 2, 4) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                self.at += 6;
            }
        }
        replace_backslash(scan, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        true
    }

    fn hex(&self, start: usize, digits: usize) -> Option<u32> {
        let text = self.text.get(start..start + digits)?;
        text.iter().try_fold(0, |code, c| Some(code * 16 + c.to_digit(16)?))
    }
}

/// Puts a character in the place of the backslash that ends the text.
fn replace_backslash(scan: &mut Scan, c: char) {
    scan.text.pop();
    scan.push(c);
}
