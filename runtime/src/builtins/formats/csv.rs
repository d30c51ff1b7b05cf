//! CSV: `parse_csv` and `to_csv`.

use super::super::arguments::fail;
use super::super::arrays::Collector;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Dict, Key, Ref, Str};
use crate::semantics::convert::{display, key_text};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use csv_core::{ReadRecordResult, Reader};

/// `parse_csv(text)`
pub fn parse_csv(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = match args {
        [text] => text.as_str(),
        _ => None,
    };
    let Some(text) = text else {
        return fail(ctx, "parse_csv requires a string argument");
    };
    match parse(text) {
        Ok(rows) => Ok(rows),
        Err(message) => fail(ctx, &message),
    }
}

fn parse(text: &str) -> Result<Value, String> {
    let mut records = Records {
        reader: Reader::new(),
        text,
        read: 0,
        field: Vec::new(),
    };
    let mut rows = Collector::new(0);
    let Some((_, header)) = records.next() else {
        return Ok(rows.finish());
    };
    let header: Vec<Ref<Str>> = header.iter().map(|name| Str::new(name)).collect();
    let mut number = 1;
    while let Some((start, fields)) = records.next() {
        if fields.len() != header.len() {
            let line = 1 + text[..start].matches('\n').count();
            return Err(format!(
                "CSV parse error: CSV error: record {number} (line: {line}, byte: {start}): found record with {} fields, but the previous record has {} fields",
                fields.len(),
                header.len()
            ));
        }
        let mut row = Dict::with_capacity(header.len());
        let target = row.get_mut().expect("just made");
        for (name, field) in header.iter().zip(&fields) {
            target.insert_str(name, field_value(field));
        }
        rows.push(Value::from(row));
        number += 1;
    }
    Ok(rows.finish())
}

/// The records of a text.
struct Records<'a> {
    reader: Reader,
    text: &'a str,
    /// Bytes of the text that were read.
    read: usize,
    /// Room for the fields of a record, one behind the other.
    field: Vec<u8>,
}

impl Records<'_> {
    /// The next record: where it starts and its fields.
    fn next(&mut self) -> Option<(usize, Vec<String>)> {
        let rest = &self.text.as_bytes()[self.read..];
        let start = self.read
            + rest
                .iter()
                .take_while(|byte| matches!(byte, b'\n' | b'\r'))
                .count();
        let (mut written, mut ended) = (0_usize, 0_usize);
        let mut ends = Vec::new();
        loop {
            // Both must have some room left.
            self.field
                .resize((written + 1).next_power_of_two().max(256), 0);
            ends.resize((ended + 1).next_power_of_two().max(16), 0);
            let (result, taken, wrote, fields) = self.reader.read_record(
                &self.text.as_bytes()[self.read..],
                &mut self.field[written..],
                &mut ends[ended..],
            );
            self.read += taken;
            written += wrote;
            ended += fields;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
                // Asked again without input, the reader ends the last record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
            }
        }
        let mut from = 0;
        let fields = ends[..ended].iter().map(|end| {
            let field = String::from_utf8_lossy(&self.field[from..*end]).into_owned();
            from = *end;
            field
        });
        Some((start, fields.collect()))
    }
}

/// What a field stands for: an int, a float or a string.
fn field_value(field: &str) -> Value {
    if let Ok(number) = field.parse() {
        return Value::int(number);
    }
    match field.parse() {
        Ok(number) => Value::float(number),
        Err(_) => Value::string(field),
    }
}

/// `to_csv(rows)`
pub fn to_csv(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [rows] = args else {
        return fail(ctx, "to_csv requires an array argument");
    };
    let Some(rows) = rows.as_object::<Array>() else {
        return fail(ctx, NO_DICTS);
    };
    if rows.is_empty() {
        return fail(ctx, "CSV requires non-empty array");
    }
    let mut out = String::new();
    if rows.iter().all(|row| row.tag() == Tag::Array) {
        for row in rows.iter() {
            let cells = row.as_object::<Array>().expect("checked above").iter();
            write_record(cells.map(|cell| cell_text(ctx, &cell)), &mut out);
        }
        return Ok(Value::string(&out));
    }
    write_dicts(ctx, rows, &mut out)?;
    Ok(Value::string(&out))
}

const NO_DICTS: &str = "CSV requires array of dictionaries";

/// Writes dicts below a header of the first one's keys.
fn write_dicts(ctx: &mut VMContext, rows: &Array, out: &mut String) -> Result<(), Raised> {
    let first = rows.get(0);
    let Some(first) = first.as_object::<Dict>() else {
        return fail(ctx, NO_DICTS);
    };
    write_record(first.iter().map(|(key, _)| key_text(key)), out);
    for row in rows.iter() {
        let Some(row) = row.as_object::<Dict>() else {
            return fail(ctx, NO_DICTS);
        };
        let cells = first
            .iter()
            .map(|(key, _)| match row.get(Key::from_held(key)) {
                Some(value) => cell_text(ctx, value),
                None => String::new(),
            });
        write_record(cells, out);
    }
    Ok(())
}

fn cell_text(ctx: &VMContext, value: &Value) -> String {
    let mut text = String::new();
    if matches!(value.tag(), Tag::Int | Tag::Float | Tag::Bool | Tag::String) {
        display(ctx, value, &mut text);
    }
    text
}

fn write_record(cells: impl Iterator<Item = String>, out: &mut String) {
    let start = out.len();
    let mut count = 0;
    for cell in cells {
        if count > 0 {
            out.push(',');
        }
        count += 1;
        if cell.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    if count == 1 && out.len() == start {
        // Without quotes it would be a blank line, which readers skip.
        out.push_str("\"\"");
    }
    out.push('\n');
}
