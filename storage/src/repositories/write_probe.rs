//! A write that changes nothing anybody reads, to learn whether a disk has recovered (platform).

use crate::engine::Statement;

statements! {
    WRITE = "INSERT INTO write_probes (name, writes) VALUES ($1, 1) \
             ON CONFLICT (name) DO UPDATE SET writes = write_probes.writes + 1";
    READ = "SELECT name FROM write_probes WHERE name = $1";
}

pub(crate) fn write() -> Statement {
    Statement::new(WRITE, vec!["health".into()])
}

pub(crate) fn read() -> Statement {
    Statement::new(READ, vec!["health".into()])
}
