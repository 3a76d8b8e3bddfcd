//! Where mail goes.

use std::net::SocketAddr;
use std::path::PathBuf;

use plinto_actors::SmtpSecurity;
use plinto_domain::email::EmailAddress;
use plinto_http::ListenerName;

use super::Check;
use crate::settings::{MailSettings, Origin, SmtpSettings};

impl Check<'_> {
    pub(super) fn mail(&mut self, listeners: &[(ListenerName, SocketAddr)]) -> MailSettings {
        let mailbox = self.flag("mail.mailbox");
        // `plinto dev` builds the mailbox in: whoever gives it a server wants the server.
        let by_hand = self.layers.get("mail.mailbox").is_some_and(|leaf| leaf.origin != Origin::BuiltIn);
        let Some(host) = self.text("mail.smtp_host").map(ToOwned::to_owned) else {
            self.smtp_without_host();
            if !mailbox {
                return MailSettings::Nowhere;
            }
            if by_hand && listeners.iter().any(|(_, address)| !address.ip().is_loopback()) {
                let fix = "give mail.smtp_host, or listen on loopback addresses only";
                self.problem(
                    "mail.mailbox",
                    "everybody who reaches the core service could read all mail",
                    fix,
                );
            }
            return MailSettings::Mailbox;
        };
        if mailbox && by_hand {
            self.problem("mail.mailbox", "mail.smtp_host is given as well", "give one of the two");
        }
        let security = self.smtp_security();
        let standard = match security {
            SmtpSecurity::Implicit => 465,
            SmtpSecurity::StartTls => 587,
            SmtpSecurity::Plain => 25,
        };
        let port = self.within("mail.smtp_port", standard, i64::from(u16::MAX));
        MailSettings::Smtp(SmtpSettings {
            host,
            port: u16::try_from(port).unwrap_or(u16::MAX),
            security,
            credentials: self.smtp_credentials(),
            ca_file: self.text("mail.smtp_ca_file").map(PathBuf::from),
            from: self.mail_from(),
        })
    }

    /// A host that was forgotten would leave all mail in the outbox.
    fn smtp_without_host(&mut self) {
        let layers = self.layers;
        for (key, _) in layers.iter().filter(|(key, _)| key.starts_with("mail.") && *key != "mail.mailbox") {
            let fix = "give mail.smtp_host as well, or leave this out";
            self.problem(key, "it is for mail over SMTP, and no server is given", fix);
        }
    }

    fn smtp_security(&mut self) -> SmtpSecurity {
        match self.text("mail.smtp_security") {
            None | Some("starttls") => SmtpSecurity::StartTls,
            Some("implicit") => SmtpSecurity::Implicit,
            Some("none") => SmtpSecurity::Plain,
            Some(other) => {
                self.problem(
                    "mail.smtp_security",
                    format!("`{other}` cannot be used"),
                    "give starttls, implicit or none",
                );
                SmtpSecurity::StartTls
            }
        }
    }

    fn smtp_credentials(&mut self) -> Option<(String, crate::settings::SecretSource)> {
        let user = self.text("mail.smtp_user").map(ToOwned::to_owned);
        match (user, self.secret("mail.smtp_password")) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => {
                let fix = "give PLINTO_MAIL__SMTP_PASSWORD or `mail.smtp_password_file` as well";
                self.problem("mail.smtp_user", "it needs a password", fix);
                None
            }
            (None, Some(_)) => {
                self.problem("mail.smtp_user", "a password is given without it", "give the user's name");
                None
            }
        }
    }

    fn mail_from(&mut self) -> String {
        let fix = "give the address all mails come from, such as no-reply@example.com";
        match self.text("mail.from").map(|text| EmailAddress::parse("mail.from", text)) {
            Some(Ok(address)) => return address.deliverable(),
            Some(Err(_)) => self.problem("mail.from", "this is not an e-mail address", fix),
            None => self.problem("mail.from", "it is needed because mail.smtp_host is given", fix),
        }
        String::new()
    }
}
