//! What the codes of the server and of PgBouncer are taken for.

use super::super::failure::{Kind, kind_of, kind_of_greeting};

#[test]
fn whatever_ends_the_connection_loses_it() {
    for code in ["08P01", "57P01", "25P03", "53100", "42501", "23505", "XX000"] {
        assert_eq!(kind_of(code, true), Kind::Lost, "{code}");
    }
}

#[test]
fn what_leaves_the_connection_is_told_by_its_code() {
    for (code, kind) in [
        ("40001", Kind::Contention),
        ("40P01", Kind::Contention),
        ("55P03", Kind::Locked),
        ("57P01", Kind::Lost),
        ("57P03", Kind::Lost),
        ("25P03", Kind::Lost),
        ("08006", Kind::Lost),
        // Nobody knows whether it was committed.
        ("08007", Kind::Lost),
        ("40003", Kind::Lost),
        ("08P01", Kind::Statement),
        ("23505", Kind::Statement),
        ("42501", Kind::Statement),
        ("22001", Kind::Statement),
        ("57014", Kind::Final),
        ("53100", Kind::Final),
        ("25006", Kind::Final),
    ] {
        assert_eq!(kind_of(code, false), kind, "{code}");
    }
}

#[test]
fn of_refused_connections_some_come_again_and_some_do_not() {
    for (code, kind) in [
        ("08P01", Kind::Lost),
        ("57P03", Kind::Lost),
        ("57P01", Kind::Lost),
        ("28000", Kind::Final),
        ("28P01", Kind::Final),
        ("3D000", Kind::Final),
        ("53300", Kind::Final),
    ] {
        assert_eq!(kind_of_greeting(code), kind, "{code}");
    }
}
