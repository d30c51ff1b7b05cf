//! THE table of instructions: name, operands, stack effect, properties, meaning.
//!
//! Everything that must cover every instruction is expanded from it or holds
//! one exhaustive `match`: the enum, mnemonics, encoder, decoder, disassembler,
//! verifier, interpreter and translator.
//!
//! An instruction owns what it pops.  "Raises" means that it may leave an
//! error pending instead of pushing; control then goes to the innermost
//! handler around it, or out of the function.

/// Calls `$then!` with every row:
/// `/// doc  Name { operand: Type, … } (pops -> pushes) [properties];`
/// Pops and pushes are expressions over the operands and over the program, whose
/// name in the expansion is the second argument.
#[macro_export]
macro_rules! for_each_op {
    ($then:ident, $program:ident) => {
        $then! {
            ($program)

            // ---- constants
            /// Push null.
            Null {} (0 -> 1) [];
            /// Push true.
            True {} (0 -> 1) [];
            /// Push false.
            False {} (0 -> 1) [];
            /// Push a small int.
            Int { value: i32 } (0 -> 1) [];
            /// Push an entry of the constant table.
            Constant { index: u32 } (0 -> 1) [];
            /// Push the one function object of a declared function that captures nothing.
            Function { func: u32 } (0 -> 1) [];
            /// Push a built-in function.
            Builtin { builtin: u32 } (0 -> 1) [];
            /// Push the function object that is running.  Only in functions made by `MakeClosure`;
            /// it lets them call themselves without being captured by their own variable.
            Callee {} (0 -> 1) [];

            // ---- the operand stack
            /// Drop the top.
            Pop {} (1 -> 0) [];
            /// Push a copy of the top.
            Dup {} (1 -> 2) [];

            // ---- variables.  A slot holds a plain value, or a cell if the variable is
            // captured by reference.  Which one is fixed per slot.
            /// Push a copy of a local's value.
            LoadLocal { slot: u32 } (0 -> 1) [];
            /// Push a local's value and leave the local unset: its last use.
            MoveLocal { slot: u32 } (0 -> 1) [];
            /// Pop into a local.
            StoreLocal { slot: u32 } (1 -> 0) [];
            /// Drop whatever the slot holds (a cell included); it is unset then.
            ClearLocal { slot: u32 } (0 -> 0) [];
            /// Put a fresh cell, its variable unset, into the slot.
            NewCell { slot: u32 } (0 -> 0) [];
            /// Wrap the slot's plain value (a parameter) in a fresh cell.
            BoxLocal { slot: u32 } (0 -> 0) [];
            /// Push a copy of the variable in the slot's cell.
            LoadCell { slot: u32 } (0 -> 1) [];
            /// Pop into the variable in the slot's cell.
            StoreCell { slot: u32 } (1 -> 0) [];
            /// Push a copy of a value captured by value.
            LoadCapture { index: u32 } (0 -> 1) [];
            /// Push a copy of the variable in a captured cell.
            LoadCaptureCell { index: u32 } (0 -> 1) [];
            /// Pop into the variable in a captured cell.
            StoreCaptureCell { index: u32 } (1 -> 0) [];
            /// Push a copy of a global.
            LoadGlobal { global: u32 } (0 -> 1) [];
            /// Pop into a global.
            StoreGlobal { global: u32 } (1 -> 0) [];
            /// Jump if the variable is unset.
            JumpIfUnset { var: Var, to: u32 } (0 -> 0) [branches];

            // ---- operators.  Operands: left below right.
            Add {} (2 -> 1) [raises];
            Subtract {} (2 -> 1) [raises];
            Multiply {} (2 -> 1) [raises];
            Divide {} (2 -> 1) [raises];
            Remainder {} (2 -> 1) [raises];
            Equal {} (2 -> 1) [raises];
            NotEqual {} (2 -> 1) [raises];
            Less {} (2 -> 1) [raises];
            LessEqual {} (2 -> 1) [raises];
            Greater {} (2 -> 1) [raises];
            GreaterEqual {} (2 -> 1) [raises];
            /// Unary `-`.
            Negate {} (1 -> 1) [raises];
            /// Unary `!`: bools and overloads only.
            Not {} (1 -> 1) [raises];
            /// Replace the top by its truthiness.
            Truthy {} (1 -> 1) [];
            /// Replace the top by the opposite of its truthiness (`not`).
            Falsy {} (1 -> 1) [];
            /// `==` as containers and patterns use it: structural, never an overload.
            SameValue {} (2 -> 1) [];
            /// Pop `b`; set the variable, which is set, to `variable operator b`, in place
            /// where nobody else sees the old value.  On an error it keeps the old one.
            Update { var: Var, operator: Operator } (1 -> 0) [raises];
            /// Pop `b`, pop `old`, the variable's value from before `b` was computed; set the
            /// variable to `old operator b`.  If the variable still holds `old`, that is done
            /// in place as for `Update`.
            UpdateFrom { var: Var, operator: Operator } (2 -> 0) [raises];

            // ---- control
            Jump { to: u32 } (0 -> 0) [branches ends];
            /// Pop; jump if falsy.
            JumpIfFalse { to: u32 } (1 -> 0) [branches];
            /// Pop; jump if truthy.
            JumpIfTrue { to: u32 } (1 -> 0) [branches];
            /// Jump with the top left in place if it is not null; otherwise drop it (`??`).
            JumpIfNotNull { to: u32 } (1 -> 0 | 1) [branches];
            /// Jump if the top is null; it stays either way (`?.`).
            JumpIfNull { to: u32 } (1 -> 1 | 1) [branches];
            /// `Ok(v)` and `Some(v)`: replace the top by `v` and jump.  `Err` and `None`:
            /// go on with the top left in place (the code after it returns it).  Anything
            /// else raises.
            JumpIfUnwrapped { to: u32 } (1 -> 1 | 1) [branches raises];
            /// The head of a loop: only jumped to from inside the loop and fallen into once.
            /// Its operand is the loop's number in the function.
            LoopHead { number: u32 } (0 -> 0) [];
            /// Return the top to the caller.
            Return {} (1 -> 0) [ends];
            /// Pop the final `self` of a method that changed it; the caller stores it back.
            /// Directly before the operand of `Return` is computed or returned.
            StoreSelfResult {} (1 -> 0) [];

            // ---- calls
            /// Call a value: callee below `argc` arguments.
            Call { argc: u32 } (argc + 1 -> 1) [raises runs];
            /// Call a declared function that captures nothing; `argc` is its number of
            /// parameters.
            CallFunction { func: u32, argc: u32 } (argc -> 1) [raises runs];
            /// Call a built-in with `argc` arguments.
            CallBuiltin { builtin: u32, argc: u32 } (argc -> 1) [raises runs];
            /// Call a C function with its arguments.
            CallForeign { site: u32 } ($program.foreign_sites[site as usize].params.len() as u32 -> 1) [raises];
            /// Call a value with spread or named arguments: callee below one value per
            /// argument as written.
            CallWith { site: u32 } ($program.call_sites[site as usize].args.len() as u32 + 1 -> 1) [raises runs];
            /// Call a method; see `MethodSite` for what is on the stack.
            CallMethod { site: u32 } ($program.method_sites[site as usize].pops($program) -> 1) [raises runs];
            /// Replace the value of a place by that of a built-in called with it (`x = push(x, e)`);
            /// see `BuiltinSite` for what is on the stack.  On an error the place keeps its value.
            Mutate { site: u32 } ($program.builtin_sites[site as usize].pops($program) -> 0) [raises runs];

            // ---- data
            /// Make an array of the top `count` values.
            MakeArray { count: u32 } (count -> 1) [raises];
            /// Append the top to the array below it.
            ArrayPush {} (2 -> 1) [raises];
            /// Append the elements of the array on top to the array below it.
            ArrayExtend {} (2 -> 1) [raises];
            /// Make a dict of the top `count` pairs of key and value.
            MakeDict { count: u32 } (count * 2 -> 1) [raises];
            /// Set a key: dict, key, value.
            DictInsert {} (3 -> 1) [raises];
            /// Set all keys of the dict on top in the dict below it.
            DictExtend {} (2 -> 1) [raises];
            /// Make a struct; see `StructSite`.
            MakeStruct { site: u32 } ($program.struct_sites[site as usize].pops() -> 1) [raises runs];
            /// Make a variant with the top `count` values as payload.
            MakeVariant { site: u32, count: u32 } (count -> 1) [raises];
            /// Make a function object; its captures are taken as the function's table says.
            MakeClosure { func: u32 } (0 -> 1) [];
            /// Make a struct declaration's value of its methods' function values, in order,
            /// and then those of its defaults.
            MakeStructDef { declaration: u32 } ($program.structs[declaration as usize].pops() -> 1) [];
            /// Make an enum declaration's value.
            MakeEnumDef { name: u32 } (0 -> 1) [];
            /// Join the display forms of the top `count` values.
            Interpolate { count: u32 } (count -> 1) [raises];

            // ---- access
            /// `object[index]`.
            Index {} (2 -> 1) [raises];
            /// `object.name`.
            Field { name: u32 } (1 -> 1) [raises];
            /// `object?.name` of an object that is not null.
            OptionalField { name: u32 } (1 -> 1) [];
            /// A receiver's field as a variable: unset if it has none (or is no struct).
            FieldOrUnset { name: u32 } (1 -> 1) [];
            /// Assign through a path: the value, below the path's indexes.
            StorePath { path: u32 } ($program.paths[path as usize].indexes() + 1 -> 0) [raises];
            /// Push the value at a path; its indexes stay on the stack.
            ReadPath { path: u32 } ($program.paths[path as usize].indexes() -> $program.paths[path as usize].indexes() + 1) [raises];
            /// Assign through a path: the value, above the path's indexes.
            StorePathUnder { path: u32 } ($program.paths[path as usize].indexes() + 1 -> 0) [raises];
            /// Pop `b` and the indexes below it; set the place to `place operator b`, in
            /// place where nobody else sees the old value.
            UpdatePath { path: u32, operator: Operator } ($program.paths[path as usize].indexes() + 1 -> 0) [raises runs];

            // ---- patterns: each replaces the top
            /// The element at a position, or null (anything but an array has none).
            ElementOrNull { index: u32 } (1 -> 1) [];
            /// An array of the elements from a position on.
            ArrayRest { from: u32 } (1 -> 1) [];
            /// A dict's or struct's entry, or null.
            FieldOrNull { name: u32 } (1 -> 1) [];
            /// A dict of the entries whose keys are not in the list.
            DictRest { list: u32 } (1 -> 1) [];
            /// Whether it is an array of this length.
            TestArray { len: u32 } (1 -> 1) [];
            /// Whether it is an array of at least this length.
            TestArrayMin { len: u32 } (1 -> 1) [];
            /// Whether it is that variant (an empty enum name matches any enum).
            TestVariant { site: u32 } (1 -> 1) [];
            /// Whether it is the string with this spelling, or an enum value with this variant.
            TestName { name: u32 } (1 -> 1) [];
            /// Whether it is a dict or struct that has this entry.
            TestField { name: u32 } (1 -> 1) [];
            /// The payload at a position, or null, of what was found to be that variant.
            VariantPayload { site: u32, index: u32 } (1 -> 1) [];

            // ---- iteration
            /// Pop an iterable and prepare a loop over it in the hidden locals `slot`
            /// (source) and `slot + 1` (position).
            IterStart { slot: u32 } (1 -> 0) [raises runs];
            /// Push the next element, or jump.
            IterNext { slot: u32, to: u32 } (0 -> 1 | 0) [branches raises runs];
            /// Pop `range`'s `argc` arguments and prepare a loop in the hidden locals `slot`
            /// (next), `slot + 1` (end) and `slot + 2` (step), all ints.
            RangeStart { slot: u32, argc: u32 } (argc -> 0) [raises];
            /// Push the next int, or jump.
            RangeNext { slot: u32, to: u32 } (0 -> 1 | 0) [branches];

            // ---- errors
            /// Raise the top.
            Throw {} (1 -> 0) [raises ends];
            /// Raise a runtime error with this constant as message.
            Raise { message: u32 } (0 -> 0) [raises ends];
            /// First in a handler: push the Error struct of the error that led here.
            Catch {} (0 -> 1) [raises];

            // ---- generators and concurrency
            /// Hand the top to the consumer; null is pushed when it asks again.
            Yield {} (1 -> 1) [raises runs];
            /// Wait for a promise; anything else stays as it is.
            Await {} (1 -> 1) [raises runs];
            /// Pop a function value without parameters and run it on another thread.
            Spawn {} (1 -> 0) [raises];

            // ---- modules
            /// Run a module unless that was done.
            Import { module: u32 } (0 -> 0) [raises runs];
        }
    };
}

