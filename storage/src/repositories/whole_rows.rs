//! Every table with all of its columns, to bring whole rows from one engine to another as they are.
//!
//! What is sealed stays sealed; nothing is opened or decoded here. A test compares this list with the schemas, so that
//! no column can be forgotten.

use std::sync::LazyLock;

use uuid::Uuid;

use crate::engine::{Row, Scope, Statement, Value};
use crate::error::StorageError;

/// Columns that hold an id, in whatever table they stand.
const IDS: &[&str] = &[
    "tenant_id",
    "user_id",
    "session_id",
    "key_id",
    "mail_id",
    "account_id",
    "service_account_id",
    "role_id",
    "grant_id",
    "subject_id",
    "organization_id",
    "consent_id",
    "import_id",
    "invitation_id",
    "domain_id",
];

/// Tables of a tenant in an order in which rows refer only to rows that are there already. The ledger's head is not
/// among them: it says what the ledger holds, see [`crate::repositories::ledger`].
const OF_A_TENANT: &[Layout] = &[
    Layout {
        name: "users",
        key: &["tenant_id", "user_id"],
        rest: &[
            "state",
            "locked_until",
            "purge_at",
            "name",
            "username_index",
            "username",
            "external_id_index",
            "external_id",
            "phone_index",
            "phone",
            "public_metadata",
            "private_metadata",
            "unsafe_metadata",
            "created_at",
            "updated_at",
            "version",
        ],
    },
    Layout { name: "user_search", key: &["tenant_id", "token_index", "user_id"], rest: &[] },
    Layout {
        name: "user_emails",
        key: &["tenant_id", "email_index"],
        rest: &["user_id", "email", "verified_at", "is_primary", "created_at"],
    },
    Layout {
        name: "credentials",
        key: &["tenant_id", "user_id", "kind"],
        rest: &["secret", "created_at", "updated_at", "version"],
    },
    Layout {
        name: "user_avatars",
        key: &["tenant_id", "user_id"],
        rest: &["version", "image", "updated_at"],
    },
    Layout {
        name: "password_history",
        key: &["tenant_id", "user_id", "version"],
        rest: &["secret", "replaced_at"],
    },
    Layout {
        name: "sessions",
        key: &["tenant_id", "session_id"],
        rest: &[
            "user_id",
            "created_at",
            "authenticated_at",
            "expires_at",
            "idle_expires_at",
            "amr",
            "client",
            "refresh_generation",
            "refresh_hash",
            "rotated_at",
            "refresh_client",
            "key_version",
            "revoked_at",
            "revoked_reason",
            "version",
            "last_seen_at",
            "organization_id",
            "organization_role",
            "organization_until",
        ],
    },
    Layout {
        name: "signing_keys",
        key: &["tenant_id", "kid"],
        rest: &["alg", "private_key", "public_jwk", "state", "created_at", "not_after"],
    },
    Layout {
        name: "one_time_tokens",
        key: &["tenant_id", "token_hash"],
        rest: &[
            "purpose",
            "user_id",
            "email",
            "sent_hash",
            "attempts",
            "created_at",
            "expires_at",
            "used_at",
            "version",
        ],
    },
    Layout {
        name: "outbox",
        key: &["tenant_id", "mail_id"],
        rest: &[
            "kind",
            "language",
            "state",
            "attempts",
            "next_attempt_at",
            "useful_until",
            "created_at",
            "once",
            "message",
            "version",
        ],
    },
    Layout {
        name: "kept_answers",
        key: &["tenant_id", "request_index"],
        rest: &["fingerprint", "took_effect", "answer", "reserved_at", "expires_at", "version"],
    },
    Layout { name: "role_sets", key: &["tenant_id"], rest: &["version"] },
    Layout {
        name: "roles",
        key: &["tenant_id", "role_id"],
        rest: &[
            "role_key",
            "name",
            "description",
            "level",
            "permissions",
            "inherits",
            "created_at",
            "updated_at",
            "version",
        ],
    },
    Layout {
        name: "grants",
        key: &["tenant_id", "grant_id"],
        rest: &[
            "subject_kind",
            "subject_id",
            "role_id",
            "permission",
            "organization_id",
            "resource_index",
            "resource",
            "fingerprint",
            "created_at",
            "expires_at",
        ],
    },
    Layout {
        name: "consents",
        key: &["tenant_id", "user_id", "consent_id"],
        rest: &["purpose", "document", "granted", "actor", "at"],
    },
    Layout {
        name: "legal_holds",
        key: &["tenant_id", "user_id"],
        rest: &["reason", "placed_by", "placed_at"],
    },
    Layout { name: "ledger_checkpoints", key: &["tenant_id", "seq"], rest: &["verifier", "note"] },
    Layout {
        name: "organizations",
        key: &["tenant_id", "organization_id"],
        rest: &[
            "slug",
            "name",
            "metadata",
            "owners",
            "created_at",
            "updated_at",
            "version",
            "policy",
            "policy_version",
            "policy_updated_at",
        ],
    },
    Layout {
        name: "organization_members",
        key: &["tenant_id", "organization_id", "user_id"],
        rest: &["role", "created_at", "updated_at", "version"],
    },
    Layout {
        name: "policy_sets",
        key: &["tenant_id"],
        rest: &["latest", "active", "activations", "updated_at", "version"],
    },
    Layout {
        name: "policy_versions",
        key: &["tenant_id", "number"],
        rest: &["source", "note", "policies", "created_at"],
    },
    Layout {
        name: "clients",
        key: &["tenant_id", "client_id"],
        rest: &["definition", "secrets", "created_at", "updated_at", "version"],
    },
    Layout {
        name: "authorizations",
        key: &["tenant_id", "authorization_id"],
        rest: &[
            "client_id",
            "user_id",
            "session_id",
            "terms",
            "code_expires_at",
            "redeemed_at",
            "generation",
            "rotated_at",
            "refresh_expires_at",
            "proof_key",
            "revoked_at",
            "created_at",
            "version",
        ],
    },
    Layout { name: "used_proofs", key: &["tenant_id", "proof_hash"], rest: &["expires_at"] },
    Layout {
        name: "client_consents",
        key: &["tenant_id", "user_id", "client_id"],
        rest: &["scope", "created_at", "given_at"],
    },
    Layout {
        name: "flags",
        key: &["tenant_id", "flag_key"],
        rest: &["definition", "created_at", "updated_at", "version"],
    },
    Layout {
        name: "user_imports",
        key: &["tenant_id", "import_id"],
        rest: &[
            "dry_run",
            "on_conflict",
            "source",
            "state",
            "lines",
            "imported",
            "skipped",
            "failed",
            "errors",
            "created_at",
            "updated_at",
            "version",
        ],
    },
    Layout {
        name: "user_import_errors",
        key: &["tenant_id", "import_id", "place"],
        rest: &["field", "code", "detail"],
    },
    LEDGER,
    Layout {
        name: "organization_invitations",
        key: &["tenant_id", "organization_id", "invitation_id"],
        rest: &[
            "email_index",
            "email",
            "role",
            "state",
            "token_hash",
            "invited_by",
            "user_id",
            "created_at",
            "sent_at",
            "expires_at",
            "ended_at",
            "version",
        ],
    },
    Layout {
        name: "organization_domains",
        key: &["tenant_id", "organization_id", "domain_id"],
        rest: &[
            "domain_index",
            "domain",
            "challenge",
            "mode",
            "role",
            "verified_at",
            "created_at",
            "updated_at",
            "version",
        ],
    },
    Layout {
        name: "organization_departures",
        key: &["tenant_id", "organization_id", "user_id"],
        rest: &["left_at"],
    },
    Layout {
        name: "user_invitations",
        key: &["tenant_id", "invitation_id"],
        rest: &["token_hash", "email_index", "email", "profile", "created_at", "expires_at", "version"],
    },
];

