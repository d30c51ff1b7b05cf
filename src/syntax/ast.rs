//! The syntax tree: what the parser found, spans included, nothing resolved.
//!
//! Names are still text here and sugar is still sugar; the one rewriting the
//! parser does is to decide the ambiguities of the reference's section 2.3
//! (struct literal or block, dictionary or block, `fn` or a name).

use crate::source::Span;
use std::sync::Arc;

/// An identifier, or a word in a position where any word is a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: Arc<str>,
    pub span: Span,
}

/// A parsed source file.
#[derive(Clone, Debug)]
pub struct Program {
    pub body: Vec<Stmt>,
    /// In the order of the source.
    pub embeds: Vec<Embed>,
    /// The whole file.
    pub span: Span,
}

/// A call of `embed_file` or `embed_dir` with a text, which stands for what is in
/// a file or a folder, unless a variable has its name.
#[derive(Clone, Debug)]
pub struct Embed {
    /// Where the function's name begins.
    pub offset: u32,
    pub is_folder: bool,
    pub path: Arc<str>,
    pub path_span: Span,
}

/// `{ … }` as a sequence of statements with a scope of its own.
#[derive(Clone, Debug)]
pub struct Block {
    pub statements: Vec<Stmt>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

/// What introduces a binding with a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    Let,
    Mut,
    Const,
}

#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `let p: T := e`, `mut …`, `const …` (a `const` pattern is always a name).
    Binding {
        kind: BindingKind,
        pattern: Pattern,
        annotation: Option<Type>,
        value: Expr,
    },
    /// `[a, b] := e` or `{a, b} := e`, without a keyword.
    Destructure {
        pattern: Pattern,
        value: Expr,
    },
    /// `place := e` and `place = e`, which mean the same.
    Assign {
        place: Place,
        value: Expr,
    },
    /// `place op= e`; `operator` is one of the five arithmetic ones.
    CompoundAssign {
        place: Place,
        operator: BinaryOp,
        value: Expr,
    },
    Func(Arc<Func>),
    Struct(Arc<StructDecl>),
    Enum(EnumDecl),
    Import(Import),
    Export(Box<Stmt>),
    If(Box<If>),
    /// `while c {}` and `loop while c {}`; a bare `loop {}` has no condition.
    While {
        condition: Option<Expr>,
        body: Block,
    },
    For {
        pattern: Pattern,
        iterable: Expr,
        body: Block,
    },
    CFor {
        init: Option<Box<Stmt>>,
        condition: Option<Expr>,
        step: Option<Box<Stmt>>,
        body: Block,
    },
    Match(Box<Match>),
    Try {
        body: Block,
        error: Option<Name>,
        handler: Block,
    },
    Return(Option<Expr>),
    Break,
    Continue,
    Test(TestDecl),
    Block(Block),
    Expr(Expr),
}

/// The target of an assignment: a variable and a chain of steps into it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The variable's name, `self` included.
    pub root: Name,
    pub steps: Vec<PlaceStep>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum PlaceStep {
    Field(Name),
    Index(Expr),
}

/// What a binding, a `for` or a destructuring takes apart.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum PatternKind {
    Name(Name),
    /// `_`
    Ignore,
    Array {
        items: Vec<Pattern>,
        rest: Option<Name>,
    },
    Dict {
        entries: Vec<DictPatternEntry>,
        rest: Option<Name>,
    },
}

/// `key` (then `pattern` binds the key's own name) or `key: pattern`.
#[derive(Clone, Debug)]
pub struct DictPatternEntry {
    pub key: Name,
    pub pattern: Pattern,
}

/// A function: declaration, literal or method.
#[derive(Clone, Debug)]
pub struct Func {
    /// `None` for a function literal, shown as `<lambda>`.
    pub name: Option<Name>,
    pub params: Vec<Param>,
    pub result: Option<Type>,
    /// Empty if the function is C's.
    pub body: Block,
    /// Set if it is a C function that is only declared here.
    pub foreign: Option<Foreign>,
    pub is_async: bool,
    /// Written `func*`, or contains a `yield` of its own.
    pub is_generator: bool,
    pub span: Span,
}

/// What `extern "library" func name() = "symbol"` says of a C function.
#[derive(Clone, Debug)]
pub struct Foreign {
    pub library: Option<Arc<str>>,
    /// What C calls it, if not as the declaration does.
    pub symbol: Option<Arc<str>>,
}

/// A parameter; its name is `self` for a receiver.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: Name,
    pub annotation: Option<Type>,
}

