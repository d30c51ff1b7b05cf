//! From a decision to what is said about it.

use super::code::Variable;
use super::{Kind, Known, Note, hints, words};
use crate::codegen::decision::{Decision, Form, Kept, Record};
use crate::infer::{Tags, Type};
use ruff_runtime::bytecode::{FunctionId, Op, Step};
use ruff_runtime::value::Tag;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// The notes for all decisions, in no order.
pub fn all(known: &Known, records: &[Record]) -> Vec<Note> {
    let mut dissolved = FxHashSet::default();
    let mut inlined = FxHashSet::default();
    for record in records {
        match record.decision {
            Decision::Dissolved { callee } => {
                dissolved.insert(callee);
            }
            Decision::Inlined { callee } => {
                inlined.insert((record.func, record.pc, callee));
            }
            _ => {}
        }
    }
    let mut notes = Vec::new();
    let mut params: BTreeMap<FunctionId, Vec<(u32, Form)>> = BTreeMap::new();
    for record in records {
        // A generator that is part of a loop is what its body is told about.
        if record.is_resumed && dissolved.contains(&record.func) {
            continue;
        }
        let function = &known.program.functions[record.func as usize];
        match record.decision {
            Decision::Held { slot, form } if (slot as usize) < function.info.params.len() => {
                params.entry(record.func).or_default().push((slot, form));
            }
            // What becomes of it is known by name.
            Decision::Direct { callee } | Decision::Kept { callee, .. }
                if inlined.contains(&(record.func, record.pc, callee)) => {}
            _ => notes.extend(note(known, record)),
        }
    }
    for (func, params) in params {
        notes.extend(signature(known, func, &params));
    }
    notes
}

/// What is said about an instruction.
struct Saying {
    kind: Kind,
    text: String,
    why: Option<String>,
    hint: Option<String>,
}

impl Saying {
    fn fast(kind: Kind, text: impl Into<String>) -> Option<Saying> {
        Some(Saying {
            kind,
            text: text.into(),
            why: None,
            hint: None,
        })
    }

    fn slow(kind: Kind, text: String, why: Option<String>, hint: Option<String>) -> Option<Saying> {
        Some(Saying {
            kind,
            text,
            why,
            hint,
        })
    }
}

fn note(known: &Known, record: &Record) -> Option<Note> {
    let (func, mut pc) = (record.func, record.pc);
    let mut loops = known.sites.around(func, pc);
    if let Decision::Held { slot, .. } = record.decision {
        (pc, loops) = *known.variables.uses.get(&(func, slot))?;
    }
    let at = known.program.position(func, pc)?;
    let saying = say(known, record, pc)?;
    Some(Note {
        file: at.file,
        line: at.line,
        column: at.column,
        function: known.program.functions[func as usize].info.name.clone(),
        kind: saying.kind,
        text: saying.text,
        why: saying.why,
        hint: saying.hint,
        loops,
    })
}

