//! Calls of functions that are known, with arguments that don't fit.

use super::walk::{Visitor, walk};
use super::{Checked, place};
use crate::diagnostic::{Code, Diagnostic};
use crate::resolve::{FunctionIndex, Resolved, Unit};
use crate::source::Span;
use crate::syntax::ast::*;
use ruff_runtime::builtins::{self, ANY_NUMBER};
use rustc_hash::FxHashSet;

pub(super) fn check(checked: &Checked, found: &mut Vec<Diagnostic>) {
    let mut arity = Arity {
        resolved: &checked.lowered.resolved,
        names: checked.names(),
        piped: FxHashSet::default(),
        found,
    };
    walk(checked, &mut arity);
}

struct Arity<'a> {
    resolved: &'a Resolved,
    names: &'a Unit,
    /// The calls that get a piped value.
    piped: FxHashSet<Span>,
    found: &'a mut Vec<Diagnostic>,
}

impl Visitor for Arity<'_> {
    fn expr(&mut self, expr: &Expr, copy: u32) {
        match &expr.kind {
            ExprKind::Call { callee, args } => {
                let is_piped = self.piped.contains(&expr.span);
                self.call(callee, args, is_piped as usize, copy);
            }
            ExprKind::Pipe(_, function) => match &function.kind {
                ExprKind::Name(_) => self.call(function, &[], 1, copy),
                ExprKind::Call { .. } => {
                    self.piped.insert(function.span);
                }
                _ => {}
            },
            _ => {}
        }
    }
}

impl Arity<'_> {
    fn call(&mut self, callee: &Expr, args: &[Arg], piped: usize, copy: u32) {
        let ExprKind::Name(name) = &callee.kind else {
            return;
        };
        let Some(used) = self.names.find_use(place(copy, callee.span)) else {
            return;
        };
        let has_named = args.iter().any(|arg| matches!(arg, Arg::Named(..)));
        if args.iter().any(|arg| matches!(arg, Arg::Spread(_))) {
            return;
        }
        let count = args.len() + piped;
        match *self.resolved.candidates(used) {
            [] if !has_named => self.builtin(name, callee.span, count),
            [variable] => {
                if let Some(function) = self.resolved.only_function(variable) {
                    self.function(name, callee.span, function, args, count);
                }
            }
            _ => {}
        }
    }

    fn builtin(&mut self, name: &str, span: Span, count: usize) {
        let Some(builtin) = builtins::find(name).filter(|builtin| !builtin.hidden) else {
            return;
        };
        let (min, max) = (builtin.arity.min as usize, builtin.arity.max);
        if max == ANY_NUMBER {
            if count < min {
                let expected = format!("at least {min}");
                self.found.push(wrong_count(name, &expected, count, span));
            }
        } else if count < min || count > max as usize {
            let expected = format!("{min}-{max}");
            self.found.push(wrong_count(name, &expected, count, span));
        }
    }

    fn function(
        &mut self,
        name: &str,
        span: Span,
        function: FunctionIndex,
        args: &[Arg],
        count: usize,
    ) {
        let parameters = &self.resolved.functions[function].parameters;
        let expected = parameters.len();
        for arg in args {
            let Arg::Named(wanted, _) = arg else { continue };
            let is_known = parameters.iter().any(|parameter| {
                let symbol = self.resolved.variables[*parameter].name;
                *self.resolved.text(symbol) == wanted.text
            });
            if !is_known {
                let message = format!("Function '{name}' has no parameter '{}'", wanted.text);
                let warning = Diagnostic::warning(Code::ArgumentCount, wanted.span);
                return self.found.push(warning.message(message));
            }
        }
        if count != expected {
            let expected = format!("{expected}-{expected}");
            self.found.push(wrong_count(name, &expected, count, span));
        }
    }
}

/// A call with more or fewer arguments than are taken.
pub(super) fn wrong_count(name: &str, expected: &str, count: usize, span: Span) -> Diagnostic {
    let message = format!("Function '{name}' expects {expected} arguments but got {count}");
    Diagnostic::warning(Code::ArgumentCount, span).message(message)
}
