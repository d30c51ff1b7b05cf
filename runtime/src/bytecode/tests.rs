//! Encoding and decoding: the same program back, and no harm from any bytes.

use super::builder::Builder;
use super::decode::{DecodeError, DecodeFault, decode};
use super::disasm::disassemble;
use super::encode::{encode, encode_for_image};
use super::verify::{verify, verify_image};
use super::wire::{FORMS, Form, join, split};
use super::*;
use crate::heap::VariantKind;
use alloc::vec::Vec;
use std::vec;

/// Every instruction with several operands; not a program that could run.
fn every_op() -> Vec<Op> {
    let words = [
        [0, 0],
        [1, 2],
        [63, 4],
        [300, 1],
        [u32::MAX, 3],
        [1 << 31, 0],
    ];
    (0..FORMS.len() as u8)
        .flat_map(|number| words.iter().filter_map(move |words| join(number, *words)))
        .collect()
}

#[test]
fn every_op_is_taken_apart_and_put_together() {
    let ops = every_op();
    for op in &ops {
        let (number, words) = split(op);
        assert_eq!(join(number, words), Some(*op));
    }
    let mut names: Vec<&str> = ops.iter().map(Op::name).collect();
    names.dedup();
    assert_eq!(names.len(), FORMS.len(), "each instruction has its number");
    assert_eq!(join(FORMS.len() as u8, [0, 0]), None);
    let jumps = ops.iter().filter(|op| op.target().is_some());
    for op in jumps {
        let (number, _) = split(op);
        assert!(
            FORMS[number as usize].contains(&Form::Target),
            "{}",
            op.name()
        );
    }
}

/// A program that is full of everything, but means nothing.
fn nonsense() -> Program {
    let mut builder = Builder::new();
    let main = builder.main();
    let mut code = builder.code(main);
    every_op().into_iter().for_each(|op| {
        code.op(op);
    });
    code.slots(3);
    code.capture(Capture::Cell(0));
    code.capture(Capture::Value(u32::MAX));
    code.capture(Capture::Outer(7));
    code.handler(Handler {
        start: 3,
        end: 9,
        target: 20,
        depth: 2,
    });
    code.handler(Handler {
        start: 30,
        end: 9,
        target: 2,
        depth: u32::MAX,
    });
    code.position(Position {
        file: 0,
        line: 9,
        column: 1,
    });
    code.position(Position {
        file: 3,
        line: 2,
        column: 80,
    });
    code.position(Position {
        file: u32::MAX,
        line: u32::MAX,
        column: u32::MAX,
    });
    *code.flags() = FunctionFlags {
        is_async: true,
        changes_self: true,
        ..FunctionFlags::default()
    };
    for constant in [
        Constant::Int(i64::MIN),
        Constant::Int(i64::MAX),
        Constant::Int(-1),
        Constant::Float(-0.0),
        Constant::Float(f64::INFINITY),
        Constant::Str("häh? 🦀".into()),
    ] {
        builder.constant(constant);
    }
    builder.name("tables");
    builder.global("x");
    builder.builtin("print");
    fill_tables(&mut builder.program);
    builder.program
}

fn fill_tables(program: &mut Program) {
    let path = |kind, steps: &[Step]| Path {
        root: Var::new(kind, 5),
        name: 3,
        steps: steps.into(),
    };
    let place = path(VarKind::Local, &[Step::Field(4), Step::Index, Step::Index]);
    program.paths = vec![
        place.clone(),
        path(VarKind::Global, &[]),
        path(VarKind::Capture, &[Step::Index]),
    ];
    let args = vec![
        ArgKind::One,
        ArgKind::Spread,
        ArgKind::Named(0),
        ArgKind::Named(u32::MAX),
    ];
    program.call_sites = vec![CallSite { args: args.clone() }, CallSite::default()];
    let site = MethodSite {
        name: 9,
        args,
        place: None,
        early: false,
        take: false,
        immutable: None,
    };
    program.method_sites = vec![
        MethodSite {
            place: Some(place.clone()),
            early: true,
            immutable: Some(2),
            ..site.clone()
        },
        MethodSite {
            place: Some(place.clone()),
            take: true,
            ..site.clone()
        },
        site,
    ];
    program.builtin_sites = vec![BuiltinSite {
        builtin: 0,
        place,
        argc: 2,
        early: true,
    }];
    let fields = vec![1, 2, 400];
    program.struct_sites = vec![
        StructSite {
            name: 1,
            fields: fields.clone(),
            has_def: true,
            declaration: Some(0),
        },
        StructSite::default(),
    ];
    program.variant_sites = vec![
        VariantSite {
            kind: VariantKind::Some,
            enum_name: None,
            name: None,
        },
        VariantSite {
            kind: VariantKind::Tagged,
            enum_name: Some(0),
            name: Some(u32::MAX),
        },
    ];
    program.name_lists = vec![vec![], vec![3, 2, 1]];
    program.structs = vec![StructInfo {
        name: 4,
        fields,
        methods: vec![(7, 0), (8, u32::MAX)],
        defaults: vec![(2, 0)],
    }];
    program.modules = vec![ModuleInfo {
        name: 5,
        body: u32::MAX,
        state: 3,
        unsure: vec![(9, 2), (1, 0)],
    }];
}

