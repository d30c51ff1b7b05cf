//! Base64, and digests of strings and bytes.

use super::arguments::fail;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Bytes, Str};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;
use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use core::fmt::Write;
use sha2::Digest;

/// The octets of the only argument, if it is a string or bytes.
fn octets_of(args: &[Value]) -> Option<&[u8]> {
    let [value] = args else { return None };
    match value.tag() {
        Tag::String => value.as_object::<Str>().map(Str::as_bytes),
        Tag::Bytes => value.as_object::<Bytes>().map(Bytes::as_slice),
        _ => None,
    }
}

/// `encode_base64(data)`
pub fn encode_base64(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    match octets_of(args) {
        Some(octets) => Ok(Value::string(&STANDARD.encode(octets))),
        None => fail(ctx, "encode_base64 requires a bytes or string argument"),
    }
}

/// `decode_base64(text)`
pub fn decode_base64(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = match args {
        [text] => text.as_str(),
        _ => None,
    };
    let Some(text) = text else {
        return fail(ctx, "decode_base64 requires a string argument");
    };
    let why = match STANDARD.decode(text) {
        _ if text.len() % 4 == 1 => String::from("Encoded text cannot have a 6-bit remainder."),
        Ok(octets) => return Ok(Value::from(Bytes::new(&octets))),
        Err(DecodeError::InvalidByte(offset, byte)) => {
            format!("Invalid byte {byte}, offset {offset}.")
        }
        Err(DecodeError::InvalidLastSymbol { offset, symbol, .. }) => {
            format!("Invalid last symbol {symbol}, offset {offset}.")
        }
        Err(DecodeError::InvalidLength(_) | DecodeError::InvalidPadding) => {
            String::from("Invalid padding")
        }
    };
    fail(ctx, &format!("Base64 decode error: {why}"))
}

/// `sha256(data)`
pub fn sha256(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    match octets_of(args) {
        Some(octets) => Ok(hexadecimal(&sha2::Sha256::digest(octets))),
        None => fail(ctx, "sha256 requires a string or bytes argument"),
    }
}

/// `md5(data)`
pub fn md5(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    match octets_of(args) {
        Some(octets) => Ok(hexadecimal(&md5::Md5::digest(octets))),
        None => fail(ctx, "md5 requires a string or bytes argument"),
    }
}

fn hexadecimal(octets: &[u8]) -> Value {
    let mut digits = String::with_capacity(octets.len() * 2);
    for octet in octets {
        // A string takes whatever is written to it.
        let _ = write!(digits, "{octet:02x}");
    }
    Value::string(&digits)
}
