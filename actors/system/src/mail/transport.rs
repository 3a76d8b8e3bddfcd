use super::mailbox::Mailbox;
use async_trait::async_trait;
use plinto_domain::mail::Language;
use plinto_domain::{MailId, TenantId, Timestamp};
use std::fmt;
use std::sync::Arc;

/// A mail as its recipient will see it. `Debug` shows nothing that is personal or secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// Which.
    pub mail: MailId,
    /// Whose.
    pub tenant: TenantId,
    /// `Message-ID` (RFC 5322 §3.6.4); the same at every attempt.
    pub message_id: String,
    /// Who writes, for people. The address is the transport's.
    pub from_name: String,
    /// To whom.
    pub to: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// What kind of mail.
    pub kind: &'static str,
    /// In which language.
    pub language: Language,
    /// Subject.
    pub subject: String,
    /// For readers without HTML.
    pub text: String,
    /// For the others.
    pub html: String,
    /// When it was queued.
    pub at: Timestamp,
}

impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedMail")
            .field("mail", &self.mail)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not taken. Texts name no recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailFailure {
    /// It may be taken later.
    #[error("not now: {0}")]
    NotNow(String),
    /// It will never be taken.
    #[error("never: {0}")]
    Never(String),
}

/// What brings mail on its way.
#[async_trait]
pub trait MailTransport: Send + Sync + 'static {
    /// Hands over one mail. `Ok` means that somebody else answers for it now.
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailFailure>;
}

/// Where mail goes.
#[derive(Clone, Default)]
pub enum MailRoute {
    /// Nowhere: it waits in the outbox until a node has a route, or until it is of no use any more.
    #[default]
    Nowhere,
    /// Over this transport.
    Transport(Arc<dyn MailTransport>),
    /// Into the memory of this process, for development and tests.
    Mailbox(Arc<Mailbox>),
}

impl MailRoute {
    pub(crate) fn transport(&self) -> Option<Arc<dyn MailTransport>> {
        match self {
            Self::Nowhere => None,
            Self::Transport(transport) => Some(Arc::clone(transport)),
            Self::Mailbox(mailbox) => Some(Arc::clone(mailbox) as Arc<dyn MailTransport>),
        }
    }

    pub(crate) fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        match self {
            Self::Mailbox(mailbox) => Some(mailbox),
            Self::Nowhere | Self::Transport(_) => None,
        }
    }
}

impl fmt::Debug for MailRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nowhere => "Nowhere",
            Self::Transport(_) => "Transport(..)",
            Self::Mailbox(_) => "Mailbox(..)",
        })
    }
}
