//! Bytecode as text: a line per instruction, with what its operands stand for.
//!
//! Any program can be shown, also one that the verifier refuses: a number that
//! names nothing is shown as it is.

use super::{
    ArgKind, Capture, Constant, Function, FunctionFlags, MethodSite, Op, Operator, Path, Program,
    Step, StructInfo, Var, VarKind, VariantSite,
};
use crate::names::NameId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{Display, Write};

/// The whole program: struct declarations, then functions in order.
pub fn disassemble(program: &Program) -> String {
    let mut out = String::new();
    for declaration in &program.structs {
        write_struct(&mut out, program, declaration);
    }
    for function in &program.functions {
        if !out.is_empty() {
            out.push('\n');
        }
        write_function(&mut out, program, function);
    }
    out
}

/// One function.
pub fn disassemble_function(program: &Program, function: &Function) -> String {
    let mut out = String::new();
    write_function(&mut out, program, function);
    out
}

/// One instruction without its number.
pub fn disassemble_op(program: &Program, op: &Op) -> String {
    let mut out = String::from(op.name());
    write_operands(&mut out, op);
    if let Some(note) = note(program, op) {
        put(&mut out, format_args!(" ; {note}"));
    }
    out
}

/// Appends formatted text; a `String` takes everything.
fn put(out: &mut String, text: core::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

fn write_struct(out: &mut String, program: &Program, declaration: &StructInfo) {
    let fields = names(program, &declaration.fields);
    put(
        out,
        format_args!("struct {}: {fields}\n", name(program, declaration.name)),
    );
    for (method, func) in &declaration.methods {
        put(
            out,
            format_args!("  method {} func={func}\n", name(program, *method)),
        );
    }
    for (position, func) in &declaration.defaults {
        put(out, format_args!("  default {position} func={func}\n"));
    }
}

fn write_function(out: &mut String, program: &Program, function: &Function) {
    let params = function.info.params.len();
    let plural = if params == 1 { "" } else { "s" };
    put(
        out,
        format_args!("func {}: {params} param{plural}", function.info.name),
    );
    let locals = function.slots as usize - params.min(function.slots as usize);
    if locals > 0 {
        let plural = if locals == 1 { "" } else { "s" };
        put(out, format_args!(", {locals} local{plural}"));
    }
    put(out, format_args!(", stack {}", function.max_stack));
    for flag in flag_names(function.info.flags) {
        put(out, format_args!(", {flag}"));
    }
    out.push('\n');
    for (index, capture) in function.captures.iter().enumerate() {
        let (kind, number) = match capture {
            Capture::Cell(slot) => ("cell", slot),
            Capture::Value(slot) => ("value", slot),
            Capture::Outer(outer) => ("outer", outer),
        };
        put(out, format_args!("  capture {index} {kind}:{number}\n"));
    }
    for (pc, op) in function.code.iter().enumerate() {
        put(
            out,
            format_args!("{pc:>3} {}\n", disassemble_op(program, op)),
        );
    }
    for handler in &function.handlers {
        let super::Handler {
            start,
            end,
            target,
            depth,
        } = handler;
        put(
            out,
            format_args!("  handler {start}..{end} -> {target} depth={depth}\n"),
        );
    }
}

fn flag_names(flags: FunctionFlags) -> impl Iterator<Item = &'static str> {
    let FunctionFlags {
        is_method,
        is_static,
        changes_self,
        is_generator,
        is_async,
        is_top_level,
    } = flags;
    [
        (is_method, "method"),
        (is_static, "static"),
        (changes_self, "changes self"),
        (is_generator, "generator"),
        (is_async, "async"),
        (is_top_level, "top level"),
    ]
    .into_iter()
    .filter_map(|(set, text)| set.then_some(text))
}

