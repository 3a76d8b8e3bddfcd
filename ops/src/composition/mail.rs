//! The route of mail.

use std::sync::Arc;

use plinto_actors::{MailRoute, SmtpConfig, SmtpError, SmtpTransport};
use zeroize::Zeroizing;

use super::{SecretProblem, secret};
use crate::private_file::FileError;
use crate::settings::{MailSettings, SmtpSettings};

/// Mail cannot be sent the way the settings say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailProblem {
    /// The password is not to be had.
    #[error(transparent)]
    Secret(#[from] SecretProblem),
    /// The certificates cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was given for the server is wrong.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
}

/// The route the settings ask for.
pub(super) fn route(settings: &MailSettings) -> Result<MailRoute, MailProblem> {
    match settings {
        MailSettings::Nowhere => {
            tracing::warn!("no route for mail: it waits in the outbox; give mail.smtp_host");
            Ok(MailRoute::Nowhere)
        }
        MailSettings::Mailbox => Ok(MailRoute::Mailbox(Arc::default())),
        MailSettings::Smtp(smtp) => Ok(MailRoute::Transport(Arc::new(SmtpTransport::new(&config(smtp)?)?))),
    }
}

fn config(settings: &SmtpSettings) -> Result<SmtpConfig, MailProblem> {
    let SmtpSettings { host, port, security, credentials, ca_file, from } = settings.clone();
    let credentials = match credentials {
        Some((user, source)) => {
            let password: Zeroizing<String> = secret::read(&source, "the password for mail")?;
            Some((user, password))
        }
        None => None,
    };
    let authorities = match ca_file {
        Some(path) => Some(std::fs::read(&path).map_err(|error| FileError::new("read", &path, error))?),
        None => None,
    };
    Ok(SmtpConfig { host, port, security, credentials, authorities, from })
}
