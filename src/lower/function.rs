//! Functions, closures and declarations.

use super::Lowerer;
use super::emit::Frame;
use crate::modules::Module;
use crate::resolve::{
    CaptureSource, FunctionIndex, FunctionKind, HoistIndex, HoistItem, SCRIPT, ScopeIndex, Storage,
    Test, UnitIndex, VariableIndex,
};
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{Capture, Function, FunctionFlags, FunctionInfo, Op, StructInfo};
use ruff_runtime::names::NameId;
use std::collections::BTreeMap;

/// A function that is still to be lowered.
pub(super) struct Waiting<'a> {
    function: FunctionIndex,
    captures: Vec<Capture>,
    /// As messages show it.
    name: String,
    body: Body<'a>,
}

pub(super) enum Body<'a> {
    Func(&'a Func),
    /// A field's default.
    Expr(&'a Expr),
    /// `spawn`
    Block(&'a Block),
    Test(Test<'a>),
}

impl<'a> Lowerer<'a> {
    pub(super) fn top_level(&mut self, unit: UnitIndex) {
        let resolved = self.resolved;
        self.names = &resolved.units[unit];
        let module: &'a Module = &self.modules[unit.0 as usize];
        let id = self.id(self.names.top_level);
        self.frame = Frame::new(self.names.top_level);
        let is_script = unit == SCRIPT;
        self.frame.end = (!is_script).then(|| self.label());
        self.enter_scope(self.names.scope, &module.tree.body);
        self.statements(&module.tree.body);
        if let Some(end) = self.frame.end {
            self.bind(end);
            self.take_exports(unit);
        }
        self.emit(Op::Null {});
        self.emit(Op::Return {});
        let flags = FunctionFlags {
            is_top_level: true,
            ..FunctionFlags::default()
        };
        let name = match is_script {
            true => "<main>".into(),
            false => format!("<{}>", module.name),
        };
        self.finish(FunctionInfo {
            name,
            id,
            params: Vec::new(),
            flags,
        });
    }

    /// Lowers a function whose maker was lowered.
    pub(super) fn function(&mut self, waiting: Waiting<'a>) {
        let index = waiting.function;
        let known = &self.resolved.functions[index];
        if !known.captures.is_empty() && self.ids[index.0 as usize].is_none() {
            // Nobody makes it.
            return;
        }
        self.frame = Frame::new(index);
        self.names = &self.resolved.units[self.unit()];
        self.frame.captures = waiting.captures;
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
                if let Some(declared) = &func.foreign {
                    self.foreign(func, declared);
                }
                &func.body
            }
            Body::Block(block) => block,
            Body::Test(test) => {
                flags.is_top_level = true;
                self.test_body(known.scope, &test);
                let id = self.id(index);
                return self.finish(FunctionInfo {
                    name: waiting.name,
                    id,
                    params,
                    flags,
                });
            }
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
        match self.resolved.variables[variable].storage {
            Storage::Cell => {
                self.emit(Op::NewCell { slot });
                self.emit(Op::StoreCell { slot });
            }
            _ => self.emit(Op::StoreLocal { slot }),
        }
    }

    fn finish(&mut self, info: FunctionInfo) {
        let frame = std::mem::take(&mut self.frame);
        let row = &mut self.tables.program.functions[info.id as usize];
        *row = Function {
            info,
            slots: frame.slot_names.len() as u32,
            code: frame.code,
            captures: frame.captures,
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
        if let Some(end) = self.frame.end {
            // Nobody wants the value.
            let depth = self.frame.depth;
            (0..depth).for_each(|_| self.emit(Op::Pop {}));
            self.jump(Op::Jump { to: 0 }, end);
            self.frame.depth = depth.saturating_sub(1);
            return;
        }
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
        let index = self.function_at(func.span.start);
        self.enqueue(index, "<lambda>".into(), Body::Func(func));
        let is_top_level = self.frame.function == self.names.top_level;
        let is_made_once = is_top_level && self.frame.loops.is_empty();
        let known = &self.resolved.functions[index];
        if known.captures.is_empty() && (is_made_once || known.names_itself) {
            let func = self.id(index);
            return self.emit(Op::Function { func });
        }
        self.make_closure(index);
    }

    pub(super) fn spawn(&mut self, block: &'a Block) {
        let index = self.function_at(block.span.start);
        self.enqueue(index, "<lambda>".into(), Body::Block(block));
        self.make_function(index);
        self.emit(Op::Spawn {});
        self.emit(Op::Null {});
    }

    fn make_function(&mut self, index: FunctionIndex) {
        if !self.resolved.functions[index].captures.is_empty() {
            return self.make_closure(index);
        }
        let func = self.id(index);
        self.emit(Op::Function { func });
    }

    fn make_closure(&mut self, index: FunctionIndex) {
        if self.frame.is_unreachable {
            return self.emit(Op::Null {});
        }
        let func = self.id(index);
        self.emit(Op::MakeClosure { func });
    }

    /// Has a function lowered later, if it is made at all; its captures are found now, while its
    /// maker's slots are known.
    pub(super) fn enqueue(&mut self, function: FunctionIndex, name: String, body: Body<'a>) {
        let resolved = self.resolved;
        if resolved.functions[function].is_dead {
            return;
        }
        let captures = &resolved.functions[function].captures;
        let captures = captures.iter().map(|captured| match captured.source {
            CaptureSource::Outer(outer) => Capture::Outer(outer),
            CaptureSource::Own => {
                let slot = self.slot_of(captured.variable);
                match resolved.variables[captured.variable].storage {
                    Storage::Cell => Capture::Cell(slot),
                    _ => Capture::Value(slot),
                }
            }
        });
        let captures = captures.collect();
        self.waiting.push(Waiting {
            function,
            captures,
            name,
            body,
        });
    }
}

/// Scopes and declarations.
impl<'a> Lowerer<'a> {
    /// Enters a scope: its variables are fresh, its declarations bound.
    pub(super) fn enter_scope(&mut self, scope: ScopeIndex, statements: &'a [Stmt]) {
        self.enter_shared_scope(scope, &[statements]);
    }

    /// Enters a scope that several blocks share.
    pub(super) fn enter_shared_scope(&mut self, scope: ScopeIndex, blocks: &[&'a [Stmt]]) {
        self.fresh_variables(scope);
        if self.resolved.scopes[scope].hoists.is_empty() {
            return;
        }
        for hoist in &self.resolved.scopes[scope].hoists {
            if let HoistItem::Function(function) = self.resolved.hoists[*hoist].item
                && self.resolved.functions[function].captures.is_empty()
                && !self.resolved.functions[function].is_dead
            {
                // Numbered in the order of the source, though used in any order.
                self.id(function);
            }
        }
        for statement in blocks.iter().copied().flatten() {
            let (name, declaration) = match unexported(statement) {
                StmtKind::Func(func) => (func.name.as_ref(), None),
                StmtKind::Struct(declaration) => (Some(&declaration.name), Some(&**declaration)),
                StmtKind::Enum(declaration) => (Some(&declaration.name), None),
                _ => (None, None),
            };
            let Some(name) = name else { continue };
            let hoist = self.hoist_at(name.span.start);
            if self.resolved.hoists[hoist].at_entry {
                self.at(name.span.start);
                self.bind_declaration(hoist, declaration);
            }
        }
    }

    /// The statement of a declaration.
    pub(super) fn declaration(&mut self, name: &Name, declaration: Option<&StructDecl>) {
        let hoist = self.hoist_at(name.span.start);
        if !self.resolved.hoists[hoist].at_entry {
            self.bind_declaration(hoist, declaration);
        }
    }

    fn bind_declaration(&mut self, index: HoistIndex, declaration: Option<&StructDecl>) {
        let resolved = self.resolved;
        let hoist = &resolved.hoists[index];
        let Some(variable) = hoist.variable.filter(|_| !hoist.is_replaced) else {
            return;
        };
        let row = &resolved.variables[variable];
        let is_needed = row.is_used && !matches!(row.storage, Storage::Function(_));
        if !is_needed || self.frame.is_unreachable {
            return;
        }
        match (&hoist.item, declaration) {
            (HoistItem::Function(function), _) => self.make_function(*function),
            (HoistItem::Struct(_), Some(declaration)) => self.struct_def(index, declaration),
            (HoistItem::Struct(_), None) | (HoistItem::Enum, _) => {
                let text = resolved.text(hoist.name).clone();
                let name = self.tables.name(&text);
                self.emit(Op::MakeEnumDef { name });
            }
        }
        self.store(variable);
    }

    pub(super) fn declared_function(&mut self, func: &'a Func) {
        let Some(name) = &func.name else { return };
        self.declaration(name, None);
        let function = self.function_at(func.span.start);
        self.enqueue(function, name.text.to_string(), Body::Func(func));
    }

    pub(super) fn declared_struct(&mut self, declaration: &'a StructDecl) {
        self.declaration(&declaration.name, Some(declaration));
        let owner = &declaration.name.text;
        for method in &declaration.methods {
            let function = self.function_at(method.span.start);
            let name = method.name.as_ref().map_or("<lambda>", |name| &name.text);
            self.enqueue(function, format!("{owner}.{name}"), Body::Func(method));
        }
        for field in &declaration.fields {
            if let Some(default) = &field.default {
                let function = self.function_at(field.name.span.start);
                self.enqueue(
                    function,
                    format!("{owner}.{}", field.name.text),
                    Body::Expr(default),
                );
            }
        }
    }

    /// Pushes a struct declaration's value; of fields or methods with one name
    /// the last one counts.
    fn struct_def(&mut self, hoist: HoistIndex, declaration: &StructDecl) {
        let mut methods: Vec<(NameId, FunctionIndex)> = Vec::new();
        for method in &declaration.methods {
            let Some(name) = &method.name else { continue };
            let name = self.tables.name(&name.text);
            let function = self.function_at(method.span.start);
            match methods.iter_mut().find(|known| known.0 == name) {
                Some(known) => known.1 = function,
                None => methods.push((name, function)),
            }
        }
        let mut fields: Vec<NameId> = Vec::new();
        let mut defaults = BTreeMap::new();
        for field in &declaration.fields {
            let name = self.tables.name(&field.name.text);
            let position = fields.iter().position(|known| *known == name);
            let position = position.unwrap_or(fields.len());
            if position == fields.len() {
                fields.push(name);
            }
            defaults.remove(&position);
            if field.default.is_some() {
                let function = self.function_at(field.name.span.start);
                defaults.insert(position, function);
            }
        }
        for function in methods
            .iter()
            .map(|row| row.1)
            .chain(defaults.values().copied())
        {
            self.make_function(function);
        }
        let info = StructInfo {
            name: self.tables.name(&declaration.name.text),
            fields,
            methods: methods
                .into_iter()
                .map(|(name, function)| (name, self.id(function)))
                .collect(),
            defaults: defaults
                .into_iter()
                .map(|(at, function)| (at as u32, self.id(function)))
                .collect(),
        };
        let number = self.tables.program.structs.len() as u32;
        self.tables.program.structs.push(info);
        self.declarations.insert(hoist, number);
        self.emit(Op::MakeStructDef {
            declaration: number,
        });
    }
}

/// The statement itself, or the exported one.
fn unexported(statement: &Stmt) -> &StmtKind {
    match &statement.kind {
        StmtKind::Export(inner) => unexported(inner),
        kind => kind,
    }
}
