//! What the application's role can do to rows of others, on every table of the catalogue.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::super::PostgresOptions;
use super::{client, database, fixture};
use crate::conformance::user_invitations::invitation;
use crate::conformance::{Fixture, NOW, entry};
use crate::ledger::prunable;
use crate::repositories::api_keys::{self, ApiKeyKind, ApiKeyRow, HashedSecret};
use crate::repositories::service_accounts::{self, ServiceAccountRow};
use crate::repositories::user_search::{self, Searched};
use crate::repositories::{
    consents, credentials, kept_answers, legal_holds, one_time_tokens, outbox, password_history, sessions,
    signing_keys, user_avatars, user_emails, user_invitations, write_probe,
};
use crate::{Scope, Unit};

const TABLES: &str = "SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity, \
    array(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid) \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
    ORDER BY 1";

/// A table of the catalogue.
struct Table {
    name: String,
    /// Whether its rows belong to tenants and not to the platform.
    of_tenants: bool,
}

/// Every table, each with row-level security forced and a policy.
async fn tables(superuser: &Client) -> Vec<Table> {
    let rows = superuser.query(TABLES, &[]).await.unwrap();
    assert!(rows.len() > 10, "the catalogue was read");
    rows.iter()
        .map(|row| {
            let (name, forced, policies): (String, bool, Vec<String>) = (row.get(0), row.get(1), row.get(2));
            assert!(forced, "row-level security is not forced on {name}");
            let of_tenants = policies.contains(&"tenant".to_owned());
            assert!(of_tenants || policies == ["platform"], "{name} has policies {policies:?}");
            Table { name, of_tenants }
        })
        .collect()
}

/// Rows in every table: of two tenants, and of the platform.
async fn furnish(fixture: &Fixture) -> (Uuid, Uuid) {
    let mut tenants = Vec::new();
    for slug in ["ours", "theirs"] {
        let vault = fixture.tenant(slug).await;
        let user = fixture.stored_user(&vault).await;
        let email = fixture.email(user.user_id, "ada@example.com");
        let statements = vec![
            user_emails::insert(&vault, "ada@example.com", &email),
            credentials::insert(&vault, &fixture.credential(user.user_id)),
            password_history::insert(&vault, user.user_id, &crate::conformance::rows::former_password(1)),
            user_avatars::put(&vault, user.user_id, &crate::conformance::rows::avatar()),
            sessions::insert(&vault, &fixture.session(&vault, user.user_id)),
            user_search::insert(&vault, Searched::Name, "ada", user.user_id),
            signing_keys::insert(&vault, &crate::conformance::rows::signing_key("k1")),
            outbox::insert(&vault, &crate::conformance::mail::mail(fixture)),
            kept_answers::insert(&vault, &crate::conformance::rows::kept_answer(&vault)),
            one_time_tokens::insert(&vault, &crate::conformance::one_time::token(1, None)),
            user_invitations::insert(&vault, "eve@example.com", &invitation(fixture.id(), 1)),
            consents::insert(vault.tenant(), user.user_id, &crate::conformance::rows::consent(fixture, true)),
        ];
        let statements = [
            statements,
            crate::conformance::authorization::one_of_each(fixture, &vault),
            crate::conformance::flags::one_of_each(&vault),
            crate::conformance::clients::one_of_each(&vault),
            crate::conformance::authorizations::one_of_each(&vault),
            crate::conformance::policies::one_of_each(&vault),
            crate::conformance::organizations::one_with_owner(fixture, &vault, user.user_id),
            crate::conformance::user_imports::one_with_error(fixture, vault.tenant()),
        ]
        .concat();
        fixture.commit(&vault, statements, vec![entry("user.created", 1)]).await.unwrap();
        let pruning = prunable(fixture.engine(), &vault, i64::MAX, NOW, 1).await.unwrap().unwrap();
        fixture.commit(&vault, pruning.statements, vec![entry("audit.pruned", 1)]).await.unwrap();
        let hold = crate::conformance::rows::hold(user.user_id);
        fixture.commit(&vault, vec![legal_holds::insert(&vault, &hold)], vec![]).await.unwrap();
        tenants.push(vault.tenant());
    }
    let account = ServiceAccountRow {
        account_id: fixture.id(),
        tenant: tenants[1],
        name: "orders".to_owned(),
        description: None,
        disabled: false,
        created_at: 4,
        updated_at: 4,
        version: 1,
    };
    let key = ApiKeyRow {
        key_id: fixture.id(),
        tenant: Some(tenants[1]),
        kind: ApiKeyKind::Secret,
        name: "ci".to_owned(),
        scopes: "tokens:read".to_owned(),
        secret: HashedSecret { hash: [3; 32], key_version: 1 },
        previous: None,
        account: None,
        account_disabled: false,
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: 1,
    };
    let statements = vec![service_accounts::insert(&account), api_keys::insert(&key), write_probe::write()];
    let unit = Unit { statements, entries: vec![] };
    fixture.engine().commit(Scope::Platform, "suite", vec![unit]).await.unwrap().remove(0).unwrap();
    (tenants[0], tenants[1])
}

/// Runs one statement in a scope (empty: none) and rolls back. How many rows it touched; `None` when it was refused.
async fn attempt(application: &Client, scope: &str, text: &str) -> Option<u64> {
    application.batch_execute(&format!("BEGIN; SET LOCAL plinto.scope = '{scope}'")).await.unwrap();
    let done = application.execute(text, &[]).await;
    application.batch_execute("ROLLBACK").await.unwrap();
    match done {
        Ok(rows) => Some(rows),
        Err(error) => {
            assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{text}: {error:?}");
            None
        }
    }
}

async fn count(client: &Client, text: &str) -> u64 {
    client.query(text, &[]).await.unwrap().len() as u64
}

