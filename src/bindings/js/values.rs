//! Values on their way in: tagged values in a buffer that lives here and is filled by `js/src/values.ts`, which describes
//! the form and says what was measured.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

use super::custom;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Map, ScalarKind, Value};

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes the buffer that long, keeps what is in it, and tells where it is.
#[wasm_bindgen]
pub fn buffer(length: usize) -> *mut u8 {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(length, 0);
        buffer.as_mut_ptr()
    })
}

/// Reads the record that was written into the first `length` bytes of the buffer.
pub(super) fn record(length: usize) -> Result<Map> {
    BUFFER.with_borrow(|buffer| {
        let written = buffer.get(..length).ok_or_else(broken)?;
        match (Reader { rest: written }).value()? {
            Value::Dict(fields) => Ok(fields),
            _ => Err(broken()),
        }
    })
}

/// The JSON of the page and the core that it loaded are of different versions: nothing else writes the buffer.
fn broken() -> Error {
    Error::new(ErrorKind::Input, "the values given could not be read")
        .with_hint("load lakelet.wasm from the same version of the package as its scripts")
}

/// Reads from the front of what is left. The writer limits the depth.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value> {
        let [tag] = self.array()?;
        Ok(match tag {
            0 => Value::None,
            1 => Value::Bool(true),
            2 => Value::Bool(false),
            3 => Value::Int(f64::from_le_bytes(self.array()?) as i64),
            4 => Value::Float(f64::from_le_bytes(self.array()?)),
            5 => Value::Str(self.text()?.to_owned()),
            6 => whole_number(self.text()?),
            7 => Value::Bytes(self.counted()?.to_vec()),
            8 => Value::List(self.values()?),
            9 => Value::Set(self.values()?),
            10 => Value::Dict(self.fields()?),
            11 => Value::Tuple(self.values()?),
            12 => Value::Scalar(ScalarKind::Datetime, self.text()?.to_owned()),
            13 => {
                let class = self.text()?;
                let custom = custom::read(class, self.fields()?).ok_or_else(|| custom::malformed(class))?;
                Value::Custom(Box::new(custom))
            }
            _ => return Err(broken()),
        })
    }

    fn values(&mut self) -> Result<Vec<Value>> {
        let count = self.count()?;
        (0..count).map(|_| self.value()).collect()
    }

    fn fields(&mut self) -> Result<Map> {
        let count = self.count()?;
        (0..count).map(|_| Ok((self.text()?.to_owned(), self.value()?))).collect()
    }

    fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.counted()?).map_err(|_| broken())
    }

    fn counted(&mut self) -> Result<&'a [u8]> {
        let count = self.count()?;
        let (read, rest) = self.rest.split_at_checked(count).ok_or_else(broken)?;
        self.rest = rest;
        Ok(read)
    }

    fn count(&mut self) -> Result<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (read, rest) = self.rest.split_first_chunk().ok_or_else(broken)?;
        self.rest = rest;
        Ok(*read)
    }
}

fn whole_number(digits: &str) -> Value {
    digits.parse().map_or_else(|_| Value::BigInt(digits.to_owned()), Value::Int)
}
