use super::transport::{MailFailure, MailTransport, RenderedMail};
use async_trait::async_trait;
use parking_lot::Mutex;
use plinto_domain::MailId;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;

/// Mails kept at most; the oldest go.
const MOST: usize = 500;

/// A mail in the mailbox.
pub type KeptMail = Arc<RenderedMail>;

/// Mail that goes nowhere: the last ones are kept in memory, for people who develop and for tests.
#[derive(Default)]
pub struct Mailbox {
    kept: Mutex<VecDeque<KeptMail>>,
    arrived: Notify,
}

impl Mailbox {
    /// The mails there are, newest first.
    pub fn list(&self) -> Vec<KeptMail> {
        self.kept.lock().iter().rev().cloned().collect()
    }

    /// One of them.
    pub fn get(&self, mail: MailId) -> Option<KeptMail> {
        self.kept.lock().iter().find(|kept| kept.mail == mail).cloned()
    }

    /// Waits for a mail that `wanted` accepts; the newest, if there are several.
    pub async fn wait_for(&self, wanted: impl Fn(&RenderedMail) -> bool) -> KeptMail {
        loop {
            let arrived = self.arrived.notified();
            if let Some(found) = self.list().into_iter().find(|mail| wanted(mail)) {
                return found;
            }
            arrived.await;
        }
    }
}

#[async_trait]
impl MailTransport for Mailbox {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailFailure> {
        let mut kept = self.kept.lock();
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Arc::new(mail.clone()));
        drop(kept);
        self.arrived.notify_waiters();
        Ok(())
    }
}
