//! Every repository reads back what it wrote.

use super::{Fixture, NOW};
use crate::repositories::api_keys;
use crate::repositories::consents::{self, ConsentRow};
use crate::repositories::credentials::{self, CredentialKind};
use crate::repositories::kept_answers::{self, KeptAnswerRow};
use crate::repositories::legal_holds::{self, LegalHoldRow, WHOLE_TENANT};
use crate::repositories::password_history::{self, FormerPasswordRow};
use crate::repositories::sessions::{self, Rotation, SessionRow};
use crate::repositories::signing_keys::{self, SigningKeyRow, SigningKeyState};
use crate::repositories::user_avatars::{self, AvatarRow};
use crate::repositories::user_search::{self, Searched};
use crate::repositories::users::{
    self, Identifier, ListedState, Span, UserProfile, UserRow, UserStanding, UserState,
};
use crate::repositories::{constraint, erasure, purge, sign_in, user_emails};
use crate::{Scope, TenantVault, Unit, UnitError};
use std::collections::BTreeSet;

pub async fn what_is_not_there_is_none(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (engine, nobody) = (fixture.engine(), fixture.id());
    assert_eq!(users::get(engine, &vault, nobody).await, Ok(None));
    assert_eq!(user_emails::find_by_email(engine, &vault, "a@b.c").await, Ok(None));
    assert_eq!(user_emails::list_for_user(engine, &vault, nobody).await, Ok(vec![]));
    assert_eq!(credentials::get(engine, &vault, nobody, CredentialKind::Password).await, Ok(None));
    assert_eq!(sessions::get(engine, &vault, nobody).await, Ok(None));
    assert_eq!(sessions::list_for_user(engine, &vault, nobody, 10, None).await, Ok(vec![]));
    assert_eq!(sign_in::by_email(engine, &vault, "a@b.c").await, Ok(None));
    assert_eq!(signing_keys::list(engine, &vault).await, Ok(vec![]));
    assert_eq!(api_keys::get(engine, nobody).await, Ok(None));
}

pub async fn users_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (first, mut second) = (fixture.stored_user(&vault).await, fixture.user());
    second.profile.name = None;
    fixture.commit(&vault, vec![users::insert(&vault, &second)], vec![]).await.expect("stored");
    let mut expected = vec![first.clone(), second.clone()];
    expected.sort_by_key(|row| row.user_id);
    let email = fixture.email(first.user_id, "ada@example.com");
    let insert = user_emails::insert(&vault, "ada@example.com", &email);
    fixture.commit(&vault, vec![insert], vec![]).await.expect("stored");
    let expected: Vec<_> = expected
        .into_iter()
        .map(|row| {
            let email = (row.user_id == first.user_id).then(|| email.clone());
            (row, email)
        })
        .collect();
    let list = |span| users::list(fixture.engine(), &vault, span, None, NOW);
    assert_eq!(list(Span::after(None, 10)).await, Ok(expected.clone()));
    let after = list(Span::after(Some(expected[0].0.user_id), 10)).await;
    assert_eq!(after, Ok(expected[1..].to_vec()));
    let before = list(Span { before: expected[1].0.user_id, ..Span::after(None, 10) }).await;
    assert_eq!(before, Ok(expected[..1].to_vec()));

    let block = users::update_standing(&vault, first.user_id, UserState::Blocked, NOW + 1, 1);
    let profile = UserProfile { name: Some("Ada King".to_owned()), ..UserProfile::default() };
    let rename = users::update_profile(&vault, first.user_id, &profile, NOW + 2, 2);
    fixture.commit(&vault, vec![block, rename], vec![]).await.expect("versions are current");
    let read = users::get(fixture.engine(), &vault, first.user_id).await.expect("reads").expect("is there");
    assert_eq!((read.standing, &read.profile), (UserState::Blocked.into(), &profile));
    assert_eq!((read.version, read.created_at, read.updated_at), (3, NOW, NOW + 2));
    let touch = || users::touch(vault.tenant(), first.user_id, NOW + 3, 3);
    fixture.commit(&vault, vec![touch()], vec![]).await.expect("the version is current");
    let stale = fixture.commit(&vault, vec![touch()], vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("user_version")));
}

