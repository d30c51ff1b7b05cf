//! YAML text to a value.

use super::super::super::arrays::Collector;
use super::scalar::{Plain, resolve};
use crate::context::VMContext;
use crate::heap::{Dict, Key, Ref, Str};
use crate::semantics::convert::{to_display_string, write_quoted};
use crate::value::Value;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Levels of nesting at which loading gives up.
const MAX_LEVELS: usize = 128;

/// The value of the only document in a text; null if there is none.
pub fn load(ctx: &VMContext, text: &str) -> Result<Value, String> {
    let mut loader = Loader {
        ctx,
        open: Vec::new(),
        anchors: Vec::new(),
        root: None,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(String::from(
                    "deserializing from YAML containing more than one document is not supported",
                ));
            }
        }
        loader.accept(event)?;
    }
    Ok(loader.root.unwrap_or(Value::NULL))
}

/// A collection that is being read.
struct Open {
    contents: Contents,
    /// The number of its anchor; 0 for none.
    anchor: usize,
}

enum Contents {
    Sequence(Collector),
    Mapping {
        dict: Ref<Dict>,
        /// The key whose value comes next.
        key: Option<Ref<Str>>,
    },
}

struct Loader<'a> {
    ctx: &'a VMContext,
    /// Outermost first.
    open: Vec<Open>,
    /// What anchors stand for, by their number.
    anchors: Vec<Option<Value>>,
    root: Option<Value>,
}

impl Loader<'_> {
    fn accept(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = scalar_value(&text, style)?;
                self.complete(value, anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(anchor).cloned().flatten() {
                Some(value) => self.complete(value, 0),
                None => Err(String::from("an alias inside of what it stands for")),
            },
            Event::SequenceStart(anchor, _) => {
                self.open(Contents::Sequence(Collector::new(4)), anchor)
            }
            Event::MappingStart(anchor, _) => self.open(
                Contents::Mapping {
                    dict: Dict::new(),
                    key: None,
                },
                anchor,
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { contents, anchor }) = self.open.pop() else {
                    return Ok(());
                };
                let value = match contents {
                    Contents::Sequence(elements) => elements.finish(),
                    Contents::Mapping { dict, .. } => Value::from(dict),
                };
                self.complete(value, anchor)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, contents: Contents, anchor: usize) -> Result<(), String> {
        if self.open.len() >= MAX_LEVELS {
            return Err(String::from("recursion limit exceeded"));
        }
        self.open.push(Open { contents, anchor });
        Ok(())
    }

    /// Puts a value that was read where it belongs.
    fn complete(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some(value.clone());
        }
        // Aliases can put deep values into deep values.
        if self.open.len() + value.depth() > crate::semantics::make::MAX_DEPTH {
            return Err(String::from("recursion limit exceeded"));
        }
        match self.open.last_mut().map(|open| &mut open.contents) {
            None => self.root = Some(value),
            Some(Contents::Sequence(elements)) => elements.push(value),
            Some(Contents::Mapping { dict, key }) => match key.take() {
                Some(key) => {
                    dict.get_mut()
                        .expect("nobody else has it yet")
                        .insert_str(&key, value);
                }
                None => *key = Some(key_of(self.ctx, dict, &value)?),
            },
        }
        Ok(())
    }
}

fn scalar_value(text: &str, style: ScalarStyle) -> Result<Value, String> {
    if style != ScalarStyle::Plain {
        return Ok(Value::string(text));
    }
    match resolve(text) {
        Plain::Value(value) => Ok(value),
        Plain::Text => Ok(Value::string(text)),
        Plain::TooLarge => Err(format!("the number {text} is too large")),
    }
}

/// A mapping's key as a string, if the mapping doesn't have it yet.
fn key_of(ctx: &VMContext, dict: &Dict, value: &Value) -> Result<Ref<Str>, String> {
    let key = match value.to_ref::<Str>() {
        Some(text) => text,
        None => Str::new(&to_display_string(ctx, value)),
    };
    if dict.contains(Key::from_str(&key)) {
        let mut quoted = String::new();
        write_quoted(key.as_str(), &mut quoted);
        return Err(format!("duplicate entry with key {quoted}"));
    }
    Ok(key)
}
