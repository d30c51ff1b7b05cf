//! Programs as bytes: compact, and the same bytes for the same program.
//!
//! Any program can be encoded; only verified ones are worth it.  What is
//! written follows `Program` field by field, and `decode` reads it in the same
//! order.  Numbers are LEB128, those that mostly grow are differences.

use super::wire::{
    self, CAPTURE_CELL, CAPTURE_OUTER, CAPTURE_VALUE, FINGERPRINT, FORMS, Form, MAGIC, fold,
    function_bits, method_bits,
};
use super::{
    ArgKind, BuiltinSite, Capture, Constant, ForeignSite, Function, FunctionFlags, FunctionId,
    MethodSite, ModuleInfo, Op, Path, Position, Program, Step, StructInfo, StructSite, VariantSite,
};
use crate::names::WELL_KNOWN;
use alloc::vec::Vec;

/// The whole program.
pub fn encode(program: &Program) -> Vec<u8> {
    encode_for_image(program, &|_| true)
}

/// The program as an executable carries it: with the code of the functions
/// that stay bytecode.  Of the others only what callers, closures and error
/// messages need is kept: their code, handlers and slot names are empty, and
/// of their positions those remain that an error can refer to.
pub fn encode_for_image(program: &Program, keep_body: &dyn Fn(FunctionId) -> bool) -> Vec<u8> {
    let mut out = Writer { bytes: Vec::new() };
    out.bytes.extend_from_slice(&MAGIC);
    out.bytes.extend_from_slice(&FINGERPRINT.to_le_bytes());
    out.names(program);
    out.list(&program.constants, Writer::constant);
    out.list(&program.builtins, |out, name| out.text(name));
    out.list(&program.globals, |out, name| out.number(*name));
    out.list(&program.files, |out, name| out.text(name));
    out.list(&program.paths, Writer::path);
    out.list(&program.call_sites, |out, site| out.args(&site.args));
    out.list(&program.method_sites, Writer::method_site);
    out.list(&program.builtin_sites, Writer::builtin_site);
    out.list(&program.struct_sites, Writer::struct_site);
    out.list(&program.variant_sites, Writer::variant_site);
    out.list(&program.foreign_sites, Writer::foreign_site);
    out.list(&program.name_lists, |out, list| out.numbers(list));
    out.list(&program.structs, Writer::struct_info);
    let functions: Vec<(bool, &Function)> = program
        .functions
        .iter()
        .zip(0..)
        .map(|(function, id)| (keep_body(id), function))
        .collect();
    out.list(&functions, |out, (keep, function)| {
        if *keep && !function.code.is_empty() {
            out.function_with_body(function);
        } else {
            out.function_without_body(function);
        }
    });
    out.list(&program.modules, Writer::module_info);
    out.number(program.main);
    out.bytes
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    // ---- parts of everything

    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn long(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    fn number(&mut self, value: u32) {
        self.long(u64::from(value));
    }

    /// A difference modulo 2^32, small if the two are near each other.
    fn difference(&mut self, value: u32, base: u32) {
        self.long(fold(i64::from(value.wrapping_sub(base) as i32)));
    }

    fn option(&mut self, value: Option<u32>) {
        self.long(value.map_or(0, |value| u64::from(value) + 1));
    }

    fn text(&mut self, text: &str) {
        self.long(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Writer, &T)) {
        self.long(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    fn numbers(&mut self, numbers: &[u32]) {
        self.list(numbers, |out, number| out.number(*number));
    }

    // ---- tables

    /// The well-known names at the start are only counted.
    fn names(&mut self, program: &Program) {
        let known = program
            .names
            .iter()
            .zip(WELL_KNOWN)
            .take_while(|(name, known)| ***name == ***known)
            .count();
        self.long(known as u64);
        self.list(&program.names[known..], |out, name| out.text(name));
    }

    fn constant(&mut self, constant: &Constant) {
        match constant {
            Constant::Int(value) => {
                self.byte(0);
                self.long(fold(*value));
            }
            Constant::Float(value) => {
                self.byte(1);
                self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Constant::Str(text) => {
                self.byte(2);
                self.text(text);
            }
        }
    }

    fn path(&mut self, path: &Path) {
        self.variable(path.root.0);
        self.number(path.name);
        self.list(&path.steps, |out, step| match step {
            Step::Index => out.option(None),
            Step::Field(name) => out.option(Some(*name)),
        });
    }

    fn args(&mut self, args: &[ArgKind]) {
        self.list(args, |out, arg| match arg {
            ArgKind::One => out.long(0),
            ArgKind::Spread => out.long(1),
            ArgKind::Named(name) => out.long(u64::from(*name) + 2),
        });
    }

    fn method_site(&mut self, site: &MethodSite) {
        let MethodSite {
            name,
            args,
            place,
            early,
            take,
            immutable,
        } = site;
        let mut bits = 0;
        for (set, bit) in [
            (place.is_some(), method_bits::PLACE),
            (*early, method_bits::EARLY),
            (*take, method_bits::TAKE),
            (immutable.is_some(), method_bits::IMMUTABLE),
        ] {
            bits |= if set { bit } else { 0 };
        }
        self.byte(bits);
        self.number(*name);
        self.args(args);
        if let Some(place) = place {
            self.path(place);
        }
        if let Some(message) = immutable {
            self.number(*message);
        }
    }

    fn builtin_site(&mut self, site: &BuiltinSite) {
        let BuiltinSite {
            builtin,
            place,
            argc,
            early,
        } = site;
        self.byte(u8::from(*early));
        self.number(*builtin);
        self.path(place);
        self.number(*argc);
    }

    fn struct_site(&mut self, site: &StructSite) {
        let StructSite {
            name,
            fields,
            has_def,
            declaration,
        } = site;
        self.byte(u8::from(*has_def));
        self.number(*name);
        self.numbers(fields);
        self.option(*declaration);
    }

    fn variant_site(&mut self, site: &VariantSite) {
        let VariantSite {
            kind,
            enum_name,
            name,
        } = site;
        self.byte(*kind as u8);
        self.option(*enum_name);
        self.option(*name);
    }

    fn foreign_site(&mut self, site: &ForeignSite) {
        let ForeignSite {
            name,
            symbol,
            library,
            params,
            result,
        } = site;
        self.text(name);
        self.text(symbol);
        self.byte(u8::from(library.is_some()));
        self.text(library.as_deref().unwrap_or_default());
        self.list(params, |out, ty| out.byte(*ty as u8));
        self.byte(*result as u8);
    }

    fn struct_info(&mut self, declaration: &StructInfo) {
        let StructInfo {
            name,
            fields,
            methods,
            defaults,
        } = declaration;
        self.number(*name);
        self.numbers(fields);
        self.pairs(methods);
        self.pairs(defaults);
    }

    fn module_info(&mut self, module: &ModuleInfo) {
        let ModuleInfo {
            name,
            body,
            state,
            unsure,
        } = module;
        self.number(*name);
        self.number(*body);
        self.number(*state);
        self.pairs(unsure);
    }

    fn pairs(&mut self, pairs: &[(u32, u32)]) {
        self.list(pairs, |out, (key, value)| {
            out.number(*key);
            out.number(*value);
        });
    }

    // ---- functions

    /// What callers and closures need.  The function's id is its place.
    fn function_head(&mut self, function: &Function, body: bool) {
        let FunctionFlags {
            is_method,
            is_static,
            changes_self,
            is_generator,
            is_async,
            is_top_level,
        } = function.info.flags;
        let mut bits = 0;
        for (set, bit) in [
            (is_method, function_bits::METHOD),
            (is_static, function_bits::STATIC),
            (changes_self, function_bits::CHANGES_SELF),
            (is_generator, function_bits::GENERATOR),
            (is_async, function_bits::ASYNC),
            (is_top_level, function_bits::TOP_LEVEL),
            (body, function_bits::BODY),
        ] {
            bits |= if set { bit } else { 0 };
        }
        self.byte(bits);
        self.text(&function.info.name);
        self.numbers(&function.info.params);
        self.number(function.slots);
        self.number(function.max_stack);
        self.list(&function.captures, |out, capture| {
            let (kind, number) = match *capture {
                Capture::Cell(slot) => (CAPTURE_CELL, slot),
                Capture::Value(slot) => (CAPTURE_VALUE, slot),
                Capture::Outer(index) => (CAPTURE_OUTER, index),
            };
            out.long(u64::from(number) << 2 | u64::from(kind));
        });
    }

    fn function_without_body(&mut self, function: &Function) {
        self.function_head(function, false);
        // Without its code, all positions of a function are taken for needed.
        let needed = function
            .positions
            .iter()
            .enumerate()
            .filter(|(index, (start, _))| {
                let end = function
                    .positions
                    .get(index + 1)
                    .map_or(u32::MAX, |(end, _)| *end);
                let end = (end as usize).min(function.code.len());
                function.code.is_empty()
                    || function
                        .code
                        .get(*start as usize..end)
                        .is_some_and(|ops| ops.iter().any(Op::raises))
            });
        let needed: Vec<(u32, Position)> = needed.map(|(_, position)| *position).collect();
        self.positions(&needed);
    }

    fn function_with_body(&mut self, function: &Function) {
        self.function_head(function, true);
        self.positions(&function.positions);
        self.number(function.loops);
        self.numbers(&function.slot_names);
        self.list(&function.handlers, |out, handler| {
            out.number(handler.start);
            out.difference(handler.end, handler.start);
            out.difference(handler.target, handler.end);
            out.number(handler.depth);
        });
        self.long(function.code.len() as u64);
        for (pc, op) in function.code.iter().enumerate() {
            self.op(pc as u32, op);
        }
    }

    fn positions(&mut self, positions: &[(u32, Position)]) {
        self.long(positions.len() as u64);
        let mut last = (0, Position::default());
        for (pc, position) in positions {
            let Position { file, line, column } = *position;
            self.difference(*pc, last.0);
            // Most positions are in the same file as the one before.
            let moved = file != last.1.file;
            let lines = fold(i64::from(line.wrapping_sub(last.1.line) as i32));
            self.long(lines << 1 | u64::from(moved));
            if moved {
                self.number(file);
            }
            self.number(column);
            last = (*pc, *position);
        }
    }

    fn op(&mut self, pc: u32, op: &Op) {
        let (number, words) = wire::split(op);
        self.byte(number);
        for (form, word) in FORMS[number as usize].iter().zip(words) {
            match form {
                Form::Nothing => break,
                Form::Number => self.number(word),
                Form::Signed => self.long(fold(i64::from(word as i32))),
                Form::Target => self.difference(word, pc),
                Form::Variable => self.variable(word),
            }
        }
    }

    /// The kind moves below the number, so that small numbers take one byte.
    fn variable(&mut self, word: u32) {
        self.number(word.rotate_left(2));
    }
}