macro_rules! define_operands {
    (($program:ident) $($(#[$doc:meta])* $name:ident { $($operand:ident: $type:ty),* } ($($effect:tt)*) [$($property:ident)*];)*) => {
        /// ` name=value` for each operand.
        fn write_operands(out: &mut String, op: &Op) {
            match op {
                $(Op::$name { $($operand),* } => {
                    $(put(out, format_args!(" {}={}", stringify!($operand), $operand.shown()));)*
                    // For instructions without operands.
                    let _ = &out;
                })*
            }
        }
    };
}
crate::for_each_op!(define_operands, program);

/// An operand as text.
trait Operand {
    fn shown(&self) -> impl Display;
}

impl Operand for u32 {
    fn shown(&self) -> impl Display {
        *self
    }
}

impl Operand for i32 {
    fn shown(&self) -> impl Display {
        *self
    }
}

impl Operand for Var {
    fn shown(&self) -> impl Display {
        variable(*self)
    }
}

impl Operand for Operator {
    fn shown(&self) -> impl Display {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

fn variable(var: Var) -> String {
    let kind = match var.kind() {
        VarKind::Local => "local",
        VarKind::Cell => "cell",
        VarKind::Capture => "capture",
        VarKind::Global => "global",
    };
    format!("{kind}:{}", var.number())
}

/// What an instruction's operands stand for, where the numbers don't say it.
fn note(program: &Program, op: &Op) -> Option<String> {
    match *op {
        Op::Constant { index } | Op::Raise { message: index } => constant(program, index),
        Op::Function { func } | Op::CallFunction { func, .. } | Op::MakeClosure { func } => {
            function_name(program, func)
        }
        Op::Import { module } => program
            .modules
            .get(module as usize)
            .map(|module| name(program, module.name)),
        Op::Builtin { builtin } | Op::CallBuiltin { builtin, .. } => program
            .builtins
            .get(builtin as usize)
            .map(ToString::to_string),
        Op::LoadGlobal { global } | Op::StoreGlobal { global } => global_name(program, global),
        Op::JumpIfUnset { var, .. } | Op::Update { var, .. } | Op::UpdateFrom { var, .. } => {
            (var.kind() == VarKind::Global).then(|| global_name(program, var.number()))?
        }
        Op::CallWith { site } => program
            .call_sites
            .get(site as usize)
            .map(|site| format!("({})", args(program, &site.args))),
        Op::CallMethod { site } => program
            .method_sites
            .get(site as usize)
            .map(|site| method_site(program, site)),
        Op::Mutate { site } => {
            let site = program.builtin_sites.get(site as usize)?;
            let builtin = program.builtins.get(site.builtin as usize)?;
            let early = if site.early { " early" } else { "" };
            Some(format!(
                "{builtin} {} argc={}{early}",
                path(program, &site.place),
                site.argc
            ))
        }
        Op::MakeStruct { site } => {
            let site = program.struct_sites.get(site as usize)?;
            Some(format!(
                "{} {{{}}}",
                name(program, site.name),
                names(program, &site.fields)
            ))
        }
        Op::MakeVariant { site, .. }
        | Op::TestVariant { site }
        | Op::VariantPayload { site, .. } => program
            .variant_sites
            .get(site as usize)
            .map(|site| variant(program, site)),
        Op::CallForeign { site } => {
            let site = program.foreign_sites.get(site as usize)?;
            let library = site
                .library
                .as_ref()
                .map(|library| format!(" in {library}"));
            Some(format!("{}{}", site.symbol, library.unwrap_or_default()))
        }
        Op::MakeStructDef { declaration } => program
            .structs
            .get(declaration as usize)
            .map(|known| name(program, known.name)),
        Op::Field { name: id }
        | Op::OptionalField { name: id }
        | Op::FieldOrUnset { name: id }
        | Op::FieldOrNull { name: id }
        | Op::MakeEnumDef { name: id }
        | Op::TestName { name: id }
        | Op::TestField { name: id } => Some(name(program, id)),
        Op::StorePath { path: id }
        | Op::ReadPath { path: id }
        | Op::StorePathUnder { path: id }
        | Op::UpdatePath { path: id, .. } => program
            .paths
            .get(id as usize)
            .map(|place| path(program, place)),
        Op::DictRest { list } => program
            .name_lists
            .get(list as usize)
            .map(|list| names(program, list)),

        Op::Null {}
        | Op::True {}
        | Op::False {}
        | Op::Callee {}
        | Op::Int { .. }
        | Op::Pop {}
        | Op::Dup {}
        | Op::LoadLocal { .. }
        | Op::MoveLocal { .. }
        | Op::StoreLocal { .. }
        | Op::ClearLocal { .. }
        | Op::NewCell { .. }
        | Op::BoxLocal { .. }
        | Op::LoadCell { .. }
        | Op::StoreCell { .. }
        | Op::LoadCapture { .. }
        | Op::LoadCaptureCell { .. }
        | Op::StoreCaptureCell { .. }
        | Op::Add {}
        | Op::Subtract {}
        | Op::Multiply {}
        | Op::Divide {}
        | Op::Remainder {}
        | Op::Equal {}
        | Op::NotEqual {}
        | Op::Less {}
        | Op::LessEqual {}
        | Op::Greater {}
        | Op::GreaterEqual {}
        | Op::Negate {}
        | Op::Not {}
        | Op::Truthy {}
        | Op::Falsy {}
        | Op::SameValue {}
        | Op::Jump { .. }
        | Op::JumpIfFalse { .. }
        | Op::JumpIfTrue { .. }
        | Op::JumpIfNotNull { .. }
        | Op::JumpIfNull { .. }
        | Op::JumpIfUnwrapped { .. }
        | Op::LoopHead { .. }
        | Op::Return {}
        | Op::StoreSelfResult {}
        | Op::Call { .. }
        | Op::MakeArray { .. }
        | Op::ArrayPush {}
        | Op::ArrayExtend {}
        | Op::MakeDict { .. }
        | Op::DictInsert {}
        | Op::DictExtend {}
        | Op::Interpolate { .. }
        | Op::Index {}
        | Op::ElementOrNull { .. }
        | Op::ArrayRest { .. }
        | Op::TestArray { .. }
        | Op::TestArrayMin { .. }
        | Op::IterStart { .. }
        | Op::IterNext { .. }
        | Op::RangeStart { .. }
        | Op::RangeNext { .. }
        | Op::Throw {}
        | Op::Catch {}
        | Op::Yield {}
        | Op::Await {}
        | Op::Spawn {} => None,
    }
}

fn name(program: &Program, id: NameId) -> String {
    program
        .names
        .get(id as usize)
        .map_or_else(|| format!("name#{id}"), ToString::to_string)
}

fn names(program: &Program, ids: &[NameId]) -> String {
    ids.iter()
        .map(|id| name(program, *id))
        .collect::<Vec<String>>()
        .join(", ")
}

fn constant(program: &Program, index: u32) -> Option<String> {
    program
        .constants
        .get(index as usize)
        .map(|constant| match constant {
            Constant::Int(value) => format!("{value}"),
            Constant::Float(value) => format!("{value:?}"),
            Constant::Str(text) => format!("{text:?}"),
        })
}

fn function_name(program: &Program, func: u32) -> Option<String> {
    program
        .functions
        .get(func as usize)
        .map(|function| function.info.name.clone())
}

fn global_name(program: &Program, global: u32) -> Option<String> {
    program
        .globals
        .get(global as usize)
        .map(|id| name(program, *id))
}

fn args(program: &Program, args: &[ArgKind]) -> String {
    let shown = args.iter().map(|arg| match arg {
        ArgKind::One => String::from("_"),
        ArgKind::Spread => String::from("..._"),
        ArgKind::Named(id) => format!("{}=_", name(program, *id)),
    });
    shown.collect::<Vec<String>>().join(", ")
}

fn path(program: &Program, path: &Path) -> String {
    let mut shown = name(program, path.name);
    for step in &path.steps {
        match step {
            Step::Field(field) => put(&mut shown, format_args!(".{}", name(program, *field))),
            Step::Index => shown.push_str("[_]"),
        }
    }
    put(&mut shown, format_args!(" at {}", variable(path.root)));
    shown
}

fn method_site(program: &Program, site: &MethodSite) -> String {
    let mut shown = format!(
        "{}({})",
        name(program, site.name),
        args(program, &site.args)
    );
    if let Some(place) = &site.place {
        put(&mut shown, format_args!(" on {}", path(program, place)));
    }
    let marks = [
        (site.early, " early"),
        (site.take, " take"),
        (site.immutable.is_some(), " immutable"),
    ];
    marks
        .into_iter()
        .filter(|(set, _)| *set)
        .for_each(|(_, mark)| shown.push_str(mark));
    shown
}

fn variant(program: &Program, site: &VariantSite) -> String {
    let text = |index: Option<u32>| match program.constants.get(index? as usize)? {
        Constant::Str(text) => Some(text.to_string()),
        Constant::Int(_) | Constant::Float(_) => None,
    };
    match (text(site.enum_name), text(site.name)) {
        (Some(enum_name), Some(name)) => format!("{enum_name}::{name}"),
        (None, Some(name)) => format!("_::{name}"),
        (_, None) => String::from(site.kind.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::builder::Builder;

    #[test]
    fn a_function_shows_its_operands_and_what_they_mean() {
        let mut builder = Builder::new();
        let twice = builder.function("twice", &["n"]);
        let mut code = builder.code(twice);
        code.op(Op::LoadLocal { slot: 0 });
        code.op(Op::LoadLocal { slot: 0 });
        code.op(Op::Add {});
        code.op(Op::Return {});
        let main = builder.main();
        let text = builder.constant(Constant::Str("a \"b\"".into()));
        let print = builder.builtin("print");
        let total = builder.global("total");
        let mut code = builder.code(main);
        code.op(Op::Constant { index: text });
        code.op(Op::CallFunction {
            func: twice,
            argc: 1,
        });
        code.op(Op::CallBuiltin {
            builtin: print,
            argc: 1,
        });
        let var = Var::new(VarKind::Global, total);
        code.op(Op::Update {
            var,
            operator: Operator::Add,
        });
        code.op(Op::Null {});
        code.op(Op::Return {});
        let program = builder.finish().expect("valid");
        let expected = "\
func <main>: 0 params, stack 1, top level
  0 Constant index=0 ; \"a \\\"b\\\"\"
  1 CallFunction func=1 argc=1 ; twice
  2 CallBuiltin builtin=0 argc=1 ; print
  3 Update var=global:0 operator=+ ; total
  4 Null
  5 Return

func twice: 1 param, stack 2
  0 LoadLocal slot=0
  1 LoadLocal slot=0
  2 Add
  3 Return
";
        assert_eq!(disassemble(&program), expected);
    }

    #[test]
    fn numbers_that_name_nothing_are_shown_as_they_are() {
        let program = Program::default();
        assert_eq!(
            disassemble_op(&program, &Op::Constant { index: 7 }),
            "Constant index=7"
        );
        assert_eq!(
            disassemble_op(&program, &Op::Field { name: 7 }),
            "Field name=7 ; name#7"
        );
        assert_eq!(
            disassemble_op(&program, &Op::LoadGlobal { global: 7 }),
            "LoadGlobal global=7"
        );
    }
}