fn say(known: &Known, record: &Record, stored: u32) -> Option<Saying> {
    let (func, pc) = (record.func, record.pc);
    let op = known.program.functions[func as usize].code[pc as usize];
    let name_of =
        |callee: FunctionId| words::function(&known.program.functions[callee as usize].info.name);
    match record.decision {
        Decision::Held { slot, form } => held(known, func, slot, form, stored),
        Decision::Numbers => Saying::fast(Kind::Unboxed, "arithmetic"),
        Decision::AsksKind | Decision::ByRuntime => dynamic(known, record, op),
        Decision::Text if matches!(op, Op::Add {}) => Saying::slow(
            Kind::Allocated,
            "`+` makes a new string".to_owned(),
            None,
            Some(hints::of_making(op)),
        ),
        Decision::Text => None,
        Decision::Viewed => {
            let array = known.operand_text(func, pc, 1)?;
            Saying::fast(Kind::Native, format!("`{array}[…]`"))
        }
        Decision::Hoisted { slot } => {
            let name = known.slot_name(func, slot)?;
            Saying::fast(Kind::Hoisted, format!("`{name}`"))
        }
        Decision::Element => Saying::fast(
            Kind::Native,
            match known.operand_text(func, pc, 1) {
                Some(container) => format!("`{container}[…]`"),
                None => "element".to_owned(),
            },
        ),
        Decision::FieldInRegister => Saying::fast(Kind::InRegisters, "fields"),
        Decision::FieldInObject => Saying::fast(Kind::Native, field(known, func, pc, op)),
        Decision::FieldIfShape => shape(known, record),
        Decision::InPlace => Saying::fast(Kind::InPlace, in_place(known, op)),
        Decision::Direct { callee } => Saying::fast(Kind::Direct, name_of(callee)),
        Decision::Inlined { callee } if callee == func => Saying::fast(
            Kind::Inlined,
            format!("{}, one round of its recursion", name_of(callee)),
        ),
        Decision::Inlined { callee } => Saying::fast(Kind::Inlined, name_of(callee)),
        Decision::Kept { callee, why } => kept(known, callee, why),
        Decision::CallsValue => calls_value(known, record, op),
        Decision::InlineBuiltin | Decision::CallsBuiltin => builtin(known, record, op),
        Decision::LoopInPlace { callee } => Saying::fast(
            Kind::LoopInPlace,
            format!("calls {}", name_of(callee)),
        ),
        Decision::Makes => makes(known, record, op),
        Decision::TakesApart => Saying::fast(
            Kind::InRegisters,
            if matches!(op, Op::MakeVariant { .. }) { "variant" } else { "struct literal" },
        ),
        Decision::MakesObject => Saying::slow(
            Kind::Allocated,
            "a struct or variant in registers becomes an object here".to_owned(),
            Some(needs_object(op).to_owned()),
            Some("pass what it holds, or keep it in variables".to_owned()),
        ),
        Decision::Shares => shares(known, record, op),
        Decision::Counts => Saying::fast(Kind::Unboxed, "loop counter"),
        Decision::Iterates => Saying::fast(Kind::Native, "loop elements"),
        Decision::IteratesByRuntime => iterates(known, func, op),
        Decision::Dissolved { callee } => Saying::fast(
            Kind::Dissolved,
            format!("generator {}", name_of(callee)),
        ),
        Decision::MakesGenerator { callee } => Saying::slow(
            Kind::Allocated,
            format!("a generator {} is made, and its variables are in memory", name_of(callee)),
            Some("it is more than the source of one loop, or its body is too large".to_owned()),
            Some("call it in the head of the loop, `for x in g(…)`: then it becomes a part of the loop".to_owned()),
        ),
        Decision::InMemory => in_memory(known, op),
    }
}

// ---- variables and functions

fn held(known: &Known, func: FunctionId, slot: u32, form: Form, pc: u32) -> Option<Saying> {
    let name = known.slot_name(func, slot)?;
    let ty = known.facts.functions[func as usize].slots[slot as usize];
    let kind = words::type_words(known.program, ty);
    match form {
        Form::Plain => Saying::fast(Kind::Unboxed, format!("`{name}`: {kind}")),
        Form::Fields => Saying::fast(Kind::InRegisters, format!("`{name}`: {kind}")),
        Form::Object => None,
        // It may only be asked whether it is set.
        Form::Tagged if !is_unclear(ty) => None,
        Form::Tagged => {
            let variable = Variable::Slot(func, slot);
            let function = &known.program.functions[func as usize];
            let is_pattern = known
                .maker(func, pc, 0)
                .is_some_and(|at| matches!(function.code[at as usize], Op::ElementOrNull { .. }));
            let (why, hint) = match is_pattern {
                true => (
                    "a pattern takes it out of an array, and gives null where there is no element"
                        .to_owned(),
                    hints::of_pattern(ty),
                ),
                false => {
                    let op = Op::StoreLocal { slot };
                    let shown = format!("`{name}`");
                    let hint = hints::of_operand(known, op, ty, &shown, Some(variable));
                    (
                        known
                            .kinds_by_place(variable, ty, known.line(func, pc))
                            .unwrap_or_default(),
                        hint,
                    )
                }
            };
            let why = Some(why).filter(|why| !why.is_empty());
            let text = format!("`{name}` can be {kind}");
            Saying::slow(Kind::Boxed, text, why, Some(hint))
        }
        Form::Cell => Saying::slow(
            Kind::InMemory,
            format!("`{name}` is in memory, since a function inside captures and changes it"),
            None,
            Some(format!(
                "work on a local copy of `{name}` in loops, or pass it as an argument"
            )),
        ),
    }
}

