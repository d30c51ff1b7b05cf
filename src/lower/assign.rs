//! Assignments to variables and places.
//!
//! Wherever the new value is made from the old one, an instruction that works
//! in place is chosen, unless computing the other operands may change the
//! variable: then the old value is read first.

use super::Lowerer;
use super::inspect;
use super::variable::Certain;
use crate::resolve::VariableIndex;
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{BuiltinSite, Op, Operator, Path, Step, VarKind};

impl<'a> Lowerer<'a> {
    pub(super) fn assign(&mut self, place: &'a Place, value: &'a Expr) {
        let root = self.use_at(place.root.span.start);
        if let Some(root) = self.certain(root)
            && (self.assign_updated(place, root, value) || self.assign_mutated(place, root, value))
        {
            return;
        }
        self.expr(value);
        if place.steps.is_empty() {
            return self.assign_name(&place.root);
        }
        self.indexes(place);
        self.store_path(place);
    }

    /// `x = x op e`, and `x[i] = x[i] op e` where the index is simple.
    fn assign_updated(&mut self, place: &'a Place, root: Certain, value: &'a Expr) -> bool {
        let ExprKind::Binary {
            operator,
            left,
            right,
        } = &value.kind
        else {
            return false;
        };
        let Some(arithmetic) = arithmetic(*operator) else {
            return false;
        };
        if !inspect::is_place(left, place) || !self.keeps_indexes(place, right) {
            return false;
        }
        let at = self.operator_at(left);
        if place.steps.is_empty() {
            self.update(place, root, arithmetic, right, at);
            return true;
        }
        // A missing key reads as null through a field, and is an error in a place.
        let is_indexed = place
            .steps
            .iter()
            .all(|step| matches!(step, PlaceStep::Index(_)));
        if !is_indexed || !self.is_pure(right) {
            return false;
        }
        self.update_path(place, root, arithmetic, right, at);
        true
    }

    /// Whether computing a value leaves the place's indexes what they are.
    fn keeps_indexes(&mut self, place: &'a Place, value: &'a Expr) -> bool {
        place.steps.iter().all(|step| match step {
            PlaceStep::Field(_) => true,
            PlaceStep::Index(index) => {
                inspect::names_in(index).into_iter().all(|(name, offset)| {
                    let is_shared = self.is_seen_by_others(offset);
                    !self.may_change(value, name, is_shared)
                })
            }
        })
    }

    /// `x op= e` for a variable.
    fn update(
        &mut self,
        place: &'a Place,
        root: Certain,
        operator: Operator,
        value: &'a Expr,
        at: u32,
    ) {
        let Certain { variable, var } = root;
        let is_early = self.may_change(value, &place.root.text, is_shared(root));
        if is_early {
            self.load(variable);
        }
        self.expr(value);
        self.at(at);
        match is_early {
            true => self.emit(Op::UpdateFrom { var, operator }),
            false => self.emit(Op::Update { var, operator }),
        }
    }

    /// `x.f op= e`
    fn update_path(
        &mut self,
        place: &'a Place,
        root: Certain,
        operator: Operator,
        value: &'a Expr,
        at: u32,
    ) {
        self.indexes(place);
        let path = self.path(root.variable, root.var, place);
        if self.is_pure(value) {
            self.expr(value);
            self.at(at);
            return self.emit(Op::UpdatePath { path, operator });
        }
        self.at(place.root.span.start);
        self.emit(Op::ReadPath { path });
        self.expr(value);
        self.at(at);
        self.emit(operation(operator));
        self.emit(Op::StorePathUnder { path });
    }

