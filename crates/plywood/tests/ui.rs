//! What `model!` says of networks that it refuses: every message is read like a newcomer would.
//!
//! `TRYBUILD=overwrite cargo test -p plywood --test ui` writes the messages anew; read them before they are committed.

#[test]
fn networks_that_are_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
