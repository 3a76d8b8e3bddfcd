//! The outbox.

use super::{Fixture, NOW};
use crate::repositories::constraint::OUTBOX_ONCE;
use crate::repositories::outbox::{self, MailRow, MailState};
use crate::{Scope, TenantVault, Unit, UnitError};
use uuid::Uuid;

pub(crate) fn mail(fixture: &Fixture) -> MailRow {
    MailRow {
        mail_id: fixture.id(),
        kind: "verify_email".to_owned(),
        language: "en".to_owned(),
        state: MailState::Waiting,
        attempts: 0,
        next_attempt_at: NOW,
        useful_until: NOW + 1_000,
        created_at: NOW,
        once: None,
        message: Some(r#"{"to":"ada@example.com"}"#.to_owned().into()),
        version: 1,
    }
}

async fn stored(fixture: &Fixture, vault: &TenantVault, row: MailRow) -> MailRow {
    fixture.commit(vault, vec![outbox::insert(vault, &row)], vec![]).await.expect("stored");
    row
}

async fn read(fixture: &Fixture, vault: &TenantVault, id: Uuid) -> Option<MailRow> {
    outbox::get(fixture.engine(), vault, id).await.expect("reads")
}

pub async fn mails_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    assert_eq!(read(fixture, &vault, fixture.id()).await, None);
    assert_eq!(outbox::next(fixture.engine(), vault.tenant()).await, Ok(None));
    let mut later = mail(fixture);
    (later.next_attempt_at, later.once) = (NOW + 5, Some("welcome".to_owned()));
    let later = stored(fixture, &vault, later).await;
    let now = stored(fixture, &vault, mail(fixture)).await;
    assert_eq!(read(fixture, &vault, later.mail_id).await, Some(later.clone()));
    let due = |at, limit| outbox::due(fixture.engine(), &vault, at, limit);
    assert_eq!(due(NOW - 1, 9).await, Ok(vec![]));
    assert_eq!(due(NOW, 9).await, Ok(vec![now.clone()]));
    assert_eq!(due(NOW + 5, 9).await, Ok(vec![now.clone(), later.clone()]));
    assert_eq!(due(NOW + 5, 1).await, Ok(vec![now.clone()]));
    assert_eq!(outbox::next(fixture.engine(), vault.tenant()).await, Ok(Some(NOW)));
    let mut newest_first = vec![now, later];
    newest_first.sort_by_key(|row| std::cmp::Reverse(row.mail_id));
    assert_eq!(outbox::list(fixture.engine(), &vault, None, 9).await, Ok(newest_first.clone()));
    let after_first = outbox::list(fixture.engine(), &vault, Some(newest_first[0].mail_id), 9).await;
    assert_eq!(after_first, Ok(newest_first[1..].to_vec()));
    let other = fixture.tenant("other").await;
    assert_eq!(outbox::list(fixture.engine(), &other, None, 9).await, Ok(vec![]));
}

pub async fn a_mail_is_claimed_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let row = stored(fixture, &vault, mail(fixture)).await;
    let claim = || Unit {
        statements: vec![outbox::claim(vault.tenant(), row.mail_id, NOW + 60, 1)],
        entries: vec![],
    };
    let scope = Scope::Tenant(vault.tenant());
    let answers = fixture.engine().commit(scope, "suite", vec![claim(), claim()]).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Conflict("mail_version")));
    let claimed = read(fixture, &vault, row.mail_id).await.expect("is there");
    assert_eq!((claimed.attempts, claimed.next_attempt_at, claimed.version), (1, NOW + 60, 2));
    let postpone = outbox::postpone(vault.tenant(), row.mail_id, NOW + 90, 2);
    fixture.commit(&vault, vec![postpone], vec![]).await.expect("the version is current");
    let postponed = read(fixture, &vault, row.mail_id).await.expect("is there");
    assert_eq!((postponed.attempts, postponed.next_attempt_at, postponed.version), (1, NOW + 90, 3));
}

pub async fn what_is_said_once_is_said_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let once = || MailRow { once: Some("welcome:usr_1".to_owned()), ..mail(fixture) };
    stored(fixture, &vault, once()).await;
    let again = fixture.commit(&vault, vec![outbox::insert(&vault, &once())], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(OUTBOX_ONCE.to_owned())));
    stored(fixture, &vault, mail(fixture)).await;
    stored(fixture, &vault, mail(fixture)).await;
    let other = fixture.tenant("other").await;
    stored(fixture, &other, once()).await;
}

pub async fn finished_mails_are_forgotten(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let (sent, failed) =
        (stored(fixture, &vault, mail(fixture)).await, stored(fixture, &vault, mail(fixture)).await);
    let finish = vec![
        outbox::finish(tenant, sent.mail_id, MailState::Sent, NOW + 10, 1),
        outbox::finish(tenant, failed.mail_id, MailState::Failed, NOW + 20, 1),
    ];
    fixture.commit(&vault, finish, vec![]).await.expect("versions are current");
    let read_sent = read(fixture, &vault, sent.mail_id).await.expect("is kept");
    assert_eq!((read_sent.state, read_sent.message), (MailState::Sent, None));
    assert_eq!(outbox::due(fixture.engine(), &vault, NOW + 99, 9).await, Ok(vec![]));
    assert_eq!(outbox::next(fixture.engine(), tenant).await, Ok(None));
    fixture.commit(&vault, outbox::purge(tenant, NOW + 10).into(), vec![]).await.expect("purged");
    assert_eq!(read(fixture, &vault, sent.mail_id).await, None);
    assert!(read(fixture, &vault, failed.mail_id).await.is_some());
}
