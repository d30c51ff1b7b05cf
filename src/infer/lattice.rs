//! The lattice of types: which tags a value can have, which struct it can be,
//! and the same for what it contains, some levels down.
//!
//! Joining is a bitwise or, so every type is finite and only ever grows.

use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::value::Tag;

/// Among tags: a string may have more or fewer characters than one.
const OTHER_TEXT: u32 = 1 << 31;

/// A set of tags, of which that of strings is in two parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub u32);

impl Tags {
    pub const EMPTY: Tags = Tags(0);
    pub const UNSET: Tags = Tags::one(Tag::Unset);
    pub const NULL: Tags = Tags::one(Tag::Null);
    pub const BOOL: Tags = Tags::one(Tag::Bool);
    pub const INT: Tags = Tags::one(Tag::Int);
    pub const FLOAT: Tags = Tags::one(Tag::Float);
    pub const BUILTIN: Tags = Tags::one(Tag::Builtin);
    pub const STRING: Tags = Tags::one(Tag::String);
    /// Strings of one character.
    pub const CHARACTER: Tags = Tags(Tags::STRING.0 & !OTHER_TEXT);
    pub const ARRAY: Tags = Tags::one(Tag::Array);
    pub const DICT: Tags = Tags::one(Tag::Dict);
    pub const STRUCT: Tags = Tags::one(Tag::Struct);
    pub const VARIANT: Tags = Tags::one(Tag::Variant);
    pub const FUNCTION: Tags = Tags::one(Tag::Function);
    pub const STRUCT_DEF: Tags = Tags::one(Tag::StructDef);
    pub const ENUM_DEF: Tags = Tags::one(Tag::EnumDef);
    pub const BOUND_METHOD: Tags = Tags::one(Tag::BoundMethod);
    pub const GENERATOR: Tags = Tags::one(Tag::Generator);
    pub const ITERATOR: Tags = Tags::one(Tag::Iterator);
    pub const PROMISE: Tags = Tags::one(Tag::Promise);
    pub const BYTES: Tags = Tags::one(Tag::Bytes);
    /// Values of which it may be known which struct, enum or function they are of.
    pub const DECLARED: Tags = Tags(Tags::STRUCT.0 | Tags::VARIANT.0 | Tags::FUNCTION.0);
    pub const NUMBER: Tags = Tags(Tags::INT.0 | Tags::FLOAT.0);
    /// Every tag that a program can see.
    pub const ALL: Tags =
        Tags(((1 << (Tag::TaskHandle as u32 + 1)) - 1) & !Tags::UNSET.0 | OTHER_TEXT);
    /// Containers whose contents the lattice follows; those of a generator are
    /// what it yields.
    pub const FOLLOWED: Tags =
        Tags(Tags::ARRAY.0 | Tags::DICT.0 | Tags::VARIANT.0 | Tags::GENERATOR.0);
    /// Values that are not counted.
    pub const UNCOUNTED: Tags =
        Tags(Tags::UNSET.0 | Tags::NULL.0 | Tags::BOOL.0 | Tags::NUMBER.0 | Tags::BUILTIN.0);
    /// Containers whose contents can be anything.
    const OPAQUE: Tags = Tags(
        Tags::ALL.0 & !(Tags::FOLLOWED.0 | Tags::UNCOUNTED.0 | Tags::STRING.0 | Tags::STRUCT.0),
    );

    pub const fn one(tag: Tag) -> Tags {
        let other = match tag {
            Tag::String => OTHER_TEXT,
            _ => 0,
        };
        Tags(1 << tag as u32 | other)
    }

    pub const fn contains(self, other: Tags) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn intersects(self, other: Tags) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing but `other` is in the set, and something is.
    pub const fn within(self, other: Tags) -> bool {
        self.0 != 0 && self.0 & !other.0 == 0
    }

    pub const fn union(self, other: Tags) -> Tags {
        Tags(self.0 | other.0)
    }

    pub const fn without(self, other: Tags) -> Tags {
        Tags(self.0 & !other.0)
    }

    /// The tag, if there is just one.
    pub fn single(self) -> Option<Tag> {
        if self == Tags::CHARACTER {
            return Some(Tag::String);
        }
        ALL_TAGS.into_iter().find(|tag| Tags::one(*tag) == self)
    }
}

const ALL_TAGS: [Tag; 25] = [
    Tag::Unset,
    Tag::Null,
    Tag::Bool,
    Tag::Int,
    Tag::Float,
    Tag::Builtin,
    Tag::String,
    Tag::Array,
    Tag::Dict,
    Tag::Struct,
    Tag::Variant,
    Tag::Function,
    Tag::StructDef,
    Tag::EnumDef,
    Tag::BoundMethod,
    Tag::Generator,
    Tag::Iterator,
    Tag::Promise,
    Tag::Channel,
    Tag::Bytes,
    Tag::Set,
    Tag::Queue,
    Tag::Stack,
    Tag::TaskHandle,
    Tag::Cell,
];