pub async fn users_are_found_by_what_only_they_have(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let text = |text: &str| Some(text.to_owned());
    let profile = UserProfile {
        name: None,
        username: text("ada"),
        external_id: text("crm-7"),
        phone: text("+41791234567"),
        public_metadata: text("{\"a\":1}"),
        private_metadata: text("{}"),
        unsafe_metadata: text("{\"b\":[]}"),
    };
    let user = UserRow { profile: profile.clone(), ..UserRow::new(fixture.id(), NOW) };
    fixture.commit(&vault, vec![users::insert(&vault, &user)], vec![]).await.expect("stored");
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user.clone())));
    for (kind, value, taken) in [
        (Identifier::Username, "ada", constraint::USER_NAME),
        (Identifier::ExternalId, "crm-7", constraint::USER_EXTERNAL_ID),
        (Identifier::Phone, "+41791234567", constraint::USER_PHONE),
    ] {
        assert_eq!(users::find(fixture.engine(), &vault, kind, value).await, Ok(Some(user.user_id)));
        assert_eq!(users::find(fixture.engine(), &vault, kind, "grace").await, Ok(None));
        let mut other = UserRow::new(fixture.id(), NOW);
        match kind {
            Identifier::Username => other.profile.username = text(value),
            Identifier::ExternalId => other.profile.external_id = text(value),
            Identifier::Phone => other.profile.phone = text(value),
        }
        let refused = fixture.commit(&vault, vec![users::insert(&vault, &other)], vec![]).await;
        assert_eq!(refused, Err(UnitError::Unique(taken.to_owned())));
    }
    let found =
        sign_in::by_username(fixture.engine(), &vault, "ada").await.expect("reads").expect("is there");
    assert_eq!((found.user_id, found.credential), (user.user_id, None));
}

pub async fn users_are_listed_by_state(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let standings = [
        UserStanding::default(),
        UserStanding { locked_until: Some(NOW), ..UserStanding::default() },
        UserState::Blocked.into(),
        UserStanding { locked_until: Some(NOW + 1), ..UserStanding::default() },
        UserStanding { state: UserState::Blocked, locked_until: Some(NOW + 1), purge_at: None },
        UserStanding { state: UserState::Blocked, locked_until: Some(NOW + 1), purge_at: Some(NOW) },
    ];
    let mut ids = Vec::new();
    for standing in standings {
        let user = UserRow { standing, ..UserRow::new(fixture.id(), NOW) };
        fixture.commit(&vault, vec![users::insert(&vault, &user)], vec![]).await.expect("stored");
        assert_eq!(
            sign_in::standing(fixture.engine(), vault.tenant(), user.user_id).await,
            Ok(Some(standing))
        );
        ids.push(user.user_id);
    }
    for (state, expected) in [
        (ListedState::Active, vec![ids[0], ids[1]]),
        (ListedState::Blocked, vec![ids[2], ids[4]]),
        (ListedState::Locked, vec![ids[3]]),
        (ListedState::Deleted, vec![ids[5]]),
    ] {
        let span = Span::after(None, 10);
        let found = users::list(fixture.engine(), &vault, span, Some(state), NOW).await.expect("reads");
        let found: BTreeSet<_> = found.into_iter().map(|(user, _)| user.user_id).collect();
        assert_eq!(found, expected.into_iter().collect(), "{state:?}");
    }
    let due = |now| users::list_due(fixture.engine(), vault.tenant(), now, 10);
    assert_eq!(due(NOW - 1).await, Ok(vec![]));
    assert_eq!(due(NOW).await, Ok(vec![(ids[5], 1)]));
}

pub async fn users_are_found_by_beginnings(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let mut users = [fixture.stored_user(&vault).await, fixture.stored_user(&vault).await];
    users.sort_by_key(|user| user.user_id);
    let insert = |kind, beginning, user: &UserRow| user_search::insert(&vault, kind, beginning, user.user_id);
    let statements = vec![
        insert(Searched::Name, "ada", &users[0]),
        insert(Searched::Name, "ada", &users[1]),
        insert(Searched::Email, "ada", &users[1]),
    ];
    fixture.commit(&vault, statements, vec![]).await.expect("stored");
    let find = async |kind, beginning, span| {
        let found = user_search::find(fixture.engine(), &vault, kind, beginning, span).await.expect("reads");
        found.into_iter().map(|(user, _)| user).collect::<Vec<_>>()
    };
    let all = Span::after(None, 10);
    assert_eq!(find(Searched::Name, "ada", all).await, users);
    assert_eq!(find(Searched::Name, "ada", Span { limit: 1, ..all }).await, users[..1]);
    assert_eq!(find(Searched::Name, "ada", Span::after(Some(users[0].user_id), 10)).await, users[1..]);
    assert_eq!(find(Searched::Email, "ada", all).await, users[1..]);
    assert_eq!(find(Searched::Email, "adb", all).await, []);
    let remove = || user_search::remove(&vault, Searched::Name, "ada", users[0].user_id);
    fixture.commit(&vault, vec![remove(), remove()], vec![]).await.expect("removing what is gone is fine");
    assert_eq!(find(Searched::Name, "ada", all).await, users[1..]);
}

