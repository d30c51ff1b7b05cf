//! The walk over the tree that writes the tapes.
//!
//! Events come in the order of the source, which is that of execution except
//! where a loop goes back.  The checks of section 16.3 are made on the way.

mod expr;
mod import;
mod pattern;
mod stmt;

use super::check;
use super::index::{FunctionIndex, HoistIndex, ScopeIndex, Symbol, UnitIndex};
use super::tape::{Declare, Event, Mention, Recording, Symbols};
use super::{
    Function, FunctionKind, Hoist, HoistItem, Mutability, Place, Role, SCRIPT, Scope, ScopeKind,
    Test, Unit,
};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::*;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// "Not yet" on any tape.
pub(super) const NEVER: u32 = u32::MAX;

pub(super) struct Recorder {
    pub out: Recording,
    /// The file that is being recorded.
    unit: UnitIndex,
    /// What becomes of the script.
    pub role: Role,
    frame: Frame,
    /// The declarations that are visible by each name, innermost last.
    visible: FxHashMap<Symbol, Vec<HoistIndex>>,
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct Frame {
    function: FunctionIndex,
    /// The copy of the source, see `Place`.
    copy: u32,
    scope: Option<ScopeIndex>,
    /// Loops of the function around this point.
    loops: u32,
    is_generator: bool,
    is_dead: bool,
    /// The method whose `self` is visible.
    method: Option<FunctionIndex>,
}

impl Default for Frame {
    fn default() -> Self {
        Frame {
            function: FunctionIndex(0),
            copy: 0,
            scope: None,
            loops: 0,
            is_generator: false,
            is_dead: false,
            method: None,
        }
    }
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            out: Recording {
                functions: Vec::new(),
                tapes: Vec::new(),
                scopes: Vec::new(),
                hoists: Vec::new(),
                symbols: Symbols::default(),
                units: Vec::new(),
                imports: Vec::new(),
                mentions: Vec::new(),
                field_names: Default::default(),
                self_writers: Default::default(),
                self_calls: Vec::new(),
                called_on_places: Default::default(),
                methods: Vec::new(),
                diagnostics: Vec::new(),
                changing: Default::default(),
                is_open: false,
            },
            unit: UnitIndex(0),
            role: Role::default(),
            frame: Frame::default(),
            visible: FxHashMap::default(),
        }
    }
}

impl Recorder {
    /// Records a file, the script first, and the tests that run after its top level.
    pub fn unit(
        &mut self,
        program: &Program,
        tests: &[Test],
    ) -> Result<UnitIndex, Vec<Diagnostic>> {
        let first = self.out.functions.len();
        self.unit = UnitIndex(self.out.units.len() as u32);
        self.frame = Frame::default();
        self.frame.function = self.function_row(FunctionKind::TopLevel, None);
        self.out.units.push(Unit::new(self.frame.function));
        if self.unit != SCRIPT || self.role == Role::Library {
            self.exports(&program.body);
        }
        let scope = self.enter(None, ScopeKind::Module, &program.body);
        self.names().scope = scope;
        self.out.functions[self.frame.function].scope = scope;
        self.statements(&program.body);
        self.take_exports();
        // What is wrong with tests was seen where they stand.
        if self.out.diagnostics.is_empty() {
            for (test, copy) in tests.iter().zip(1..) {
                self.live_test(test, copy);
            }
        }
        self.leave(&program.body);
        let diagnostics = std::mem::take(&mut self.out.diagnostics);
        if diagnostics.is_empty() {
            return Ok(self.unit);
        }
        // Nobody can import it, so nobody can get at what is in it.
        self.out.units.pop();
        for function in &mut self.out.functions[first..] {
            function.is_dead = true;
        }
        Err(check::report(diagnostics))
    }

    /// What the tokens of the present file stand for.
    fn names(&mut self) -> &mut Unit {
        &mut self.out.units[self.unit]
    }

    fn push(&mut self, event: Event) {
        self.out.tapes[self.frame.function.0 as usize].push(event);
    }

