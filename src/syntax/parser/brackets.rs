//! Which bracket closes which, found out before parsing.
//!
//! The parser looks behind a bracket to tell a destructuring from a block or
//! a function from a call, and jumps behind one to recover from an error.
//! With this table both take one step, however much the bracket holds.

use super::Parser;
use crate::syntax::token::{Punctuation, Token, TokenKind};

/// Stands for "none" in the table.
const NO_PARTNER: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Paren,
    Square,
    Brace,
    Text,
    Interpolation,
}

enum Side {
    Opening(Bracket),
    Closing(Bracket),
}

fn side(kind: &TokenKind) -> Option<Side> {
    use Side::{Closing, Opening};
    Some(match kind {
        TokenKind::Punctuation(Punctuation::LeftParen) => Opening(Bracket::Paren),
        TokenKind::Punctuation(Punctuation::RightParen) => Closing(Bracket::Paren),
        TokenKind::Punctuation(Punctuation::LeftBracket) => Opening(Bracket::Square),
        TokenKind::Punctuation(Punctuation::RightBracket) => Closing(Bracket::Square),
        TokenKind::Punctuation(Punctuation::LeftBrace) => Opening(Bracket::Brace),
        TokenKind::Punctuation(Punctuation::RightBrace) => Closing(Bracket::Brace),
        TokenKind::StringStart => Opening(Bracket::Text),
        TokenKind::StringEnd => Closing(Bracket::Text),
        TokenKind::InterpolationStart => Opening(Bracket::Interpolation),
        TokenKind::InterpolationEnd => Closing(Bracket::Interpolation),
        _ => return None,
    })
}

/// For each token the index of the bracket that closes it.
///
/// Where brackets do not match, braces are believed rather than parentheses:
/// a `}` closes its `{` whatever is open inside, a `)` closes nothing beyond
/// the innermost bracket.
pub fn partners(tokens: &[Token]) -> Vec<u32> {
    let mut partners = vec![NO_PARTNER; tokens.len()];
    let mut open: Vec<(Bracket, usize)> = Vec::new();
    let mut open_braces = 0;
    for (index, token) in tokens.iter().enumerate() {
        match side(&token.kind) {
            None => {}
            Some(Side::Opening(bracket)) => {
                open.push((bracket, index));
                open_braces += usize::from(bracket == Bracket::Brace);
            }
            Some(Side::Closing(bracket @ (Bracket::Paren | Bracket::Square))) => {
                if let Some((_, opening)) = open.pop_if(|(innermost, _)| *innermost == bracket) {
                    partners[opening] = index as u32;
                }
            }
            Some(Side::Closing(Bracket::Brace)) if open_braces == 0 => {}
            // The lexer never lets an interpolation end without having begun,
            // nor leaves a brace unbalanced in one.
            Some(Side::Closing(bracket)) => {
                while let Some((innermost, opening)) = open.pop() {
                    open_braces -= usize::from(innermost == Bracket::Brace);
                    if innermost == bracket {
                        partners[opening] = index as u32;
                        break;
                    }
                }
            }
        }
    }
    partners
}

impl Parser {
    /// The index of the token that closes the bracket at `index`.
    pub(super) fn partner(&self, index: usize) -> Option<usize> {
        let partner = *self.partners.get(index)?;
        (partner != NO_PARTNER).then_some(partner as usize)
    }

    /// The token behind the bracket at `index` and all it holds.
    pub(super) fn token_behind(&self, index: usize) -> Option<&Token> {
        self.tokens.get(self.partner(index)? + 1)
    }

    pub(super) fn is_opening(&self, index: usize) -> bool {
        matches!(side(&self.tokens[index].kind), Some(Side::Opening(_)))
    }
}
