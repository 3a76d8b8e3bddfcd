//! The table of RFC 9700 (`http/OAUTH-SECURITY.md`) names tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

const TABLE: &str = include_str!("../../http/OAUTH-SECURITY.md");

/// `file::test` in backticks.
fn named_tests() -> BTreeSet<(&'static str, &'static str)> {
    let quoted = TABLE.split('`').skip(1).step_by(2);
    let tests = quoted
        .filter_map(|text| text.split_once(".rs::").map(|_| text.rsplit_once("::").expect("it has one")));
    tests.filter(|(file, _)| file.contains('/') && (file.contains("tests") || file.contains("src"))).collect()
}

#[test]
fn every_test_the_table_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = named_tests();
    assert!(named.len() > 20, "{}", named.len());
    for (file, test) in named {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "{file} has no test {test}");
    }
}

#[test]
fn every_row_names_a_test_or_says_that_there_is_nothing_to_test() {
    let rows = TABLE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| RFC") && !line.starts_with("| attack"));
    for row in rows {
        let has_test = row.contains("::");
        let has_none = ["not offered", "not possible", "no upstream yet"].iter().any(|why| row.contains(why));
        assert!(has_test || has_none, "{row}");
    }
}
