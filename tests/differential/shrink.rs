//! Making a program smaller as long as what was found in it stays.

use crate::node::{Kind, Node};

/// What may stand for any expression.
const PLAIN: [&str; 4] = ["0", "null", "\"\"", "[]"];

/// The smallest program found that `is_find` still accepts.  Ends early when
/// `is_find` has been asked `budget` times.
pub fn shrink(program: Node, budget: usize, is_find: &mut dyn FnMut(&str) -> bool) -> Node {
    let mut search = Search {
        length: program.text().len(),
        best: program,
        budget,
        is_find,
    };
    loop {
        let length = search.length;
        search.walk(&mut Vec::new());
        if search.length == length || search.budget == 0 {
            return search.best;
        }
    }
}

struct Search<'a> {
    best: Node,
    /// Of the best program's text.
    length: usize,
    budget: usize,
    is_find: &'a mut dyn FnMut(&str) -> bool,
}

impl Search<'_> {
    /// Tries what can be done at a place, and then below it.
    fn walk(&mut self, path: &mut Vec<usize>) {
        while self.try_place(path) {}
        let mut index = 0;
        while let Some(Node::Tree(_, parts)) = at(&self.best, path)
            && index < parts.len()
        {
            path.push(index);
            self.walk(path);
            path.pop();
            index += 1;
        }
    }

    /// Whether a smaller part does as well at this place; it is there then.
    fn try_place(&mut self, path: &[usize]) -> bool {
        let Some(node) = at(&self.best, path) else {
            return false;
        };
        smaller(node)
            .into_iter()
            .any(|part| self.accept(path, part))
    }

    fn accept(&mut self, path: &[usize], part: Node) -> bool {
        let mut candidate = self.best.clone();
        *at_mut(&mut candidate, path) = part;
        let text = candidate.text();
        if self.budget == 0 || text.len() >= self.length {
            return false;
        }
        self.budget -= 1;
        let accepted = (self.is_find)(&text);
        if accepted {
            self.best = candidate;
            self.length = text.len();
        }
        accepted
    }
}

/// The part at a place: the way to it by the indexes of parts.
fn at<'a>(mut node: &'a Node, path: &[usize]) -> Option<&'a Node> {
    for index in path {
        let Node::Tree(_, parts) = node else {
            return None;
        };
        node = parts.get(*index)?;
    }
    Some(node)
}

fn at_mut<'a>(mut node: &'a mut Node, path: &[usize]) -> &'a mut Node {
    for index in path {
        let Node::Tree(_, parts) = node else {
            unreachable!("a path leads through trees");
        };
        node = &mut parts[*index];
    }
    node
}

/// What may stand for a part, the smallest first.
fn smaller(node: &Node) -> Vec<Node> {
    let Node::Tree(kind, parts) = node else {
        return Vec::new();
    };
    let mut found = Vec::new();
    match kind {
        Kind::Sequence | Kind::Block | Kind::List => {
            let mut count = parts.len();
            while count > 0 {
                for start in (0..parts.len()).step_by(count) {
                    let end = (start + count).min(parts.len());
                    let kept = [&parts[..start], &parts[end..]].concat();
                    found.push(Node::Tree(*kind, kept));
                }
                count /= 2;
            }
        }
        Kind::Statement => inner(parts, Kind::Block, &mut |statements| {
            found.push(Node::sequence(statements.to_vec()));
        }),
        Kind::Expression => {
            found.extend(PLAIN.map(|text| Node::Tree(Kind::Expression, vec![text.into()])));
            inner(parts, Kind::Expression, &mut |parts| {
                found.push(Node::Tree(Kind::Expression, parts.to_vec()));
            });
        }
    }
    found
}

/// The uppermost parts of a kind.
fn inner(parts: &[Node], kind: Kind, found: &mut dyn FnMut(&[Node])) {
    for part in parts {
        match part {
            Node::Tree(own, parts) if *own == kind => found(parts),
            Node::Tree(_, parts) => inner(parts, kind, found),
            Node::Text(_) => {}
        }
    }
}