/// What can be at one level of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    pub tags: Tags,
    /// Which struct, enum or function: 0 if it is none, `MANY` if it can be several,
    /// else a struct's declaration plus one, an enum's number with `ENUM`, or a
    /// function's number with `FUNCTION`.
    declared: u32,
}

const MANY: u32 = u32::MAX;
/// Tells an enum's number from a struct's declaration.
const ENUM: u32 = 1 << 31;
/// Tells a function's number from a struct's declaration.
const FUNCTION: u32 = 1 << 30;

impl Level {
    const ANY: Level = Level {
        tags: Tags::ALL,
        declared: MANY,
    };

    fn join(&mut self, more: Level) -> bool {
        let before = *self;
        self.tags = self.tags.union(more.tags);
        if more.declared != 0 && self.declared != more.declared {
            self.declared = if self.declared == 0 {
                more.declared
            } else {
                MANY
            };
        }
        *self != before
    }
}

/// Levels that are followed; deeper contents can be anything.
const LEVELS: usize = 4;

/// What a value can be.  `NONE` is the type of what never happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Type {
    levels: [Level; LEVELS],
}

impl Type {
    pub const NONE: Type = Type {
        levels: [Level {
            tags: Tags::EMPTY,
            declared: 0,
        }; LEVELS],
    };
    pub const ANY: Type = Type {
        levels: [Level::ANY; LEVELS],
    };

    /// A value with one of these tags; containers among them hold anything,
    /// structs and variants are of any declaration.
    pub const fn of(tags: Tags) -> Type {
        let mut result = Type::NONE;
        result.levels[0].tags = tags;
        if tags.intersects(Tags::DECLARED) {
            result.levels[0].declared = MANY;
        }
        if tags.intersects(Tags::FOLLOWED) {
            let mut level = 1;
            while level < LEVELS {
                result.levels[level] = Level::ANY;
                level += 1;
            }
        }
        result
    }

    /// An instance of a declared struct.
    pub const fn instance(declaration: u32) -> Type {
        let mut result = Type::NONE;
        result.levels[0] = Level {
            tags: Tags::STRUCT,
            declared: declaration + 1,
        };
        result
    }

    /// A variant of the enum with this number, which carries `contents`.
    pub fn variant(number: u32, contents: Type) -> Type {
        let mut result = Type::container(Tags::VARIANT, contents);
        result.levels[0].declared = ENUM | number;
        result
    }

    /// A function of this number, with whatever it has captured.
    pub const fn function(func: FunctionId) -> Type {
        let mut result = Type::NONE;
        result.levels[0] = Level {
            tags: Tags::FUNCTION,
            declared: FUNCTION | func,
        };
        result
    }

    /// A container with one of these tags that holds `contents`.
    pub fn container(tags: Tags, contents: Type) -> Type {
        let mut result = Type::NONE;
        result.levels[0].tags = tags;
        if tags.intersects(Tags::DECLARED) {
            result.levels[0].declared = MANY;
        }
        result.levels[1..].copy_from_slice(&contents.levels[..LEVELS - 1]);
        result
    }

    pub fn array_of(contents: Type) -> Type {
        Type::container(Tags::ARRAY, contents)
    }

    /// What the value contains, one level down.
    pub fn contents(self) -> Type {
        if self.tags().intersects(Tags::OPAQUE) {
            return Type::ANY;
        }
        let mut result = Type::NONE;
        result.levels[..LEVELS - 1].copy_from_slice(&self.levels[1..]);
        if self.levels[LEVELS - 1]
            .tags
            .intersects(Tags::FOLLOWED.union(Tags::OPAQUE))
        {
            result.levels[LEVELS - 1] = Level::ANY;
        }
        result
    }

    pub const fn tags(self) -> Tags {
        self.levels[0].tags
    }

    /// Whether it is known to be one of these, if it is anything.
    pub const fn is(self, tags: Tags) -> bool {
        self.levels[0].tags.within(tags)
    }

    pub const fn may_be(self, tags: Tags) -> bool {
        self.levels[0].tags.intersects(tags)
    }

    /// Whether it is one of these or a container, or a struct, that may hold one.
    pub fn may_hold(self, tags: Tags) -> bool {
        let held = tags.union(Tags::STRUCT).union(Tags::OPAQUE);
        let last = self.levels[LEVELS - 1].tags;
        let mut levels = self.levels.iter();
        levels.any(|level| level.tags.intersects(held)) || last.intersects(Tags::FOLLOWED)
    }