pub async fn a_purged_user_leaves_nothing(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let id = user.user_id;
    let statements = vec![
        user_emails::insert(&vault, "ada@example.com", &fixture.email(id, "ada@example.com")),
        credentials::insert(&vault, &fixture.credential(id)),
        password_history::insert(&vault, id, &former_password(1)),
        user_avatars::put(&vault, id, &avatar()),
        sessions::insert(&vault, &fixture.session(&vault, id)),
        user_search::insert(&vault, Searched::Name, "ada", id),
    ];
    fixture.commit(&vault, statements, vec![]).await.expect("stored");
    let stale = fixture.commit(&vault, purge::purge(vault.tenant(), id, 7), vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("user_version")));
    let found = sign_in::by_email(fixture.engine(), &vault, "ada@example.com").await.expect("reads");
    assert!(found.is_some_and(|row| row.credential.is_some()), "a refused purge leaves everything");
    fixture.commit(&vault, purge::purge(vault.tenant(), id, 1), vec![]).await.expect("purged");
    assert_eq!(users::get(fixture.engine(), &vault, id).await, Ok(None));
    assert_eq!(sign_in::by_email(fixture.engine(), &vault, "ada@example.com").await, Ok(None));
    assert_eq!(sessions::list_for_user(fixture.engine(), &vault, id, 10, None).await, Ok(vec![]));
    assert_eq!(password_history::list(fixture.engine(), &vault, id, 10).await, Ok(vec![]));
    assert_eq!(user_avatars::get(fixture.engine(), &vault, id).await, Ok(None));
    let span = Span::after(None, 10);
    let found = user_search::find(fixture.engine(), &vault, Searched::Name, "ada", span).await;
    assert_eq!(found, Ok(vec![]));
}

pub(crate) fn former_password(version: i64) -> FormerPasswordRow {
    let secret = format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA{version}");
    FormerPasswordRow { version, secret: secret.into(), replaced_at: NOW + version }
}

pub async fn former_passwords_are_kept_as_many_as_wanted(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, user) = (vault.tenant(), fixture.stored_user(&vault).await.user_id);
    let other = fixture.stored_user(&vault).await.user_id;
    let list = |user, limit| password_history::list(fixture.engine(), &vault, user, limit);
    assert_eq!(list(user, 10).await, Ok(vec![]));
    // Versions in between were the same password under newer parameters.
    let rows = [9, 7, 4, 1].map(former_password);
    let inserts = rows.iter().map(|row| password_history::insert(&vault, user, row));
    let inserts = inserts.chain([password_history::insert(&vault, other, &rows[3])]).collect();
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    assert_eq!(list(user, 10).await, Ok(rows.to_vec()));
    assert_eq!(list(user, 3).await, Ok(rows[..3].to_vec()), "the newest");
    let again = fixture.commit(&vault, vec![password_history::insert(&vault, user, &rows[0])], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(constraint::PASSWORD_HISTORY.to_owned())));
    for kept in [5, 4, 2, 0] {
        fixture
            .commit(&vault, vec![password_history::prune(tenant, user, kept)], vec![])
            .await
            .expect("stands");
        assert_eq!(list(user, 10).await, Ok(rows[..rows.len().min(kept as usize)].to_vec()), "{kept}");
    }
    assert_eq!(list(other, 10).await, Ok(rows[3..].to_vec()), "nobody else's are touched");
}

pub(crate) fn avatar() -> AvatarRow {
    AvatarRow { version: 2, image: b"\xff\xd8 picture of somebody".to_vec().into(), updated_at: NOW }
}

