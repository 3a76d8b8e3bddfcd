//! Mail: queued in a tenant's outbox with what causes it, delivered from there by whichever node is first.
//!
//! A row of the outbox is claimed by a fenced update before it is handed to the [`MailTransport`], and finished by
//! another one afterwards, so two nodes never send one mail. A node that dies between the two leaves a claim that ends,
//! and the mail is sent again with the same `Message-ID`.

mod delivery;
mod mailbox;
mod queue;
mod render;
mod smtp;
#[cfg(test)]
mod tests;
mod transport;
mod words;

pub(crate) use delivery::Postman;
pub use mailbox::{KeptMail, Mailbox};
pub(crate) use queue::MailQueue;
pub(crate) use render::SealedMail;
pub use smtp::{SmtpConfig, SmtpError, SmtpSecurity, SmtpTransport};
pub use transport::{MailFailure, MailRoute, MailTransport, RenderedMail};
