//! C's types as those that declarations can name.

use lang_c::ast::{
    Declaration, DeclarationSpecifier, DeclaratorKind, DerivedDeclarator, StorageClassSpecifier,
    TypeQualifier, TypeSpecifier,
};
use lang_c::span::Node;
use ruff_runtime::bytecode::ForeignType;
use std::collections::HashMap;

/// What is known of the types that a header names.
#[derive(Default)]
pub struct Types {
    typedefs: HashMap<String, Known>,
}

/// A type, as far as it matters here.
#[derive(Clone, Debug)]
enum Known {
    Type(ForeignType),
    /// `char`, of which pointers are strings if it is constant.
    Char {
        is_const: bool,
    },
    /// `void`
    Void,
    /// A struct, union or function: nothing but a pointer to it can be passed.
    Opaque(&'static str),
}

/// Whether a declaration names types, or what other files can't call.
pub fn is_static_or_typedef(declaration: &Declaration) -> bool {
    let mut storage = declaration
        .specifiers
        .iter()
        .filter_map(|one| match &one.node {
            DeclarationSpecifier::StorageClass(class) => Some(&class.node),
            _ => None,
        });
    storage.any(|class| {
        matches!(
            class,
            StorageClassSpecifier::Typedef | StorageClassSpecifier::Static
        )
    })
}

impl Types {
    /// Takes the names in that a declaration gives types.
    pub fn learn(&mut self, declaration: &Declaration) {
        let is_typedef = declaration.specifiers.iter().any(|one| {
            matches!(&one.node, DeclarationSpecifier::StorageClass(class)
                if class.node == StorageClassSpecifier::Typedef)
        });
        if !is_typedef {
            return;
        }
        let base = self.base(&declaration.specifiers);
        for declarator in &declaration.declarators {
            let declarator = &declarator.node.declarator.node;
            match &declarator.kind.node {
                DeclaratorKind::Identifier(name) => {
                    let known = derived(base.clone(), &declarator.derived);
                    self.typedefs.insert(name.node.name.clone(), known);
                }
                // `typedef int (*name)(…)`
                DeclaratorKind::Declarator(inner) => {
                    if let DeclaratorKind::Identifier(name) = &inner.node.kind.node {
                        let known = Known::Type(ForeignType::Pointer);
                        self.typedefs.insert(name.node.name.clone(), known);
                    }
                }
                DeclaratorKind::Abstract => {}
            }
        }
    }

    /// The type that specifiers and what derives from it make.
    ///
    /// # Errors
    /// Why there is none.
    pub fn of(
        &self,
        specifiers: &[Node<DeclarationSpecifier>],
        derivation: &[Node<DerivedDeclarator>],
    ) -> Result<ForeignType, String> {
        match derived(self.base(specifiers), derivation) {
            Known::Type(ty) => Ok(ty),
            Known::Void => Ok(ForeignType::Null),
            Known::Char { .. } if std::ffi::c_char::MIN == 0 => Ok(ForeignType::U8),
            Known::Char { .. } => Ok(ForeignType::I8),
            Known::Opaque(what) => Err(format!("it takes or gives {what}")),
        }
    }

    fn base(&self, specifiers: &[Node<DeclarationSpecifier>]) -> Known {
        let mut words = Words::default();
        for specifier in specifiers {
            match &specifier.node {
                DeclarationSpecifier::TypeQualifier(qualifier) => {
                    words.is_const |= qualifier.node == TypeQualifier::Const;
                }
                DeclarationSpecifier::TypeSpecifier(specifier) => {
                    if let Some(known) = words.take(&specifier.node, &self.typedefs) {
                        return known;
                    }
                }
                _ => {}
            }
        }
        words.known()
    }
}

/// What the declarators make of a type.
fn derived(mut known: Known, derivation: &[Node<DerivedDeclarator>]) -> Known {
    for one in derivation {
        known = match (&one.node, known) {
            (DerivedDeclarator::Pointer(_), Known::Char { is_const: true }) => {
                Known::Type(ForeignType::String)
            }
            (DerivedDeclarator::Function(_) | DerivedDeclarator::KRFunction(_), _) => {
                Known::Opaque("a function")
            }
            (_, _) => Known::Type(ForeignType::Pointer),
        };
    }
    known
}

/// The words of a type so far.
#[derive(Default)]
struct Words {
    is_const: bool,
    is_unsigned: bool,
    is_signed: bool,
    is_char: bool,
    is_short: bool,
    is_double: bool,
    longs: u8,
}

impl Words {
    /// Takes a word in; gives the type if that says it all.
    fn take(&mut self, specifier: &TypeSpecifier, names: &HashMap<String, Known>) -> Option<Known> {
        match specifier {
            TypeSpecifier::Void => return Some(Known::Void),
            TypeSpecifier::Bool => return Some(Known::Type(ForeignType::Bool)),
            TypeSpecifier::Float => return Some(Known::Type(ForeignType::F32)),
            TypeSpecifier::Enum(_) => return Some(Known::Type(ForeignType::I32)),
            TypeSpecifier::Struct(_) => return Some(Known::Opaque("a struct or union")),
            TypeSpecifier::TypedefName(name) => {
                let known = names.get(&name.node.name).cloned();
                return Some(match known {
                    Some(Known::Char { is_const }) => Known::Char {
                        is_const: is_const || self.is_const,
                    },
                    Some(known) => known,
                    None => Known::Opaque("a type that is not known"),
                });
            }
            TypeSpecifier::Char => self.is_char = true,
            TypeSpecifier::Short => self.is_short = true,
            TypeSpecifier::Int => {}
            TypeSpecifier::Long => self.longs += 1,
            TypeSpecifier::Double => self.is_double = true,
            TypeSpecifier::Signed => self.is_signed = true,
            TypeSpecifier::Unsigned => self.is_unsigned = true,
            _ => return Some(Known::Opaque("a type that Ruff does not have")),
        }
        None
    }

    fn known(&self) -> Known {
        let ty = match (self.is_unsigned, self.longs) {
            _ if self.is_double && self.longs > 0 => return Known::Opaque("a long double"),
            _ if self.is_double => ForeignType::Float,
            (true, _) if self.is_char => ForeignType::U8,
            _ if self.is_char && self.is_signed => ForeignType::I8,
            _ if self.is_char => {
                return Known::Char {
                    is_const: self.is_const,
                };
            }
            (true, _) if self.is_short => ForeignType::U16,
            (false, _) if self.is_short => ForeignType::I16,
            (true, 0) => ForeignType::U32,
            (false, 0) => ForeignType::I32,
            // On all targets that there are but Windows, `long` has 64 bits.
            (true, _) => ForeignType::U64,
            (false, _) => ForeignType::Int,
        };
        Known::Type(ty)
    }
}
