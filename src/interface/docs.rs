//! Comments above declarations.

/// The lines of the comment that ends right above the line of an offset.
pub fn above(text: &str, offset: usize) -> Vec<String> {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let comment = |line: &str| {
        let line = line.trim();
        let inside = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//"))
            .or_else(|| line.strip_prefix('#').filter(|rest| !rest.starts_with('!')))?;
        // What ends a comment of C, or begins one, must not.
        let inside = inside.replace("*/", "* /").replace("/*", "/ *");
        Some(
            inside
                .strip_prefix(' ')
                .unwrap_or(&inside)
                .trim_end()
                .to_owned(),
        )
    };
    let lines = text[..start].lines().rev();
    let mut found: Vec<String> = lines.map_while(comment).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_right_above_counts() {
        let text = "# other\n\n# one */\n/// two\nexport func f() {}";
        let offset = text.find("export").expect("it is there");
        assert_eq!(above(text, offset), ["one * /", "two"]);
        assert!(above("export", 0).is_empty());
    }
}