pub async fn avatars_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, user) = (vault.tenant(), fixture.stored_user(&vault).await.user_id);
    let other = fixture.stored_user(&vault).await.user_id;
    let get = |user| user_avatars::get(fixture.engine(), &vault, user);
    assert_eq!(get(user).await, Ok(None));
    let large = AvatarRow { version: 5, image: vec![7; 300_000].into(), updated_at: NOW + 1 };
    for row in [avatar(), large] {
        let statements = vec![user_avatars::put(&vault, user, &row)];
        fixture.commit(&vault, statements, vec![]).await.expect("stored");
        assert_eq!(get(user).await, Ok(Some(row.clone())), "the new one takes the place of the old");
        assert_eq!(user_avatars::version(fixture.engine(), tenant, user).await, Ok(Some(row.version)));
    }
    assert_eq!(get(other).await, Ok(None));
    fixture.commit(&vault, vec![user_avatars::remove(tenant, user)], vec![]).await.expect("was there");
    let again = fixture.commit(&vault, vec![user_avatars::remove(tenant, user)], vec![]).await;
    assert_eq!(again, Err(UnitError::Conflict("no_avatar")));
    assert_eq!(
        (get(user).await, user_avatars::version(fixture.engine(), tenant, user).await),
        (Ok(None), Ok(None))
    );
}

pub async fn addresses_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let mut first = fixture.email(user.user_id, "Ada@Example.com");
    first.verified_at = Some(NOW);
    let mut second = fixture.email(user.user_id, "ada@work.example");
    (second.is_primary, second.created_at) = (false, NOW + 1);
    let statements = vec![
        user_emails::insert(&vault, "ada@example.com", &first),
        user_emails::insert(&vault, "ada@work.example", &second),
    ];
    fixture.commit(&vault, statements, vec![]).await.expect("stored");
    let found = user_emails::find_by_email(fixture.engine(), &vault, "ada@example.com").await;
    assert_eq!(found, Ok(Some(first.clone())));
    let listed = user_emails::list_for_user(fixture.engine(), &vault, user.user_id).await;
    assert_eq!(listed, Ok(vec![first.clone(), second]));
    let mut other = fixture.stored_user(&vault).await;
    while other.user_id <= user.user_id {
        other = fixture.stored_user(&vault).await;
    }
    let theirs = fixture.email(other.user_id, "grace@example.com");
    let insert = user_emails::insert(&vault, "grace@example.com", &theirs);
    fixture.commit(&vault, vec![insert], vec![]).await.expect("stored");
    let primary = |last| user_emails::list_primary(fixture.engine(), &vault, user.user_id, last);
    assert_eq!(primary(user.user_id).await, Ok(vec![first.clone()]), "neither second nor foreign addresses");
    assert_eq!(primary(other.user_id).await, Ok(vec![first, theirs]));
}

pub async fn addresses_change(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (user, other) =
        (fixture.stored_user(&vault).await.user_id, fixture.stored_user(&vault).await.user_id);
    let (first, mut second) =
        (fixture.email(user, "ada@example.com"), fixture.email(user, "ada@work.example"));
    second.is_primary = false;
    let inserts = vec![
        user_emails::insert(&vault, &first.email, &first),
        user_emails::insert(&vault, &second.email, &second),
    ];
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    assert_ne!(user_emails::id_of(&vault, &first.email), user_emails::id_of(&vault, &second.email));
    let stays = Err(UnitError::Conflict("email_state"));
    let commit = async |statement| fixture.commit(&vault, vec![statement], vec![]).await.map(|_| ());
    assert_eq!(commit(user_emails::remove(&vault, &first.email, user)).await, stays, "the primary address");
    assert_eq!(commit(user_emails::remove(&vault, &second.email, other)).await, stays, "of somebody else");
    assert_eq!(commit(user_emails::verify(&vault, &second.email, other, NOW)).await, stays);
    assert_eq!(commit(user_emails::verify(&vault, &second.email, user, NOW)).await, Ok(()));
    assert_eq!(commit(user_emails::verify(&vault, &second.email, user, NOW + 1)).await, stays, "once");
    assert_eq!(commit(user_emails::set_primary(&vault, &first.email, user, false)).await, Ok(()));
    assert_eq!(commit(user_emails::set_primary(&vault, &second.email, user, true)).await, Ok(()));
    assert_eq!(commit(user_emails::remove(&vault, &first.email, user)).await, Ok(()));
    (second.is_primary, second.verified_at) = (true, Some(NOW));
    assert_eq!(user_emails::list_for_user(fixture.engine(), &vault, user).await, Ok(vec![second]));
}