#[tokio::test]
async fn without_a_scope_nothing_is_seen() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    furnish(&fixture).await;
    let (superuser, application) = (client(&database.superuser_url).await, client(&database.app_url).await);
    for Table { name, .. } in tables(&superuser).await {
        let all = count(&superuser, &format!("SELECT 1 FROM {name}")).await;
        assert!(all > 0, "{name} has rows");
        // Never set, set to nothing, and set in an earlier transaction.
        assert_eq!(count(&application, &format!("SELECT 1 FROM {name}")).await, 0, "{name}");
        assert_eq!(attempt(&application, "", &format!("SELECT 1 FROM {name}")).await, Some(0), "{name}");
        for text in ["SELECT 1 FROM {} FOR UPDATE", "DELETE FROM {}"] {
            let touched = attempt(&application, "", &text.replace("{}", &name)).await;
            assert!(touched.is_none_or(|rows| rows == 0), "{name}: {text}");
        }
    }
    let owner = client(&database.owner_url).await;
    assert_eq!(count(&owner, "SELECT 1 FROM tenants").await, 0, "not even the owner sees without a scope");
}

#[tokio::test]
async fn with_a_tenant_set_rows_of_others_cannot_be_reached() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let (ours, theirs) = furnish(&fixture).await;
    let (superuser, application) = (client(&database.superuser_url).await, client(&database.app_url).await);
    let scope = ours.to_string();
    for Table { name, of_tenants } in tables(&superuser).await {
        let own = if of_tenants {
            for tenant in [ours, theirs] {
                let text = format!("SELECT 1 FROM {name} WHERE tenant_id = '{tenant}'");
                assert!(count(&superuser, &text).await > 0, "{name} has rows of {tenant}");
            }
            count(&superuser, &format!("SELECT 1 FROM {name} WHERE tenant_id = '{ours}'")).await
        } else {
            0
        };
        let foreign = if of_tenants { format!("WHERE tenant_id <> '{ours}'") } else { String::new() };
        let first = if of_tenants { "tenant_id" } else { column(&superuser, &name).await.leak() };
        assert_eq!(
            attempt(&application, &scope, &format!("SELECT 1 FROM {name}")).await,
            Some(own),
            "{name}"
        );
        for text in [
            format!("SELECT 1 FROM {name} {foreign}"),
            format!("SELECT 1 FROM {name} {foreign} FOR UPDATE"),
            format!("SELECT 1 FROM {name} {foreign} FOR SHARE"),
            format!("UPDATE {name} SET {first} = {first} {foreign}"),
            format!("DELETE FROM {name} {foreign}"),
        ] {
            let touched = attempt(&application, &scope, &text).await;
            assert!(touched.is_none_or(|rows| rows == 0), "{text}: {touched:?}");
        }
        if of_tenants {
            let steal = format!("UPDATE {name} SET tenant_id = '{theirs}'");
            assert_eq!(attempt(&application, &scope, &steal).await, None, "{steal}");
        }
        let filter = if of_tenants { format!("WHERE tenant_id = '{theirs}'") } else { String::new() };
        let text = format!("SELECT row_to_json(t)::text FROM {name} t {filter} LIMIT 1");
        let foreign: String = superuser.query_one(&text, &[]).await.unwrap().get(0);
        let plant = format!(
            "INSERT INTO {name} SELECT * FROM json_populate_record(NULL::{name}, $json${foreign}$json$::json)"
        );
        assert_eq!(attempt(&application, &scope, &plant).await, None, "planting a row of others in {name}");
    }
}

async fn column(superuser: &Client, table: &str) -> String {
    let text = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1";
    superuser.query_one(text, &[&table]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_platform_sees_of_tenants_only_how_far_their_ledgers_are() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    furnish(&fixture).await;
    let (superuser, application) = (client(&database.superuser_url).await, client(&database.app_url).await);
    let nil = Uuid::nil().to_string();
    for Table { name, of_tenants } in tables(&superuser).await {
        if !of_tenants {
            continue;
        }
        let foreign = format!("WHERE tenant_id <> '{nil}'");
        let seen = attempt(&application, &nil, &format!("SELECT 1 FROM {name} {foreign}")).await;
        assert_eq!(seen, Some(if name == "ledger_heads" { 2 } else { 0 }), "{name}");
        for text in [
            format!("SELECT 1 FROM {name} {foreign} FOR UPDATE"),
            format!("UPDATE {name} SET tenant_id = tenant_id {foreign}"),
            format!("DELETE FROM {name} {foreign}"),
        ] {
            let touched = attempt(&application, &nil, &text).await;
            assert!(touched.is_none_or(|rows| rows == 0), "{text}: {touched:?}");
        }
    }
}

#[tokio::test]
async fn the_application_can_neither_change_the_rules_nor_empty_a_table() {
    let database = database().await;
    let application = client(&database.app_url).await;
    let superuser = client(&database.superuser_url).await;
    let owner = plinto_servers::OWNER_ROLE;
    let mut texts = vec![format!("SET ROLE {owner}"), "CREATE TABLE mine (id bigint)".to_owned()];
    for Table { name, .. } in tables(&superuser).await {
        texts.push(format!("TRUNCATE {name} CASCADE"));
        texts.push(format!("ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"));
        texts.push(format!("DROP TABLE {name}"));
        // Row-level security switched off refuses instead of showing.
        texts.push(format!("SET row_security = off; SELECT 1 FROM {name}"));
    }
    texts.push("UPDATE ledger_entries SET data = ''".to_owned());
    texts.push("DELETE FROM schema_migrations".to_owned());
    for text in texts {
        let refused = application.batch_execute(&text).await.expect_err(&text);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{text}");
        application.batch_execute("RESET row_security").await.unwrap();
    }
}
