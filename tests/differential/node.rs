//! A program as a tree that knows just enough to be written and made smaller.
//!
//! What a part means stands nowhere: a smaller program that makes no sense
//! fails alike on all engines, so it is no find.

/// What a part of a program is, as far as making it smaller goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Statements, a line each.
    Sequence,
    /// The same in braces.
    Block,
    Statement,
    Expression,
    /// Parts with commas between them.
    List,
}

/// A part of a program.
#[derive(Clone, Debug)]
pub enum Node {
    Text(String),
    Tree(Kind, Vec<Node>),
}

impl From<&str> for Node {
    fn from(text: &str) -> Node {
        Node::Text(text.to_owned())
    }
}

impl From<&String> for Node {
    fn from(text: &String) -> Node {
        Node::Text(text.clone())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Node {
        Node::Text(text)
    }
}

/// An expression of these parts.
macro_rules! expression {
    ($($part:expr),* $(,)?) => {
        $crate::node::Node::Tree(
            $crate::node::Kind::Expression,
            vec![$($crate::node::Node::from($part)),*],
        )
    };
}
pub(crate) use expression;

/// A statement of these parts.
macro_rules! statement {
    ($($part:expr),* $(,)?) => {
        $crate::node::Node::Tree(
            $crate::node::Kind::Statement,
            vec![$($crate::node::Node::from($part)),*],
        )
    };
}
pub(crate) use statement;

impl Node {
    pub fn sequence(statements: Vec<Node>) -> Node {
        Node::Tree(Kind::Sequence, statements)
    }

    pub fn block(statements: Vec<Node>) -> Node {
        Node::Tree(Kind::Block, statements)
    }

    pub fn list(parts: Vec<Node>) -> Node {
        Node::Tree(Kind::List, parts)
    }

    /// What a node is made of.
    pub fn parts(self) -> Vec<Node> {
        match self {
            Node::Text(_) => Vec::new(),
            Node::Tree(_, parts) => parts,
        }
    }

    /// The program's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, indent: usize, text: &mut String) {
        let Node::Tree(kind, parts) = self else {
            if let Node::Text(own) = self {
                text.push_str(own);
            }
            return;
        };
        match kind {
            Kind::Statement | Kind::Expression => {
                parts.iter().for_each(|part| part.write(indent, text));
            }
            Kind::List => {
                for (index, part) in parts.iter().enumerate() {
                    text.push_str(if index > 0 { ", " } else { "" });
                    part.write(indent, text);
                }
            }
            Kind::Sequence => lines(parts, indent, text),
            Kind::Block => {
                text.push_str("{\n");
                lines(parts, indent + 1, text);
                text.push_str(&"    ".repeat(indent));
                text.push('}');
            }
        }
    }
}

/// Writes statements, each on a line of its own.
fn lines(statements: &[Node], indent: usize, text: &mut String) {
    for statement in statements {
        if let Node::Tree(Kind::Sequence, inner) = statement {
            lines(inner, indent, text);
            continue;
        }
        text.push_str(&"    ".repeat(indent));
        statement.write(indent, text);
        text.push('\n');
    }
}
