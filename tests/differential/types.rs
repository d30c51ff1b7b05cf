//! The types that the generator means its variables to have.
//!
//! Nothing holds a program to them; they keep most operations meaningful, and
//! values from growing without bound: what is put into something is always of
//! a lower rank.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Int,
    Float,
    Bool,
    Text,
    /// A scalar, or an array of ints.
    Any,
    Array(Box<Type>),
    Dict(Box<Type>),
    /// An instance of a struct, by number.
    Struct(usize),
    /// A variant of an enum, by number.
    Enum(usize),
    Option(Box<Type>),
    Result(Box<Type>),
    /// A function of one parameter.
    Function(Box<Type>, Box<Type>),
}

impl Type {
    pub fn array(element: Type) -> Type {
        Type::Array(Box::new(element))
    }

    pub fn dict(element: Type) -> Type {
        Type::Dict(Box::new(element))
    }

    pub fn option(inner: Type) -> Type {
        Type::Option(Box::new(inner))
    }

    pub fn result(inner: Type) -> Type {
        Type::Result(Box::new(inner))
    }

    pub fn function(parameter: Type, result: Type) -> Type {
        Type::Function(Box::new(parameter), Box::new(result))
    }

    /// Whether a value of `other` may stand where one of this type is meant.
    pub fn accepts(&self, other: &Type) -> bool {
        match self {
            Type::Any => match other {
                Type::Array(element) => **element == Type::Int,
                other => other.is_scalar(),
            },
            own => own == other,
        }
    }

    pub fn is_scalar(&self) -> bool {
        matches!(
            self,
            Type::Int | Type::Float | Type::Bool | Type::Text | Type::Any
        )
    }

    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Float)
    }
}
