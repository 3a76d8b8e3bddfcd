//! Mail, as those who develop and those who administer a tenant see it.

use super::Platform;
use crate::mail::Mailbox;
use std::sync::Arc;

impl Platform {
    /// Where mail is kept instead of being sent, if that is where it goes.
    pub fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.0.mail.mailbox()
    }
}
