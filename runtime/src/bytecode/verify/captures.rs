//! What each captured variable is: a value, or a cell shared with its maker.
//!
//! A capture that hands on what the maker itself captured is whatever that is,
//! so the captures are joined into classes along `MakeClosure`, and each class
//! must be one or the other.

use super::{Fault, VerifyError};
use crate::bytecode::{Capture, FunctionId, Op, Program};
use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaptureKind {
    Value,
    Cell,
}

/// The kind of every capture of every function.
pub(super) struct CaptureKinds {
    /// Where each function's captures start in the other tables.
    first: Vec<u32>,
    /// Links to another member of the class, a root's to itself.  At the end
    /// all link to the root.
    parent: Vec<u32>,
    /// By root; `None` until something says what the class is.
    kind: Vec<Option<CaptureKind>>,
}

impl CaptureKinds {
    /// The kind of a capture that exists, if anything says what it is.
    pub(super) fn kind(&self, func: FunctionId, index: u32) -> Option<CaptureKind> {
        let node = self.first[func as usize] + index;
        self.kind[self.parent[node as usize] as usize]
    }

    /// The root of a capture's class; halves the way there for the next time.
    fn root(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let above = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = above;
            node = above;
        }
        node
    }
}

pub(super) fn resolve(program: &Program) -> Result<CaptureKinds, VerifyError> {
    let mut first = Vec::with_capacity(program.functions.len());
    let mut total = 0u32;
    for function in &program.functions {
        first.push(total);
        total += function.captures.len() as u32;
    }
    let parent = (0..total).collect();
    let kind = alloc::vec![None; total as usize];
    let mut kinds = CaptureKinds {
        first,
        parent,
        kind,
    };
    if total > 0 {
        join_classes(program, &mut kinds);
        set_kinds(program, &mut kinds)?;
        for node in 0..total {
            kinds.parent[node as usize] = kinds.root(node);
        }
    }
    Ok(kinds)
}

/// Numbers that name nothing are passed over here; `operands` refuses them.
fn join_classes(program: &Program, kinds: &mut CaptureKinds) {
    for (maker, function) in program.functions.iter().enumerate() {
        for op in &function.code {
            let Op::MakeClosure { func } = *op else {
                continue;
            };
            let captures = program
                .functions
                .get(func as usize)
                .map_or(&[][..], |made| &made.captures);
            for (index, capture) in captures.iter().enumerate() {
                if let Capture::Outer(outer) = *capture
                    && (outer as usize) < function.captures.len()
                {
                    let inner = kinds.first[func as usize] + index as u32;
                    let outer = kinds.first[maker] + outer;
                    let (inner, outer) = (kinds.root(inner), kinds.root(outer));
                    kinds.parent[inner as usize] = outer;
                }
            }
        }
    }
}

fn set_kinds(program: &Program, kinds: &mut CaptureKinds) -> Result<(), VerifyError> {
    for (func, function) in program.functions.iter().enumerate() {
        for (index, capture) in function.captures.iter().enumerate() {
            let kind = match capture {
                Capture::Cell(_) => CaptureKind::Cell,
                Capture::Value(_) => CaptureKind::Value,
                Capture::Outer(_) => continue,
            };
            let root = kinds.root(kinds.first[func] + index as u32);
            let known = kinds.kind[root as usize].get_or_insert(kind);
            if *known != kind {
                return Err(VerifyError {
                    function: Some(func as u32),
                    instruction: None,
                    fault: Fault::CaptureKind,
                });
            }
        }
    }
    Ok(())
}
