//! Annotations as C types.

use super::names;
use super::{CType, Field, Struct};
use crate::syntax::ast::{Program as Tree, StmtKind, StructDecl, Type, TypeKind};
use rustc_hash::FxHashMap;

/// The C types of a script's annotations.
pub struct Types<'a> {
    library: &'a str,
    /// The script's own structs; of those with one name the last one counts.
    declarations: FxHashMap<&'a str, &'a StructDecl>,
    /// What became of those that were asked for; `None` while it is being found
    /// out, since no C struct contains itself.
    known: FxHashMap<&'a str, Option<CType>>,
    pub structs: Vec<Struct>,
}

impl<'a> Types<'a> {
    pub fn new(tree: &'a Tree, library: &'a str) -> Types<'a> {
        let mut declarations = FxHashMap::default();
        for statement in &tree.body {
            let kind = match &statement.kind {
                StmtKind::Export(inner) => &inner.kind,
                kind => kind,
            };
            if let StmtKind::Struct(declaration) = kind {
                declarations.insert(&*declaration.name.text, &**declaration);
            }
        }
        Types {
            library,
            declarations,
            known: FxHashMap::default(),
            structs: Vec::new(),
        }
    }

    /// The C type of what is annotated like this.
    pub fn of(&mut self, annotation: Option<&Type>) -> CType {
        match annotation.map(|ty| &ty.kind) {
            Some(TypeKind::Null) => CType::Null,
            Some(TypeKind::Name(name)) => self.named(name),
            Some(TypeKind::Array(element)) => array_of(element),
            Some(TypeKind::Generic { base, args }) => match (&base.kind, &args[..]) {
                (TypeKind::Name(name), [element]) if is_array(name) => array_of(element),
                _ => CType::Value,
            },
            _ => CType::Value,
        }
    }

    fn named(&mut self, name: &str) -> CType {
        match name {
            "int" => CType::Int,
            "float" => CType::Float,
            "bool" => CType::Bool,
            "string" => CType::String,
            _ => self.structure(name),
        }
    }

    fn structure(&mut self, name: &str) -> CType {
        let Some((name, declaration)) = self.declarations.get_key_value(name) else {
            return CType::Value;
        };
        let (name, declaration) = (*name, *declaration);
        if let Some(known) = self.known.get(name) {
            return known.unwrap_or(CType::Value);
        }
        self.known.insert(name, None);
        let found = match self.fields(declaration) {
            Some(fields) => {
                self.structs.push(Struct {
                    name: name.to_owned(),
                    tag: format!("ruff_{}_{}", self.library, names::identifier(name)),
                    fields,
                });
                CType::Struct(self.structs.len() - 1)
            }
            None => CType::Value,
        };
        self.known.insert(name, Some(found));
        found
    }

    /// The fields, if all have C types of their own and there are any.
    fn fields(&mut self, declaration: &StructDecl) -> Option<Vec<Field>> {
        let mut fields: Vec<Field> = Vec::new();
        for field in &declaration.fields {
            let ty = self.of(Some(field.annotation.as_ref()?));
            let c_name = names::member(&field.name.text);
            let is_new = fields.iter().all(|known| known.c_name != c_name);
            if matches!(ty, CType::Value | CType::Null) || !is_new {
                return None;
            }
            fields.push(Field {
                name: field.name.text.to_string(),
                c_name,
                ty,
            });
        }
        (!fields.is_empty()).then_some(fields)
    }
}

fn is_array(name: &str) -> bool {
    matches!(name, "array" | "Array")
}

fn array_of(element: &Type) -> CType {
    match &element.kind {
        TypeKind::Name(name) if &**name == "int" => CType::Ints,
        TypeKind::Name(name) if &**name == "float" => CType::Floats,
        _ => CType::Value,
    }
}