const LEDGER: Layout = Layout {
    name: "ledger_entries",
    key: &["tenant_id", "seq"],
    rest: &["at", "event", "actor", "subject", "data", "prev_hash", "hash"],
};

const TENANTS: Layout = Layout {
    name: "tenants",
    key: &["tenant_id"],
    rest: &["slug", "name", "settings", "state", "created_at", "updated_at", "version"],
};

const TENANT_KEYS: Layout = Layout {
    name: "tenant_keys",
    key: &["tenant_id", "purpose", "version"],
    rest: &["wrapped", "created_at"],
};

const API_KEYS: Layout = Layout {
    name: "api_keys",
    key: &["key_id"],
    rest: &[
        "tenant_id",
        "kind",
        "name",
        "secret_hash",
        "created_at",
        "revoked_at",
        "publishable",
        "scopes",
        "hash_key_version",
        "previous_hash",
        "previous_key_version",
        "previous_until",
        "service_account_id",
        "expires_at",
        "last_used_at",
        "version",
    ],
};

const SERVICE_ACCOUNTS: Layout = Layout {
    name: "service_accounts",
    key: &["account_id"],
    rest: &["tenant_id", "name", "description", "disabled", "created_at", "updated_at", "version"],
};

struct Layout {
    name: &'static str,
    key: &'static [&'static str],
    rest: &'static [&'static str],
}

