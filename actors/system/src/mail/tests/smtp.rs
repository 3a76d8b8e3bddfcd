//! The SMTP transport against a server that speaks SMTP.

use super::sink::{Sink, Talk};
use crate::mail::{MailFailure, MailTransport, RenderedMail, SmtpConfig, SmtpSecurity, SmtpTransport};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinto_domain::mail::Language;
use plinto_domain::{MailId, TenantId, Timestamp};
use uuid::Uuid;

fn mail() -> RenderedMail {
    let id = Uuid::from_u128(7);
    RenderedMail {
        mail: MailId::from_uuid(id),
        tenant: TenantId::from_uuid(id),
        message_id: "<mail_7@id.example.com>".to_owned(),
        from_name: "Bücher & Co".to_owned(),
        to: "ada@xn--bcher-kva.example".to_owned(),
        reply_to: Some("help@example.com".to_owned()),
        kind: "verify_email",
        language: Language::En,
        subject: "Confirm — now".to_owned(),
        text: "the text\n".to_owned(),
        html: "<p>the page</p>\n".to_owned(),
        at: Timestamp::from_millis(1_800_000_000_000),
    }
}

fn transport(sink: &Sink, security: SmtpSecurity, authorities: Option<Vec<u8>>) -> SmtpTransport {
    let credentials = Some(("plinto".to_owned(), "hush".to_owned().into()));
    SmtpTransport::new(&SmtpConfig {
        host: "localhost".to_owned(),
        port: sink.port,
        security,
        credentials: credentials.filter(|_| security != SmtpSecurity::Plain),
        authorities,
        from: "no-reply@id.example.com".to_owned(),
    })
    .expect("a transport")
}

#[tokio::test]
async fn a_mail_arrives_whole_however_the_conversation_is_encrypted() {
    for (talk, security) in [
        (Talk::Plain, SmtpSecurity::Plain),
        (Talk::StartTls, SmtpSecurity::StartTls),
        (Talk::Implicit, SmtpSecurity::Implicit),
    ] {
        let mut sink = Sink::start(talk, "250 ok").await;
        let transport = transport(&sink, security, Some(sink.certificate.clone()));
        transport.send(&mail()).await.expect("taken");
        let taken = sink.taken.recv().await.expect("a mail");
        assert_eq!(taken.encrypted, security != SmtpSecurity::Plain);
        let auth = taken.auth.map(|text| STANDARD.decode(text).expect("base64"));
        assert_eq!(auth.is_some(), taken.encrypted);
        assert!(auth.is_none_or(|auth| auth == b"\0plinto\0hush"));
        assert!(taken.from.starts_with("MAIL FROM:<no-reply@id.example.com>"), "{}", taken.from);
        assert!(taken.to.starts_with("RCPT TO:<ada@xn--bcher-kva.example>"), "{}", taken.to);
        let message = taken.message;
        for needed in [
            "Message-ID: <mail_7@id.example.com>",
            "Date: Fri, 15 Jan 2027",
            "Reply-To: help@example.com",
            "multipart/alternative",
            "the text",
            "<p>the page</p>",
        ] {
            assert!(message.contains(needed), "{needed} in {message}");
        }
        assert!(message.is_ascii(), "headers and bodies are encoded");
    }
}

#[tokio::test]
async fn a_refused_recipient_is_final_and_a_busy_server_is_not() {
    for (verdict, is_final) in [("550 unknown", true), ("450 greylisted", false), ("554 no service", false)] {
        let sink = Sink::start(Talk::Plain, verdict).await;
        let failure = transport(&sink, SmtpSecurity::Plain, None).send(&mail()).await.expect_err(verdict);
        assert_eq!(matches!(failure, MailFailure::Never(_)), is_final, "{failure}");
        assert!(
            failure.to_string().contains(&verdict[..3]) && !failure.to_string().contains("ada"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_neither_mail_nor_password() {
    for (talk, security) in
        [(Talk::StartTls, SmtpSecurity::StartTls), (Talk::Implicit, SmtpSecurity::Implicit)]
    {
        let mut sink = Sink::start(talk, "250 ok").await;
        let other = Sink::start(talk, "250 ok").await;
        let failure = transport(&sink, security, Some(other.certificate)).send(&mail()).await;
        assert!(matches!(failure, Err(MailFailure::NotNow(_))), "{failure:?}");
        assert!(sink.taken.try_recv().is_err());
    }
    let nobody = SmtpConfig {
        host: "localhost".to_owned(),
        port: 1,
        security: SmtpSecurity::Plain,
        credentials: None,
        authorities: None,
        from: "no-reply@id.example.com".to_owned(),
    };
    let failure = SmtpTransport::new(&nobody).expect("a transport").send(&mail()).await;
    assert_eq!(failure, Err(MailFailure::NotNow("the server cannot be reached".to_owned())));
    let bad = SmtpConfig { from: "nobody".to_owned(), ..nobody };
    assert!(SmtpTransport::new(&bad).is_err());
}
