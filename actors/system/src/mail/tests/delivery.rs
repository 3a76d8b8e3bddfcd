//! Delivery from the outbox: tried again, given up, found after a start, and never twice.

use crate::mail::{MailFailure, MailRoute, MailTransport, Mailbox, RenderedMail};
use crate::session::tests::rig::Nodes;
use async_trait::async_trait;
use parking_lot::Mutex;
use plinto_domain::tenant::TenantSettings;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Answers as it was told, and `Ok` when there is nothing left to say.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<MailFailure>>,
    attempts: Mutex<Vec<RenderedMail>>,
    /// How long an attempt takes.
    takes: Duration,
}

#[async_trait]
impl MailTransport for Script {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailFailure> {
        tokio::time::sleep(self.takes).await;
        self.attempts.lock().push(mail.clone());
        let answer = self.answers.lock().pop_front();
        answer.map_or(Ok(()), Err)
    }
}

impl Script {
    fn of(answers: impl IntoIterator<Item = MailFailure>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    fn route(self: &Arc<Self>) -> MailRoute {
        MailRoute::Transport(Arc::clone(self) as Arc<dyn MailTransport>)
    }
}

/// Waits until an event stands in the ledger so often.
async fn until(nodes: &Nodes, event: &str, times: usize) {
    let counted = async {
        while nodes.count(event).await < times {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), counted).await.unwrap_or_else(|_| panic!("{event}"));
    assert_eq!(nodes.count(event).await, times, "{event}");
}

async fn start(routes: [MailRoute; 2]) -> Nodes {
    Nodes::mailing(TenantSettings::default(), true, routes).await
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_later_as_the_same_mail() {
    let script = Script::of([MailFailure::NotNow("full".into()), MailFailure::NotNow("full".into())]);
    let nodes = start([script.route(), MailRoute::Nowhere]).await;
    nodes.sign_up_again().await;
    for attempts in 1..=2 {
        let tried = async {
            while script.attempts.lock().len() < attempts {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), tried).await.expect("attempted");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(script.attempts.lock().len(), attempts, "not before its time");
        nodes.advance(Duration::from_secs(60));
    }
    until(&nodes, "mail.sent", 1).await;
    let attempts = script.attempts.lock().clone();
    assert_eq!(attempts.len(), 3);
    assert!(attempts.iter().all(|mail| *mail == attempts[0]));
    assert_eq!(attempts[0].to, "ada@example.com");
    assert_eq!(attempts[0].message_id, format!("<{}@plinto.test>", attempts[0].mail));
    nodes.finish().await;
}

#[tokio::test]
async fn what_is_refused_or_too_old_is_given_up_and_audited() {
    let script = Script::of([MailFailure::Never("unknown".into()), MailFailure::NotNow("full".into())]);
    let nodes = start([script.route(), MailRoute::Nowhere]).await;
    nodes.sign_up_again().await;
    until(&nodes, "mail.given_up", 1).await;
    nodes.sign_up_again().await;
    while script.attempts.lock().len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    nodes.advance(Duration::from_secs(2 * 86_400));
    until(&nodes, "mail.given_up", 2).await;
    assert_eq!(script.attempts.lock().len(), 2);
    assert_eq!(nodes.count("mail.sent").await, 0);
    nodes.finish().await;
}

#[tokio::test]
async fn mail_of_a_node_without_a_route_is_found_by_another() {
    let mailbox = Arc::new(Mailbox::default());
    let nodes = start([MailRoute::Nowhere, MailRoute::Nowhere]).await;
    nodes.sign_up_again().await;
    let third = nodes.another(MailRoute::Mailbox(Arc::clone(&mailbox))).await;
    until(&nodes, "mail.sent", 1).await;
    assert_eq!(mailbox.list().len(), 1);
    crate::session::tests::rig::stop(&third).await;
    nodes.finish().await;
}

#[tokio::test]
async fn two_nodes_never_send_one_mail_twice() {
    let script = Arc::new(Script { takes: Duration::from_millis(50), ..Script::default() });
    let nodes = start([MailRoute::Nowhere, MailRoute::Nowhere]).await;
    for _ in 0..5 {
        nodes.sign_up_again().await;
    }
    // Both find the same outbox at their start.
    let (third, fourth) = tokio::join!(nodes.another(script.route()), nodes.another(script.route()));
    until(&nodes, "mail.sent", 5).await;
    let mut mails: Vec<_> = script.attempts.lock().iter().map(|mail| mail.mail).collect();
    mails.sort_unstable();
    mails.dedup();
    assert_eq!((mails.len(), script.attempts.lock().len()), (5, 5));
    for node in [&third, &fourth] {
        crate::session::tests::rig::stop(node).await;
    }
    nodes.finish().await;
}