    fn place_at(&self, offset: u32) -> Place {
        Place {
            copy: self.frame.copy,
            offset,
        }
    }

    /// The moment of the next event.
    fn now(&self) -> u32 {
        self.out.tapes[self.frame.function.0 as usize].len() as u32
    }

    fn intern(&mut self, text: &Arc<str>) -> Symbol {
        self.out.symbols.intern(text)
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.out.diagnostics.push(check::error(span, message));
    }

    /// A name that may mean a declaration.
    fn mention(&mut self, name: &Arc<str>) -> Symbol {
        let symbol = self.intern(name);
        if let Some(hoist) = self.visible.get(&symbol).and_then(|hoists| hoists.last()) {
            let (hoist, by, at) = (*hoist, self.frame.function, self.now());
            self.out.mentions.push(Mention { hoist, by, at });
        }
        symbol
    }

    fn read(&mut self, name: &Arc<str>, span: Span) {
        let symbol = self.mention(name);
        self.push(Event::Read {
            name: symbol,
            offset: span.start,
        });
    }

    fn declare(&mut self, name: &Name, mutability: Mutability, is_checked: bool) {
        self.declare_literal(name, mutability, is_checked, None);
    }

    fn declare_literal(
        &mut self,
        name: &Name,
        mutability: Mutability,
        is_checked: bool,
        literal: Option<FunctionIndex>,
    ) {
        let declare = Declare {
            name: self.intern(&name.text),
            offset: name.span.start,
            mutability,
            is_parameter: false,
            is_checked,
            may_be_skipped: false,
            literal,
        };
        self.push(Event::Declare(declare));
    }

    fn parameter(&mut self, name: &Name) {
        let declare = Declare {
            name: self.intern(&name.text),
            offset: name.span.start,
            mutability: Mutability::Mutable,
            is_parameter: true,
            is_checked: false,
            may_be_skipped: false,
            literal: None,
        };
        self.push(Event::Declare(declare));
    }
}

/// Scopes.
impl Recorder {
    /// Enters the scope of `statements`, which starts at the token at `key`.
    fn enter(&mut self, key: Option<u32>, kind: ScopeKind, statements: &[Stmt]) -> ScopeIndex {
        self.enter_shared(key, kind, &[statements])
    }

    /// Enters a scope that several blocks share.
    fn enter_shared(
        &mut self,
        key: Option<u32>,
        kind: ScopeKind,
        blocks: &[&[Stmt]],
    ) -> ScopeIndex {
        let index = ScopeIndex(self.out.scopes.len() as u32);
        self.out.scopes.push(Scope {
            parent: self.frame.scope,
            function: self.frame.function,
            variables: Vec::new(),
            hoists: Vec::new(),
            creates_in: index,
            kind,
        });
        if let Some(key) = key {
            let place = self.place_at(key);
            self.names().scope_at.insert(place, index);
        }
        self.frame.scope = Some(index);
        for statement in blocks.iter().copied().flatten() {
            self.hoist(statement, index);
        }
        self.push(Event::Enter(index));
        index
    }

    fn leave(&mut self, statements: &[Stmt]) {
        self.leave_shared(&[statements]);
    }

    fn leave_shared(&mut self, blocks: &[&[Stmt]]) {
        for name in blocks.iter().copied().flatten().filter_map(declared_name) {
            let symbol = self.intern(&name.text);
            self.visible
                .get_mut(&symbol)
                .expect("entering the scope made it visible")
                .pop();
        }
        self.push(Event::Leave);
        let scope = self.frame.scope.expect("a scope was entered");
        self.frame.scope = self.out.scopes[scope].parent;
    }