pub async fn credentials_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let mut row = fixture.credential(user.user_id);
    fixture.commit(&vault, vec![credentials::insert(&vault, &row)], vec![]).await.expect("stored");
    let get = || credentials::get(fixture.engine(), &vault, user.user_id, CredentialKind::Password);
    assert_eq!(get().await, Ok(Some(row.clone())));
    let update = |secret, version| {
        credentials::update(&vault, user.user_id, CredentialKind::Password, secret, NOW + 1, version)
    };
    fixture.commit(&vault, vec![update("$new", 1)], vec![]).await.expect("the version is current");
    let stale = fixture.commit(&vault, vec![update("$stale", 1)], vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("credential_version")));
    (row.secret, row.version, row.updated_at) = ("$new".to_owned().into(), 2, NOW + 1);
    assert_eq!(get().await, Ok(Some(row)));
    for _ in 0..2 {
        let remove = credentials::remove(vault.tenant(), user.user_id, CredentialKind::Password);
        fixture.commit(&vault, vec![remove], vec![]).await.expect("there may be none");
        assert_eq!(get().await, Ok(None));
    }
}

pub(super) async fn stored_session(fixture: &Fixture, vault: &TenantVault) -> SessionRow {
    let user = fixture.stored_user(vault).await;
    let row = fixture.session(vault, user.user_id);
    fixture.commit(vault, vec![sessions::insert(vault, &row)], vec![]).await.expect("stored");
    row
}

pub(super) async fn read_session(fixture: &Fixture, vault: &TenantVault, row: &SessionRow) -> SessionRow {
    sessions::get(fixture.engine(), vault, row.session_id).await.expect("reads").expect("is there")
}

pub async fn sessions_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let row = stored_session(fixture, &vault).await;
    assert_eq!(read_session(fixture, &vault, &row).await, row);
    let mut bare = fixture.session(&vault, row.user_id);
    (bare.client, bare.amr) = (None, vec![]);
    (bare.revoked_at, bare.revoked_reason) = (Some(NOW), Some("expired".to_owned()));
    (bare.rotated_at, bare.refresh_client) = (NOW - 1, Some([9; 32]));
    fixture.commit(&vault, vec![sessions::insert(&vault, &bare)], vec![]).await.expect("stored");
    assert_eq!(read_session(fixture, &vault, &bare).await, bare);
}

pub async fn sessions_rotate_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let mut row = stored_session(fixture, &vault).await;
    let rotate = |hash: u8| {
        let rotation = Rotation {
            session_id: row.session_id,
            expected_version: 1,
            generation: 1,
            hash: [hash; 32],
            idle_expires_at: NOW + 9,
            rotated_at: NOW + 3,
            client: Some([hash + 20; 32]),
        };
        sessions::rotate_refresh(vault.tenant(), &rotation)
    };
    // Two rotations of one version in one batch: exactly one wins.
    let unit = |hash| Unit { statements: vec![rotate(hash)], entries: vec![] };
    let scope = Scope::Tenant(vault.tenant());
    let answers = fixture.engine().commit(scope, "suite", vec![unit(1), unit(2)]).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Conflict("session_version")));
    (row.refresh_generation, row.refresh_hash, row.idle_expires_at, row.version) = (1, [1; 32], NOW + 9, 2);
    (row.rotated_at, row.refresh_client, row.last_seen_at) = (NOW + 3, Some([21; 32]), NOW + 3);
    assert_eq!(read_session(fixture, &vault, &row).await, row);
}