#[derive(Clone, Debug)]
pub struct StructDecl {
    pub name: Name,
    pub fields: Vec<FieldDecl>,
    pub methods: Vec<Arc<Func>>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct FieldDecl {
    pub name: Name,
    pub annotation: Option<Type>,
    pub default: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct EnumDecl {
    pub name: Name,
    pub variants: Vec<Name>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Import {
    /// `import a.b.c as n`
    Module {
        path: Vec<Name>,
        alias: Option<Name>,
        span: Span,
    },
    /// `from a.b import x, y as z`: pairs of exported and local name.
    Symbols {
        path: Vec<Name>,
        symbols: Vec<(Name, Name)>,
        span: Span,
    },
}

/// `if`, as a statement and as an expression.
#[derive(Clone, Debug)]
pub struct If {
    pub condition: Expr,
    pub then: Block,
    pub otherwise: Option<Else>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Else {
    If(Box<If>),
    Block(Block),
}

#[derive(Clone, Debug)]
pub struct Match {
    pub subject: Expr,
    /// In source order, without the default.
    pub clauses: Vec<Clause>,
    pub default: Option<Block>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Clause {
    /// The alternatives `p1 | p2`; never empty.
    pub patterns: Vec<CasePattern>,
    pub guard: Option<Expr>,
    pub body: Block,
}

#[derive(Clone, Debug)]
pub struct CasePattern {
    pub kind: CasePatternKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum CasePatternKind {
    /// `_`
    Any,
    /// An int, float, string, bool or null, sign included.
    Literal(Literal),
    /// A bare name.  Whether it binds or compares depends on its position
    /// and on the guard (reference, 2.5); the lowering decides.
    Name(Name),
    /// `Tag`, `E::Tag`, `Tag(p, …)`, `E::Tag(p, …)`; also `Ok Err Some None`.
    /// A tag without `E::` and without payload is a `Name` unless it is one
    /// of those four.
    Tag {
        enum_name: Option<Name>,
        variant: Name,
        payload: Option<Vec<CasePattern>>,
    },
    Array {
        items: Vec<CasePattern>,
        rest: Option<Name>,
    },
    /// `{k, k2: p, ...r}`; a missing pattern binds the key's own name.
    Dict {
        entries: Vec<(Name, Option<CasePattern>)>,
        rest: Option<Name>,
    },
    /// `p | q` inside a payload.
    Or(Vec<CasePattern>),
}

#[derive(Clone, Debug)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
}

#[derive(Clone, Debug)]
pub enum TestDecl {
    Test { name: Arc<str>, body: Block },
    Group { name: Arc<str>, body: Block },
    Setup(Block),
    Teardown(Block),
}

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Literal(Literal),
    /// A string with `${…}`; text and expressions in order.
    Interpolated(Vec<Piece>),
    /// A variable, `self` and the conversion built-ins `int float string bool` included.
    Name(Arc<str>),
    Array(Vec<Element>),
    Dict(Vec<Entry>),
    StructLiteral {
        name: Name,
        fields: Vec<(Name, Expr)>,
    },
    /// `E::V` or `E::V(args)`; `Result::Ok(…)` and `Option::None` too.
    Tag {
        enum_name: Name,
        variant: Name,
        args: Option<Vec<Arg>>,
    },
    /// `Ok(e)`, `Err(e)`, `Some(e)`.
    Wrap {
        wrapper: Wrapper,
        value: Box<Expr>,
    },
    /// `None`
    None,
    Func(Arc<Func>),
    If(Box<If>),
    Spawn(Block),
    Yield(Option<Box<Expr>>),
    Throw(ThrowOperand),
    Unary {
        operator: UnaryOp,
        operand: Box<Expr>,
    },
    Await(Box<Expr>),
    Binary {
        operator: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `&&` and `and`
    And(Box<Expr>, Box<Expr>),
    /// `||` and `or`
    Or(Box<Expr>, Box<Expr>),
    /// `not`
    Not(Box<Expr>),
    /// `??`
    Coalesce(Box<Expr>, Box<Expr>),
    /// `|>`
    Pipe(Box<Expr>, Box<Expr>),
    Call {
        callee: Box<Expr>,
        args: Vec<Arg>,
    },
    /// `o.m(…)`, or `o?.m(…)` when `optional`.
    MethodCall {
        receiver: Box<Expr>,
        method: Name,
        args: Vec<Arg>,
        optional: bool,
    },
    /// `o.f`, or `o?.f` when `optional`.
    Field {
        object: Box<Expr>,
        field: Name,
        optional: bool,
    },
    Index {
        object: Box<Expr>,
        index: Box<Expr>,
    },
    /// Postfix `?`
    Try(Box<Expr>),
    /// An expression in parentheses; kept because `(f)(x)` is not a method call.
    Paren(Box<Expr>),
}

/// `throw` with the wrong number of operands is a static error that the
/// lowering reports, so the parser passes it on.
#[derive(Clone, Debug)]
pub enum ThrowOperand {
    One(Box<Expr>),
    /// `throw()` or `throw(a, b)`
    Malformed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapper {
    Ok,
    Err,
    Some,
}

#[derive(Clone, Debug)]
pub enum Piece {
    Text(Arc<str>),
    Value(Expr),
}

#[derive(Clone, Debug)]
pub enum Element {
    One(Expr),
    Spread(Expr),
}

#[derive(Clone, Debug)]
pub enum Entry {
    Pair { key: Key, value: Expr },
    Spread(Expr),
}

#[derive(Clone, Debug)]
pub enum Key {
    /// A bare identifier: the variable's value if one is visible, else its spelling.
    Name(Name),
    /// A reserved word: always its spelling.
    Word(Name),
    /// A string or int literal, or any other expression.
    Computed(Expr),
}

#[derive(Clone, Debug)]
pub enum Arg {
    One(Expr),
    Spread(Expr),
    Named(Name, Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    Negate,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// A type annotation.  Never enforced; a hint and the input of `check`.
#[derive(Clone, Debug)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TypeKind {
    Name(Arc<str>),
    Null,
    Func {
        params: Vec<Type>,
        result: Option<Box<Type>>,
    },
    Optional(Box<Type>),
    Array(Box<Type>),
    Generic {
        base: Box<Type>,
        args: Vec<Type>,
    },
    Union(Vec<Type>),
}