/// Whose rows of a table are meant.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Extent {
    /// All that stand in it.
    All,
    /// Those of one id, the first column of the key.
    OfOne,
}

/// A table, with the texts that read and write its rows as they are.
#[derive(Debug)]
pub(crate) struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    /// How many of the columns, the first ones, make the key.
    key: usize,
    extent: Extent,
    first: &'static str,
    next: &'static str,
    insert: &'static str,
    /// Removes the rows of a user, where the table has such.
    of_user: Option<&'static str>,
}

/// The tables of the platform and those of a tenant.
pub(crate) struct Catalogue {
    /// The register of tenants.
    pub(crate) tenants: Table,
    /// Wrapped keys of the platform and of all tenants.
    pub(crate) tenant_keys: Table,
    /// Keys of operators and services.
    pub(crate) api_keys: Table,
    /// To which services' keys belong.
    pub(crate) service_accounts: Table,
    /// Entries of the ledger of one scope.
    pub(crate) ledger: Table,
    /// Everything of a tenant, its ledger last.
    pub(crate) of_a_tenant: Vec<Table>,
}

/// Every table there is, but for those that belong to the files of one engine.
pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
    tenants: Table::new(&TENANTS, Extent::All),
    tenant_keys: Table::new(&TENANT_KEYS, Extent::All),
    api_keys: Table::new(&API_KEYS, Extent::All),
    service_accounts: Table::new(&SERVICE_ACCOUNTS, Extent::All),
    ledger: Table::new(&LEDGER, Extent::OfOne),
    of_a_tenant: OF_A_TENANT.iter().map(|layout| Table::new(layout, Extent::OfOne)).collect(),
});