/// What a function takes and gives.
fn signature(known: &Known, func: FunctionId, params: &[(u32, Form)]) -> Option<Note> {
    let function = &known.program.functions[func as usize];
    let facts = &known.facts.functions[func as usize];
    if facts.escapes || facts.result.is_none() && !function.info.flags.is_generator {
        return None;
    }
    let described: Vec<String> = params
        .iter()
        .filter_map(|(slot, _)| {
            let name = known.slot_name(func, *slot)?;
            let ty = facts.slots[*slot as usize];
            Some(format!("{name}: {}", words::type_words(known.program, ty)))
        })
        .collect();
    let is_known = params.iter().any(|(_, form)| !matches!(form, Form::Tagged));
    if !is_known {
        return None;
    }
    let result = match function.info.flags.is_generator {
        true => format!("yields {}", words::type_words(known.program, facts.yields)),
        false => format!("gives {}", words::type_words(known.program, facts.result)),
    };
    let (file, line, column) = known.header(func);
    Some(Note {
        file,
        line,
        column,
        function: function.info.name.clone(),
        kind: Kind::Specialised,
        text: format!("takes ({}), {result}", described.join(", ")),
        why: None,
        hint: None,
        loops: known.sites.calls(func),
    })
}

// ---- operations on values of unknown kind

fn dynamic(known: &Known, record: &Record, op: Op) -> Option<Saying> {
    let asks = record.decision == Decision::AsksKind;
    let what = operation(known, op)?;
    let text = match asks {
        true => format!("{what} asks which kinds of values it has"),
        false => format!("{what} is done by the runtime"),
    };
    let stack = known.operands.get(&(record.func, record.pc))?;
    let here = known.line(record.func, record.pc);
    let pops = op.effect(known.program).pops as usize;
    let first = stack.len().checked_sub(pops)?;
    // The first operand whose kind is not known is the most telling.
    let unclear = stack[first..].iter().position(|ty| is_unclear(*ty));
    if let Some(position) = unclear {
        let ty = stack[first + position];
        let from_top = (pops - 1 - position) as u32;
        let name = known.operand_text(record.func, record.pc, from_top);
        let shown = name.map_or_else(|| "the value".to_owned(), |name| format!("`{name}`"));
        let variable = known.operand_variable(record.func, record.pc, from_top);
        return unclear_operand(known, text, op, ty, (&shown, variable), here);
    }
    if let Op::Update { var, .. } = op
        && let Some(variable) = known.variable(record.func, var)
        && is_unclear(known.type_of(variable))
    {
        let shown = format!("`{}`", known.variable_name(variable)?);
        let ty = known.type_of(variable);
        return unclear_operand(known, text, op, ty, (&shown, Some(variable)), here);
    }
    if let Some((why, hint)) = nested(known, record, op, &stack[first..]) {
        return Saying::slow(Kind::Dynamic, text, Some(why), Some(hint));
    }
    Saying::slow(Kind::Called, what, None, None)
}

/// What depends on the kind of an operand.
fn unclear_operand(
    known: &Known,
    text: String,
    op: Op,
    ty: Type,
    (shown, variable): (&str, Option<Variable>),
    here: u32,
) -> Option<Saying> {
    let mut why = format!("{shown} can be {}", words::type_words(known.program, ty));
    let places = variable.and_then(|variable| known.kinds_by_place(variable, ty, here));
    if let Some(places) = places {
        why = format!("{why}: {places}");
    }
    let hint = hints::of_operand(known, op, ty, shown, variable);
    Saying::slow(Kind::Dynamic, text, Some(why), Some(hint))
}