/// Which kind of variable a `Var` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarKind {
    /// A plain value in a slot.
    Local,
    /// The variable in a slot's cell.
    Cell,
    /// The variable in a captured cell.
    Capture,
    /// A global.
    Global,
}

/// A variable: its kind and its number, in one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Var(pub u32);

impl Var {
    const SHIFT: u32 = 30;
    /// Numbers must be below this.
    pub const LIMIT: u32 = 1 << Var::SHIFT;

    pub const fn new(kind: VarKind, number: u32) -> Var {
        assert!(number < Var::LIMIT);
        let kind = match kind {
            VarKind::Local => 0,
            VarKind::Cell => 1,
            VarKind::Capture => 2,
            VarKind::Global => 3,
        };
        Var(kind << Var::SHIFT | number)
    }

    #[inline(always)]
    pub const fn kind(self) -> VarKind {
        match self.0 >> Var::SHIFT {
            0 => VarKind::Local,
            1 => VarKind::Cell,
            2 => VarKind::Capture,
            _ => VarKind::Global,
        }
    }

    /// The slot, capture or global.
    #[inline(always)]
    pub const fn number(self) -> u32 {
        self.0 & (Var::LIMIT - 1)
    }
}

impl core::fmt::Debug for Var {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let kind = match self.kind() {
            VarKind::Local => "local",
            VarKind::Cell => "cell",
            VarKind::Capture => "capture",
            VarKind::Global => "global",
        };
        write!(out, "{kind}:{}", self.number())
    }
}

