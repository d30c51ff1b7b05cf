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

            input(0, 1) = process::input [];

            // ---- the process
            args(0, 0) = process::args [];
            exit(0, 1) = process::exit [];
            channel(0, 0) = process::channel [];

            // ---- threads and promises
            shared_set(2, 2) = shared::set [];
            shared_get(1, 1) = shared::get [];
            shared_has(1, 1) = shared::has [];
            shared_delete(1, 1) = shared::delete [];
            shared_add_int(2, 2) = shared::add_int [];
            sleep(1, 1) = time::sleep [];
            async_sleep(1, 1) = concurrency::async_sleep [];
            async_timeout(2, 2) = concurrency::async_timeout [];
            promise_all(1, 2) = concurrency::promise_all [];
            await_all(1, 2) = concurrency::promise_all [];
            Promise_all(1, 2) = concurrency::promise_all [];
            parallel_map(2, 3) = concurrency::parallel_map [runs];
            par_map(2, 3) = concurrency::par_map [runs];
            par_each(2, 3) = concurrency::par_each [runs];
            set_task_pool_size(1, 1) = concurrency::set_task_pool_size [];
            get_task_pool_size(0, 0) = concurrency::get_task_pool_size [];
            spawn_task(1, 1) = concurrency::spawn_task [];
            await_task(1, 1) = concurrency::await_task [];
            cancel_task(1, 1) = concurrency::cancel_task [];

            arg_parser(0, 0) = arg_parser::arg_parser [];
            arg_parser_add_argument(1, ANY_NUMBER) = arg_parser::add_argument [hidden];
            arg_parser_parse(1, 1) = arg_parser::parse [hidden];
            arg_parser_help(1, 1) = arg_parser::help [hidden];

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
            push(2, 2) = arrays::change::push, mutate arrays::change::push_onto [pure];
            append(2, 2) = arrays::change::append, mutate arrays::change::append_onto [pure];
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

            // ---- strings
            substring(3, 3) = text::substring [pure];
            substr(3, 3) = text::substring [pure];
            char_at(2, 2) = text::char_at [pure];
            is_empty(1, 1) = text::is_empty [pure];
            count_chars(1, 1) = text::chars [pure];
            trim(1, 1) = text::trim [pure];
            trim_start(1, 1) = text::trim_start [pure];
            trim_end(1, 1) = text::trim_end [pure];
            starts_with(2, 2) = text::starts_with [pure];
            ends_with(2, 2) = text::ends_with [pure];
            split(2, 2) = text::split [pure];
            lines(1, 1) = text::lines [pure];
            words(1, 1) = text::words [pure];
            join(2, 2) = text::join [pure];
            replace(3, 3) = text::making::replace [pure];
            replace_str(3, 3) = text::making::replace_str [pure];
            repeat(2, 2) = text::making::repeat [pure];
            pad_left(3, 3) = text::making::pad_left [pure];
            pad_start(3, 3) = text::making::pad_left [pure];
            pad_right(3, 3) = text::making::pad_right [pure];
            pad_end(3, 3) = text::making::pad_right [pure];
            str_reverse(1, 1) = text::making::str_reverse [pure];
            truncate(3, 3) = text::making::truncate [pure];
            to_upper(1, 1) = text::casing::to_upper [pure];
            upper(1, 1) = text::casing::upper [pure];
            to_lower(1, 1) = text::casing::to_lower [pure];
            lower(1, 1) = text::casing::lower [pure];
            capitalize(1, 1) = text::casing::capitalize [pure];
            slugify(1, 1) = text::casing::slugify [pure];
            to_camel_case(1, 1) = text::casing::to_camel_case [pure];
            to_snake_case(1, 1) = text::casing::to_snake_case [pure];
            to_kebab_case(1, 1) = text::casing::to_kebab_case [pure];
            ssg_render_pages(1, 1) = text::making::ssg_render_pages [pure];
            ssg_build_output_paths(2, 3) = text::making::ssg_build_output_paths [pure];

            // ---- regular expressions
            regex_match(2, 2) = text::regex::regex_match [pure];
            regex_find_all(2, 2) = text::regex::regex_find_all [pure];
            regex_replace(3, 3) = text::regex::regex_replace [pure];
            regex_split(2, 2) = text::regex::regex_split [pure];

            // ---- dicts
            dict(0, 0) = dicts::dict [pure];
            keys(1, 1) = dicts::keys [pure];
            values(1, 1) = dicts::values [pure];
            items(1, 1) = dicts::items [pure];
            has_key(2, 2) = dicts::has_key [pure];
            get(2, 3) = dicts::get [pure];
            get_default(3, 3) = dicts::get_default [pure];
            merge(2, 2) = dicts::merge [pure];
            update(2, 2) = dicts::merge, update [pure];
            invert(1, 1) = dicts::invert [pure];

            // ---- sets, queues, stacks
            Set(0, 1) = collections::set [pure];
            set_add(2, 2) = collections::set_add, update [pure];
            set_remove(2, 2) = collections::set_remove, update [pure];
            set_has(2, 2) = collections::set_has [pure];
            set_union(2, 2) = collections::set_union [pure];
            set_intersect(2, 2) = collections::set_intersect [pure];
            set_difference(2, 2) = collections::set_difference [pure];
            set_to_array(1, 1) = collections::set_to_array [pure];
            Queue(0, 1) = collections::queue [pure];
            queue_enqueue(2, 2) = collections::queue_enqueue, update [pure];
            queue_dequeue(1, 1) = collections::queue_dequeue, mutate collections::queue_dequeue_from [pure];
            queue_peek(1, 1) = collections::queue_peek [pure];
            queue_is_empty(1, 1) = collections::queue_is_empty [pure];
            queue_size(1, 1) = collections::queue_size [pure];
            queue_to_array(1, 1) = collections::queue_to_array [pure];
            Stack(0, 1) = collections::stack [pure];
            stack_push(2, 2) = collections::stack_push, update [pure];
            stack_pop(1, 1) = collections::stack_pop, mutate collections::stack_pop_from [pure];
            stack_peek(1, 1) = collections::stack_peek [pure];
            stack_is_empty(1, 1) = collections::stack_is_empty [pure];
            stack_size(1, 1) = collections::stack_size [pure];
            stack_to_array(1, 1) = collections::stack_to_array [pure];

            // ---- mathematics
            abs(1, 1) = math::abs [pure];
            floor(1, 1) = math::floor [pure];
            ceil(1, 1) = math::ceil [pure];
            round(1, 1) = math::round [pure];
            sqrt(1, 1) = math::sqrt [pure];
            sin(1, 1) = math::sin [pure];
            cos(1, 1) = math::cos [pure];
            tan(1, 1) = math::tan [pure];
            exp(1, 1) = math::exp [pure];
            log(1, 1) = math::log [pure];
            pow(2, 2) = math::pow [pure];
            min(2, 2) = math::min [pure];
            max(2, 2) = math::max [pure];
            bit_and(2, 2) = math::bit_and [pure];
            bit_or(2, 2) = math::bit_or [pure];
            bit_xor(2, 2) = math::bit_xor [pure];
            bit_shl(2, 2) = math::bit_shl [pure];
            bit_shr(2, 2) = math::bit_shr [pure];
            bit_not(1, 1) = math::bit_not [pure];

            // ---- randomness
            random(0, 0) = random::random [];
            random_int(2, 2) = random::random_int [];
            random_choice(1, 1) = random::random_choice [];
            random_id(1, 1) = random::random_id [];
            uuid_v4(0, 0) = random::uuid_v4 [];
            set_random_seed(1, 1) = random::set_random_seed [];
            clear_random_seed(0, 0) = random::clear_random_seed [];

            // ---- time
            now(0, 0) = time::now [];
            now_unix(0, 0) = time::now_unix [];
            now_utc_seconds(0, 0) = time::now_unix [];
            now_utc(0, 0) = time::now_utc [];
            current_timestamp(0, 0) = time::current_timestamp [];
            time(0, 0) = time::current_timestamp [];
            performance_now(0, 0) = time::performance_now [];
            time_us(0, 0) = time::time_us [];
            time_ns(0, 0) = time::time_ns [];
            elapsed(2, 2) = time::elapsed [];
            format_duration(1, 1) = time::format::format_duration [];
            format_date(2, 2) = time::format::format_date [];
            parse_date(2, 2) = time::format::parse_date [];

            // ---- encodings and digests
            encode_base64(1, 1) = encoding::encode_base64 [pure];
            decode_base64(1, 1) = encoding::decode_base64 [pure];
            sha256(1, 1) = encoding::sha256 [pure];
            md5(1, 1) = encoding::md5 [pure];

            // ---- text formats
            parse_json(1, 1) = formats::json::parse_json [pure];
            to_json(1, 1) = formats::json::to_json [pure];
            to_json_pretty(1, 1) = formats::json::to_json_pretty [pure];
            parse_csv(1, 1) = formats::csv::parse_csv [pure];
            to_csv(1, 1) = formats::csv::to_csv [pure];
            parse_toml(1, 1) = formats::toml::parse_toml [pure];
            to_toml(1, 1) = formats::toml::to_toml [pure];
            parse_yaml(1, 1) = formats::yaml::parse_yaml [pure];
            to_yaml(1, 1) = formats::yaml::to_yaml [pure];
        }
    };
}

