//! What generated code calls and where it finds things.
//!
//! `helpers!` is THE table: symbol, parameters, result, effects.  From it come
//! the check of the `extern "C"` definitions, the compiler's signatures, the
//! JIT's addresses and the list of symbols that an object may import.
//!
//! Every word of a signature is 64 bits, so a row means the same on every
//! target.  A `Value` parameter is two words: tag and payload.

pub mod access;
pub mod calls;
pub mod counting;
pub mod data;
pub mod entry;
pub mod errors;
pub mod foreign;
pub mod iteration;
pub mod operators;
pub mod suspend;
pub mod variables;

use crate::context::{TraceEntry, VMContext};
use crate::heap::{Dict, Function, Header, Str};
use crate::host::{HostContext, call, context};
use crate::value::{RawValue, Value};

/// The version of everything in this room that generated code relies on.
/// Raise it when a row, a layout or a convention changes.
pub const ABI_VERSION: u32 = 13;

/// The class of one machine word in a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Int,
    Float,
}

/// What a helper returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    Nothing,
    Word,
    Float,
    /// The two words of a value; the caller owns it.
    Value,
}

/// How a helper says that it has left an error pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raises {
    Never,
    /// The result's tag is `RAISED`, or the result word is not 0.
    Sometimes,
    /// Whenever it returns.
    Always,
}

/// A row of the table, as the compiler sees it.
#[derive(Clone, Copy, Debug)]
pub struct HelperRow {
    pub symbol: &'static str,
    pub params: &'static [Word],
    pub returns: Returns,
    pub raises: Raises,
    /// It may run Ruff code: `ctx.trace_top` must be set, and globals and
    /// cells may have changed afterwards.
    pub runs_code: bool,
}

trait ParamWord {
    const WORD: Word;
}
impl ParamWord for u64 {
    const WORD: Word = Word::Int;
}
impl ParamWord for i64 {
    const WORD: Word = Word::Int;
}
impl ParamWord for f64 {
    const WORD: Word = Word::Float;
}
impl<T> ParamWord for *mut T {
    const WORD: Word = Word::Int;
}
impl<T> ParamWord for *const T {
    const WORD: Word = Word::Int;
}

trait ResultWords {
    const RETURNS: Returns;
}
impl ResultWords for () {
    const RETURNS: Returns = Returns::Nothing;
}
impl ResultWords for u64 {
    const RETURNS: Returns = Returns::Word;
}
impl<T> ResultWords for *mut T {
    const RETURNS: Returns = Returns::Word;
}
impl ResultWords for f64 {
    const RETURNS: Returns = Returns::Float;
}
impl ResultWords for RawValue {
    const RETURNS: Returns = Returns::Value;
}

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident = $module:ident::$symbol:ident($($param:ident: $type:ty),* $(,)?) $(-> $result:ty)?, [$($effect:ident)*];)*) => {
        /// A function that generated code may call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Helper {
            $($(#[$doc])* $name,)*
        }

        impl Helper {
            /// All helpers, in the order of the table.
            pub const ALL: &[Helper] = &[$(Helper::$name),*];

            /// The helper's row.
            pub const fn row(self) -> HelperRow {
                match self {
                    $(Helper::$name => HelperRow {
                        symbol: stringify!($symbol),
                        params: &[$(<$type as ParamWord>::WORD),*],
                        returns: <helpers!(@result $($result)?) as ResultWords>::RETURNS,
                        raises: helpers!(@raises $($effect)*),
                        runs_code: helpers!(@runs $($effect)*),
                    },)*
                }
            }

            /// Where the helper is in this process, for the JIT.
            pub fn address(self) -> *const u8 {
                match self {
                    // The binding makes a definition with another signature an error.
                    $(Helper::$name => {
                        let function: unsafe extern "C" fn($($type),*) $(-> $result)? = $module::$symbol;
                        function as *const u8
                    })*
                }
            }
        }
    };
    (@result) => { () };
    (@result $result:ty) => { $result };
    (@raises) => { Raises::Never };
    (@raises raises $($rest:ident)*) => { Raises::Sometimes };
    (@raises always_raises $($rest:ident)*) => { Raises::Always };
    (@raises $other:ident $($rest:ident)*) => { helpers!(@raises $($rest)*) };
    (@runs) => { false };
    (@runs runs $($rest:ident)*) => { true };
    (@runs $other:ident $($rest:ident)*) => { helpers!(@runs $($rest)*) };
}

