//! What must not be found in the files, is not.

use super::Folder;
use crate::Scope;
use crate::conformance::{MASTER, entry};
use crate::repositories::sessions::ClientInfo;
use crate::repositories::{
    credentials, password_history, sessions, signing_keys, user_avatars, user_emails, users,
};

#[tokio::test]
async fn no_file_holds_anything_personal_or_secret_in_clear() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let vault = fixture.tenant("ours").await;
    let mut user = fixture.user();
    user.profile.name = Some("Ada Lovelace".to_owned());
    let email = fixture.email(user.user_id, "Ada@Example.com");
    let credential = fixture.credential(user.user_id);
    let mut session = fixture.session(&vault, user.user_id);
    session.client = Some(ClientInfo {
        address: Some("192.0.2.77".to_owned()),
        user_agent: Some("Mozilla/5.0 (suite)".to_owned()),
    });
    let mut key = crate::conformance::rows::signing_key("k1");
    key.private_key = b"PRIVATE-KEY-DER-BYTES".to_vec().into();
    let statements = vec![
        users::insert(&vault, &user),
        user_emails::insert(&vault, "ada@example.com", &email),
        credentials::insert(&vault, &credential),
        password_history::insert(&vault, user.user_id, &crate::conformance::rows::former_password(1)),
        user_avatars::put(&vault, user.user_id, &crate::conformance::rows::avatar()),
        sessions::insert(&vault, &session),
        signing_keys::insert(&vault, &key),
    ];
    fixture.commit(&vault, statements, vec![entry("user.created", user.user_id)]).await.unwrap();

    let forbidden: [&[u8]; 11] = [
        b"picture of somebody",
        b"Ada Lovelace",
        b"Ada@Example.com",
        b"ada@example.com",
        credential.secret.as_bytes(),
        b"$argon2id$",
        b"192.0.2.77",
        b"Mozilla/5.0",
        b"PRIVATE-KEY-DER-BYTES",
        MASTER.as_bytes(),
        b"Tenant ours",
    ];
    let scopes = [Scope::Platform, Scope::Tenant(vault.tenant())];
    let check = |when: &str| {
        for scope in scopes {
            let bytes = folder.bytes(scope);
            for needle in forbidden {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{when}: {scope:?} holds {}", String::from_utf8_lossy(needle));
            }
            let master = hex::decode(MASTER).unwrap();
            assert!(!bytes.windows(32).any(|window| window == master));
        }
    };
    check("while running, logs included");
    let positive = folder.bytes(scopes[1]).windows(12).any(|window| window == b"user.created");
    assert!(positive, "the search does find what is in clear");
    fixture.engine().close().await;
    check("after closing");
}

#[tokio::test]
async fn wrapped_keys_of_a_deleted_tenant_are_overwritten() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let vault = fixture.tenant("ours").await;
    let wrapped = crate::repositories::tenant_keys::list(fixture.engine(), vault.tenant()).await.unwrap();
    assert_eq!(wrapped.len(), 2);
    let holds =
        |needle: &[u8]| folder.bytes(Scope::Platform).windows(needle.len()).any(|window| window == needle);
    assert!(wrapped.iter().all(|key| holds(&key.bytes)));
    fixture.store.tenants().delete(vault.tenant(), 1, vec![]).await.unwrap();
    assert!(!wrapped.iter().any(|key| holds(&key.bytes)), "neither file nor log");
    assert!(!folder.file(Scope::Tenant(vault.tenant())).exists());
}