pub async fn sessions_are_revoked_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, row) = (vault.tenant(), stored_session(fixture, &vault).await);
    let stale = sessions::revoke_at(tenant, row.session_id, NOW, "signed_out", 7);
    let refused = fixture.commit(&vault, vec![stale], vec![]).await;
    assert_eq!(refused, Err(UnitError::Conflict("session_version")));
    let revoke = || sessions::revoke(tenant, row.session_id, NOW + 5, "signed_out");
    fixture.commit(&vault, vec![revoke()], vec![]).await.expect("was live");
    let refused = fixture.commit(&vault, vec![revoke()], vec![]).await;
    assert_eq!(refused, Err(UnitError::Conflict("session_state")));
    let rotation = Rotation {
        session_id: row.session_id,
        expected_version: 2,
        generation: 1,
        hash: [1; 32],
        idle_expires_at: NOW,
        rotated_at: NOW,
        client: None,
    };
    let rotated = fixture.commit(&vault, vec![sessions::rotate_refresh(tenant, &rotation)], vec![]).await;
    assert_eq!(rotated, Err(UnitError::Conflict("session_version")), "the dead do not rotate");
    let read = read_session(fixture, &vault, &row).await;
    assert_eq!((read.revoked_at, read.revoked_reason.as_deref()), (Some(NOW + 5), Some("signed_out")));

    let other = fixture.session(&vault, row.user_id);
    let stranger = stored_session(fixture, &vault).await;
    fixture.commit(&vault, vec![sessions::insert(&vault, &other)], vec![]).await.expect("stored");
    let others = sessions::revoke_others_of_user(tenant, row.user_id, other.session_id, NOW + 6, "others");
    fixture.commit(&vault, vec![others], vec![]).await.expect("stands");
    assert_eq!(read_session(fixture, &vault, &other).await.revoked_at, None, "it is kept");
    let all = sessions::revoke_all_for_user(tenant, row.user_id, NOW + 6, "all");
    fixture.commit(&vault, vec![all], vec![]).await.expect("stands");
    assert_eq!(read_session(fixture, &vault, &row).await.revoked_at, Some(NOW + 5), "kept its first reason");
    assert_eq!(read_session(fixture, &vault, &other).await.revoked_at, Some(NOW + 6));
    assert_eq!(read_session(fixture, &vault, &stranger).await.revoked_at, None);
}

pub async fn sessions_are_listed_newest_first(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let mut rows: Vec<_> = (0..5).map(|_| fixture.session(&vault, user.user_id)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.session_id));
    let inserts = rows.iter().map(|row| sessions::insert(&vault, row)).collect();
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    let list = |cursor| sessions::list_for_user(fixture.engine(), &vault, user.user_id, 3, cursor);
    assert_eq!(list(None).await, Ok(rows[..3].to_vec()));
    assert_eq!(list(Some(rows[2].session_id)).await, Ok(rows[3..].to_vec()));
}

pub(crate) fn hold(user_id: uuid::Uuid) -> LegalHoldRow {
    LegalHoldRow { user_id, reason: "case 12".to_owned(), placed_by: "system".to_owned(), placed_at: NOW }
}

pub async fn legal_holds_stand_in_the_way(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, user) = (vault.tenant(), fixture.stored_user(&vault).await.user_id);
    let free = || vec![legal_holds::none_of_user(tenant, user)];
    for held in [user, WHOLE_TENANT] {
        fixture.commit(&vault, free(), vec![]).await.expect("nothing is held");
        fixture.commit(&vault, vec![legal_holds::insert(&vault, &hold(held))], vec![]).await.expect("placed");
        assert_eq!(legal_holds::get(fixture.engine(), &vault, held).await, Ok(Some(hold(held))));
        assert_eq!(legal_holds::any(fixture.engine(), &vault).await, Ok(Some(hold(held))));
        for guard in [free(), vec![legal_holds::none_of_tenant(tenant)]] {
            let refused = fixture.commit(&vault, guard, vec![]).await;
            assert_eq!(refused, Err(UnitError::Conflict("legal_hold")));
        }
        let again = fixture.commit(&vault, vec![legal_holds::insert(&vault, &hold(held))], vec![]).await;
        assert_eq!(again, Err(UnitError::Unique(constraint::LEGAL_HOLD.to_owned())));
        let other = vec![legal_holds::none_of_user(tenant, fixture.id())];
        assert_eq!(fixture.commit(&vault, other, vec![]).await.is_ok(), held == user);
        fixture.commit(&vault, vec![legal_holds::delete(tenant, held)], vec![]).await.expect("lifted");
        let lifted = fixture.commit(&vault, vec![legal_holds::delete(tenant, held)], vec![]).await;
        assert_eq!(lifted, Err(UnitError::Conflict("no_legal_hold")));
    }
    assert_eq!(legal_holds::any(fixture.engine(), &vault).await, Ok(None));
    let nobody = vec![legal_holds::user_is_there(tenant, fixture.id())];
    assert_eq!(fixture.commit(&vault, nobody, vec![]).await, Err(UnitError::Conflict("unknown_user")));
}

