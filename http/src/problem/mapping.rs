//! Which problem an error of the platform is.

use super::{MISSING, Problem, SOON, catalogue as kinds, internal, not_found, overloaded, timed_out};
use axum::http::{HeaderValue, header};
use plinto_actors::runtime::Refusal;
use plinto_actors::{ServiceError, StorageError};
use plinto_domain::{Denial, InvalidInput};
use std::time::Duration;

/// When to try again what an operator must put right first.
const LATER: Duration = Duration::from_secs(30);

fn invalid_fields(fields: Vec<InvalidInput>) -> Problem {
    let add =
        |problem: Problem, InvalidInput { field, code, detail }| problem.with_field(field, code, detail);
    fields.into_iter().fold(Problem::of(kinds::INVALID_FIELDS), add)
}

fn invalid_token(reason: &'static str) -> Problem {
    let problem = Problem::of(kinds::INVALID_TOKEN);
    if reason == MISSING {
        // RFC 6750 §3.1: a request without credentials is told no error.
        return problem.challenge(r#"Bearer realm="plinto""#);
    }
    problem
        .detailed(format!("the access token is not usable ({reason}); refresh it or sign in again"))
        .challenge(r#"Bearer error="invalid_token""#)
}

/// RFC 9470 §3.
fn reauthentication_needed(max_age: u32) -> Problem {
    let challenge = format!(
        r#"Bearer error="insufficient_user_authentication", error_description="authenticate again", max_age="{max_age}""#
    );
    let challenge = HeaderValue::try_from(challenge).expect("a number among visible ASCII");
    Problem::of(kinds::INSUFFICIENT_USER_AUTHENTICATION).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// What an organization's policy asks for (RFC 9470 §3). The context that is asked for has the name others use for a
/// second factor.
const SECOND_FACTOR: &str = concat!(
    r#"Bearer error="insufficient_user_authentication", error_description="a second factor is needed", "#,
    r#"acr_values="http://schemas.openid.net/pape/policies/2007/06/multi-factor""#
);
const OTHER_METHOD: &str = concat!(
    r#"Bearer error="insufficient_user_authentication", "#,
    r#"error_description="sign in by a method the organization allows""#
);

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(fields) => invalid_fields(fields),
            ServiceError::Denied(denial) => denial.into(),
            ServiceError::UnknownTenant => Self::of(kinds::UNKNOWN_TENANT),
            ServiceError::SlugTaken => Self::of(kinds::SLUG_TAKEN),
            ServiceError::EmailTaken => Self::of(kinds::EMAIL_TAKEN),
            ServiceError::InvalidCredentials => {
                Self::of(kinds::INVALID_CREDENTIALS).challenge(r#"Bearer realm="plinto""#)
            }
            ServiceError::TooManyAttempts { retry_after } => {
                Self::of(kinds::TOO_MANY_ATTEMPTS).retry_after(retry_after)
            }
            ServiceError::InvalidToken { reason } => invalid_token(reason),
            ServiceError::ReauthenticationNeeded { max_age } => reauthentication_needed(max_age),
            ServiceError::SecondFactorNeeded => {
                Self::of(kinds::SECOND_FACTOR_NEEDED).challenge(SECOND_FACTOR)
            }
            ServiceError::OtherMethodNeeded => {
                Self::of(kinds::SIGN_IN_METHOD_NOT_ALLOWED).challenge(OTHER_METHOD)
            }
            ServiceError::InvalidGrant => {
                Self::of(kinds::INVALID_GRANT).challenge(r#"Bearer error="invalid_token""#)
            }
            ServiceError::Unauthenticated => {
                Self::of(kinds::API_KEY_NEEDED).challenge(r#"Bearer realm="plinto""#)
            }
            ServiceError::Forbidden => Self::of(kinds::FORBIDDEN),
            ServiceError::Conflict => Self::of(kinds::CONFLICT),
            ServiceError::Refused(refusal) => refusal.into(),
            ServiceError::Storage(error) => storage(&error),
            ServiceError::Sealed(_) | ServiceError::Damaged(_) => {
                tracing::error!(%error, "stored data cannot be used");
                internal()
            }
        }
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        Self::of(denial.into())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => not_found(),
            Refusal::Overloaded { retry_after } => Self::of(kinds::OVERLOADED).retry_after(retry_after),
            Refusal::RateLimited { retry_after } => Self::of(kinds::RATE_LIMITED).retry_after(retry_after),
            Refusal::DeadlineExceeded => timed_out(),
            Refusal::Stopped => Self::of(kinds::SHUTTING_DOWN).retry_after(SOON),
            Refusal::Unavailable { retry_after, .. } => Self::of(kinds::UNAVAILABLE).retry_after(retry_after),
            Refusal::Crashed => Self::of(kinds::CRASHED).retry_after(SOON),
        }
    }
}

fn storage(error: &StorageError) -> Problem {
    match error {
        StorageError::Full => Problem::of(kinds::STORAGE_FULL).retry_after(LATER),
        StorageError::Overloaded => overloaded(),
        StorageError::Unavailable { .. } | StorageError::Timeout | StorageError::Locked { .. } => {
            Problem::of(kinds::STORAGE_UNAVAILABLE).retry_after(SOON)
        }
        StorageError::Unacknowledged => Problem::of(kinds::OUTCOME_UNKNOWN).retry_after(SOON),
        StorageError::OlderSchema { .. } | StorageError::Unsuitable { .. } => {
            tracing::error!(%error, "the database cannot be used");
            Problem::of(kinds::STORAGE_UNPREPARED).retry_after(LATER)
        }
        other => {
            tracing::error!(error = %other, "storage failed");
            internal()
        }
    }
}