    pub(super) fn compound_assign(
        &mut self,
        place: &'a Place,
        operator: BinaryOp,
        value: &'a Expr,
        at: u32,
    ) {
        let operator = arithmetic(operator).expect("compound assignment is arithmetic");
        let used = self.use_at(place.root.span.start);
        match (self.certain(used), place.steps.is_empty()) {
            (Some(root), true) => self.update(place, root, operator, value, at),
            (Some(root), false) => self.update_path(place, root, operator, value, at),
            (None, true) => {
                self.read(&place.root.text, place.root.span.start);
                self.expr(value);
                self.at(at);
                self.emit(operation(operator));
                self.assign_name(&place.root);
            }
            (None, false) => self.compound_assign_unsure(place, operator, value, at),
        }
    }

    /// `x.f op= e` where `x` is immutable, or one of several variables.
    fn compound_assign_unsure(
        &mut self,
        place: &'a Place,
        operator: Operator,
        value: &'a Expr,
        at: u32,
    ) {
        let mut slots = Vec::new();
        for step in &place.steps {
            if let PlaceStep::Index(index) = step {
                self.expr(index);
                let slot = self.hidden(1);
                self.emit(Op::StoreLocal { slot });
                slots.push(slot);
            }
        }
        self.read(&place.root.text, place.root.span.start);
        let mut next = slots.iter();
        for step in &place.steps {
            match (step, next.as_slice()) {
                (PlaceStep::Index(_), [slot, ..]) => {
                    self.emit(Op::LoadLocal { slot: *slot });
                    self.emit(Op::Index {});
                    next.next();
                }
                (PlaceStep::Index(_), []) => unreachable!("every index has a slot"),
                (PlaceStep::Field(name), _) => {
                    let name = self.tables.name(&name.text);
                    self.emit(Op::Field { name });
                }
            }
        }
        self.expr(value);
        self.at(at);
        self.emit(operation(operator));
        for slot in slots {
            self.emit(Op::LoadLocal { slot });
        }
        self.store_path(place);
    }

    /// `place = builtin(place, …)`
    fn assign_mutated(&mut self, place: &'a Place, root: Certain, value: &'a Expr) -> bool {
        let ExprKind::Call { callee, args } = &value.kind else {
            return false;
        };
        let ExprKind::Name(name) = &callee.kind else {
            return false;
        };
        let Some((Arg::One(first), rest)) = args.split_first() else {
            return false;
        };
        let is_plain = rest.iter().all(|arg| matches!(arg, Arg::One(_)));
        if !is_plain || !inspect::is_place(first, place) {
            return false;
        }
        let Some(builtin) = self.builtin_named(name, callee.span.start) else {
            return false;
        };
        if !self.tables.works_in_place(builtin.name) {
            return false;
        }
        let mut early = false;
        let mut is_inert = true;
        for arg in rest {
            let Arg::One(arg) = arg else { return false };
            if !self.keeps_indexes(place, arg) {
                return false;
            }
            early |= self.may_change(arg, &place.root.text, is_shared(root));
            is_inert &= self.is_pure(arg);
        }
        // The place is an argument too, and the first to be computed.  (Before
        // its last step a place must exist, but an expression may give null.)
        let last = place.steps.len().saturating_sub(1);
        let mut before_last = place.steps[..last].iter();
        let differs = before_last.any(|step| matches!(step, PlaceStep::Field(_)));
        if early || differs {
            self.expr(first);
        }
        if differs && !early {
            self.emit(Op::Pop {});
        }
        self.indexes(place);
        let path = Path {
            root: root.var,
            name: self.tables.name(&place.root.text),
            steps: self.steps(place),
        };
        if !early && !differs && !is_inert && !place.steps.is_empty() {
            let path = self.tables.path(path.clone());
            self.emit(Op::ReadPath { path });
            self.emit(Op::Pop {});
        }
        for arg in rest {
            if let Arg::One(arg) = arg {
                self.expr(arg);
            }
        }
        self.at(callee.span.start);
        let site = self.tables.program.builtin_sites.len() as u32;
        let builtin = self.tables.builtin(builtin.name);
        let argc = rest.len() as u32;
        self.tables.program.builtin_sites.push(BuiltinSite {
            builtin,
            place: path,
            argc,
            early,
        });
        self.emit(Op::Mutate { site });
        true
    }
}