/// Why a place is not changed in place, if one can do something about it.
fn nested(known: &Known, record: &Record, op: Op, operands: &[Type]) -> Option<(String, String)> {
    let (path, value) = match op {
        Op::StorePath { path } => (path, operands.first()?),
        Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => (path, operands.last()?),
        _ => return None,
    };
    let path = &known.program.paths[path as usize];
    let root = known.type_of(known.variable(record.func, path.root)?);
    let containers = Tags::ARRAY.union(Tags::DICT).union(Tags::STRUCT);
    let fields = path.steps.iter().any(|step| matches!(step, Step::Field(_)));
    if root.is(Tags::STRUCT)
        && let Some(declaration) = root.declaration().filter(|_| fields)
        && !known.facts.structs[declaration as usize].is_regular
    {
        return Some(hints::of_struct(known, declaration));
    }
    let is_nested = value.may_be(containers) && root.may_be(Tags::ARRAY);
    is_nested.then(|| {
        (
            format!(
                "{} is stored as a whole, and how deep it is nested has to be counted",
                words::type_words(known.program, *value)
            ),
            "change what is there instead, `a[i][j] = v`".to_owned(),
        )
    })
}

fn is_unclear(ty: Type) -> bool {
    let ty = ty.without(Tags::UNSET);
    !ty.is_none() && ty.tags().single().is_none()
}

/// What an instruction is called in a sentence.
fn operation(known: &Known, op: Op) -> Option<String> {
    let name = |name: u32| &known.program.names[name as usize];
    Some(match op {
        Op::Add {} => "`+`".to_owned(),
        Op::Subtract {} => "`-`".to_owned(),
        Op::Multiply {} => "`*`".to_owned(),
        Op::Divide {} => "`/`".to_owned(),
        Op::Remainder {} => "`%`".to_owned(),
        Op::Negate {} => "`-`".to_owned(),
        Op::Equal {} => "`==`".to_owned(),
        Op::NotEqual {} => "`!=`".to_owned(),
        Op::Less {} => "`<`".to_owned(),
        Op::LessEqual {} => "`<=`".to_owned(),
        Op::Greater {} => "`>`".to_owned(),
        Op::GreaterEqual {} => "`>=`".to_owned(),
        Op::Not {} | Op::Truthy {} | Op::Falsy {} => "the condition".to_owned(),
        Op::JumpIfFalse { .. } | Op::JumpIfTrue { .. } => "the condition".to_owned(),
        Op::Index {} => "the look-up".to_owned(),
        Op::Field { name: field } | Op::OptionalField { name: field } => {
            format!("reading `.{}`", name(field))
        }
        Op::Update { .. } | Op::UpdateFrom { .. } => "the compound assignment".to_owned(),
        Op::StorePath { path } | Op::StorePathUnder { path } => {
            let path = &known.program.paths[path as usize];
            format!("the assignment to `{}`", known.path_text(path))
        }
        Op::UpdatePath { path, .. } => {
            let path = &known.program.paths[path as usize];
            format!("the change of `{}`", known.path_text(path))
        }
        Op::Mutate { site } => {
            let site = &known.program.builtin_sites[site as usize];
            let name = &known.program.builtins[site.builtin as usize];
            format!("`{name}` on `{}`", known.path_text(&site.place))
        }
        Op::CallMethod { site } => {
            let site = &known.program.method_sites[site as usize];
            format!("the call of `.{}`", name(site.name))
        }
        _ => return None,
    })
}

/// A loop that asks the runtime for each element.
fn iterates(known: &Known, func: FunctionId, op: Op) -> Option<Saying> {
    let Op::IterNext { slot, .. } = op else {
        return None;
    };
    let ty = known.type_of(Variable::Slot(func, slot));
    let source = words::type_words(known.program, ty);
    let hint = match ty.tags().single() {
        Some(Tag::Dict) => Some("loop over `keys(d)`, which is an array of strings"),
        Some(_) => None,
        None => Some("loop over an array, string, count or generator that can be nothing else"),
    };
    Saying::slow(
        Kind::Dynamic,
        "the loop asks the runtime for each element".to_owned(),
        Some(format!("what it goes over can be {source}")),
        hint.map(str::to_owned),
    )
}

fn shape(known: &Known, record: &Record) -> Option<Saying> {
    let ty = *known.operands.get(&(record.func, record.pc))?.last()?;
    let (why, hint) = hints::of_struct(known, ty.declaration()?);
    let text = "reading a field asks first whether it is where it was declared".to_owned();
    Saying::slow(Kind::Dynamic, text, Some(why), Some(hint))
}

// ---- calls

