//! After a restart: everything that is known is held against what is found.

use futures::StreamExt;
use futures::stream;
use rand::RngExt;
use rand::rngs::SmallRng;

use crate::api::Answer;
use crate::invariants::{
    Findings, Violation, Witness, account_sessions, account_signs_in, open_sign_up_is_old_or_new,
    replaced_token_ends_the_session, tenant_is_as_known, tokens_work_as_known,
};
use crate::journal::{Account, Journal, Standing, State};
use crate::seed::Seed;

/// Accounts looked at concurrently.
const AT_ONCE: usize = 16;
/// The part of the seed that is the verification's.
const PART: u64 = 2_000;

/// How much is looked at. Open changes and sessions known to live always are. Each is one in so many.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    /// Accounts that sign in.
    sign_in: u32,
    /// Ended sessions that are introspected.
    ended: u32,
    /// Sessions whose refresh token is used.
    used: u32,
    /// Live sessions whose replaced refresh token is presented, which ends them.
    replayed: u32,
}

impl Depth {
    /// A sample, for every round: passwords are slow to check.
    pub const SAMPLE: Self = Self { sign_in: 25, ended: 4, used: 10, replayed: 50 };
    /// Everything, for the end.
    pub const EVERYTHING: Self = Self { sign_in: 1, ended: 1, used: 1, replayed: 4 };
}

/// Checks everything known over HTTP. What is found out about open changes, and what the checks themselves change,
/// becomes part of what is known.
pub async fn verify(
    witness: &Witness<'_>,
    journal: &Journal,
    depth: Depth,
    seed: Seed,
    round: usize,
) -> Vec<Violation> {
    let mut findings = Findings::default();
    for mut tenant in journal.tenants() {
        findings.add(tenant_is_as_known(witness, &mut tenant).await);
        journal.know_tenant(tenant);
    }
    let accounts = journal.take_all();
    let checks = accounts.into_iter().enumerate().map(|(index, account)| {
        let part = PART + u64::try_from(index).expect("indices fit into 64 bits");
        check_account(witness, account, depth, seed.generator(round, part))
    });
    let mut checks = stream::iter(checks).buffer_unordered(AT_ONCE);
    while let Some((account, found)) = checks.next().await {
        findings.add(found);
        account.into_iter().for_each(|account| journal.put(account));
    }
    findings.into_violations()
}

async fn check_account(
    witness: &Witness<'_>,
    mut account: Account,
    depth: Depth,
    mut random: SmallRng,
) -> (Option<Account>, Findings) {
    if account.standing == Standing::Open {
        return open_sign_up_is_old_or_new(witness, account).await;
    }
    let mut chosen = |one_in: u32| random.random_ratio(1, one_in);
    let mut findings = account_sessions(witness, &mut account, |session| match session.state {
        State::Ended => chosen(depth.ended),
        State::Live | State::Open(_) => true,
    })
    .await;
    for index in 0..account.sessions.len() {
        // Still open means that nothing could be found out, which was noted.
        if !matches!(account.sessions[index].state, State::Open(_)) && chosen(depth.used) {
            findings.add(tokens_work_as_known(witness, &mut account, index).await);
        }
    }
    for index in account.live() {
        if chosen(depth.replayed) {
            findings.add(replaced_token_ends_the_session(witness, &mut account, index).await);
        }
    }
    if chosen(depth.sign_in) {
        findings.add(account_signs_in(witness, &mut account).await);
    }
    (Some(account), findings)
}

/// Signs up and in `count` accounts in each of the tenants, concurrently.
pub async fn populate(
    witness: &Witness<'_>,
    journal: &Journal,
    slugs: &[String],
    count: usize,
    seed: Seed,
) -> Result<(), crate::HarnessError> {
    let names = slugs.iter().flat_map(|slug| (0..count).map(move |number| (slug.clone(), number)));
    let made = names.map(|(slug, number)| async move {
        let part = u64::try_from(number).expect("numbers fit into 64 bits");
        let mut random = seed.generator(usize::MAX, part);
        let mut account = crate::load::new_account(slug.clone(), &format!("{slug}-{number}"), &mut random);
        let call = "the sign-up of a first user";
        witness.api.sign_up(&slug, &account.email, &account.password).await.required(call)?;
        account.standing = Standing::Acknowledged;
        let answer: Answer<_> = witness.api.sign_in(&slug, &account.email, &account.password).await;
        account.signed_in(answer.required("the sign-in of a first user")?);
        journal.put(account);
        Ok::<_, crate::HarnessError>(())
    });
    let mut made = stream::iter(made).buffer_unordered(AT_ONCE);
    while let Some(done) = made.next().await {
        done?;
    }
    Ok(())
}