pub async fn consents_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, user) = (vault.tenant(), fixture.stored_user(&vault).await.user_id);
    let mut rows: Vec<_> = [true, false, true].map(|granted| consent(fixture, granted)).into();
    rows.sort_by_key(|row| std::cmp::Reverse(row.consent_id));
    let inserts = rows.iter().map(|row| consents::insert(tenant, user, row)).collect();
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    let list = |cursor| consents::list(fixture.engine(), tenant, user, 2, cursor);
    assert_eq!(list(None).await, Ok(rows[..2].to_vec()));
    assert_eq!(list(Some(rows[1].consent_id)).await, Ok(rows[2..].to_vec()));
    let again = fixture.commit(&vault, vec![consents::insert(tenant, user, &rows[0])], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(constraint::CONSENT.to_owned())));
}

pub(crate) fn consent(fixture: &Fixture, granted: bool) -> ConsentRow {
    ConsentRow {
        consent_id: fixture.id(),
        purpose: "newsletter".to_owned(),
        document: "2027-01".to_owned(),
        granted,
        actor: "system".to_owned(),
        at: NOW,
    }
}

pub async fn everything_of_a_user_is_erased_at_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, user) = (vault.tenant(), fixture.stored_user(&vault).await.user_id);
    let session = fixture.session(&vault, user);
    let stored = vec![
        user_emails::insert(&vault, "ada@example.com", &fixture.email(user, "ada@example.com")),
        credentials::insert(&vault, &fixture.credential(user)),
        password_history::insert(&vault, user, &former_password(1)),
        user_avatars::put(&vault, user, &avatar()),
        sessions::insert(&vault, &session),
        consents::insert(tenant, user, &consent(fixture, true)),
    ];
    fixture.commit(&vault, stored, vec![]).await.expect("stored");
    let other = stored_session(fixture, &vault).await;
    let missed = fixture.commit(&vault, erasure::of_user(tenant, user, 0), vec![]).await;
    assert_eq!(missed, Err(UnitError::Conflict("user_sessions")), "a session nobody told of");
    fixture.commit(&vault, erasure::of_user(tenant, user, 1), vec![]).await.expect("erased");
    assert_eq!(users::get(fixture.engine(), &vault, user).await, Ok(None));
    assert_eq!(user_emails::list_for_user(fixture.engine(), &vault, user).await, Ok(vec![]));
    let password = credentials::get(fixture.engine(), &vault, user, CredentialKind::Password).await;
    assert_eq!(password, Ok(None));
    assert_eq!(password_history::list(fixture.engine(), &vault, user, 10).await, Ok(vec![]));
    assert_eq!(user_avatars::get(fixture.engine(), &vault, user).await, Ok(None));
    assert_eq!(sessions::get(fixture.engine(), &vault, session.session_id).await, Ok(None));
    assert_eq!(consents::list(fixture.engine(), tenant, user, 10, None).await, Ok(vec![]));
    assert_eq!(read_session(fixture, &vault, &other).await, other, "nobody else is touched");
    let again = fixture.commit(&vault, erasure::of_user(tenant, user, 0), vec![]).await;
    assert_eq!(again, Err(UnitError::Conflict("unknown_user")));
}

pub(crate) fn signing_key(kid: &str) -> SigningKeyRow {
    SigningKeyRow {
        kid: kid.to_owned(),
        alg: "EdDSA".to_owned(),
        private_key: vec![0x30, 0x2e, 0, 1].into(),
        public_jwk: serde_json::json!({ "kty": "OKP", "kid": kid }),
        state: SigningKeyState::Active,
        created_at: NOW,
        not_after: None,
    }
}

pub async fn signing_keys_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (mut old, new) = (signing_key("k1"), signing_key("k2"));
    let inserts = vec![signing_keys::insert(&vault, &old), signing_keys::insert(&vault, &new)];
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    let retire = || signing_keys::retire(vault.tenant(), "k1", NOW + 7);
    fixture.commit(&vault, vec![retire()], vec![]).await.expect("was active");
    let again = fixture.commit(&vault, vec![retire()], vec![]).await;
    assert_eq!(again, Err(UnitError::Conflict("signing_key_state")));
    (old.state, old.not_after) = (SigningKeyState::Retiring, Some(NOW + 7));
    assert_eq!(signing_keys::list(fixture.engine(), &vault).await, Ok(vec![old, new.clone()]));
    let active = fixture.commit(&vault, vec![signing_keys::remove(vault.tenant(), "k2")], vec![]).await;
    assert_eq!(active, Err(UnitError::Conflict("signing_key_state")), "an active key is not removed");
    fixture.commit(&vault, vec![signing_keys::remove(vault.tenant(), "k1")], vec![]).await.expect("retiring");
    assert_eq!(signing_keys::list(fixture.engine(), &vault).await, Ok(vec![new]));
}