fn kept(known: &Known, callee: FunctionId, why: Kept) -> Option<Saying> {
    let function = &known.program.functions[callee as usize];
    let name = words::function(&function.info.name);
    let (why, hint) = match why {
        // Of a large function, the call is the least.
        Kept::Large | Kept::FullCaller => return None,
        Kept::Bytecode => ("it stays bytecode", None),
    };
    Saying::slow(Kind::Called, name, Some(why.to_owned()), hint)
}

fn calls_value(known: &Known, record: &Record, op: Op) -> Option<Saying> {
    let why = match op {
        Op::CallWith { .. } => "it has named or spread arguments",
        _ => "which function it is becomes known when the program runs",
    };
    let callee = match op {
        Op::Call { argc } => known.operand_text(record.func, record.pc, argc),
        _ => None,
    };
    let name = callee.map_or_else(|| "the function".to_owned(), |name| format!("`{name}`"));
    let hint = match op {
        Op::CallWith { .. } => "write the arguments one after the other",
        _ => {
            "call a declared function by its name, or give the function straight to `map`, `filter` or `reduce`"
        }
    };
    let text = format!("{name} is called with its arguments in memory");
    Saying::slow(
        Kind::Dynamic,
        text,
        Some(why.to_owned()),
        Some(hint.to_owned()),
    )
}

fn builtin(known: &Known, record: &Record, op: Op) -> Option<Saying> {
    let Op::CallBuiltin { builtin, .. } = op else {
        return None;
    };
    let name = &known.program.builtins[builtin as usize];
    if record.decision == Decision::InlineBuiltin {
        return Saying::fast(Kind::Inlined, format!("`{name}`"));
    }
    Saying::slow(Kind::Called, format!("built-in `{name}`"), None, None)
}

// ---- objects

fn makes(known: &Known, record: &Record, op: Op) -> Option<Saying> {
    let what = match op {
        // The lowering puts it in the place of the array that is popped.
        Op::MakeArray { count: 0 } if empties_a_place(known, record) => {
            return Saying::fast(Kind::InPlace, "`pop`".to_owned());
        }
        Op::MakeArray { .. } => "an array".to_owned(),
        Op::MakeDict { .. } => "a dict".to_owned(),
        // It is made once for all elements.
        Op::MakeClosure { .. } if known.loops.contains(&(record.func, record.pc + 1)) => {
            return None;
        }
        Op::MakeClosure { .. } => "a function object".to_owned(),
        Op::MakeVariant { .. } => "a variant".to_owned(),
        // What is printed or raised takes more time than making it.
        Op::Interpolate { .. } if is_told(known, record) => return None,
        Op::Interpolate { .. } => "a string".to_owned(),
        Op::MakeStruct { site } => {
            let site = &known.program.struct_sites[site as usize];
            let name = &known.program.names[site.name as usize];
            let text = format!("an object of `{name}` is made");
            let (why, hint) = match site.declaration {
                Some(declaration) => hints::of_struct(known, declaration),
                None => return Saying::slow(Kind::Allocated, text, None, None),
            };
            return Saying::slow(Kind::Allocated, text, Some(why), Some(hint));
        }
        _ => return None,
    };
    let following = known.program.functions[record.func as usize]
        .code
        .get(record.pc as usize + 1);
    let hint = match (op, following) {
        (Op::Interpolate { .. }, Some(Op::Update { .. })) => hints::of_appending(),
        _ => hints::of_making(op),
    };
    Saying::slow(Kind::Allocated, format!("{what} is made"), None, Some(hint))
}

/// Whether an instruction makes what a place holds while its array is popped.
fn empties_a_place(known: &Known, record: &Record) -> bool {
    let code = &known.program.functions[record.func as usize].code;
    let before = &code[..record.pc as usize];
    matches!(
        before,
        [.., Op::TestArrayMin { len: 0 }, Op::JumpIfFalse { .. }]
    )
}

/// Whether a text is made only to be printed or raised.
fn is_told(known: &Known, record: &Record) -> bool {
    let code = &known.program.functions[record.func as usize].code;
    match code[record.pc as usize + 1] {
        Op::Throw {} | Op::MakeVariant { .. } => true,
        Op::CallBuiltin { builtin, .. } => {
            let name = &*known.program.builtins[builtin as usize];
            matches!(name, "print" | "error" | "throw" | "panic")
        }
        _ => false,
    }
}

