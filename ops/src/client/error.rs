//! How a call to an instance fails, in words for the person at the terminal.

use reqwest::Response;

use super::messages::Problem;

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The client itself could not be made.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(#[source] reqwest::Error),
    /// Nobody answered.
    #[error("{url} does not answer: {reason}; is plinto running there?")]
    Unreachable {
        /// What was called.
        url: String,
        /// Why it failed.
        reason: &'static str,
    },
    /// The answer is not what this version understands.
    #[error("the answer cannot be understood; use the plinto of the version that is running")]
    Unreadable(#[source] reqwest::Error),
    /// The instance refused.
    #[error("{detail} ({code})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable code.
        code: String,
        /// What to do about it.
        detail: String,
    },
    /// There is no such tenant.
    #[error("there is no tenant `{named}`; `plinto tenant list` shows all")]
    UnknownTenant {
        /// What was asked for.
        named: String,
    },
    /// The instance does not run the service.
    #[error("this instance does not run the {service} service; give --url with the address of one that does")]
    ServiceMissing {
        /// The service.
        service: &'static str,
    },
    /// There is no platform key.
    #[error(
        "no platform key: give --key, PLINTO_PLATFORM_KEY or --data-dir with the directory that holds platform.key; \
         if it was lost, stop plinto and make one with `plinto keys platform`"
    )]
    KeyMissing,
}

impl ClientError {
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        let url =
            error.url().map_or_else(|| "the instance".to_owned(), |url| url.origin().ascii_serialization());
        let reason = if error.is_timeout() {
            "it took too long"
        } else if error.is_connect() {
            "no connection"
        } else if error.is_builder() {
            return Self::Setup(error);
        } else {
            "the connection broke"
        };
        Self::Unreachable { url, reason }
    }

    /// An answer that broke off.
    pub(crate) fn broken(error: reqwest::Error) -> Self {
        Self::unreachable(error)
    }

    pub(super) fn unreadable(error: reqwest::Error) -> Self {
        Self::Unreadable(error.without_url())
    }

    pub(super) async fn refused(answer: Response) -> Self {
        let status = answer.status().as_u16();
        match answer.json::<Problem>().await {
            Ok(problem) => {
                let fields: Vec<String> =
                    problem.errors.iter().map(|error| format!("{}: {}", error.field, error.detail)).collect();
                let detail = if fields.is_empty() { problem.detail } else { fields.join("; ") };
                Self::Refused { status, code: problem.code, detail }
            }
            Err(error) => Self::unreadable(error),
        }
    }
}
