//! Which of many values users of a tenant have already.

use std::collections::HashSet;

use uuid::Uuid;

use super::user_emails;
use super::users::Identifier;
use crate::engine::{Columns, Engine, Scope, Statement, Value};
use crate::error::StorageError;
use crate::vault::TenantVault;

/// A text that asks for a hundred values at once. Engines have no common form for a list of any length.
macro_rules! among {
    ($table:literal, $column:literal) => {
        concat!(
            "SELECT ",
            $column,
            " FROM ",
            $table,
            " WHERE tenant_id = $1 AND ",
            $column,
            " IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
             $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
             $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, \
             $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, \
             $83, $84, $85, $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101)"
        )
    };
}

/// Values one text asks for.
const AT_ONCE: usize = 100;

statements! {
    EMAILS = among!("user_emails", "email_index");
    USERNAMES = among!("users", "username_index");
    EXTERNAL_IDS = among!("users", "external_id_index");
    PHONES = among!("users", "phone_index");
}

/// Addresses among `normalized` that somebody has.
pub async fn emails<'v>(
    engine: &dyn Engine,
    vault: &TenantVault,
    normalized: &[&'v str],
) -> Result<Vec<&'v str>, StorageError> {
    find(engine, vault.tenant(), EMAILS, normalized, |value| user_emails::index(vault, value)).await
}

/// Identifiers among `values` that somebody has.
pub async fn identifiers<'v>(
    engine: &dyn Engine,
    vault: &TenantVault,
    kind: Identifier,
    values: &[&'v str],
) -> Result<Vec<&'v str>, StorageError> {
    let text = match kind {
        Identifier::Username => USERNAMES,
        Identifier::ExternalId => EXTERNAL_IDS,
        Identifier::Phone => PHONES,
    };
    find(engine, vault.tenant(), text, values, |value| kind.index(vault, value)).await
}

async fn find<'v>(
    engine: &dyn Engine,
    tenant: Uuid,
    text: &'static str,
    values: &[&'v str],
    index: impl Fn(&str) -> [u8; 32],
) -> Result<Vec<&'v str>, StorageError> {
    let mut taken = Vec::new();
    for values in values.chunks(AT_ONCE) {
        let indexes: Vec<[u8; 32]> = values.iter().map(|value| index(value)).collect();
        let mut params: Vec<Value> = vec![tenant.into()];
        // Places without a value ask for the first one again.
        params.extend((0..AT_ONCE).map(|place| Value::from(*indexes.get(place).unwrap_or(&indexes[0]))));
        let rows = engine.read(Scope::of(tenant), Statement::new(text, params)).await?;
        let found = rows.into_iter().map(|row| Columns::of("taken", row).bytes32("index"));
        let found = found.collect::<Result<HashSet<_>, _>>()?;
        let are_found = values.iter().zip(&indexes).filter(|(_, index)| found.contains(*index));
        taken.extend(are_found.map(|(value, _)| *value));
    }
    Ok(taken)
}
