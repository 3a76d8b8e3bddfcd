//! Sessions: which are live, how many, when they were seen.

use super::rows::{read_session, stored_session};
use super::{Fixture, NOW};
use crate::repositories::sessions::{self, Rotation};
use crate::{Scope, Unit, UnitError};

pub async fn live_sessions_are_those_neither_revoked_nor_over(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let mut rows: Vec<_> = (0..5).map(|_| fixture.session(&vault, user.user_id)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.session_id));
    for row in &mut rows {
        (row.expires_at, row.idle_expires_at) = (NOW + 10, NOW + 5);
    }
    (rows[1].revoked_at, rows[1].revoked_reason) = (Some(NOW), Some("signed_out".to_owned()));
    rows[2].idle_expires_at = NOW;
    rows[3].expires_at = NOW;
    let inserts = rows.iter().map(|row| sessions::insert(&vault, row)).collect();
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    let engine = fixture.engine();
    let list = |now, cursor| sessions::list_live_for_user(engine, &vault, user.user_id, now, 9, cursor);
    assert_eq!(list(NOW, None).await, Ok(vec![rows[0].clone(), rows[4].clone()]));
    assert_eq!(list(NOW, Some(rows[0].session_id)).await, Ok(vec![rows[4].clone()]));
    assert_eq!(list(NOW + 5, None).await, Ok(vec![]));
    let ids = sessions::live_of_user(engine, vault.tenant(), user.user_id, NOW).await;
    assert_eq!(ids, Ok(vec![rows[4].session_id, rows[0].session_id]), "oldest first");
}

pub async fn a_session_is_seen_ever_later_and_its_version_stays(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let mut row = stored_session(fixture, &vault).await;
    for at in [NOW + 7, NOW + 3] {
        let seen = sessions::note_seen(vault.tenant(), row.session_id, at);
        fixture.commit(&vault, vec![seen], vec![]).await.expect("stands");
    }
    row.last_seen_at = NOW + 7;
    assert_eq!(read_session(fixture, &vault, &row).await, row);
}

pub async fn a_user_at_the_limit_begins_no_session_more(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let begin = || {
        let row = fixture.session(&vault, user.user_id);
        let within = sessions::within_limit(vault.tenant(), row.session_id, user.user_id, NOW, 2);
        (row.session_id, Unit { statements: vec![sessions::insert(&vault, &row), within], entries: vec![] })
    };
    let (units, ids): (Vec<_>, Vec<_>) = (0..4).map(|_| begin()).map(|(id, unit)| (unit, id)).unzip();
    let scope = Scope::Tenant(vault.tenant());
    let answers = fixture.engine().commit(scope, "suite", units).await.expect("commits");
    let stand: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stand.iter().filter(|stands| **stands).count(), 2, "{stand:?}");
    for (answer, id) in answers.iter().zip(&ids) {
        let stored = sessions::get(fixture.engine(), &vault, *id).await.expect("reads");
        assert_eq!(stored.is_some(), answer.is_ok());
        assert!(matches!(answer, Ok(_) | Err(UnitError::Conflict("session_limit"))), "{answer:?}");
    }
    // One ends in the transaction in which another begins.
    let gone = ids[stand.iter().position(|stands| *stands).expect("two stand")];
    let (_, mut next) = begin();
    next.statements.insert(0, sessions::revoke(vault.tenant(), gone, NOW, "limit"));
    fixture.commit(&vault, next.statements, vec![]).await.expect("there is room");
}

pub async fn a_session_reauthenticates_at_its_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let row = stored_session(fixture, &vault).await;
    let proved = || {
        let rotation = Rotation {
            session_id: row.session_id,
            expected_version: 1,
            generation: 9,
            hash: [8; 32],
            idle_expires_at: NOW + 9,
            rotated_at: NOW + 4,
            client: None,
        };
        fixture.commit(&vault, vec![sessions::reauthenticate(vault.tenant(), &rotation)], vec![])
    };
    proved().await.expect("the version is current");
    assert_eq!(proved().await, Err(UnitError::Conflict("session_version")));
    let read = read_session(fixture, &vault, &row).await;
    assert_eq!((read.authenticated_at, read.refresh_generation, read.refresh_hash), (NOW + 4, 9, [8; 32]));
    assert_eq!((read.last_seen_at, read.version, read.amr), (NOW + 4, 2, row.amr));
}