pub async fn sign_in_reads_everything_at_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let email = fixture.email(user.user_id, "Ada@example.com");
    let insert = user_emails::insert(&vault, "ada@example.com", &email);
    fixture.commit(&vault, vec![insert], vec![]).await.expect("stored");
    let read = async || {
        let found = sign_in::by_email(fixture.engine(), &vault, "ada@example.com").await;
        found.expect("reads").expect("is there")
    };
    let without = read().await;
    assert_eq!(
        (without.user_id, without.standing, without.any_proved, &without.credential),
        (user.user_id, user.standing, false, &None)
    );
    let other = fixture.email(user.user_id, "Ada@work.example");
    let prove = user_emails::prove(&vault, "ada@work.example", user.user_id, NOW);
    let proved = vec![
        user_emails::insert(
            &vault,
            "ada@work.example",
            &user_emails::UserEmailRow { is_primary: false, verified_at: None, ..other },
        ),
        prove,
    ];
    fixture.commit(&vault, proved, vec![]).await.expect("stored");
    assert!(read().await.any_proved);
    let credential = fixture.credential(user.user_id);
    fixture.commit(&vault, vec![credentials::insert(&vault, &credential)], vec![]).await.expect("stored");
    assert_eq!(read().await.credential, Some(credential));
}

pub(crate) fn kept_answer(vault: &TenantVault) -> KeptAnswerRow {
    KeptAnswerRow {
        request_index: kept_answers::request_index(vault, "key_1", "abc"),
        fingerprint: kept_answers::fingerprint(vault, b"request"),
        took_effect: false,
        answer: None,
        reserved_at: NOW,
        expires_at: NOW + 10,
        version: 1,
    }
}

pub async fn answers_are_kept_until_they_expire(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, index) = (vault.tenant(), kept_answers::request_index(&vault, "key_1", "abc"));
    assert_ne!(index, kept_answers::request_index(&vault, "key_2", "abc"));
    let get = || async { kept_answers::get(fixture.engine(), &vault, index).await.expect("reads") };
    let commit = |statement| fixture.commit(&vault, vec![statement], vec![]);
    let mut row = kept_answer(&vault);
    assert_eq!(get().await, None);
    commit(kept_answers::insert(&vault, &row)).await.expect("stored");
    assert_eq!(get().await, Some(row.clone()));
    let twice = commit(kept_answers::insert(&vault, &row)).await;
    assert_eq!(twice, Err(UnitError::Unique(constraint::KEPT_ANSWER.into())));

    (row.reserved_at, row.expires_at, row.version) = (NOW + 5, NOW + 15, 2);
    commit(kept_answers::take_over(&vault, &row, 1)).await.expect("the version is current");
    assert_eq!(get().await, Some(row.clone()));
    for stale in [
        kept_answers::take_over(&vault, &row, 1),
        kept_answers::mark(tenant, index, 1),
        kept_answers::answer(&vault, index, b"late", 1),
    ] {
        assert_eq!(commit(stale).await, Err(UnitError::Conflict("kept_answer_version")));
    }
    commit(kept_answers::release(tenant, index, 1)).await.expect("an older one is released to no effect");
    commit(kept_answers::mark(tenant, index, 2)).await.expect("marked");
    commit(kept_answers::release(tenant, index, 2)).await.expect("what took effect stays");
    commit(kept_answers::answer(&vault, index, b"answer", 2)).await.expect("kept");
    (row.took_effect, row.answer) = (true, Some(b"answer".to_vec().into()));
    assert_eq!(get().await, Some(row.clone()));

    commit(kept_answers::sweep(tenant, NOW + 14)).await.expect("sweeps");
    assert_eq!(get().await, Some(row));
    commit(kept_answers::sweep(tenant, NOW + 15)).await.expect("sweeps");
    assert_eq!(get().await, None);
}
