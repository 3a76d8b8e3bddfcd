//! What is good once and was used, by keyed hashes, until it would be good for nothing anyway.

use uuid::Uuid;

use crate::engine::Statement;

/// Expired rows that one [`sweep`] removes at most.
const SWEPT: i64 = 256;

statements! {
    INSERT = "INSERT INTO used_proofs (tenant_id, proof_hash, expires_at) VALUES ($1, $2, $3)";
    SWEEP = "DELETE FROM used_proofs WHERE tenant_id = $1 AND proof_hash IN \
             (SELECT proof_hash FROM used_proofs WHERE tenant_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3)";
}

/// Notes that it was used. If it was before, that is the unique key `used_proofs.proof_hash`.
pub fn insert(tenant: Uuid, proof_hash: [u8; 32], expires_at: i64) -> Statement {
    Statement::new(INSERT, vec![tenant.into(), proof_hash.into(), expires_at.into()])
}

/// Forgets some of what has expired.
pub fn sweep(tenant: Uuid, now: i64) -> Statement {
    Statement::new(SWEEP, vec![tenant.into(), now.into(), SWEPT.into()])
}