/// The operators that compound assignment knows.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add = 0,
    Subtract = 1,
    Multiply = 2,
    Divide = 3,
    Remainder = 4,
}

impl Operator {
    pub const ALL: [Operator; 5] = [
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Remainder,
    ];
}

macro_rules! define_ops {
    (($program:ident) $($(#[$doc:meta])* $name:ident { $($operand:ident: $type:ty),* } ($($effect:tt)*) [$($property:ident)*];)*) => {
        /// An instruction with its operands.  Jump targets are indexes into the
        /// function's code; all other operands index the program's tables.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Op {
            $($(#[$doc])* $name { $($operand: $type),* },)*
        }

        impl Op {
            /// The mnemonic.
            pub const fn name(&self) -> &'static str {
                match self { $(Op::$name { .. } => stringify!($name),)* }
            }

            /// Whether an error may come out of it.
            pub const fn raises(&self) -> bool {
                match self { $(Op::$name { .. } => define_ops!(@has raises $($property)*),)* }
            }

            /// Whether it may run Ruff code (so that globals and cells may change).
            pub const fn runs_code(&self) -> bool {
                match self { $(Op::$name { .. } => define_ops!(@has runs $($property)*),)* }
            }

            /// Whether control never goes on to the next instruction.
            pub const fn ends(&self) -> bool {
                match self { $(Op::$name { .. } => define_ops!(@has ends $($property)*),)* }
            }
        }
    };
    (@has $wanted:ident) => { false };
    (@has raises raises $($rest:ident)*) => { true };
    (@has runs runs $($rest:ident)*) => { true };
    (@has ends ends $($rest:ident)*) => { true };
    (@has $wanted:ident $other:ident $($rest:ident)*) => { define_ops!(@has $wanted $($rest)*) };
}
for_each_op!(define_ops, program);

const _: () = assert!(core::mem::size_of::<Op>() == 12);

/// What an instruction does to the operand stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    pub pops: u32,
    /// Pushed when control goes on to the next instruction.
    pub pushes: u32,
    /// Pushed when it jumps.
    pub pushes_at_target: u32,
}

macro_rules! define_effects {
    (($program:ident) $($(#[$doc:meta])* $name:ident { $($operand:ident: $type:ty),* } ($($effect:tt)*) [$($property:ident)*];)*) => {
        impl Op {
            /// The stack effect.  The tables that the operands index must hold them.
            pub fn effect(&self, $program: &super::Program) -> Effect {
                let _ = $program;
                match *self {
                    $(Op::$name { $($operand),* } => {
                        $(let _ = $operand;)*
                        effect!($($effect)*)
                    })*
                }
            }

            /// The jump target, if it may jump.
            pub const fn target(&self) -> Option<u32> {
                match *self {
                    Op::Jump { to } | Op::JumpIfFalse { to } | Op::JumpIfTrue { to }
                    | Op::JumpIfNotNull { to } | Op::JumpIfNull { to } | Op::JumpIfUnwrapped { to }
                    | Op::JumpIfUnset { to, .. } | Op::IterNext { to, .. } | Op::RangeNext { to, .. } => Some(to),
                    _ => None,
                }
            }

            /// Changes the jump target.
            ///
            /// # Panics
            /// If the instruction has none.
            pub fn set_target(&mut self, target: u32) {
                match self {
                    Op::Jump { to } | Op::JumpIfFalse { to } | Op::JumpIfTrue { to }
                    | Op::JumpIfNotNull { to } | Op::JumpIfNull { to } | Op::JumpIfUnwrapped { to }
                    | Op::JumpIfUnset { to, .. } | Op::IterNext { to, .. } | Op::RangeNext { to, .. } => *to = target,
                    other => panic!("{} does not jump", other.name()),
                }
            }
        }
    };
}

/// Reads the effect column: `pops -> pushes` or `pops -> pushes | pushes at target`.
macro_rules! effect {
    (@munch [$($pops:tt)*] -> $($rest:tt)*) => { effect!(@pushes [$($pops)*] [] $($rest)*) };
    (@munch [$($pops:tt)*] $next:tt $($rest:tt)*) => { effect!(@munch [$($pops)* $next] $($rest)*) };
    (@pushes [$($pops:tt)*] [$($pushes:tt)*] | $($target:tt)*) => {
        Effect { pops: $($pops)*, pushes: $($pushes)*, pushes_at_target: $($target)* }
    };
    (@pushes [$($pops:tt)*] [$($pushes:tt)*] $next:tt $($rest:tt)*) => {
        effect!(@pushes [$($pops)*] [$($pushes)* $next] $($rest)*)
    };
    (@pushes [$($pops:tt)*] [$($pushes:tt)*]) => {
        Effect { pops: $($pops)*, pushes: $($pushes)*, pushes_at_target: $($pushes)* }
    };
    ($($all:tt)*) => { effect!(@munch [] $($all)*) };
}
for_each_op!(define_effects, program);
