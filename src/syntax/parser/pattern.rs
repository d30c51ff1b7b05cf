//! Patterns: what bindings take apart, and what `match` compares with.

use super::{Header, Parsed, Parser};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};

/// Patterns of bindings, destructurings and `for`.
impl Parser {
    /// `complaint` is what is said about anything that is not a pattern.
    pub(super) fn pattern(&mut self, complaint: &str) -> Parsed<Pattern> {
        let start = self.span();
        let kind = match self.kind() {
            TokenKind::Punctuation(Punctuation::LeftBracket) => {
                self.bracketed("pattern", |parser| parser.array_pattern(complaint))?
            }
            TokenKind::Punctuation(Punctuation::LeftBrace) => {
                self.bracketed("pattern", |parser| parser.dict_pattern(complaint))?
            }
            _ => match self.take_name() {
                Some(name) if *name.text == *"_" => PatternKind::Ignore,
                Some(name) => PatternKind::Name(name),
                None => return Err(self.error_here(complaint)),
            },
        };
        Ok(Pattern {
            kind,
            span: self.since(start),
        })
    }

    fn array_pattern(&mut self, complaint: &str) -> Parsed<PatternKind> {
        let opening = self.bump();
        let mut items = Vec::new();
        let mut rest = None;
        while !self.at(Punctuation::RightBracket) && rest.is_none() {
            if self.take_operator(Operator::Ellipsis) {
                rest = Some(self.rest_name(complaint)?);
            } else {
                items.push(self.pattern(complaint)?);
            }
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        self.close_pattern(
            Punctuation::RightBracket,
            "array pattern",
            opening,
            complaint,
        )?;
        Ok(PatternKind::Array { items, rest })
    }

    fn dict_pattern(&mut self, complaint: &str) -> Parsed<PatternKind> {
        let opening = self.bump();
        let mut entries = Vec::new();
        let mut rest = None;
        while !self.at(Punctuation::RightBrace) && rest.is_none() {
            if self.take_operator(Operator::Ellipsis) {
                rest = Some(self.rest_name(complaint)?);
            } else {
                entries.push(self.dict_pattern_entry(complaint)?);
            }
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        self.close_pattern(
            Punctuation::RightBrace,
            "dictionary pattern",
            opening,
            complaint,
        )?;
        Ok(PatternKind::Dict { entries, rest })
    }

    fn dict_pattern_entry(&mut self, complaint: &str) -> Parsed<DictPatternEntry> {
        let has_pattern = self.ahead(1).is_punctuation(Punctuation::Colon);
        let key = if has_pattern {
            self.take_any_word()
        } else {
            self.take_name()
        };
        let Some(key) = key else {
            return Err(self.error_here(complaint));
        };
        let pattern = if self.take(Punctuation::Colon) {
            self.pattern(complaint)?
        } else {
            Pattern {
                span: key.span,
                kind: PatternKind::Name(key.clone()),
            }
        };
        Ok(DictPatternEntry { key, pattern })
    }

    /// What stands in place of the closing bracket makes this no pattern.
    fn close_pattern(
        &mut self,
        sign: Punctuation,
        what: &str,
        opening: Span,
        complaint: &str,
    ) -> Parsed<()> {
        if self.at(sign) || self.at_end() {
            return self.expect_close(sign, what, opening).map(|_| ());
        }
        Err(self.error_here(complaint))
    }

    fn rest_name(&mut self, complaint: &str) -> Parsed<Name> {
        match self.take_name() {
            Some(name) => Ok(name),
            None => Err(self.error_here(complaint)),
        }
    }
}

/// `match`.
impl Parser {
    pub(super) fn match_statement(&mut self) -> Parsed<StmtKind> {
        let start = self.bump();
        let subject = self.within(Header::Match, Self::expression)?;
        let opening = self.expect(Punctuation::LeftBrace, "to start match body")?;
        let mut clauses = Vec::new();
        let mut default = None;
        loop {
            if self.take(Punctuation::Comma) || self.take(Punctuation::Semicolon) {
                continue;
            }
            if self.at_keyword(Keyword::Case) {
                clauses.push(self.clause()?);
            } else if self.at_word("default") {
                self.bump();
                self.take(Punctuation::Colon);
                let block = self.block("match default block")?;
                // Only the first can ever run.
                default.get_or_insert(block);
            } else {
                break;
            }
        }
        let closing = self.expect_close(Punctuation::RightBrace, "match body", opening)?;
        let span = start.to(closing);
        Ok(StmtKind::Match(Box::new(Match {
            subject,
            clauses,
            default,
            span,
        })))
    }

    fn clause(&mut self) -> Parsed<Clause> {
        self.bump();
        let mut patterns = vec![self.case_pattern()?];
        while self.take_operator(Operator::Bar) {
            patterns.push(self.case_pattern()?);
        }
        let guard = if self.take_keyword(Keyword::If) {
            Some(self.within(Header::Control, Self::expression)?)
        } else {
            None
        };
        self.take(Punctuation::Colon);
        Ok(Clause {
            patterns,
            guard,
            body: self.block("match case block")?,
        })
    }

    /// A pattern inside another, where `|` is allowed too.
    fn inner_case_pattern(&mut self) -> Parsed<CasePattern> {
        let start = self.span();
        let first = self.case_pattern()?;
        if !self.at_operator(Operator::Bar) {
            return Ok(first);
        }
        let mut alternatives = vec![first];
        while self.take_operator(Operator::Bar) {
            alternatives.push(self.case_pattern()?);
        }
        Ok(CasePattern {
            kind: CasePatternKind::Or(alternatives),
            span: self.since(start),
        })
    }

    fn case_pattern(&mut self) -> Parsed<CasePattern> {
        let start = self.span();
        let kind = match self.kind() {
            TokenKind::Identifier(_) => self.name_case()?,
            TokenKind::Punctuation(Punctuation::LeftBracket) => {
                self.bracketed("pattern", Self::array_case)?
            }
            TokenKind::Punctuation(Punctuation::LeftBrace) => {
                self.bracketed("pattern", Self::dict_case)?
            }
            _ => CasePatternKind::Literal(self.literal_case()?),
        };
        Ok(CasePattern {
            kind,
            span: self.since(start),
        })
    }

    fn literal_case(&mut self) -> Parsed<Literal> {
        let literal = match self.kind() {
            TokenKind::Operator(Operator::Minus) => return self.negative_case(),
            TokenKind::Int(value) => Literal::Int(self.int(*value)?),
            TokenKind::Float(value) => Literal::Float(*value),
            TokenKind::Str(text) => Literal::Str(text.clone()),
            TokenKind::Keyword(Keyword::True) => Literal::Bool(true),
            TokenKind::Keyword(Keyword::False) => Literal::Bool(false),
            TokenKind::Keyword(Keyword::Null) => Literal::Null,
            _ => return Err(self.expected("pattern")),
        };
        self.bump();
        Ok(literal)
    }

    fn negative_case(&mut self) -> Parsed<Literal> {
        let is_smallest = self.is_smallest_int();
        self.bump();
        let literal = match self.kind() {
            TokenKind::Int(_) if is_smallest => Literal::Int(i64::MIN),
            TokenKind::Int(value) => Literal::Int(-self.int(*value)?),
            TokenKind::Float(value) => Literal::Float(-*value),
            _ => return Err(self.expected("number in pattern")),
        };
        self.bump();
        Ok(literal)
    }

    /// `_`, a name, or a tag with or without a payload.
    fn name_case(&mut self) -> Parsed<CasePatternKind> {
        let Some(first) = self.take_name() else {
            return Err(self.expected("pattern"));
        };
        let (enum_name, variant) = if self.at_operator(Operator::ColonColon) {
            let sign = self.bump();
            let Some(variant) = self.take_name() else {
                return Err(self.missing_name(sign, "a variant name belongs after this"));
            };
            (Some(first), variant)
        } else {
            (None, first)
        };
        let payload = if self.at(Punctuation::LeftParen) {
            Some(self.bracketed("pattern", Self::payload_case)?)
        } else {
            None
        };
        let is_tag = enum_name.is_some()
            || payload.is_some()
            || matches!(&*variant.text, "Ok" | "Err" | "Some" | "None");
        Ok(if is_tag {
            CasePatternKind::Tag {
                enum_name,
                variant,
                payload,
            }
        } else if *variant.text == *"_" {
            CasePatternKind::Any
        } else {
            CasePatternKind::Name(variant)
        })
    }

    fn payload_case(&mut self) -> Parsed<Vec<CasePattern>> {
        let opening = self.bump();
        let mut payload = Vec::new();
        while !self.at(Punctuation::RightParen) {
            payload.push(self.inner_case_pattern()?);
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        self.expect_close(Punctuation::RightParen, "pattern payload", opening)?;
        Ok(payload)
    }

    fn array_case(&mut self) -> Parsed<CasePatternKind> {
        let opening = self.bump();
        let mut items = Vec::new();
        let mut rest = None;
        while !self.at(Punctuation::RightBracket) && rest.is_none() {
            if self.take_operator(Operator::Ellipsis) {
                rest = Some(self.case_rest()?);
            } else {
                items.push(self.inner_case_pattern()?);
            }
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        self.expect_close(Punctuation::RightBracket, "array pattern", opening)?;
        Ok(CasePatternKind::Array { items, rest })
    }

    fn dict_case(&mut self) -> Parsed<CasePatternKind> {
        let opening = self.bump();
        let mut entries = Vec::new();
        let mut rest = None;
        while !self.at(Punctuation::RightBrace) && rest.is_none() {
            if self.take_operator(Operator::Ellipsis) {
                rest = Some(self.case_rest()?);
            } else {
                let Some(key) = self.take_any_word() else {
                    return Err(self.expected("key"));
                };
                let has_pattern = self.take(Punctuation::Colon);
                let pattern = if has_pattern {
                    Some(self.inner_case_pattern()?)
                } else {
                    None
                };
                entries.push((key, pattern));
            }
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        self.expect_close(Punctuation::RightBrace, "dictionary pattern", opening)?;
        Ok(CasePatternKind::Dict { entries, rest })
    }

    fn case_rest(&mut self) -> Parsed<Name> {
        match self.take_name() {
            Some(name) => Ok(name),
            None => Err(self.expected("name after '...'")),
        }
    }
}
