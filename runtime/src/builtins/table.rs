//! THE table of built-ins: name, arguments, implementation, effects.
//!
//! Each row becomes a static with the symbol `ruff_builtin_<name>`, and every
//! static is reachable through its own symbol only.  `find` and `all` are
//! functions of their own, so that the linker drops them, and with them the
//! rest of the table, from programs that never call them.

use super::*;

/// `name(fewest, most) = implementation [effects];`, with the method form that
/// changes its receiver, if there is one: `update` for "replace the receiver
/// by the result", or `mutate` and what does it.
///
/// Effects: `pure` and `runs` as in `Effects`; `hidden` rows are reached
/// through method forms only.
macro_rules! for_each_builtin {
    ($then:ident) => {
        $then! {
            // ---- standard streams
            print(0, ANY_NUMBER) = printing::print [];
            println(0, ANY_NUMBER) = printing::print [];
            eprint(0, ANY_NUMBER) = printing::eprint [];
            debug(0, ANY_NUMBER) = printing::debug [];
            format(1, ANY_NUMBER) = printing::format [pure];

            // ---- types and conversion
            r#type(1, 1) = types::type_of [pure];
            type_of(1, 1) = types::type_of [pure];
            is_int(0, 1) = types::is_int [pure];
            is_float(0, 1) = types::is_float [pure];
            is_string(0, 1) = types::is_string [pure];
            is_bool(0, 1) = types::is_bool [pure];
            is_array(0, 1) = types::is_array [pure];
            is_dict(0, 1) = types::is_dict [pure];
            is_null(0, 1) = types::is_null [pure];
            is_function(0, 1) = types::is_function [pure];
            is_truthy(1, 1) = types::is_truthy [pure];
            to_int(1, 1) = types::to_int [pure];
            to_float(1, 1) = types::to_float [pure];
            to_string(1, 1) = types::to_string [pure];
            to_bool(1, 1) = types::to_bool [pure];
            int(1, 1) = types::to_int [pure];
            float(1, 1) = types::to_float [pure];
            string(1, 1) = types::to_string [pure];
            bool(1, 1) = types::to_bool [pure];
            str(1, 1) = types::to_string [pure];
            parse_int(1, 1) = types::parse_int [pure];
            parse_float(1, 1) = types::parse_float [pure];
            bytes(1, 1) = types::bytes [pure];

            // ---- errors
            error(1, 1) = errors::error [pure];
            assert(1, 2) = errors::assert [pure];
            assert_equal(2, 2) = errors::assert_equal [pure];
            assert_true(1, 1) = errors::assert_true [pure];
            assert_false(1, 1) = errors::assert_false [pure];
            assert_contains(2, 2) = errors::assert_contains [pure];

            // ---- arrays
            array(0, ANY_NUMBER) = arrays::array [pure];
            len(1, 1) = arrays::len [pure];
            range(1, 3) = arrays::range [pure];
            sum(1, 1) = arrays::sum [pure];
            push(2, 2) = arrays::change::push, update [pure];
            append(2, 2) = arrays::change::append, update [pure];
            pop(1, 1) = arrays::change::pop, mutate arrays::change::pop_from [pure];
            insert(3, 3) = arrays::change::insert, update [pure];
            remove(2, 2) = arrays::change::remove, mutate arrays::change::remove_from [pure];
            remove_at(2, 2) = arrays::change::remove_at, mutate arrays::change::remove_at_from [pure];
            clear(1, 1) = arrays::change::clear, update [pure];
            concat(2, 2) = arrays::change::concat [pure];
            reverse(1, 1) = arrays::change::reverse [pure];
            slice(3, 3) = arrays::views::slice [pure];
            take(2, 2) = arrays::views::take [pure];
            skip(2, 2) = arrays::views::skip [pure];
            chunk(2, 2) = arrays::views::chunk [pure];
            windows(2, 2) = arrays::views::windows [pure];
            flatten(1, 1) = arrays::views::flatten [pure];
            zip(2, 2) = arrays::views::zip [pure];
            enumerate(1, 1) = arrays::views::enumerate [pure];
            collect(1, 1) = arrays::views::collect [pure hidden];
            contains(2, 2) = arrays::views::contains [pure];
            index_of(2, 2) = arrays::views::index_of [pure];
            map(2, 2) = arrays::callbacks::map [runs];
            filter(2, 2) = arrays::callbacks::filter [runs];
            reduce(3, 3) = arrays::callbacks::reduce [runs];
            find(2, 2) = arrays::callbacks::find [runs];
            any(2, 2) = arrays::callbacks::any [runs];
            all(2, 2) = arrays::callbacks::all [runs];
            sort(1, 1) = arrays::order::sort [pure];
            unique(1, 1) = arrays::order::unique [pure];
        }
    };
}

macro_rules! name_of {
    (r#type) => {
        "type"
    };
    ($name:ident) => {
        stringify!($name)
    };
}

macro_rules! mutation {
    ($function:path,) => {
        None
    };
    ($function:path, update) => {
        Some(|ctx, target, args| update($function, ctx, target, args))
    };
    ($function:path, mutate $mutate:path) => {
        Some($mutate)
    };
}

macro_rules! has {
    ($wanted:ident in) => { false };
    (pure in pure $($rest:ident)*) => { true };
    (runs in runs $($rest:ident)*) => { true };
    (hidden in hidden $($rest:ident)*) => { true };
    ($wanted:ident in $other:ident $($rest:ident)*) => { has!($wanted in $($rest)*) };
}

macro_rules! define_rows {
    ($($name:ident($min:expr, $max:expr) = $function:path $(, $form:ident $($mutate:path)?)? [$($effect:ident)*];)*) => {
        /// The rows, as generated code finds them.
        #[expect(non_upper_case_globals, reason = "named as programs name them")]
        pub mod rows {
            use super::*;
            $(
                #[unsafe(export_name = concat!("ruff_builtin_", name_of!($name)))]
                pub static $name: Builtin = Builtin {
                    function: $function,
                    mutate: mutation!($function, $($form $($mutate)?)?),
                    name: name_of!($name),
                    effects: Effects { runs_code: has!(runs in $($effect)*), pure: has!(pure in $($effect)*) },
                    arity: Arity { min: $min, max: $max },
                    hidden: has!(hidden in $($effect)*),
                };
            )*
        }

        /// The row of the built-in with this name, hidden ones included.
        pub fn find(name: &str) -> Option<&'static Builtin> {
            all().iter().copied().find(|row| row.name == name)
        }

        /// Every row, in the order of the table.
        pub fn all() -> &'static [&'static Builtin] {
            static ALL: &[&Builtin] = &[$(&rows::$name),*];
            ALL
        }
    };
}
for_each_builtin!(define_rows);