    fn hoist(&mut self, statement: &Stmt, scope: ScopeIndex) {
        let Some(name) = declared_name(statement) else {
            return;
        };
        let symbol = self.intern(&name.text);
        let index = HoistIndex(self.out.hoists.len() as u32);
        if let Some(earlier) = self.visible.get(&symbol).and_then(|hoists| hoists.last()) {
            let earlier = *earlier;
            if self.out.hoists[earlier].scope == scope {
                self.out.hoists[earlier].is_replaced = true;
            }
        }
        self.out.hoists.push(Hoist {
            name: symbol,
            scope,
            item: HoistItem::Enum,
            at_entry: false,
            is_replaced: false,
            variable: None,
            statement_at: NEVER,
            made_at: (NEVER, 0),
            mentioned_at: NEVER,
        });
        let place = self.place_at(name.span.start);
        self.names().hoist_at.insert(place, index);
        self.out.scopes[scope].hoists.push(index);
        self.visible.entry(symbol).or_default().push(index);
    }

    fn block(&mut self, block: &Block) {
        self.enter(Some(block.span.start), ScopeKind::Plain, &block.statements);
        self.statements(&block.statements);
        self.leave(&block.statements);
    }
}

/// The name that a statement binds on entry to its scope.
fn declared_name(statement: &Stmt) -> Option<&Name> {
    match &statement.kind {
        StmtKind::Func(func) => func.name.as_ref(),
        StmtKind::Struct(declaration) => Some(&declaration.name),
        StmtKind::Enum(declaration) => Some(&declaration.name),
        StmtKind::Export(inner) => declared_name(inner),
        _ => None,
    }
}

/// Functions.
impl Recorder {
    fn function_row(&mut self, kind: FunctionKind, parent: Option<FunctionIndex>) -> FunctionIndex {
        let index = FunctionIndex(self.out.functions.len() as u32);
        self.out.functions.push(Function {
            kind,
            unit: self.unit,
            copy: self.frame.copy,
            parent,
            scope: ScopeIndex(0),
            parameters: Vec::new(),
            captures: Vec::new(),
            can_be_called_directly: false,
            changes_self: false,
            fields: Vec::new(),
            snapshots: Vec::new(),
            names_itself: false,
            itself: None,
            is_dead: self.frame.is_dead,
            made_at: (NEVER, 0),
            called_at: NEVER,
            captures_something: false,
        });
        self.out.tapes.push(Vec::new());
        index
    }

    /// Records a function's body; `key` is the token that stands for it.
    fn function(
        &mut self,
        kind: FunctionKind,
        key: u32,
        is_generator: bool,
        body: impl FnOnce(&mut Self),
    ) -> FunctionIndex {
        let index = self.function_row(kind, Some(self.frame.function));
        let place = self.place_at(key);
        self.names().function_at.insert(place, index);
        let outer = self.frame;
        self.frame = Frame {
            function: index,
            loops: 0,
            is_generator,
            ..outer
        };
        body(self);
        self.frame = outer;
        index
    }

    /// A function that is written with parameters.
    fn func(&mut self, func: &Func, kind: FunctionKind) -> FunctionIndex {
        check::parameters(func, &mut self.out.diagnostics);
        check::foreign(func, &mut self.out.diagnostics);
        let index = self.function(kind, func.span.start, func.is_generator, |recorder| {
            let is_static = kind == FunctionKind::Method { has_self: false };
            if is_static {
                recorder.enter(None, ScopeKind::Fields, &[]);
            }
            if kind == (FunctionKind::Method { has_self: true }) {
                recorder.frame.method = Some(recorder.frame.function);
            } else if func.params.iter().any(|param| *param.name.text == *"self") {
                recorder.frame.method = None;
            }
            recorder.body(&func.params, &func.body, ScopeKind::Plain);
            if is_static {
                recorder.leave(&[]);
            }
        });
        self.out.functions[index].can_be_called_directly = !func.is_async;
        index
    }

    /// A function's scope: parameters and body share one.
    fn body(&mut self, params: &[Param], body: &Block, kind: ScopeKind) {
        let scope = self.enter(Some(body.span.start), kind, &body.statements);
        self.out.functions[self.frame.function].scope = scope;
        for param in params {
            self.parameter(&param.name);
        }
        self.statements(&body.statements);
        self.leave(&body.statements);
    }
}