    pub fn is_none(self) -> bool {
        self.tags() == Tags::EMPTY
    }

    /// Whether it can be a counted object.
    pub const fn may_be_counted(self) -> bool {
        !self.levels[0].tags.within(Tags::UNCOUNTED)
    }

    /// The one declaration that it is an instance of, if it is a struct.
    pub fn declaration(self) -> Option<u32> {
        let declared = self.levels[0].declared;
        (declared != 0 && declared & (ENUM | FUNCTION) == 0).then(|| declared - 1)
    }

    /// The one function that it is, if it is a function.
    pub fn func(self) -> Option<FunctionId> {
        let declared = self.levels[0].declared;
        (declared & (ENUM | FUNCTION) == FUNCTION).then_some(declared & !FUNCTION)
    }

    /// The number of the one enum that it is a variant of, if it is a variant.
    pub fn enum_number(self) -> Option<u32> {
        let declared = self.levels[0].declared;
        (declared & ENUM != 0 && declared != MANY).then_some(declared & !ENUM)
    }

    /// Adds possibilities; whether there were new ones.
    pub fn join(&mut self, more: Type) -> bool {
        let mut changed = false;
        for (level, more) in self.levels.iter_mut().zip(more.levels) {
            changed |= level.join(more);
        }
        changed
    }

    pub fn joined(mut self, more: Type) -> Type {
        self.join(more);
        self
    }

    /// The same value known to be of the other type too.
    pub fn met(mut self, other: Type) -> Type {
        for (level, other) in self.levels.iter_mut().zip(other.levels) {
            level.tags = Tags(level.tags.0 & other.tags.0);
            level.declared = match (level.declared, other.declared) {
                _ if !level.tags.intersects(Tags::DECLARED) => 0,
                (MANY, known) | (known, MANY) => known,
                (one, two) if one == two => one,
                // Nothing is of both, but nobody needs to know.
                _ => MANY,
            };
        }
        self
    }

    /// The same value known not to be one of these.
    pub fn without(mut self, tags: Tags) -> Type {
        self.levels[0].tags = self.levels[0].tags.without(tags);
        if !self.levels[0].tags.intersects(Tags::DECLARED) {
            self.levels[0].declared = 0;
        }
        self
    }

    /// The same value known to contain something else.
    pub fn with_contents(mut self, contents: Type) -> Type {
        self.levels[1..].copy_from_slice(&contents.levels[..LEVELS - 1]);
        self
    }

    /// Adds possibilities to the contents, `depth` levels down.
    pub fn join_contents(&mut self, depth: usize, more: Type) {
        for (level, more) in self.levels.iter_mut().skip(depth).zip(more.levels) {
            level.join(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_followed_some_levels_down() {
        let ints = Type::array_of(Type::of(Tags::INT));
        assert!(ints.contents().is(Tags::INT));
        let mut nested = Type::array_of(Type::array_of(ints));
        assert!(nested.contents().contents().contents().is(Tags::INT));
        let deeper = Type::array_of(nested);
        let lost = deeper.contents().contents().contents().contents();
        assert!(lost.may_be(Tags::FLOAT), "deeper contents can be anything");
        nested.join_contents(3, Type::of(Tags::FLOAT));
        assert!(nested.contents().contents().contents().is(Tags::NUMBER));
    }

    #[test]
    fn a_character_is_a_string() {
        let character = Type::of(Tags::CHARACTER);
        assert!(character.is(Tags::STRING) && character.may_be(Tags::STRING));
        assert!(!Type::of(Tags::STRING).is(Tags::CHARACTER));
        assert_eq!(character.tags().single(), Some(Tag::String));
        let text = character.joined(Type::of(Tags::STRING));
        assert_eq!(text.tags().single(), Some(Tag::String));
        assert!(!text.is(Tags::CHARACTER));
        assert!(character.without(Tags::STRING).is_none());
    }

    #[test]
    fn two_declarations_are_many() {
        let mut value = Type::instance(0);
        assert_eq!(value.declaration(), Some(0));
        assert!(value.join(Type::instance(1)));
        assert_eq!(value.declaration(), None);
        let mut value = Type::function(0);
        assert_eq!((value.declaration(), value.func()), (None, Some(0)));
        assert!(value.join(Type::of(Tags::NULL)));
        assert_eq!(value.func(), Some(0));
        assert!(value.join(Type::function(1)));
        assert_eq!(value.func(), None);
        let mut value = Type::variant(0, Type::NONE);
        assert_eq!((value.declaration(), value.enum_number()), (None, Some(0)));
        assert!(value.join(Type::variant(1, Type::NONE)));
        assert_eq!(value.enum_number(), None);
    }
}