/// A verified program with a loop, a handler, closures, a struct and sites.
fn sensible() -> Program {
    let mut builder = Builder::new();
    let inner = builder.function("<lambda>", &[]);
    let mut code = builder.code(inner);
    code.capture(Capture::Cell(0));
    code.op(Op::LoadCaptureCell { index: 0 });
    code.op(Op::Return {});
    let method = builder.function("Point.sum", &["self"]);
    let x = builder.name("x");
    let mut code = builder.code(method);
    code.flags().is_method = true;
    code.op(Op::LoadLocal { slot: 0 });
    code.op(Op::Field { name: x });
    code.op(Op::Return {});
    let (point, sum) = (builder.name("Point"), builder.name("sum"));
    let message = builder.constant(Constant::Str("no such thing".into()));
    let total = builder.global("total");
    let print = builder.builtin("print");
    let program = &mut builder.program;
    program.structs.push(StructInfo {
        name: point,
        fields: vec![x],
        methods: vec![(sum, method)],
        defaults: vec![],
    });
    program.struct_sites.push(StructSite {
        name: point,
        fields: vec![x],
        has_def: true,
        declaration: Some(0),
    });
    program.method_sites.push(MethodSite {
        name: sum,
        args: vec![],
        place: None,
        early: false,
        take: false,
        immutable: None,
    });
    let main = builder.main();
    let mut code = builder.code(main);
    let cell = code.slot();
    let hidden = code.slots(3);
    code.position(Position {
        file: 0,
        line: 1,
        column: 1,
    });
    code.op(Op::NewCell { slot: cell });
    code.op(Op::Int { value: 10 });
    code.op(Op::RangeStart {
        slot: hidden,
        argc: 1,
    });
    let head = code.loop_head();
    let (done, end) = (code.label(), code.label());
    code.jump(
        Op::RangeNext {
            slot: hidden,
            to: 0,
        },
        done,
    );
    code.op(Op::StoreCell { slot: cell });
    code.op(Op::Jump { to: head });
    code.bind(done);
    code.position(Position {
        file: 0,
        line: 3,
        column: 5,
    });
    let start = code.here();
    code.op(Op::MakeClosure { func: inner });
    code.op(Op::Call { argc: 0 });
    code.op(Op::StoreGlobal { global: total });
    code.op(Op::Function { func: method });
    code.op(Op::MakeStructDef { declaration: 0 });
    code.op(Op::LoadGlobal { global: total });
    code.op(Op::MakeStruct { site: 0 });
    code.op(Op::CallMethod { site: 0 });
    code.op(Op::CallBuiltin {
        builtin: print,
        argc: 1,
    });
    code.op(Op::Pop {});
    code.op(Op::Raise { message });
    let after = code.here();
    let target = code.op(Op::Catch {});
    code.op(Op::Pop {});
    code.jump(Op::Jump { to: 0 }, end);
    code.bind(end);
    code.op(Op::Null {});
    code.op(Op::Return {});
    code.handler(Handler {
        start,
        end: after,
        target,
        depth: 0,
    });
    builder.finish().expect("valid")
}

#[test]
fn programs_come_back_as_they_were() {
    for program in [sensible(), nonsense(), Program::default()] {
        let bytes = encode(&program);
        assert_eq!(decode(&bytes), Ok(program.clone()));
        assert_eq!(encode(&program), bytes, "the same bytes each time");
    }
}

#[test]
fn nan_keeps_its_bits() {
    let mut program = sensible();
    let nan = f64::from_bits(0x7ff8_dead_beef_0001);
    program.constants.push(Constant::Float(nan));
    let decoded = decode(&encode(&program)).expect("encoded here");
    assert!(
        matches!(decoded.constants.last(), Some(Constant::Float(back)) if back.to_bits() == nan.to_bits())
    );
}

#[test]
fn hand_made_programs_are_small() {
    let mut builder = Builder::new();
    let main = builder.main();
    let text = builder.constant(Constant::Str("hello".into()));
    let print = builder.builtin("print");
    let mut code = builder.code(main);
    code.op(Op::Constant { index: text });
    code.op(Op::CallBuiltin {
        builtin: print,
        argc: 1,
    });
    code.op(Op::Return {});
    let program = builder.finish().expect("valid");
    assert!(
        encode(&program).len() < 80,
        "{} bytes",
        encode(&program).len()
    );
}

