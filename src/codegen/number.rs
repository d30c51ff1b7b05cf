//! The numbers of rows in the program's tables, as generated code knows them:
//! they are part of the code, unless it is a module's that becomes a part of many
//! programs.  Such code looks them up in a table that each program defines.

use super::func::{Translator, trusted};
use super::names::Callee;
use super::signature;
use super::{Alone, Source};
use crate::modules::Table;
use cranelift_codegen::ir::{ExtFuncData, ExternalName, FuncRef, InstBuilder, Type, Value, types};
use cranelift_frontend::FunctionBuilder;

impl Translator<'_, '_, '_> {
    /// The number of a row, as helpers take it.
    pub fn number(&mut self, table: Table, number: u32) -> Value {
        self.number_as(types::I64, table, number)
    }

    /// The same in a word of this type.
    pub fn number_as(&mut self, ty: Type, table: Table, number: u32) -> Value {
        match self.source.alone {
            None => self.builder.ins().iconst(ty, i64::from(number)),
            Some(alone) => {
                let numbers = self.callee_ref(Callee::Numbers);
                look_up(self.builder, alone, numbers, ty, table, number)
            }
        }
    }

    /// Where a row's `offset` is in a table in memory whose rows are that large: an
    /// address, and what is left to add to it.
    pub fn row(
        &mut self,
        rows: Value,
        table: Table,
        number: u32,
        (size, offset): (u32, u32),
    ) -> (Value, i32) {
        if self.source.alone.is_none() {
            return (rows, (size * number + offset) as i32);
        }
        let number = self.number(table, number);
        (nth(self.builder, rows, number, size), offset as i32)
    }
}

/// The number of a row for code outside of function bodies.
pub(super) fn number(
    source: Source,
    builder: &mut FunctionBuilder,
    table: Table,
    number: u32,
) -> Value {
    match source.alone {
        None => builder.ins().iconst(types::I64, i64::from(number)),
        Some(alone) => {
            let numbers = import(source, builder);
            look_up(builder, alone, numbers, types::I64, table, number)
        }
    }
}

/// As `Translator::row`, for code outside of function bodies.
pub(super) fn row(
    source: Source,
    builder: &mut FunctionBuilder,
    rows: Value,
    (table, row): (Table, u32),
    (size, offset): (u32, u32),
) -> (Value, i32) {
    if source.alone.is_none() {
        return (rows, (size * row + offset) as i32);
    }
    let number = number(source, builder, table, row);
    (nth(builder, rows, number, size), offset as i32)
}

fn nth(builder: &mut FunctionBuilder, rows: Value, number: Value, size: u32) -> Value {
    let start = builder.ins().imul_imm_s(number, i64::from(size));
    builder.ins().iadd(rows, start)
}

fn import(source: Source, builder: &mut FunctionBuilder) -> FuncRef {
    let callee = Callee::Numbers.external_name();
    let name = builder.func.declare_imported_user_function(callee);
    let signature = builder.import_signature(signature::generic(source.isa));
    builder.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    })
}

fn look_up(
    builder: &mut FunctionBuilder,
    alone: &Alone,
    numbers: FuncRef,
    ty: Type,
    table: Table,
    number: u32,
) -> Value {
    let offset = alone.offset(table, number);
    let flags = trusted().with_readonly().with_can_move();
    let address = builder.ins().func_addr(types::I64, numbers);
    match ty {
        types::I64 => builder.ins().uload32(flags, address, offset),
        _ => builder.ins().load(ty, flags, address, offset),
    }
}