macro_rules! name_of {
    (r#type) => {
        "type"
    };
    (Promise_all) => {
        "Promise.all"
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
        Some(|context, place, arguments| {
            crate::builtins::update($function, context, place, arguments)
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::forms::forms;
    use crate::value::Tag;
    use std::collections::HashSet;

    /// Rows of the reference's table that nothing implements yet.  This list
    /// may only get shorter.
    const MISSING: &[&str] = &[];

    /// Rows that are no functions, or are ways in which the original is built.
    const NO_FUNCTIONS: &[&str] = &["PI", "E", "__vm_for_iterable"];

    #[test]
    fn every_function_of_the_reference_has_a_row() {
        let reference = include_str!("../../../tests/spec/builtins-core.tsv");
        for line in reference.lines().skip(1) {
            let fields: std::vec::Vec<&str> = line.split('\t').collect();
            let [name, group, min, max, ..] = fields[..] else {
                panic!("a short row: {line}")
            };
            if group == "method" || NO_FUNCTIONS.contains(&name) {
                continue;
            }
            let Some(row) = find(name) else {
                assert!(MISSING.contains(&name), "{name} has no row");
                continue;
            };
            assert!(!MISSING.contains(&name), "{name} is no longer missing");
            assert!(!row.hidden, "{name} is hidden");
            assert_eq!(
                row.arity.min as usize,
                lenient_min(name, min),
                "fewest arguments of {name}"
            );
            let max = if max == "*" {
                ANY_NUMBER
            } else {
                max.parse().expect("a number")
            };
            assert_eq!(row.arity.max, max, "most arguments of {name}");
        }
    }

    /// The reference's count, except for predicates that take no argument too.
    fn lenient_min(name: &str, min: &str) -> usize {
        let takes_none = name.starts_with("is_") && !matches!(name, "is_truthy" | "is_empty");
        if takes_none {
            0
        } else {
            min.parse().expect("a number")
        }
    }

    /// The receivers in the reference's table whose methods are built-ins.
    const RECEIVERS: &[(&str, Tag)] = &[
        ("string", Tag::String),
        ("array", Tag::Array),
        ("dict", Tag::Dict),
        ("bytes", Tag::Bytes),
        ("int", Tag::Int),
        ("float", Tag::Float),
        ("bool", Tag::Bool),
        ("null", Tag::Null),
        ("set", Tag::Set),
        ("queue", Tag::Queue),
        ("stack", Tag::Stack),
        ("ArgParser", Tag::Struct),
    ];

    #[test]
    fn every_method_of_the_reference_has_a_form() {
        let reference = include_str!("../../../tests/spec/builtins-core.tsv");
        for line in reference.lines().skip(1) {
            let name = line.split('\t').next().unwrap_or_default();
            let Some((receiver, method)) = name.split_once('.') else {
                continue;
            };
            let Some((_, tag)) = RECEIVERS.iter().find(|(known, _)| *known == receiver) else {
                continue;
            };
            // An array is what it collects to; `semantics` knows that one.
            if name == "array.collect" {
                continue;
            }
            let form = forms(method).find(|form| form.receiver == *tag);
            let form = form.unwrap_or_else(|| panic!("{name} has no form"));
            let row = find(form.builtin).unwrap_or_else(|| panic!("{} has no row", form.builtin));
            assert_eq!(form.mutates, line.contains("[mutates receiver]"), "{name}");
            assert!(
                row.mutate.is_some() || !form.mutates,
                "{name} has no mutating form"
            );
        }
    }

    #[test]
    fn names_are_unique() {
        let mut seen = HashSet::new();
        for row in all() {
            assert!(seen.insert(row.name), "{} has two rows", row.name);
            assert!(
                !(row.effects.pure && row.effects.runs_code),
                "{} can't be both",
                row.name
            );
        }
    }
}