impl Table {
    fn new(layout: &Layout, extent: Extent) -> Self {
        let columns: Vec<&'static str> = layout.key.iter().chain(layout.rest).copied().collect();
        let (name, key, list) = (layout.name, layout.key.join(", "), columns.join(", "));
        let numbers =
            |count: usize| (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
        let (count, limit) = (layout.key.len(), layout.key.len() + 1);
        let (first, next) = match extent {
            Extent::All => (
                format!("SELECT {list} FROM {name} ORDER BY {key} LIMIT $1"),
                format!(
                    "SELECT {list} FROM {name} WHERE ({key}) > ({}) ORDER BY {key} LIMIT ${limit}",
                    numbers(count)
                ),
            ),
            Extent::OfOne => (
                format!("SELECT {list} FROM {name} WHERE tenant_id = $1 ORDER BY {key} LIMIT $2"),
                format!(
                    "SELECT {list} FROM {name} WHERE tenant_id = $1 AND ({key}) > ({}) ORDER BY {key} LIMIT ${limit}",
                    numbers(count)
                ),
            ),
        };
        let insert = format!("INSERT INTO {name} ({list}) VALUES ({})", numbers(columns.len()));
        // A grant is somebody's or an account's; ids are of one kind only.
        let whose = ["user_id", "subject_id"].into_iter().find(|whose| columns.contains(whose));
        let of_user =
            whose.map(|whose| &*format!("DELETE FROM {name} WHERE tenant_id = $1 AND {whose} = $2").leak());
        // Made once for the life of the process, as the texts of all other statements are.
        let [first, next, insert] = [first, next, insert].map(|text| &*text.leak());
        Self { name, columns, key: layout.key.len(), extent, first, next, insert, of_user }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The text that removes the rows of a user, where the table has such.
    pub(crate) fn of_user(&self) -> Option<&'static str> {
        self.of_user
    }

    /// The first rows of it in a scope, or those after a key, in the order of their keys.
    pub(crate) fn page(&self, scope: Scope, after: Option<&[Value]>, limit: u32) -> Statement {
        let (text, mut params) = match (after, self.extent) {
            (Some(key), _) => (self.next, key.to_vec()),
            (None, Extent::OfOne) => (self.first, vec![scope.id().into()]),
            (None, Extent::All) => (self.first, Vec::new()),
        };
        params.push(limit.into());
        Statement::new(text, params)
    }

    /// Writes a row that must not be there yet.
    pub(crate) fn insert(&self, row: Row) -> Statement {
        Statement::new(self.insert, row.values).expecting(1, "imported_row")
    }

    /// A row as every engine takes it: one keeps ids as bytes and gives them back as such.
    pub(crate) fn portable(&self, row: Row) -> Result<Row, StorageError> {
        if row.values.len() != self.columns.len() {
            return Err(StorageError::decode(self.name));
        }
        let decoded = row.values.into_iter().zip(&self.columns).map(|(value, column)| match value {
            Value::Blob(bytes) if IDS.contains(column) => Uuid::from_slice(&bytes)
                .map(Value::Uuid)
                .map_err(|_| StorageError::decode(format!("{}.{column}", self.name))),
            value => Ok(value),
        });
        Ok(Row { values: decoded.collect::<Result<_, _>>()? })
    }

    /// The key of a row.
    pub(crate) fn key<'a>(&self, row: &'a Row) -> &'a [Value] {
        &row.values[..self.key]
    }

    /// The columns with their names, for tests that compare them with a schema.
    #[cfg(test)]
    pub(crate) fn columns(&self) -> &[&'static str] {
        &self.columns
    }
}

/// Empties what an import into a database that nobody uses yet has left behind when it was interrupted.
pub(crate) fn clear_platform() -> Vec<Statement> {
    let mut statements: Vec<Statement> =
        [CLEAR_TENANTS, CLEAR_TENANT_KEYS, CLEAR_API_KEYS, CLEAR_SERVICE_ACCOUNTS]
            .map(|text| Statement::new(text, vec![]))
            .into();
    statements.push(Statement::new(CLEAR_LEDGER, vec![Scope::Platform.id().into()]));
    statements
}

statements! {
    CLEAR_TENANTS = "DELETE FROM tenants";
    CLEAR_TENANT_KEYS = "DELETE FROM tenant_keys";
    CLEAR_API_KEYS = "DELETE FROM api_keys";
    CLEAR_SERVICE_ACCOUNTS = "DELETE FROM service_accounts";
    CLEAR_LEDGER = "DELETE FROM ledger_entries WHERE tenant_id = $1";
}
