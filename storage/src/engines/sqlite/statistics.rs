//! What the planner has to know of a tenant's file and cannot find out by itself: every row is of one tenant.
//!
//! All keys and indexes begin with the tenant, because the same statements run where many tenants share a table. Without
//! statistics the planner takes that first column for one that tells rows apart, prefers the primary key, and reads the
//! whole tenant where an index would find one row. Statistics that are measured would depend on the moment, so these are
//! made up, once, and say what matters: the first column finds nothing, the whole index finds a row or a few.

use rusqlite::{Connection, params};

/// Rows of a table; how many does not matter, only that it is more than any index finds.
const ROWS: &str = "1000000";
/// Rows that agree in a part of an index beyond the tenant, or in all of one that is not unique.
const FEW: &str = "10";

/// Keys and indexes that begin with the tenant, with the number of their columns.
const INDEXES: &str = "SELECT t.name, CASE WHEN i.origin = 'pk' AND t.wr THEN t.name ELSE i.name END, i.\"unique\", \
    (SELECT count(*) FROM pragma_index_info(i.name)) FROM pragma_table_list AS t, pragma_index_list(t.name) AS i \
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
    AND (SELECT name FROM pragma_index_info(i.name) WHERE seqno = 0) = 'tenant_id'";

/// Writes the statistics of a tenant's file and has this connection use them; others do when they read the schema anew.
pub(super) fn write(connection: &Connection) -> rusqlite::Result<()> {
    // Makes the table of statistics where there is none; it analyzes nothing.
    connection.execute_batch("ANALYZE sqlite_schema; DELETE FROM sqlite_stat1")?;
    let mut indexes = connection.prepare(INDEXES)?;
    let mut rows = indexes.query([])?;
    while let Some(row) = rows.next()? {
        let (table, index, unique): (String, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let text = estimate(unique, row.get::<_, u32>(3)?);
        connection.execute(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)",
            params![table, index, text],
        )?;
    }
    connection.execute_batch("ANALYZE sqlite_schema")
}

/// Rows of the table, then rows that agree in the first column, in the first two, and so on.
fn estimate(unique: bool, columns: u32) -> String {
    let mut numbers = vec![ROWS, ROWS];
    numbers.extend((1..columns).map(|_| FEW));
    if unique && let Some(last) = numbers.last_mut() {
        *last = "1";
    }
    numbers.join(" ")
}

#[cfg(test)]
mod tests {
    use super::estimate;

    #[test]
    fn the_tenant_finds_nothing_and_the_whole_index_what_it_is_for() {
        assert_eq!(estimate(true, 1), "1000000 1");
        assert_eq!(estimate(true, 2), "1000000 1000000 1");
        assert_eq!(estimate(false, 3), "1000000 1000000 10 10");
        assert_eq!(estimate(false, 1), "1000000 1000000");
    }
}
