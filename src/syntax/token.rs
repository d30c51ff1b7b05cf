//! The words and signs of the language, each written down once.
//!
//! How text becomes tokens is the lexer's affair; what a sequence of them
//! means is the parser's.

use crate::source::Span;
use std::fmt;
use std::sync::Arc;

/// Declares a closed set of tokens together with their spelling.
macro_rules! spellings {
    ($(#[$doc:meta])* $set:ident { $($name:ident $text:literal)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $set { $($name,)* }

        impl $set {
            pub const ALL: &[$set] = &[$($set::$name,)*];

            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

spellings! {
    /// The reserved words.
    Keyword {
        Let "let" Mut "mut" Const "const" Func "func" Return "return" Enum "enum" Match "match"
        Case "case" If "if" Else "else" Loop "loop" While "while" For "for" In "in"
        Break "break" Continue "continue" Try "try" Except "except" Import "import"
        Export "export" From "from" Struct "struct" SelfWord "self" Null "null" Spawn "spawn"
        Yield "yield" Async "async" Await "await" True "true" False "false" Throw "throw"
        And "and" Or "or" Not "not"
    }
}

spellings! {
    /// Signs that combine expressions, bind or separate names and types.
    Operator {
        Plus "+" Minus "-" Star "*" Slash "/" Percent "%" EqualEqual "==" BangEqual "!="
        Less "<" LessEqual "<=" Greater ">" GreaterEqual ">=" Bang "!" AndAnd "&&" OrOr "||"
        Coalesce "??" Pipe "|>" Question "?" QuestionDot "?." ColonEqual ":=" Equal "="
        PlusEqual "+=" MinusEqual "-=" StarEqual "*=" SlashEqual "/=" PercentEqual "%="
        ColonColon "::" Arrow "->" Ellipsis "..." Bar "|"
    }
}

spellings! {
    /// Brackets and separators.
    Punctuation {
        LeftParen "(" RightParen ")" LeftBrace "{" RightBrace "}" LeftBracket "[" RightBracket "]"
        Comma "," Dot "." Semicolon ";" Colon ":"
    }
}

/// The longest operator has this many bytes.
pub const LONGEST_SIGN: usize = 3;

#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    Identifier(Arc<str>),
    Keyword(Keyword),
    /// At most 2⁶³, and exactly that only directly after a `-`.
    Int(u64),
    Float(f64),
    /// A string without interpolation, escapes replaced.
    Str(Arc<str>),
    /// The opening quote of a string with interpolation.
    StringStart,
    /// Text between interpolations, escapes replaced; never empty.
    StringText(Arc<str>),
    /// `${`
    InterpolationStart,
    /// The `}` that belongs to a `${`.
    InterpolationEnd,
    /// The closing quote of a string with interpolation.
    StringEnd,
    Operator(Operator),
    Punctuation(Punctuation),
    Eof,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// A line end stands between the token before and this one.
    pub starts_line: bool,
}

/// How messages name what they found.
impl fmt::Display for TokenKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier(text) => write!(out, "Identifier({text:?})"),
            Self::Keyword(word @ (Keyword::True | Keyword::False)) => {
                write!(out, "Bool({})", word.text())
            }
            Self::Keyword(word) => write!(out, "Keyword({:?})", word.text()),
            Self::Int(value) => write!(out, "Int({value})"),
            Self::Float(value) => write!(out, "Float({value:?})"),
            Self::Str(text) | Self::StringText(text) => write!(out, "String({text:?})"),
            Self::StringStart | Self::StringEnd => write!(out, "InterpolatedString"),
            Self::InterpolationStart => write!(out, "Operator(\"${{\")"),
            Self::InterpolationEnd => write!(out, "Punctuation('}}')"),
            Self::Operator(sign) => write!(out, "Operator({:?})", sign.text()),
            Self::Punctuation(sign) => write!(out, "Punctuation('{}')", sign.text()),
            Self::Eof => write!(out, "Eof"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_sign_is_known() {
        let longest = Operator::ALL.iter().map(|sign| sign.text().len()).max();
        assert_eq!(longest, Some(LONGEST_SIGN));
    }
}