/// Places.
impl<'a> Lowerer<'a> {
    /// Pushes the indexes of a place.
    pub(super) fn indexes(&mut self, place: &'a Place) {
        for step in &place.steps {
            if let PlaceStep::Index(index) = step {
                self.expr(index);
            }
        }
    }

    fn steps(&mut self, place: &Place) -> Vec<Step> {
        let step = |step: &PlaceStep| match step {
            PlaceStep::Field(name) => Step::Field(self.tables.name(&name.text)),
            PlaceStep::Index(_) => Step::Index,
        };
        place.steps.iter().map(step).collect()
    }

    fn path(
        &mut self,
        variable: VariableIndex,
        root: ruff_runtime::bytecode::Var,
        place: &Place,
    ) -> u32 {
        let name = self.text_of(variable).clone();
        let name = self.tables.name(&name);
        let steps = self.steps(place);
        self.tables.path(Path { root, name, steps })
    }

    /// Pops indexes and the value below them, for whatever variable the root is.
    pub(super) fn store_path(&mut self, place: &'a Place) {
        let used = self.use_at(place.root.span.start);
        self.at(place.root.span.start);
        self.for_candidates(
            used,
            &mut |lowerer, variable| {
                let refusal = lowerer.immutable(variable, "mutate");
                match (lowerer.var(variable), refusal) {
                    (Some(var), None) => {
                        let path = lowerer.path(variable, var, place);
                        lowerer.emit(Op::StorePath { path });
                    }
                    (_, Some(message)) => lowerer.refuse_path(place, &message),
                    (None, None) => lowerer.refuse_path(place, step_error(place)),
                }
            },
            &mut |lowerer| match lowerer.is_builtin_value(&place.root.text) {
                true => lowerer.refuse_path(place, step_error(place)),
                false => {
                    lowerer.refuse_path(place, &format!("Undefined variable: {}", place.root.text))
                }
            },
        );
    }

    fn refuse_path(&mut self, place: &'a Place, message: &str) {
        self.raise(message);
        for step in &place.steps {
            if let PlaceStep::Index(_) = step {
                self.emit(Op::Pop {});
            }
        }
        self.emit(Op::Pop {});
    }

    pub(super) fn is_builtin_value(&mut self, name: &str) -> bool {
        self.tables.known(name).is_some() || self.tables.builtin_constant(name).is_some()
    }

    /// Where the operator behind an operand stands.
    pub(super) fn operator_at(&self, left: &Expr) -> u32 {
        let file = self.unit().0 as usize;
        self.lines[file].token_after(left.span.end)
    }
}

/// What is wrong with a place in a function.
fn step_error(place: &Place) -> &'static str {
    match place.steps.first() {
        Some(PlaceStep::Field(_)) => "Cannot set field on non-struct value",
        _ => "Invalid index assignment",
    }
}

/// Whether other functions see the variable too.
pub(super) fn is_shared(root: Certain) -> bool {
    root.var.kind() != VarKind::Local
}

pub(super) fn arithmetic(operator: BinaryOp) -> Option<Operator> {
    match operator {
        BinaryOp::Add => Some(Operator::Add),
        BinaryOp::Subtract => Some(Operator::Subtract),
        BinaryOp::Multiply => Some(Operator::Multiply),
        BinaryOp::Divide => Some(Operator::Divide),
        BinaryOp::Remainder => Some(Operator::Remainder),
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => None,
    }
}

fn operation(operator: Operator) -> Op {
    match operator {
        Operator::Add => Op::Add {},
        Operator::Subtract => Op::Subtract {},
        Operator::Multiply => Op::Multiply {},
        Operator::Divide => Op::Divide {},
        Operator::Remainder => Op::Remainder {},
    }
}
