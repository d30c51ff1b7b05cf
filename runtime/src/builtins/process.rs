//! The program among other programs: its arguments, its end, its input.

use super::arguments::{check_none, fail, whole_number};
use super::system::{Lock, read_input};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::Array;
use crate::threads;
use crate::value::Value;
use alloc::format;
use alloc::vec::Vec;

/// `args()`
pub fn args(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_none(ctx, args, "args")?;
    let texts = ctx.args.iter().map(|text| Value::string(text));
    Ok(Value::from(Array::from_values(texts)))
}

/// `exit(code)`
///
/// Leaves the status in the context and raises; whoever looks for a handler
/// looks at the status first, since an exit can't be caught.
pub fn exit(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let code = match args {
        [] => Some(0),
        [code] => whole_number(code),
        _ => {
            let message = format!("exit expects 0 to 1 arguments, got {}", args.len());
            return fail(ctx, &message);
        }
    };
    let Some(code) = code else {
        return fail(ctx, "exit() requires a numeric exit code when provided");
    };
    ctx.exit_status = Some((code & 255) as i32);
    fail(ctx, "exit")
}

/// `channel()`
pub fn channel(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_none(ctx, args, "channel")?;
    Ok(Value::from(threads::channel::new(ctx)))
}

/// `input(prompt)`
pub fn input(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    match args {
        [] => {}
        [prompt] => match prompt.as_str() {
            Some(prompt) => ctx.output.write(prompt),
            None => return fail(ctx, "input() requires a string prompt when provided"),
        },
        _ => {
            let message = format!("input expects 0 to 1 arguments, got {}", args.len());
            return fail(ctx, &message);
        }
    }
    ctx.output.flush();
    let line = INPUT.with(read_line);
    // What can't be decoded reads as an empty line.
    let text = core::str::from_utf8(&line).unwrap_or_default();
    Ok(Value::string(text.trim_end()))
}

/// Bytes of standard input that were read but not asked for yet.
struct Input {
    bytes: Vec<u8>,
    next: usize,
}

static INPUT: Lock<Input> = Lock::new(Input {
    bytes: Vec::new(),
    next: 0,
});

/// The next line with its line feed; empty at the end of input.
fn read_line(input: &mut Input) -> Vec<u8> {
    const BLOCK: usize = 8192;
    let mut line = Vec::new();
    loop {
        let unread = &input.bytes[input.next..];
        if let Some(end) = memchr::memchr(b'\n', unread) {
            line.extend_from_slice(&unread[..=end]);
            input.next += end + 1;
            return line;
        }
        line.extend_from_slice(unread);
        input.bytes.resize(BLOCK, 0);
        input.next = 0;
        let got = read_input(&mut input.bytes);
        input.bytes.truncate(got);
        if got == 0 {
            return line;
        }
    }
}