/// What wants an object of a struct.
fn needs_object(op: Op) -> &'static str {
    match op {
        Op::MakeArray { .. } | Op::ArrayPush {} | Op::Mutate { .. } => "arrays hold objects",
        Op::MakeDict { .. } | Op::DictInsert {} => "dicts hold objects",
        Op::StorePath { .. } | Op::StorePathUnder { .. } => "what it is stored in holds objects",
        Op::Interpolate { .. } | Op::CallBuiltin { .. } => "the runtime wants an object",
        Op::StoreGlobal { .. } | Op::StoreCell { .. } | Op::StoreCaptureCell { .. } => {
            "variables that functions share are in memory"
        }
        Op::OptionalField { .. } => "`?.` looks at objects",
        Op::Return {} => "the result is not always such a struct",
        _ => "values of unknown kind are objects",
    }
}

fn shares(known: &Known, record: &Record, op: Op) -> Option<Saying> {
    let (func, pc) = (record.func, record.pc);
    let stack = known.operands.get(&(func, pc))?;
    let pops = op.effect(known.program).pops as usize;
    let containers = Tags::ARRAY.union(Tags::DICT).union(Tags::STRUCT);
    let operand = (0..pops.min(stack.len()))
        .find(|from_top| stack[stack.len() - 1 - from_top].is(containers))?;
    let name = known.operand_text(func, pc, operand as u32);
    let shown = name.map_or_else(|| "a value".to_owned(), |name| format!("`{name}`"));
    let from = known.operand_variable(func, pc, operand as u32);
    let is_changed = |variable| match variable {
        Variable::Slot(func, slot) => known.variables.changed.contains(&(func, slot)),
        Variable::Global(_) => true,
    };
    match op {
        Op::StoreLocal { slot } | Op::StoreCell { slot }
            if is_changed(Variable::Slot(func, slot)) || from.is_some_and(is_changed) =>
        {
            let to = known.slot_name(func, slot)?;
            Saying::slow(
                Kind::Copied,
                format!("{shown} and `{to}` are the same until one is changed, which copies it"),
                Some("both are used later".to_owned()),
                Some(
                    "if only elements differ, write them into an array that is there already"
                        .to_owned(),
                ),
            )
        }
        _ => Saying::slow(Kind::Counted, shown, None, None),
    }
}

fn field(known: &Known, func: FunctionId, pc: u32, op: Op) -> String {
    let Op::Field { name } = op else {
        return "field".to_owned();
    };
    let name = &known.program.names[name as usize];
    match known.operand_text(func, pc, 0) {
        Some(object) => format!("`{object}.{name}`"),
        None => format!("`.{name}`"),
    }
}

fn in_place(known: &Known, op: Op) -> String {
    let place = match op {
        Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
            Some(known.path_text(&known.program.paths[path as usize]))
        }
        Op::Mutate { site } => {
            Some(known.path_text(&known.program.builtin_sites[site as usize].place))
        }
        Op::CallMethod { site } => {
            let place = known.program.method_sites[site as usize].place.as_ref();
            place.map(|place| known.path_text(place))
        }
        _ => None,
    };
    match place {
        Some(place) => format!("`{place}`"),
        None => "text is appended".to_owned(),
    }
}

fn in_memory(known: &Known, op: Op) -> Option<Saying> {
    let (Op::LoadGlobal { global } | Op::StoreGlobal { global }) = op else {
        return None;
    };
    // Functions, structs and the like are found there once and for all.
    let ty = known.facts.globals[global as usize];
    let values = Tags::NUMBER.union(Tags::BOOL).union(Tags::STRING);
    let values = values
        .union(Tags::ARRAY)
        .union(Tags::DICT)
        .union(Tags::UNSET);
    if !ty.is(values) {
        return None;
    }
    let name = &known.program.names[known.program.globals[global as usize] as usize];
    Saying::slow(
        Kind::InMemory,
        format!("`{name}` is in memory, since functions share it"),
        None,
        Some(format!(
            "copy `{name}` to a local variable before the loop, or pass it as an argument"
        )),
    )
}
