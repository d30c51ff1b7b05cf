//! Upper and lower case, and the styles of compound names.

use super::{first_text, only_text};
use crate::context::VMContext;
use crate::error::Raised;
use crate::value::Value;
use alloc::string::String;

/// `to_upper(value)`
pub fn to_upper(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    upper_named(ctx, args, "to_upper")
}

/// `upper(value)`
pub fn upper(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    upper_named(ctx, args, "upper")
}

fn upper_named(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<Value, Raised> {
    let text = only_text(ctx, args, name)?;
    if text.is_ascii() {
        return Ok(Value::string(&text.as_str().to_ascii_uppercase()));
    }
    Ok(Value::string(&text.as_str().to_uppercase()))
}

/// `to_lower(value)`
pub fn to_lower(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    lower_named(ctx, args, "to_lower")
}

/// `lower(value)`
pub fn lower(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    lower_named(ctx, args, "lower")
}

fn lower_named(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<Value, Raised> {
    let text = only_text(ctx, args, name)?;
    if text.is_ascii() {
        return Ok(Value::string(&text.as_str().to_ascii_lowercase()));
    }
    Ok(Value::string(&text.as_str().to_lowercase()))
}

/// `capitalize(value)`
pub fn capitalize(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = only_text(ctx, args, "capitalize")?;
    let mut out = String::with_capacity(text.len());
    push_capitalized(text.as_str(), &mut out);
    Ok(Value::string(&out))
}

/// The first character in upper case, the rest in lower case.
fn push_capitalized(text: &str, out: &mut String) {
    let mut characters = text.chars();
    if let Some(first) = characters.next() {
        out.extend(first.to_uppercase());
        out.push_str(&characters.as_str().to_lowercase());
    }
}

/// `slugify(value)`
pub fn slugify(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "slugify")?;
    let lowered = text.as_str().to_lowercase();
    let dashed: String = lowered
        .chars()
        .filter_map(|character| match character {
            letter if letter.is_alphanumeric() => Some(letter),
            '_' => Some('-'),
            space if space.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect();
    Ok(Value::string(dashed.replace("--", "-").trim_matches('-')))
}

/// `to_camel_case(value)`
pub fn to_camel_case(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "to_camel_case")?;
    let parts = text
        .as_str()
        .split(|character: char| !character.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    for (index, part) in parts.filter(|part| !part.is_empty()).enumerate() {
        if index == 0 {
            out.push_str(&part.to_lowercase());
        } else {
            push_capitalized(part, &mut out);
        }
    }
    Ok(Value::string(&out))
}

/// `to_snake_case(value)`
pub fn to_snake_case(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "to_snake_case")?;
    Ok(Value::string(&snake_case(text.as_str())))
}

/// `to_kebab_case(value)`
pub fn to_kebab_case(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "to_kebab_case")?;
    Ok(Value::string(&snake_case(text.as_str()).replace('_', "-")))
}

fn snake_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let mut previous_upper = false;
    for (index, character) in text.chars().enumerate() {
        if character.is_uppercase() {
            if index > 0 && !previous_upper {
                out.push('_');
            }
            out.extend(character.to_lowercase().next());
            previous_upper = true;
            continue;
        }
        previous_upper = false;
        if character.is_alphanumeric() {
            out.push(character);
        } else if (character.is_whitespace() || matches!(character, '_' | '-'))
            && index > 0
            && !out.ends_with('_')
        {
            out.push('_');
        }
    }
    String::from(out.trim_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_follows_the_reference() {
        let cases = [
            ("HTTPServer", "httpserver"),
            ("Hello World", "hello__world"),
            ("foo - bar", "foo_bar"),
            ("a.b", "ab"),
            ("x.Y", "x_y"),
            ("user2Name", "user2_name"),
            ("helloBigWorld", "hello_big_world"),
        ];
        for (text, expected) in cases {
            assert_eq!(snake_case(text), expected, "{text}");
        }
    }
}