#[test]
fn images_carry_the_code_that_is_kept() {
    let program = sensible();
    let bytes = encode_for_image(&program, &|func| func != program.main);
    assert!(bytes.len() < encode(&program).len());
    let mut image = decode(&bytes).expect("encoded here");
    let (whole, bare) = (&program.functions[0], &image.functions[0]);
    assert!(bare.code.is_empty() && bare.handlers.is_empty() && bare.slot_names.is_empty());
    assert_eq!(
        (&bare.info, bare.slots, bare.max_stack),
        (&whole.info, whole.slots, whole.max_stack)
    );
    assert_eq!(program.functions[1..], image.functions[1..]);
    assert!(verify(&mut image.clone()).is_err());
    assert_eq!(verify_image(&mut image), Ok(()));
    // Errors still find their place in the source.
    for (pc, op) in whole.code.iter().enumerate() {
        if op.raises() {
            assert_eq!(image.position(0, pc as u32), program.position(0, pc as u32));
        }
    }
}

#[test]
fn wrong_bytes_are_named() {
    let bytes = encode(&sensible());
    let fault = |bytes: &[u8]| decode(bytes).map_err(|error| error.fault).map(|_| ());
    assert_eq!(fault(b""), Err(DecodeFault::NoProgram));
    assert_eq!(fault(b"\x7fELF and so on"), Err(DecodeFault::NoProgram));
    let mut other = bytes.clone();
    other[4] ^= 1;
    assert_eq!(
        decode(&other),
        Err(DecodeError {
            offset: 8,
            fault: DecodeFault::OtherVersion
        })
    );
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(fault(&longer), Err(DecodeFault::TrailingBytes));
    for len in 8..bytes.len() {
        assert!(decode(&bytes[..len]).is_err(), "cut off at {len}");
    }
    // A length that claims more than there is.
    let mut huge = bytes[..8].to_vec();
    huge.extend([0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(fault(&huge), Err(DecodeFault::Truncated));
    let message = std::format!("{}", decode(&huge).expect_err("cut off"));
    assert_eq!(
        message,
        "invalid bytecode at byte 18: the program is cut off"
    );
}

/// A small generator of numbers, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = 8 + self.below(bytes.len().saturating_sub(8));
        let len = self.below(8);
        let end = (at + len).min(bytes.len());
        match self.below(6) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = self.below(256) as u8,
            2 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            3 if at < end => drop(bytes.drain(at..end)),
            4 if at < end => {
                let copy = bytes[at..end].to_vec();
                let to = 8 + self.below(bytes.len() - 8);
                bytes.splice(to..to, copy);
            }
            _ if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
            _ => {}
        }
    }
}

#[test]
fn mutated_bytes_do_no_harm() {
    let mut random = Random(0x5eed_1234_5678_9abc);
    let originals = [encode(&sensible()), encode(&nonsense())];
    let (mut decoded, mut verified) = (0, 0);
    for round in 0..6000 {
        let mut bytes = originals[usize::from(round % 4 == 0)].clone();
        for _ in 0..=random.below(3) {
            random.mutate(&mut bytes);
        }
        let Ok(mut program) = decode(&bytes) else {
            continue;
        };
        decoded += 1;
        let again = encode(&program);
        assert_eq!(decode(&again).map(|program| encode(&program)), Ok(again));
        disassemble(&program);
        let _ = verify_image(&mut program.clone());
        verified += usize::from(verify(&mut program).is_ok());
    }
    // Most mutations must get past the decoder, and some past the verifier, or
    // this test would not test much.
    assert!(
        decoded > 500 && verified > 100,
        "{decoded} decoded, {verified} verified"
    );
}

#[test]
fn mutated_programs_do_no_harm() {
    let mut random = Random(0xfeed_1234_5678_9abc);
    let original = sensible();
    let ops = every_op();
    let mut verified = 0;
    for _ in 0..6000 {
        let mut program = original.clone();
        for _ in 0..=random.below(2) {
            let func = random.below(program.functions.len());
            let code = &mut program.functions[func].code;
            let at = random.below(code.len());
            match random.below(4) {
                0 => code[at] = ops[random.below(ops.len())],
                1 => {
                    let other = random.below(code.len());
                    code.swap(at, other);
                }
                2 => drop(code.remove(at)),
                _ => {
                    let (number, mut words) = split(&code[at]);
                    words[random.below(2)] = random.below(8) as u32;
                    code[at] = join(number, words).unwrap_or(code[at]);
                }
            }
        }
        disassemble(&program);
        verified += usize::from(verify(&mut program).is_ok());
    }
    assert!(verified > 100, "{verified} verified");
}
