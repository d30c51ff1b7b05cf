//! Declarations other than functions: structs, enums, imports, exports, tests.

use super::{Parsed, Parser};
use crate::syntax::ast::*;
use crate::syntax::token::{Keyword, Operator, Punctuation, Token, TokenKind};
use std::sync::Arc;

/// Structs and enums.
impl Parser {
    pub(super) fn struct_declaration(&mut self) -> Parsed<StmtKind> {
        let start = self.bump();
        let Some(name) = self.take_name() else {
            return Err(self.error_here("Expected struct name after 'struct'"));
        };
        let opening = self.expect(Punctuation::LeftBrace, "to start struct body")?;
        let mut fields = Vec::new();
        let mut methods = Vec::new();
        loop {
            if self.take(Punctuation::Comma) || self.take(Punctuation::Semicolon) {
                continue;
            }
            if self.at_method() {
                methods.push(self.func_with_name()?);
            } else if let Some(name) = self.take_any_word() {
                fields.push(self.field(name)?);
            } else {
                break;
            }
        }
        let closing = self.expect_close(Punctuation::RightBrace, "struct body", opening)?;
        let span = start.to(closing);
        Ok(StmtKind::Struct(Arc::new(StructDecl {
            name,
            fields,
            methods,
            span,
        })))
    }

    /// Any word before a `:` is a field, even `func`.
    fn at_method(&self) -> bool {
        let begins_function = self.at_keyword(Keyword::Func)
            || self.at_keyword(Keyword::Async)
            || self.at_word("fn") && self.is_fn_keyword();
        begins_function && !self.ahead(1).is_punctuation(Punctuation::Colon)
    }

