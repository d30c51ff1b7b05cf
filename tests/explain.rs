//! Pages of `ruffc explain --html`: well-formed, whole, and without anything
//! that comes from elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;

fn page(program: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["explain", "--html", "--all"])
        .arg(program)
        .output()
        .expect("ruffc can be started");
    assert!(output.status.success(), "{program:?}: {output:?}");
    String::from_utf8(output.stdout).expect("a page is text")
}

/// Elements that have no end.
const VOID: &[&str] = &["meta", "br", "hr", "img", "link", "input"];

/// Goes over all tags; every element ends where it should, and nothing is
/// loaded or run.  Gives the text between the tags.
fn checked(page: &str) -> String {
    let (head, rest) = page.split_once('>').expect("a page has tags");
    assert_eq!(head, "<!DOCTYPE html");
    let mut open: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut rest = rest;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = rest[start..].find('>').expect("every tag ends") + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "before {:.80}", rest);
            continue;
        }
        let name = tag.split([' ', '/']).next().expect("a tag has a name");
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
            "{tag}"
        );
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        // What stands between the quoted values: names of attributes.
        let attributes: String = tag.split('"').step_by(2).collect();
        let is_inert = !attributes.contains(" src=") && !attributes.contains(" on");
        assert!(name != "script" && is_inert, "{tag}");
        for target in tag.split(" href=\"").skip(1) {
            assert!(target.starts_with('#'), "{tag}");
            let name = &target[1..target.find('"').expect("a quoted value")];
            assert!(
                page.contains(&format!("id=\"{name}\"")),
                "{tag} leads nowhere"
            );
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not ended: {open:?}");
    assert!(rest.trim().is_empty(), "{rest}");
    let (style, _) = page.split_once("</style>").expect("a page has a style");
    assert!(!style.contains("url(") && !style.contains("@import"));
    text
}

#[test]
fn pages_of_all_examples_are_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(&folder).expect("there are examples");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut count = 0;
    for path in paths.filter(|path| path.extension().is_some_and(|ending| ending == "ruff")) {
        checked(&page(&path));
        count += 1;
    }
    assert!(count > 5, "{count} examples");
}

#[test]
fn source_stays_text() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let program = folder.path().join("a<b>&\"c.ruff");
    let source = "mut s := \"</td><script>alert(1)</script>\"  # & 'so' on\n\
                  for i in 3 { if 1 < i && i > 0 { s = \"<\" + s + \"é\" } }\nprint(s)\n";
    fs::write(&program, source).expect("the folder can be written");
    let text = checked(&page(&program));
    assert!(text.contains("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(text.contains("if 1 &lt; i &amp;&amp; i &gt; 0"));
    assert!(text.contains("What costs most"));
    assert!(text.contains("allocated"));
}
