//! Small programs, valid and not, and what the verifier says of them.

use super::*;
use crate::bytecode::builder::{Builder, Code};
use crate::bytecode::*;
use crate::names::WELL_KNOWN;
use std::vec;

/// Verifies a main function; the callback fills in its code.
fn main_with(write: impl FnOnce(&mut Code<'_>)) -> Result<Program, VerifyError> {
    let mut builder = Builder::new();
    let main = builder.main();
    write(&mut builder.code(main));
    builder.finish()
}

fn fault(result: Result<Program, VerifyError>) -> (Fault, Option<u32>) {
    let error = result.expect_err("the program is not valid");
    (error.fault, error.instruction.map(|(pc, _)| pc))
}

fn ops(code: &mut Code<'_>, ops: &[Op]) {
    ops.iter().for_each(|op| {
        code.op(*op);
    });
}

const NULL: Op = Op::Null {};
const RETURN: Op = Op::Return {};

#[test]
fn depth_is_measured() {
    let program = main_with(|code| {
        ops(
            code,
            &[
                Op::Int { value: 1 },
                Op::Int { value: 2 },
                Op::Int { value: 3 },
            ],
        );
        ops(code, &[Op::Multiply {}, Op::Add {}, RETURN]);
    });
    assert_eq!(program.expect("valid").functions[0].max_stack, 3);
}

#[test]
fn code_must_be_there_and_end() {
    assert_eq!(fault(main_with(|_| {})), (Fault::NoBody, None));
    assert_eq!(
        fault(main_with(|code| ops(code, &[NULL]))),
        (Fault::NoEnd, None)
    );
    assert_eq!(
        fault(main_with(|code| ops(code, &[RETURN]))),
        (Fault::StackUnderflow, Some(0))
    );
}

#[test]
fn joins_need_one_depth() {
    let result = main_with(|code| {
        let join = code.label();
        code.op(NULL);
        code.jump(Op::JumpIfNull { to: 0 }, join);
        code.op(NULL);
        code.bind(join);
        code.op(RETURN);
    });
    assert_eq!(fault(result), (Fault::StackMismatch, Some(2)));
}

#[test]
fn huge_operand_counts_do_not_overflow() {
    for op in [
        Op::Call { argc: u32::MAX },
        Op::MakeDict {
            count: u32::MAX / 2 + 1,
        },
        Op::RangeStart {
            slot: 0,
            argc: u32::MAX,
        },
    ] {
        let result = main_with(|code| {
            code.slots(3);
            ops(code, &[op, RETURN]);
        });
        assert_eq!(fault(result), (Fault::TooManyOperands, Some(0)));
    }
    let result = main_with(|code| {
        ops(
            code,
            &[NULL, Op::IterStart { slot: u32::MAX }, NULL, RETURN],
        )
    });
    assert_eq!(fault(result), (Fault::Slot, Some(1)));
}

/// `i = 0; while i < 3 { i += 1 }`
fn counting(code: &mut Code<'_>) {
    let slot = code.slot();
    ops(code, &[Op::Int { value: 0 }, Op::StoreLocal { slot }]);
    let head = code.loop_head();
    let done = code.label();
    ops(
        code,
        &[Op::LoadLocal { slot }, Op::Int { value: 3 }, Op::Less {}],
    );
    code.jump(Op::JumpIfFalse { to: 0 }, done);
    ops(
        code,
        &[
            Op::Int { value: 1 },
            Op::Update {
                var: Var::new(VarKind::Local, slot),
                operator: Operator::Add,
            },
        ],
    );
    code.op(Op::Jump { to: head });
    code.bind(done);
    ops(code, &[NULL, RETURN]);
}

#[test]
fn loops_go_back_to_numbered_heads() {
    assert!(main_with(counting).is_ok());
    let renumbered = main_with(|code| {
        counting(code);
        code.loop_head();
        ops(code, &[NULL, RETURN]);
    });
    assert!(
        renumbered.is_ok(),
        "unreached loops are loops too: {renumbered:?}"
    );
    let mut twice = main_with(counting).expect("valid");
    twice.functions[0].code.push(Op::LoopHead { number: 0 });
    twice.functions[0].code.push(Op::Jump { to: 9 });
    assert_eq!(
        verify(&mut twice).map_err(|error| error.fault),
        Err(Fault::LoopNumber)
    );
    let back = main_with(|code| ops(code, &[NULL, Op::Pop {}, Op::Jump { to: 0 }]));
    assert_eq!(fault(back), (Fault::BackwardTarget, Some(2)));
    let into = main_with(|code| {
        code.op(Op::Jump { to: 1 });
        code.loop_head();
        ops(code, &[NULL, RETURN]);
    });
    assert_eq!(fault(into), (Fault::BackwardTarget, Some(0)));
}

#[test]
fn a_moved_local_is_unset() {
    let result = main_with(|code| {
        let slot = code.slot();
        ops(
            code,
            &[
                NULL,
                Op::StoreLocal { slot },
                Op::MoveLocal { slot },
                Op::LoadLocal { slot },
                RETURN,
            ],
        );
    });
    assert_eq!(fault(result), (Fault::MaybeUnset, Some(3)));
    // Moved in a loop: fine in the first round, wrong in the second.
    let result = main_with(|code| {
        let slot = code.slot();
        ops(code, &[NULL, Op::StoreLocal { slot }]);
        let head = code.loop_head();
        ops(
            code,
            &[Op::MoveLocal { slot }, Op::Pop {}, Op::Jump { to: head }],
        );
    });
    assert_eq!(fault(result), (Fault::MaybeUnset, Some(3)));
}

#[test]
fn a_test_for_unset_settles_it() {
    let result = main_with(|code| {
        let slot = code.slot();
        let unset = code.label();
        ops(code, &[Op::True {}]);
        let skip = code.label();
        code.jump(Op::JumpIfFalse { to: 0 }, skip);
        ops(code, &[NULL, Op::StoreLocal { slot }]);
        code.bind(skip);
        code.jump(
            Op::JumpIfUnset {
                var: Var::new(VarKind::Local, slot),
                to: 0,
            },
            unset,
        );
        ops(code, &[Op::LoadLocal { slot }, RETURN]);
        code.bind(unset);
        ops(code, &[NULL, RETURN]);
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn a_field_that_may_be_unset_must_go_into_a_variable() {
    let field = Op::FieldOrUnset { name: 0 };
    let result = main_with(|code| ops(code, &[NULL, field, Op::Truthy {}, RETURN]));
    assert_eq!(fault(result), (Fault::UnsetOperand, Some(2)));
    let result = main_with(|code| {
        let slot = code.slot();
        ops(
            code,
            &[
                NULL,
                field,
                Op::StoreLocal { slot },
                Op::LoadLocal { slot },
                RETURN,
            ],
        );
    });
    assert_eq!(fault(result), (Fault::MaybeUnset, Some(3)));
}

#[test]
fn slots_hold_cells_or_values() {
    let slot = 0;
    for (code_ops, expected) in [
        (&[Op::LoadCell { slot }, RETURN][..], Fault::NotACell),
        (
            &[Op::NewCell { slot }, Op::LoadLocal { slot }, RETURN],
            Fault::NotAValue,
        ),
        (
            &[
                Op::NewCell { slot },
                Op::ClearLocal { slot },
                Op::LoadCell { slot },
                RETURN,
            ],
            Fault::NotACell,
        ),
        (
            &[Op::NewCell { slot }, Op::BoxLocal { slot }, NULL, RETURN],
            Fault::NotAValue,
        ),
        (
            &[NULL, Op::StoreCell { slot }, NULL, RETURN],
            Fault::NotACell,
        ),
        (
            &[
                NULL,
                Op::Update {
                    var: Var::new(VarKind::Cell, slot),
                    operator: Operator::Add,
                },
                NULL,
                RETURN,
            ],
            Fault::NotACell,
        ),
        (
            &[Op::IterNext { slot, to: 2 }, Op::Pop {}, NULL, RETURN],
            Fault::NotAnIteration,
        ),
        (
            &[
                Op::Int { value: 9 },
                Op::RangeStart { slot, argc: 1 },
                Op::IterNext { slot, to: 4 },
                Op::Pop {},
                NULL,
                RETURN,
            ],
            Fault::NotAnIteration,
        ),
        (&[NULL, NULL, Op::ArrayPush {}, RETURN], Fault::NotAnArray),
        (
            &[NULL, NULL, NULL, Op::DictInsert {}, RETURN],
            Fault::NotADict,
        ),
    ] {
        let result = main_with(|code| {
            code.slots(3);
            ops(code, code_ops);
        });
        assert_eq!(fault(result).0, expected, "{code_ops:?}");
    }
    let good = main_with(|code| {
        let slot = code.slot();
        ops(
            code,
            &[
                Op::NewCell { slot },
                NULL,
                Op::StoreCell { slot },
                Op::LoadCell { slot },
                RETURN,
            ],
        );
    });
    assert!(good.is_ok());
}

#[test]
fn iterations_survive_the_loop_but_not_a_store() {
    let for_loop = |clobber: bool| {
        main_with(|code| {
            let slot = code.slots(2);
            let done = code.label();
            ops(code, &[Op::MakeArray { count: 0 }, Op::IterStart { slot }]);
            let head = code.loop_head();
            code.jump(Op::IterNext { slot, to: 0 }, done);
            if clobber {
                code.op(Op::StoreLocal { slot: slot + 1 });
            } else {
                code.op(Op::Pop {});
            }
            code.op(Op::Jump { to: head });
            code.bind(done);
            ops(code, &[Op::ClearLocal { slot }, NULL, RETURN]);
        })
    };
    assert!(for_loop(false).is_ok());
    assert_eq!(fault(for_loop(true)), (Fault::NotAnIteration, Some(3)));
}

/// A protected range of `body`, its handler, and the end of both.
fn protected(body: &[Op], depth: u32, handler: &[Op]) -> Result<Program, VerifyError> {
    main_with(|code| {
        code.slots(2);
        let end = code.label();
        let start = code.here();
        ops(code, body);
        let after = code.here();
        code.jump(Op::Jump { to: 0 }, end);
        let target = code.op(Op::Catch {});
        ops(code, handler);
        code.bind(end);
        ops(code, &[NULL, RETURN]);
        code.handler(Handler {
            start,
            end: after,
            target,
            depth,
        });
    })
}

#[test]
fn handlers_see_what_may_have_happened() {
    let call = Op::Call { argc: 0 };
    let good = protected(&[NULL, call, Op::Pop {}], 0, &[Op::Pop {}]);
    assert!(good.is_ok(), "{good:?}");
    let deep = protected(&[NULL, call, Op::Pop {}], 1, &[Op::Pop {}]);
    assert_eq!(fault(deep), (Fault::HandlerDepth, Some(1)));
    // Moved before the call: unset in the handler.
    let slot = 0;
    let moved = protected(
        &[
            NULL,
            Op::StoreLocal { slot },
            Op::MoveLocal { slot },
            call,
            Op::Pop {},
        ],
        0,
        &[Op::Pop {}, Op::LoadLocal { slot }, Op::Pop {}],
    );
    assert_eq!(fault(moved).0, Fault::MaybeUnset);
}

#[test]
fn handler_tables_are_checked() {
    let valid =
        protected(&[NULL, Op::Call { argc: 0 }, Op::Pop {}], 0, &[Op::Pop {}]).expect("valid");
    type Change = fn(&mut Handler);
    let changes: [Change; 4] = [
        |handler| handler.end = handler.start,
        |handler| handler.end = 99,
        |handler| handler.target = 1,
        |handler| handler.target = 99,
    ];
    for change in changes {
        let mut program = valid.clone();
        change(&mut program.functions[0].handlers[0]);
        assert_eq!(
            verify(&mut program).map_err(|error| error.fault),
            Err(Fault::Handler)
        );
    }
    let fallen_into = main_with(|code| ops(code, &[Op::Catch {}, RETURN]));
    assert_eq!(fault(fallen_into), (Fault::StrayCatch, Some(0)));
    let jumped_to = main_with(|code| ops(code, &[Op::Jump { to: 1 }, Op::Catch {}, RETURN]));
    assert_eq!(fault(jumped_to), (Fault::StrayCatch, Some(0)));
}

#[test]
fn calls_fit_their_callees() {
    let call = |argc: u32, change: fn(&mut FunctionFlags)| {
        let mut builder = Builder::new();
        let func = builder.function("twice", &["n"]);
        let mut code = builder.code(func);
        ops(
            &mut code,
            &[
                Op::LoadLocal { slot: 0 },
                Op::LoadLocal { slot: 0 },
                Op::Add {},
                RETURN,
            ],
        );
        change(code.flags());
        let main = builder.main();
        ops(
            &mut builder.code(main),
            &[NULL, NULL, Op::CallFunction { func, argc }, RETURN],
        );
        builder.finish()
    };
    assert!(call(1, |_| {}).is_ok());
    assert_eq!(fault(call(2, |_| {})), (Fault::ArgumentCount, Some(2)));
    assert!(call(1, |flags| flags.is_generator = true).is_ok());
    assert_eq!(
        fault(call(1, |flags| flags.is_static = true)),
        (Fault::Flags, None)
    );
    assert_eq!(
        fault(call(1, |flags| flags.is_top_level = true)),
        (Fault::Flags, None)
    );
    let changes = |flags: &mut FunctionFlags| {
        flags.is_method = true;
        flags.changes_self = true;
    };
    assert_eq!(fault(call(1, changes)), (Fault::SelfNotStored, Some(3)));
}

/// A maker with a captured function; what it captures and how it is read vary.
fn closure(prepare: &[Op], capture: Capture, read: Op) -> Result<Program, VerifyError> {
    let mut builder = Builder::new();
    let inner = builder.function("inner", &[]);
    let mut code = builder.code(inner);
    code.capture(capture);
    ops(&mut code, &[read, RETURN]);
    let main = builder.main();
    let mut code = builder.code(main);
    code.slot();
    ops(&mut code, prepare);
    ops(&mut code, &[Op::MakeClosure { func: inner }, RETURN]);
    builder.finish()
}

#[test]
fn captures_are_used_as_what_they_are() {
    let cell = [Op::NewCell { slot: 0 }];
    let value = [NULL, Op::StoreLocal { slot: 0 }];
    let by_value = Op::LoadCapture { index: 0 };
    let by_cell = Op::LoadCaptureCell { index: 0 };
    assert!(closure(&cell, Capture::Cell(0), by_cell).is_ok());
    assert!(closure(&value, Capture::Value(0), by_value).is_ok());
    assert_eq!(
        fault(closure(&cell, Capture::Cell(0), by_value)),
        (Fault::CaptureKind, Some(0))
    );
    assert_eq!(
        fault(closure(&value, Capture::Value(0), by_cell)),
        (Fault::CaptureKind, Some(0))
    );
    assert_eq!(
        fault(closure(&value, Capture::Cell(0), by_cell)).0,
        Fault::NotACell
    );
    assert_eq!(
        fault(closure(&cell, Capture::Value(0), by_value)).0,
        Fault::NotAValue
    );
    assert_eq!(
        fault(closure(&cell, Capture::Cell(1), by_cell)).0,
        Fault::Slot
    );
    assert_eq!(
        fault(closure(&cell, Capture::Outer(0), by_cell)).0,
        Fault::Capture
    );
}

#[test]
fn handed_on_captures_are_what_the_maker_has() {
    let nested = |read: Op| {
        let mut builder = Builder::new();
        let inner = builder.function("inner", &[]);
        let mut code = builder.code(inner);
        code.capture(Capture::Outer(0));
        ops(&mut code, &[read, RETURN]);
        let outer = builder.function("outer", &[]);
        let mut code = builder.code(outer);
        code.capture(Capture::Cell(0));
        ops(&mut code, &[Op::MakeClosure { func: inner }, RETURN]);
        let main = builder.main();
        let mut code = builder.code(main);
        let slot = code.slot();
        ops(
            &mut code,
            &[
                Op::NewCell { slot },
                Op::MakeClosure { func: outer },
                RETURN,
            ],
        );
        builder.finish()
    };
    assert!(nested(Op::LoadCaptureCell { index: 0 }).is_ok());
    assert_eq!(
        fault(nested(Op::LoadCapture { index: 0 })),
        (Fault::CaptureKind, Some(0))
    );
}

fn module_of(body: FunctionId, unsure: Vec<(u32, GlobalId)>) -> ModuleInfo {
    ModuleInfo {
        body,
        unsure,
        ..ModuleInfo::default()
    }
}

#[test]
fn only_modules_that_are_there_are_imported() {
    let import = [Op::Import { module: 0 }, NULL, RETURN];
    let without = main_with(|code| ops(code, &import));
    assert_eq!(fault(without), (Fault::Module, Some(0)));
    let mut builder = Builder::new();
    let main = builder.main();
    ops(&mut builder.code(main), &import);
    builder.global("state");
    builder.program.modules.push(module_of(main, vec![]));
    assert!(builder.finish().is_ok());
}

#[test]
fn tables_are_checked() {
    let valid = main_with(counting).expect("valid");
    type Change = fn(&mut Program);
    let changes: [(Change, Fault); 15] = [
        (|program| program.names.swap(0, 1), Fault::WellKnownNames),
        (
            |program| program.names.push(WELL_KNOWN[0].into()),
            Fault::DuplicateName,
        ),
        (|program| program.main = 7, Fault::Main),
        (
            |program| {
                program.modules.push(ModuleInfo {
                    body: 7,
                    ..ModuleInfo::default()
                });
            },
            Fault::ModuleBody,
        ),
        (
            |program| program.modules.push(module_of(program.main, vec![])),
            Fault::Global,
        ),
        (
            |program| {
                program.globals.push(0);
                program.modules.push(module_of(program.main, vec![(0, 9)]));
            },
            Fault::Global,
        ),
        (|program| program.globals.push(999), Fault::Name),
        (
            |program| {
                program.call_sites.push(CallSite {
                    args: vec![ArgKind::Named(999)],
                })
            },
            Fault::Name,
        ),
        (
            |program| {
                program.structs.push(StructInfo {
                    defaults: vec![(0, 0)],
                    ..StructInfo::default()
                });
            },
            Fault::StructFields,
        ),
        (
            |program| {
                program.structs.push(StructInfo {
                    methods: vec![(0, 0)],
                    ..StructInfo::default()
                });
            },
            Fault::StructMethod,
        ),
        (
            |program| {
                program.struct_sites.push(StructSite {
                    declaration: Some(0),
                    ..StructSite::default()
                });
            },
            Fault::Struct,
        ),
        (
            |program| {
                let kind = crate::heap::VariantKind::Tagged;
                program.variant_sites.push(VariantSite {
                    kind,
                    enum_name: None,
                    name: None,
                });
            },
            Fault::Variant,
        ),
        (
            |program| program.functions[0].info.id = 1,
            Fault::FunctionNumber,
        ),
        (
            |program| program.functions[0].slots = MAX_SLOTS + 1,
            Fault::TooManySlots,
        ),
        (
            |program| {
                let position = Position {
                    file: 3,
                    line: 1,
                    column: 1,
                };
                program.functions[0].positions.push((0, position));
            },
            Fault::File,
        ),
    ];
    for (change, expected) in changes {
        let mut program = valid.clone();
        change(&mut program);
        assert_eq!(
            verify(&mut program).map_err(|error| error.fault),
            Err(expected)
        );
    }
}

#[test]
fn bodies_may_be_absent_in_images_only() {
    let mut program = main_with(counting).expect("valid");
    program.functions[0].code.clear();
    program.functions[0].loops = 0;
    assert_eq!(
        verify(&mut program).map_err(|error| error.fault),
        Err(Fault::NoBody)
    );
    assert_eq!(verify_image(&mut program), Ok(()));
    assert_eq!(
        program.functions[0].max_stack, 2,
        "native callers may still ask for it"
    );
}

#[test]
fn thousands_of_slots_and_joins_are_quick() {
    let result = main_with(|code| {
        let first = code.slots(20_000);
        for slot in first..first + 20_000 {
            let skip = code.label();
            ops(
                code,
                &[Op::Int { value: 0 }, Op::StoreLocal { slot }, Op::True {}],
            );
            code.jump(Op::JumpIfFalse { to: 0 }, skip);
            ops(code, &[Op::MoveLocal { slot }, Op::StoreLocal { slot }]);
            code.bind(skip);
        }
        ops(code, &[NULL, RETURN]);
    });
    assert!(result.is_ok());
}

#[test]
fn messages_name_the_place() {
    let result = main_with(|code| ops(code, &[Op::LoadLocal { slot: 4 }, RETURN]));
    let message = std::format!("{}", result.expect_err("no such slot"));
    assert_eq!(
        message,
        "invalid bytecode: function 0: instruction 0 LoadLocal: there is no such slot"
    );
    let mut empty = Program::default();
    let message = std::format!("{}", verify(&mut empty).expect_err("no names"));
    assert_eq!(
        message,
        "invalid bytecode: the table of names does not start with the well-known ones"
    );
}
