//! What happens next between a user, whose browser brought a request, and the answer to the client.

use super::Client;
use super::authorization::SignedInUser;
use super::authorization_request::{AuthorizationRequest, Prompt};
use super::consent::ClientConsent;
use super::error::{OAuthCode, OAuthError};
use crate::id::{AuthorizationId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a user may take from the request to the answer.
pub const INTERACTION_LIFETIME: Duration = Duration::from_secs(3_600);

/// A request on its way through the pages. It travels sealed in their addresses, so nothing is stored for who never comes back.
#[derive(Clone, Serialize, Deserialize)]
pub struct Interaction {
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// When. What was asked in any case must have been done since.
    pub started_at: Timestamp,
    /// Whether the user chose the account.
    pub account_chosen: bool,
    /// What the user is to grant has this name already: a pushed request is answered once.
    #[serde(default)]
    pub authorization: Option<AuthorizationId>,
}

impl Interaction {
    /// One that begins.
    pub const fn new(request: AuthorizationRequest, started_at: Timestamp) -> Self {
        Self { request, started_at, account_chosen: false, authorization: None }
    }

    /// Whether it took too long.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.started_at.plus(INTERACTION_LIFETIME)
    }
}

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The user signs in.
    SignIn,
    /// The user makes an account.
    SignUp,
    /// The user chooses an account.
    SelectAccount,
    /// The user is asked.
    Consent,
    /// The client gets what it asked for.
    Authorize,
    /// The client hears why not.
    Refuse(OAuthError),
}

/// What is known of the browser.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// Who is signed in.
    pub user: Option<&'k SignedInUser>,
    /// Who is meant, by an ID token of ours the client sent along.
    pub hinted: Option<UserId>,
    /// What the user lets the client have.
    pub consent: Option<&'k ClientConsent>,
}

const LOGIN_REQUIRED: OAuthError =
    OAuthError::new(OAuthCode::LoginRequired, "the user would have to sign in, and prompt is none");
const CONSENT_REQUIRED: OAuthError =
    OAuthError::new(OAuthCode::ConsentRequired, "the user would have to be asked, and prompt is none");

/// Decides what happens next (OpenID Connect Core §3.1.2.3 and §3.1.2.4).
pub fn next_step(interaction: &Interaction, client: &Client, known: Known<'_>, now: Timestamp) -> Step {
    let request = &interaction.request;
    let quiet = request.prompts(Prompt::None);
    let Some(user) = known.user.filter(|user| is_enough(interaction, user, known.hinted, now)) else {
        let is_new = request.prompts(Prompt::Create);
        return match (quiet, is_new) {
            (true, _) => Step::Refuse(LOGIN_REQUIRED),
            (false, true) => Step::SignUp,
            // Who is signed in already is asked which account, and may choose another.
            (false, false) if known.user.is_some() && must_choose(interaction) => Step::SelectAccount,
            (false, false) => Step::SignIn,
        };
    };
    if must_choose(interaction) && user.authenticated_at < interaction.started_at {
        return Step::SelectAccount;
    }
    match is_consented(interaction, client, known.consent) {
        true => Step::Authorize,
        false if quiet => Step::Refuse(CONSENT_REQUIRED),
        false => Step::Consent,
    }
}

fn must_choose(interaction: &Interaction) -> bool {
    interaction.request.prompts(Prompt::SelectAccount) && !interaction.account_chosen
}

/// Whether who is signed in is the one who is meant, and authenticated late enough.
fn is_enough(interaction: &Interaction, user: &SignedInUser, hinted: Option<UserId>, now: Timestamp) -> bool {
    let request = &interaction.request;
    let is_meant = hinted.is_none_or(|hinted| hinted == user.user);
    let since = interaction.started_at;
    let again = request.prompts(Prompt::Login) || request.prompts(Prompt::Create);
    let is_new = user.authenticated_at >= since;
    // Whoever signed in for this very request did so late enough, also where no age at all is allowed.
    let oldest = request.max_age.map(|seconds| Duration::from_secs(seconds.into()));
    let is_recent = oldest.is_none_or(|oldest| is_new || now.since(user.authenticated_at) <= oldest);
    is_meant && is_recent && (!again || is_new)
}

fn is_consented(interaction: &Interaction, client: &Client, consent: Option<&ClientConsent>) -> bool {
    let request = &interaction.request;
    if request.prompts(Prompt::Consent) {
        return consent.is_some_and(|consent| {
            consent.given_at >= interaction.started_at && request.scope.is_within(&consent.scope)
        });
    }
    client.definition.first_party || consent.is_some_and(|consent| request.scope.is_within(&consent.scope))
}

#[cfg(test)]
mod tests;