    fn field(&mut self, name: Name) -> Parsed<FieldDecl> {
        let annotation = self.annotation()?;
        let has_default =
            self.take_operator(Operator::Equal) || self.take_operator(Operator::ColonEqual);
        let default = if has_default {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(FieldDecl {
            name,
            annotation,
            default,
        })
    }

    pub(super) fn enum_declaration(&mut self) -> Parsed<StmtKind> {
        let start = self.bump();
        let Some(name) = self.take_name() else {
            return Err(self.error_here("Expected enum name after 'enum'"));
        };
        let opening = self.expect(Punctuation::LeftBrace, "to start enum body")?;
        let mut variants = Vec::new();
        while let Some(variant) = self.take_name() {
            variants.push(variant);
            self.payload_note()?;
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        let closing = self.expect_close(Punctuation::RightBrace, "enum body", opening)?;
        Ok(StmtKind::Enum(EnumDecl {
            name,
            variants,
            span: start.to(closing),
        }))
    }

    /// `(…)` after a variant tells the reader what it carries, and nobody else.
    fn payload_note(&mut self) -> Parsed<()> {
        if self.at(Punctuation::LeftParen) {
            let opening = self.span();
            let closing = self.partner(self.position);
            self.position = closing.unwrap_or(self.tokens.len() - 1);
            self.expect_close(Punctuation::RightParen, "enum variant", opening)?;
        }
        Ok(())
    }
}

/// Imports and exports.
impl Parser {
    pub(super) fn import(&mut self) -> Parsed<StmtKind> {
        let start = self.bump();
        let path = self.module_path("import")?;
        let alias = self.alias()?;
        Ok(StmtKind::Import(Import::Module {
            path,
            alias,
            span: self.since(start),
        }))
    }

    pub(super) fn symbol_import(&mut self) -> Parsed<StmtKind> {
        let start = self.bump();
        let path = self.module_path("from")?;
        if !self.take_keyword(Keyword::Import) {
            return Err(self.expected("'import' after module name in from-import statement"));
        }
        let mut symbols = Vec::new();
        loop {
            let Some(exported) = self.take_name() else {
                return Err(self.error_here("Expected imported symbol name"));
            };
            let local = self.alias()?.unwrap_or_else(|| exported.clone());
            symbols.push((exported, local));
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        Ok(StmtKind::Import(Import::Symbols {
            path,
            symbols,
            span: self.since(start),
        }))
    }

    fn module_path(&mut self, keyword: &str) -> Parsed<Vec<Name>> {
        let Some(first) = self.take_name() else {
            return Err(self.error_here(format!("Expected module name after '{keyword}'")));
        };
        let mut path = vec![first];
        while self.take(Punctuation::Dot) {
            let Some(segment) = self.take_any_word() else {
                let statement = if keyword == "from" {
                    "from-import"
                } else {
                    "import"
                };
                return Err(self.error_here(format!(
                    "Expected module path segment after '.' in {statement} statement"
                )));
            };
            path.push(segment);
        }
        Ok(path)
    }

    /// `as name`.  An `as` on a line of its own may be a variable instead.
    fn alias(&mut self) -> Parsed<Option<Name>> {
        let is_alias = self.at_word("as") && (self.ahead(1).is_name() || !self.token().starts_line);
        if !is_alias {
            return Ok(None);
        }
        self.bump();
        match self.take_name() {
            Some(name) => Ok(Some(name)),
            None => Err(self.expected("name after 'as'")),
        }
    }

    pub(super) fn export(&mut self) -> Parsed<StmtKind> {
        self.bump();
        // Otherwise `export export …` would nest without limit.
        if self.at_keyword(Keyword::Export) {
            return Err(self.error_here("Invalid statement"));
        }
        Ok(StmtKind::Export(Box::new(self.statement()?)))
    }
}

/// Tests.
impl Parser {
    /// A test or a part of one, if the identifier here begins one.
    ///
    /// A name that is followed on its line by something that could only be
    /// another statement was surely meant to begin a test.
    pub(super) fn test_declaration(&mut self) -> Option<Parsed<StmtKind>> {
        let next = self.ahead(1);
        let has_name = matches!(next.kind, TokenKind::Str(_));
        let has_block = next.is_punctuation(Punctuation::LeftBrace);
        let is_misnamed = !next.starts_line && is_instead_of_test_name(next);
        let begins_block = has_block && !next.starts_line && !self.is_struct_literal();
        let begins_named = has_name || is_misnamed || begins_block;
        let begins_unnamed = has_block || has_name || is_misnamed;
        let TokenKind::Identifier(word) = self.kind() else {
            return None;
        };
        Some(match &**word {
            "test" if begins_named => self
                .named_block("Expected test name string after 'test'", "test body")
                .map(|(name, body)| StmtKind::Test(TestDecl::Test { name, body })),
            "test_group" if begins_named => self
                .named_block(
                    "Expected group name string after 'test_group'",
                    "test_group body",
                )
                .map(|(name, body)| StmtKind::Test(TestDecl::Group { name, body })),
            "test_setup" if begins_unnamed => self
                .unnamed_block("test_setup block")
                .map(|body| StmtKind::Test(TestDecl::Setup(body))),
            "test_teardown" if begins_unnamed => self
                .unnamed_block("test_teardown block")
                .map(|body| StmtKind::Test(TestDecl::Teardown(body))),
            _ => return None,
        })
    }

    fn named_block(&mut self, complaint: &str, what: &str) -> Parsed<(Arc<str>, Block)> {
        self.bump();
        let TokenKind::Str(name) = self.kind() else {
            return Err(self.error_here(complaint));
        };
        let name = name.clone();
        self.bump();
        Ok((name, self.block(what)?))
    }

    fn unnamed_block(&mut self, what: &str) -> Parsed<Block> {
        self.bump();
        self.block(what)
    }
}

fn is_instead_of_test_name(token: &Token) -> bool {
    matches!(
        token.kind,
        TokenKind::Identifier(_)
            | TokenKind::StringStart
            | TokenKind::Int(_)
            | TokenKind::Float(_)
            | TokenKind::Keyword(Keyword::True | Keyword::False | Keyword::Null)
    )
}