helpers! {
    // ---- counting
    /// Gives an owner's count of an object back, if there is one; the last one frees it.
    Release = counting::ruff_rt_release(object: *mut Header), [];
    /// Gives back whatever a dynamic value owns.
    ReleaseValue = counting::ruff_rt_release_value(tag: u64, payload: u64), [];
    /// Gives back `count` values in memory.
    ReleaseValues = counting::ruff_rt_release_values(values: *mut Value, count: u64), [];

    // ---- operators.  Arithmetic takes its operands over; comparisons borrow them.
    Add = operators::ruff_rt_add(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Subtract = operators::ruff_rt_subtract(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Multiply = operators::ruff_rt_multiply(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Divide = operators::ruff_rt_divide(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Remainder = operators::ruff_rt_remainder(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Equal = operators::ruff_rt_equal(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    NotEqual = operators::ruff_rt_not_equal(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Less = operators::ruff_rt_less(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    LessEqual = operators::ruff_rt_less_equal(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    Greater = operators::ruff_rt_greater(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    GreaterEqual = operators::ruff_rt_greater_equal(ctx: *mut VMContext, left_tag: u64, left: u64, right_tag: u64, right: u64) -> RawValue, [raises runs];
    /// Unary `-`; takes its operand over.
    Negate = operators::ruff_rt_negate(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue, [raises runs];
    /// Unary `!`; takes its operand over.
    Not = operators::ruff_rt_not(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue, [raises runs];
    /// Truthiness of a borrowed value, 0 or 1.
    Truthy = operators::ruff_rt_truthy(tag: u64, payload: u64) -> u64, [];
    /// Structural equality of borrowed values, 0 or 1.
    SameValue = operators::ruff_rt_same_value(left_tag: u64, left: u64, right_tag: u64, right: u64) -> u64, [];
    /// Whether two borrowed strings have the same text, 0 or 1.
    SameText = operators::ruff_rt_same_text(left: u64, right: u64) -> u64, [];
    /// The character at which a string first occurs in another one; -1 if it doesn't.
    IndexOfText = operators::ruff_rt_index_of_text(text: *const Str, needle: *const Str) -> u64, [];
    /// `left + right` of two strings; takes `left` over and borrows `right`.
    AppendText = operators::ruff_rt_append_text(left: *mut Str, right: *const Str) -> *mut Str, [];
    /// The same, with room for a word behind it.
    GrowText = operators::ruff_rt_grow_text(left: *mut Str, right: *const Str) -> *mut Str, [];
    /// The decimal text of an int.
    IntText = operators::ruff_rt_int_text(number: i64) -> *mut Str, [];
    /// `left + right` of two borrowed strings.
    JoinTexts = operators::ruff_rt_join_texts(left: *const Str, right: *const Str) -> *mut Str, [];
    /// C's `fmod`.
    FloatRemainder = operators::ruff_rt_float_remainder(left: f64, right: f64) -> f64, [];
    /// `place = place operator right`, with the place left alone on an error; takes `right` over.
    Update = operators::ruff_rt_update(ctx: *mut VMContext, place: *mut Value, operator: u64, tag: u64, payload: u64) -> u64, [raises runs];
    /// As `Update`, from the place's `old` value; takes both over.
    UpdateFrom = operators::ruff_rt_update_from(ctx: *mut VMContext, place: *mut Value, operator: u64, old_tag: u64, old: u64, tag: u64, payload: u64) -> u64, [raises runs];

    // ---- calls.  Values in memory are taken over.
    /// Calls `values[0]` with the `argc` values behind it.
    Call = calls::ruff_rt_call(ctx: *mut VMContext, values: *mut Value, argc: u64) -> RawValue, [raises runs];
    /// A call site with spread or named arguments: callee, then the values as written.
    CallWith = calls::ruff_rt_call_with(ctx: *mut VMContext, site: u64, values: *mut Value) -> RawValue, [raises runs];
    CallBuiltin = calls::ruff_rt_call_builtin(ctx: *mut VMContext, builtin: u64, args: *mut Value, argc: u64) -> RawValue, [raises runs];
    /// A method call; `root` is the place's variable or null.
    CallMethod = calls::ruff_rt_call_method(ctx: *mut VMContext, site: u64, root: *mut Value, values: *mut Value) -> RawValue, [raises runs];
    /// `place = builtin(place, …)`; `root` is the place's variable.
    Mutate = calls::ruff_rt_mutate(ctx: *mut VMContext, site: u64, root: *mut Value, values: *mut Value) -> u64, [raises runs];
    /// `place = push(place, value)`; takes the value over.
    Push = calls::ruff_rt_push(ctx: *mut VMContext, place: *mut Value, tag: u64, payload: u64) -> u64, [raises];
    /// Raises the error for a function that would be nested too deep.
    DepthExceeded = calls::ruff_rt_depth_exceeded(ctx: *mut VMContext, func: u64), [always_raises];
    /// Runs an interpreted function; the entry of functions kept as bytecode.
    Await = calls::ruff_rt_await(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue, [raises runs];
    Spawn = calls::ruff_rt_spawn(ctx: *mut VMContext, tag: u64, payload: u64) -> u64, [raises];
    /// Stores a method's final `self`, taken over, at the site's place; the indexes in
    /// memory are borrowed.
    StoreReceiver = calls::ruff_rt_store_receiver(ctx: *mut VMContext, site: u64, root: *mut Value, indexes: *mut Value, tag: u64, payload: u64) -> u64, [raises];
    /// Changes what is at `place` by a built-in's method form with one argument, which
    /// is taken over.
    ChangeByBuiltin = calls::ruff_rt_change_by_builtin(ctx: *mut VMContext, builtin: u64, place: *mut Value, argument: *mut Value) -> RawValue, [raises];
    /// Runs a module unless that was done.
    Import = calls::ruff_rt_import(ctx: *mut VMContext, module: u64) -> u64, [raises runs];

    // ---- data.  Values in memory are taken over.
    /// An empty array of a kind of elements, with room for some.
    NewArray = data::ruff_rt_new_array(elements: u64, room: u64) -> u64, [];
    /// An empty array with room for flat structs of a declaration that captures
    /// nothing, whose fields have these tags, a byte each.
    NewStructs = data::ruff_rt_new_structs(ctx: *mut VMContext, declaration: u64, tags: u64, room: u64) -> u64, [];
    MakeArray = data::ruff_rt_make_array(ctx: *mut VMContext, values: *mut Value, count: u64) -> RawValue, [raises];
    ArrayPush = data::ruff_rt_array_push(ctx: *mut VMContext, array_tag: u64, array: u64, tag: u64, payload: u64) -> RawValue, [raises];
    ArrayExtend = data::ruff_rt_array_extend(ctx: *mut VMContext, array_tag: u64, array: u64, tag: u64, payload: u64) -> RawValue, [raises];
    MakeDict = data::ruff_rt_make_dict(ctx: *mut VMContext, values: *mut Value, count: u64) -> RawValue, [raises];
    /// Dict, key and value in memory.
    DictInsert = data::ruff_rt_dict_insert(ctx: *mut VMContext, values: *mut Value) -> RawValue, [raises];
    DictExtend = data::ruff_rt_dict_extend(ctx: *mut VMContext, dict_tag: u64, dict: u64, tag: u64, payload: u64) -> RawValue, [raises];
    MakeStruct = data::ruff_rt_make_struct(ctx: *mut VMContext, site: u64, values: *mut Value) -> RawValue, [raises runs];
    /// An instance with room for its fields, which the caller fills at once, of so
    /// many levels; takes the declaration's value over.
    NewRecord = data::ruff_rt_new_record(shape: u64, def: u64, depth: u64) -> u64, [];
    /// As `NewRecord`, with the declared fields of a declaration that captures nothing.
    NewInstance = data::ruff_rt_new_instance(ctx: *mut VMContext, declaration: u64) -> u64, [];
    MakeVariant = data::ruff_rt_make_variant(ctx: *mut VMContext, site: u64, values: *mut Value, count: u64) -> RawValue, [raises];
    /// The string of the character whose UTF-8 is in the word as in memory, zeros
    /// behind it.
    Character = data::ruff_rt_character(ctx: *mut VMContext, bytes: u64) -> u64, [];
    /// `Ok`, `Err`, `Some` or `None` with a payload that it takes over.
    Wrap = data::ruff_rt_wrap(ctx: *mut VMContext, kind: u64, tag: u64, payload: u64) -> u64, [];
    /// The program's variant with this number, which takes `count` values over.
    NewVariant = data::ruff_rt_new_variant(ctx: *mut VMContext, id: u64, values: *mut Value, count: u64) -> u64, [];
    /// `Ok`, `Err`, `Some` or `None` with room for its payload, which the caller fills
    /// at once.
    NewWrapper = data::ruff_rt_new_wrapper(kind: u64, count: u64) -> u64, [];
    /// A function object with `count` captured values.
    MakeClosure = data::ruff_rt_make_closure(ctx: *mut VMContext, func: u64, captures: *mut Value, count: u64) -> RawValue, [];
    MakeStructDef = data::ruff_rt_make_struct_def(ctx: *mut VMContext, declaration: u64, values: *mut Value) -> RawValue, [];
    MakeEnumDef = data::ruff_rt_make_enum_def(ctx: *mut VMContext, name: u64) -> RawValue, [];
    Interpolate = data::ruff_rt_interpolate(ctx: *mut VMContext, values: *mut Value, count: u64) -> RawValue, [raises];
    /// A cell that takes a value over.
    NewCell = data::ruff_rt_new_cell(tag: u64, payload: u64) -> u64, [];

    // ---- access.  Operands are borrowed unless the row says otherwise.
    Index = access::ruff_rt_index(ctx: *mut VMContext, object_tag: u64, object: u64, index_tag: u64, index: u64) -> RawValue, [raises];
    Field = access::ruff_rt_field(ctx: *mut VMContext, tag: u64, payload: u64, name: u64) -> RawValue, [raises];
    OptionalField = access::ruff_rt_optional_field(ctx: *mut VMContext, tag: u64, payload: u64, name: u64) -> RawValue, [];
    FieldOrUnset = access::ruff_rt_field_or_unset(tag: u64, payload: u64, name: u64) -> RawValue, [];
    /// `place[index] = value`; takes index and value over.
    StoreIndex = access::ruff_rt_store_index(ctx: *mut VMContext, place: *mut Value, index_tag: u64, index: u64, tag: u64, payload: u64) -> u64, [raises];
    /// The value and then the indexes of the path in memory, taken over.
    StorePath = access::ruff_rt_store_path(ctx: *mut VMContext, root: *mut Value, path: u64, values: *mut Value) -> u64, [raises];
    /// The indexes of the path and then the value in memory, taken over.
    StorePathUnder = access::ruff_rt_store_path_under(ctx: *mut VMContext, root: *mut Value, path: u64, values: *mut Value) -> u64, [raises];
    /// The indexes of the path in memory, borrowed.
    ReadPath = access::ruff_rt_read_path(ctx: *mut VMContext, root: *mut Value, path: u64, indexes: *mut Value) -> RawValue, [raises];
    /// The indexes of the path and then the right operand in memory, taken over.
    UpdatePath = access::ruff_rt_update_path(ctx: *mut VMContext, root: *mut Value, path: u64, operator: u64, values: *mut Value) -> u64, [raises runs];

    /// Where the value of a string key lives in a dict; null if there is none.  Only
    /// to be written if nobody else owns the dict.
    DictPlace = access::ruff_rt_dict_place(dict: *mut Dict, key: *const Str) -> *mut Value, [];
    /// As `DictPlace`, for an int as the key.
    DictIntPlace = access::ruff_rt_dict_int_place(dict: *mut Dict, key: u64) -> *mut Value, [];
    /// Sets a string key of a dict that is nobody else's; takes the value over.
    DictSet = access::ruff_rt_dict_set(dict: *mut Dict, key: *const Str, tag: u64, payload: u64), [];
    /// As `DictSet`, for an int as the key.
    DictIntSet = access::ruff_rt_dict_int_set(dict: *mut Dict, key: u64, tag: u64, payload: u64), [];
    /// Whether a dict has an int as a key, 0 or 1.
    DictHasInt = access::ruff_rt_dict_has_int(dict: *const Dict, key: u64) -> u64, [];
    /// Whether a dict has a string key, 0 or 1.
    DictHas = access::ruff_rt_dict_has(dict: *const Dict, key: *const Str) -> u64, [];
    /// Whether a dict has an entry that a method call on it would mean, 0 or 1.
    DictHasName = access::ruff_rt_dict_has_name(ctx: *mut VMContext, dict: *const Dict, name: u64) -> u64, [];

    // ---- patterns.  Operands are borrowed.
    ElementOrNull = access::ruff_rt_element_or_null(tag: u64, payload: u64, index: u64) -> RawValue, [];
    ArrayRest = access::ruff_rt_array_rest(tag: u64, payload: u64, from: u64) -> RawValue, [];
    FieldOrNull = access::ruff_rt_field_or_null(ctx: *mut VMContext, tag: u64, payload: u64, name: u64) -> RawValue, [];
    DictRest = access::ruff_rt_dict_rest(ctx: *mut VMContext, tag: u64, payload: u64, list: u64) -> RawValue, [];
    TestVariant = access::ruff_rt_test_variant(ctx: *mut VMContext, tag: u64, payload: u64, site: u64) -> u64, [];
    TestName = access::ruff_rt_test_name(ctx: *mut VMContext, tag: u64, payload: u64, name: u64) -> u64, [];
    TestField = access::ruff_rt_test_field(ctx: *mut VMContext, tag: u64, payload: u64, name: u64) -> u64, [];
    VariantPayload = access::ruff_rt_variant_payload(tag: u64, payload: u64, index: u64) -> RawValue, [];
    /// What `?` finds: the payload of `Ok` and `Some`; `Unset` for `Err` and `None`.
    Unwrapped = access::ruff_rt_unwrapped(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue, [raises];

    // ---- iteration
    /// Takes an iterable over and fills source and position.
    IterStart = iteration::ruff_rt_iter_start(ctx: *mut VMContext, slots: *mut Value, tag: u64, payload: u64) -> u64, [raises runs];
    /// The next element; `Unset` at the end.
    IterNext = iteration::ruff_rt_iter_next(ctx: *mut VMContext, slots: *mut Value) -> RawValue, [raises runs];
    /// Checks `range`'s arguments, takes them over, and fills next, end and step.
    RangeStart = iteration::ruff_rt_range_start(ctx: *mut VMContext, out: *mut i64, args: *mut Value, argc: u64) -> u64, [raises];

    // ---- generators and promises
    /// A generator of a compiled generator function, whose `Resume` is given; takes
    /// the arguments in memory over.
    MakeGenerator = suspend::ruff_rt_make_generator(ctx: *mut VMContext, callee: *const Function, args: *mut Value, resume: u64) -> RawValue, [];
    /// The promise of an async function whose body gave this result or raised.
    MakePromise = suspend::ruff_rt_make_promise(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue, [];

    // ---- errors
    /// Raises a value, taken over.
    Throw = errors::ruff_rt_throw(ctx: *mut VMContext, tag: u64, payload: u64), [always_raises];
    /// Raises a runtime error with a constant's text as message.
    Raise = errors::ruff_rt_raise(ctx: *mut VMContext, message: u64), [always_raises];
    /// Notes where a pending error was raised, unless that is known: the
    /// function in the upper half of `place`, the instruction in the lower.
    Locate = errors::ruff_rt_locate(ctx: *mut VMContext, place: u64, trace: *mut TraceEntry), [];
    /// Takes the pending error as an Error struct; `RAISED` if it can't be caught.
    Catch = errors::ruff_rt_catch(ctx: *mut VMContext) -> RawValue, [raises];

    // ---- C functions that the program calls
    /// Turns arguments, taken over, into the words that C gets; not 0 if one can't be.
    ForeignWords = foreign::ruff_rt_foreign_words(ctx: *mut VMContext, site: u64, values: *mut Value, words: *mut u64) -> u64, [raises];
    /// Raises an error about an int argument that does not fit.
    ForeignRange = foreign::ruff_rt_foreign_range(ctx: *mut VMContext, site: u64, index: u64, number: u64), [always_raises];
    /// Lets go of what a call's strings were turned into.
    ForeignEnd = foreign::ruff_rt_foreign_end(ctx: *mut VMContext), [];
    /// The value of a result word, which ends the call.
    ForeignResult = foreign::ruff_rt_foreign_result(ctx: *mut VMContext, site: u64, word: u64) -> RawValue, [raises];

    // ---- the C functions of a library's exported ones
    /// Lets the thread use a context; null if its program can't be called.
    HostEnter = context::ruff_rt_host_enter(host: *mut HostContext) -> *mut TraceEntry, [];
    /// The status of a call that was not possible or has raised an error.
    HostFailed = call::ruff_rt_host_failed(host: *mut HostContext) -> u64, [];
    /// Calls the exported function with this number, with words as arguments.
    HostCall = call::ruff_rt_host_call(host: *mut HostContext, number: u64, words: *const u64, result: *mut u8) -> u64, [];

    // ---- variables by name, and the operand stack: for hosts and linked code
    /// A copy of the variable with this name hash; `Unset` if there is none.
    LoadVariable = variables::ruff_load_variable(ctx: *mut VMContext, hash: u64) -> RawValue, [];
    /// Sets the variable with this name hash; not 0 if there is none.
    StoreVariable = variables::ruff_store_variable(ctx: *mut VMContext, hash: u64, tag: u64, payload: u64) -> u64, [];
    /// Pushes a value; not 0 if the stack is full.
    StackPush = variables::ruff_stack_push(ctx: *mut VMContext, tag: u64, payload: u64) -> u64, [];
    /// Pops a value; `Unset` if the stack is empty.
    StackPop = variables::ruff_stack_pop(ctx: *mut VMContext) -> RawValue, [];
}

/// The value that two words are, without taking it over.
///
/// # Safety
/// The words are a live value's.
#[inline(always)]
unsafe fn borrowed(tag: u64, payload: u64) -> core::mem::ManuallyDrop<Value> {
    // SAFETY: the caller vouches for the words; nothing is dropped.
    core::mem::ManuallyDrop::new(unsafe { Value::from_raw(RawValue { tag, payload }) })
}

/// The value that two words are, taken over.
///
/// # Safety
/// The words are a live value's, and the caller gives up its count.
#[inline(always)]
unsafe fn owned(tag: u64, payload: u64) -> Value {
    // SAFETY: the caller vouches for the words.
    unsafe { Value::from_raw(RawValue { tag, payload }) }
}

/// A result in the words of the convention.
#[inline(always)]
fn words(result: Result<Value, crate::error::Raised>) -> RawValue {
    match result {
        Ok(value) => value.into_raw(),
        Err(crate::error::Raised) => RawValue::RAISED,
    }
}

/// Success or failure as a word.
#[inline(always)]
fn status(result: Result<(), crate::error::Raised>) -> u64 {
    result.is_err() as u64
}
