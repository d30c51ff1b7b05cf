//! Functions, closures and declarations.

use super::Lowerer;
use super::emit::Frame;
use crate::resolve::{
    CaptureSource, FunctionIndex, FunctionKind, HoistIndex, HoistItem, ScopeIndex, Storage,
    TOP_LEVEL, VariableIndex,
};
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{Capture, Function, FunctionFlags, FunctionInfo, Op, StructInfo};
use std::sync::Arc;

/// A function that is still to be lowered.
pub(super) struct Waiting<'a> {
    function: FunctionIndex,
    /// As messages show it.
    name: String,
    body: Body<'a>,
}

enum Body<'a> {
    Func(&'a Func),
    /// A field's default.
    Expr(&'a Expr),
    /// `spawn`
    Block(&'a Block),
}

impl<'a> Lowerer<'a> {
    pub(super) fn top_level(&mut self, program: &'a Program) {
        self.frame = Frame::default();
        self.enter_scope(crate::resolve::MODULE_SCOPE, &program.body);
        self.statements(&program.body);
        self.emit(Op::Null {});
        self.emit(Op::Return {});
        let flags = FunctionFlags {
            is_top_level: true,
            ..FunctionFlags::default()
        };
        let id = self.id(TOP_LEVEL);
        self.tables.program.main = id;
        self.finish(FunctionInfo {
            name: "<main>".into(),
            id,
            params: Vec::new(),
            flags,
        });
    }

    /// Lowers a function whose maker was lowered.
    pub(super) fn function(&mut self, waiting: Waiting<'a>) {
        let index = waiting.function;
        self.frame = Frame::new(index);
        let known = &self.resolved.functions[index];
        let is_static = known.kind == FunctionKind::Method { has_self: false };
        let mut params = Vec::new();
        if is_static {
            self.hidden(1);
            params.push(self.tables.name(""));
        }
        for parameter in &known.parameters {
            self.slot_of(*parameter);
            let text = self.text_of(*parameter).clone();
            params.push(self.tables.name(&text));
        }
        if known.changes_self {
            self.frame.changed_self = known.parameters.first().copied();
        }
        let mut flags = FunctionFlags {
            is_method: matches!(known.kind, FunctionKind::Method { .. }),
            is_static,
            changes_self: known.changes_self,
            ..FunctionFlags::default()
        };
        self.prologue(index);
        let body = match waiting.body {
            Body::Func(func) => {
                flags.is_generator = func.is_generator;
                flags.is_async = func.is_async;
                &func.body
            }
            Body::Block(block) => block,
            Body::Expr(expr) => {
                self.expr(expr);
                self.emit(Op::Return {});
                let id = self.id(index);
                return self.finish(FunctionInfo {
                    name: waiting.name,
                    id,
                    params,
                    flags,
                });
            }
        };
        self.enter_scope(known.scope, &body.statements);
        self.statements(&body.statements);
        self.emit(Op::Null {});
        self.emit_return();
        let id = self.id(index);
        self.finish(FunctionInfo {
            name: waiting.name,
            id,
            params,
            flags,
        });
    }

    /// What comes before the body: variables that are not set by it.
    fn prologue(&mut self, function: FunctionIndex) {
        let known = &self.resolved.functions[function];
        for parameter in &known.parameters {
            if self.resolved.variables[*parameter].storage == Storage::Cell {
                let slot = self.slot_of(*parameter);
                self.emit(Op::BoxLocal { slot });
            }
        }
        for field in &known.fields {
            let text = self.text_of(*field).clone();
            let name = self.tables.name(&text);
            self.emit(Op::LoadLocal { slot: 0 });
            self.emit(Op::FieldOrUnset { name });
            self.start(*field);
        }
        for (original, copy) in &known.snapshots {
            let captures = &known.captures;
            let index = captures
                .iter()
                .position(|capture| capture.variable == *original);
            let index = index.expect("what is copied was captured") as u32;
            match self.resolved.variables[*original].storage {
                Storage::Cell => self.emit(Op::LoadCaptureCell { index }),
                _ => self.emit(Op::LoadCapture { index }),
            }
            self.start(*copy);
        }
        if let Some(itself) = known.itself {
            let callee = self.callee();
            self.emit(callee);
            self.start(itself);
        }
    }

    /// Pops the first value of a variable.
    fn start(&mut self, variable: VariableIndex) {
        let slot = self.slot_of(variable);
        self.emit(Op::StoreLocal { slot });
        if self.resolved.variables[variable].storage == Storage::Cell {
            self.emit(Op::BoxLocal { slot });
        }
    }

    fn finish(&mut self, info: FunctionInfo) {
        let frame = std::mem::take(&mut self.frame);
        let row = &mut self.tables.program.functions[info.id as usize];
        *row = Function {
            info,
            slots: frame.slot_names.len() as u32,
            code: frame.code,
            captures: std::mem::take(&mut row.captures),
            handlers: frame.handlers,
            positions: frame.positions,
            slot_names: frame.slot_names,
            loops: frame.loop_heads,
            max_stack: 0,
        };
    }

    /// Slots below this are the parameters'.
    pub(super) fn parameter_count(&self) -> u32 {
        let known = &self.resolved.functions[self.frame.function];
        let receiver = known.kind == FunctionKind::Method { has_self: false };
        known.parameters.len() as u32 + receiver as u32
    }

    /// Returns the top, after leaving `self` for the caller if need be.
    pub(super) fn emit_return(&mut self) {
        if let Some(receiver) = self.frame.changed_self {
            self.load(receiver);
            self.emit(Op::StoreSelfResult {});
        }
        self.emit(Op::Return {});
    }
}

/// Making function values.
impl<'a> Lowerer<'a> {
    /// Pushes a function literal.
    pub(super) fn literal(&mut self, func: &'a Func) {
        let index = self.resolved.function_at(func.span.start);
        self.waiting.push(Waiting {
            function: index,
            name: "<lambda>".into(),
            body: Body::Func(func),
        });
        let is_made_once = self.frame.function == TOP_LEVEL && self.frame.loops.is_empty();
        let known = &self.resolved.functions[index];
        if known.captures.is_empty() && (is_made_once || known.names_itself) {
            return self.emit(Op::Function {
                func: self.id(index),
            });
        }
        self.make_closure(index);
    }

    pub(super) fn spawn(&mut self, block: &'a Block) {
        let index = self.resolved.function_at(block.span.start);
        self.waiting.push(Waiting {
            function: index,
            name: "<lambda>".into(),
            body: Body::Block(block),
        });
        self.make_function(index);
        self.emit(Op::Spawn {});
        self.emit(Op::Null {});
    }

    fn make_function(&mut self, index: FunctionIndex) {
        match self.resolved.functions[index].captures.is_empty() {
            true => self.emit(Op::Function {
                func: self.id(index),
            }),
            false => self.make_closure(index),
        }
    }

    fn make_closure(&mut self, index: FunctionIndex) {
        let func = self.id(index);
        let resolved = self.resolved;
        let captures =
            resolved.functions[index]
                .captures
                .iter()
                .map(|captured| match captured.source {
                    CaptureSource::Outer(outer) => Capture::Outer(outer),
                    CaptureSource::Own => {
                        let slot = self.slot_of(captured.variable);
                        match resolved.variables[captured.variable].storage {
                            Storage::Cell => Capture::Cell(slot),
                            _ => Capture::Value(slot),
                        }
                    }
                });
        self.tables.program.functions[func as usize].captures = captures.collect();
        self.emit(Op::MakeClosure { func });
    }
}

/// Scopes and declarations.
impl<'a> Lowerer<'a> {
    /// Enters a scope: its variables are fresh, its declarations bound.
    pub(super) fn enter_scope(&mut self, scope: ScopeIndex, statements: &'a [Stmt]) {
        self.fresh_variables(scope);
        if self.resolved.scopes[scope].hoists.is_empty() {
            return;
        }
        for statement in statements {
            if let StmtKind::Struct(declaration) = unexported(statement) {
                self.struct_info(declaration);
            }
        }
        for statement in statements {
            let name = match unexported(statement) {
                StmtKind::Func(func) => func.name.as_ref(),
                StmtKind::Struct(declaration) => Some(&declaration.name),
                StmtKind::Enum(declaration) => Some(&declaration.name),
                _ => None,
            };
            let Some(name) = name else { continue };
            let hoist = self.resolved.hoist_at(name.span.start);
            if self.resolved.hoists[hoist].at_entry {
                self.at(name.span.start);
                self.bind_declaration(hoist);
            }
        }
    }

    /// The statement of a declaration.
    pub(super) fn declaration(&mut self, name: &Name) {
        let hoist = self.resolved.hoist_at(name.span.start);
        if !self.resolved.hoists[hoist].at_entry {
            self.bind_declaration(hoist);
        }
    }

    fn bind_declaration(&mut self, index: HoistIndex) {
        let resolved = self.resolved;
        let hoist = &resolved.hoists[index];
        let Some(variable) = hoist.variable.filter(|_| !hoist.is_replaced) else {
            return;
        };
        let row = &resolved.variables[variable];
        if !row.is_used || matches!(row.storage, Storage::Function(_)) {
            return;
        }
        match &hoist.item {
            HoistItem::Function(function) => self.make_function(*function),
            HoistItem::Struct(_) => {
                let declaration = self.declarations[&index];
                let info = &self.tables.program.structs[declaration as usize];
                let functions: Vec<_> = info
                    .methods
                    .iter()
                    .chain(&info.defaults)
                    .map(|row| row.1)
                    .collect();
                for func in functions {
                    self.make_function(self.indexes[func as usize]);
                }
                self.emit(Op::MakeStructDef { declaration });
            }
            HoistItem::Enum => {
                let text = resolved.text(hoist.name).clone();
                let name = self.tables.name(&text);
                self.emit(Op::MakeEnumDef { name });
            }
        }
        self.store(variable);
    }

    pub(super) fn declared_function(&mut self, func: &'a Func) {
        let Some(name) = &func.name else { return };
        self.declaration(name);
        let function = self.resolved.function_at(func.span.start);
        self.enqueue(function, name.text.to_string(), Body::Func(func));
    }

    pub(super) fn declared_struct(&mut self, declaration: &'a StructDecl) {
        self.declaration(&declaration.name);
        let owner = &declaration.name.text;
        for method in &declaration.methods {
            let function = self.resolved.function_at(method.span.start);
            let name = method.name.as_ref().map_or("<lambda>", |name| &name.text);
            self.enqueue(function, format!("{owner}.{name}"), Body::Func(method));
        }
        for field in &declaration.fields {
            if let Some(default) = &field.default {
                let function = self.resolved.function_at(field.name.span.start);
                self.enqueue(
                    function,
                    format!("{owner}.{}", field.name.text),
                    Body::Expr(default),
                );
            }
        }
    }

    fn enqueue(&mut self, function: FunctionIndex, name: String, body: Body<'a>) {
        if !self.resolved.functions[function].is_dead {
            self.waiting.push(Waiting {
                function,
                name,
                body,
            });
        }
    }

    /// Describes a struct declaration; of fields or methods with one name the
    /// last one counts.
    fn struct_info(&mut self, declaration: &StructDecl) {
        let hoist = self.resolved.hoist_at(declaration.name.span.start);
        if self.resolved.hoists[hoist].is_replaced {
            return;
        }
        let mut info = StructInfo {
            name: self.tables.name(&declaration.name.text),
            ..StructInfo::default()
        };
        for method in &declaration.methods {
            let text: Arc<str> = method
                .name
                .as_ref()
                .map_or("<lambda>".into(), |name| name.text.clone());
            let name = self.tables.name(&text);
            let func = self.id(self.resolved.function_at(method.span.start));
            match info.methods.iter_mut().find(|known| known.0 == name) {
                Some(known) => known.1 = func,
                None => info.methods.push((name, func)),
            }
        }
        for field in &declaration.fields {
            let name = self.tables.name(&field.name.text);
            let position = info
                .fields
                .iter()
                .position(|known| *known == name)
                .unwrap_or(info.fields.len());
            if position == info.fields.len() {
                info.fields.push(name);
            }
            info.defaults.retain(|known| known.0 != position as u32);
            if field.default.is_some() {
                let func = self.id(self.resolved.function_at(field.name.span.start));
                info.defaults.push((position as u32, func));
            }
        }
        info.defaults.sort_unstable();
        let number = self.tables.program.structs.len() as u32;
        self.tables.program.structs.push(info);
        self.declarations.insert(hoist, number);
    }
}

/// The statement itself, or the exported one.
fn unexported(statement: &Stmt) -> &StmtKind {
    match &statement.kind {
        StmtKind::Export(inner) => unexported(inner),
        kind => kind,
    }
}
