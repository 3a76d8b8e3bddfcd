use super::{Findings, Invariant, Witness};
use crate::api::Answer;
use crate::journal::{Account, Standing};

/// [`Invariant::AccountSurvives`], by signing in. The new session becomes part of what is known.
pub async fn account_signs_in(witness: &Witness<'_>, account: &mut Account) -> Findings {
    let mut findings = Findings::default();
    match witness.api.sign_in(&account.tenant, &account.email, &account.password).await {
        Answer::Done(tokens) => account.signed_in(tokens),
        other => findings.hold(Invariant::AccountSurvives, false, || {
            let Account { tenant, email, .. } = account;
            format!("the sign-in of {email} in {tenant} was answered {}", other.summary())
        }),
    }
    findings
}

/// [`Invariant::OpenChangeIsOldOrNew`] for a sign-up nobody heard the answer of: the account works, or there is none.
/// `None` says that there is none.
pub async fn open_sign_up_is_old_or_new(
    witness: &Witness<'_>,
    mut account: Account,
) -> (Option<Account>, Findings) {
    let mut findings = Findings::default();
    match witness.api.sign_in(&account.tenant, &account.email, &account.password).await {
        Answer::Done(tokens) => {
            account.signed_in(tokens);
            account.standing = Standing::Acknowledged;
            (Some(account), findings)
        }
        other => {
            let absent = other.is_refusal(401, "invalid_credentials");
            findings.hold(Invariant::OpenChangeIsOldOrNew, absent, || {
                format!(
                    "after an open sign-up the sign-in of {} was answered {}",
                    account.email,
                    other.summary()
                )
            });
            (None, findings)
        }
    }
}
