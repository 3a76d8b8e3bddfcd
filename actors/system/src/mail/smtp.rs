use super::transport::{MailFailure, MailTransport, RenderedMail};
use async_trait::async_trait;
use lettre::message::{Mailbox as Person, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::{Duration, UNIX_EPOCH};
use zeroize::Zeroizing;

/// How long each step of a conversation may take.
const STEP: Duration = Duration::from_secs(20);

/// Whether and when the conversation is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmtpSecurity {
    /// From the first byte (RFC 8314 §3.3), usually on port 465.
    Implicit,
    /// By STARTTLS (RFC 3207), usually on port 587. A server that does not offer it is not used.
    StartTls,
    /// Never. For a relay on the same machine.
    Plain,
}

/// A server that takes mail. No `Debug`: it holds the password.
#[derive(Clone)]
pub struct SmtpConfig {
    /// Its host name, which its certificate must name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the conversation is encrypted.
    pub security: SmtpSecurity,
    /// User name and password.
    pub credentials: Option<(String, Zeroizing<String>)>,
    /// Certificates (PEM) of the authorities that may vouch for the server; without them those of this machine.
    pub authorities: Option<Vec<u8>>,
    /// Address all mails come from.
    pub from: String,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The address mails should come from is none.
    #[error("the address mails come from is not an e-mail address")]
    From,
    /// TLS cannot be set up.
    #[error("TLS for mail cannot be set up: {0}")]
    Tls(String),
}

/// Mail over SMTP.
pub struct SmtpTransport {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

impl SmtpTransport {
    /// A transport to one server. Connects when the first mail is sent.
    pub fn new(config: &SmtpConfig) -> Result<Self, SmtpError> {
        let from = config.from.parse().map_err(|_| SmtpError::From)?;
        let tls = match config.security {
            SmtpSecurity::Implicit => Tls::Wrapper(tls(config)?),
            SmtpSecurity::StartTls => Tls::Required(tls(config)?),
            SmtpSecurity::Plain => Tls::None,
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.as_str())
            .port(config.port)
            .timeout(Some(STEP))
            .tls(tls);
        if let Some((user, password)) = &config.credentials {
            server = server.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Self { server: server.build(), from })
    }

    fn message(&self, mail: &RenderedMail) -> Result<Message, MailFailure> {
        let never = |what: &str| MailFailure::Never(format!("{what} cannot be written in a mail"));
        let to: Address = mail.to.parse().map_err(|_| never("the recipient's address"))?;
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at.as_millis()).unwrap_or(0));
        let mut message = Message::builder()
            .from(Person::new(Some(mail.from_name.clone()), self.from.clone()))
            .to(Person::new(None, to))
            .subject(mail.subject.as_str())
            .message_id(Some(mail.message_id.clone()))
            .date(date);
        if let Some(reply_to) = &mail.reply_to {
            let address = reply_to.parse().map_err(|_| never("the address for answers"))?;
            message = message.reply_to(Person::new(None, address));
        }
        let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
        message.multipart(body).map_err(|_| never("the text"))
    }
}

fn tls(config: &SmtpConfig) -> Result<TlsParameters, SmtpError> {
    let broken = |error: lettre::transport::smtp::Error| SmtpError::Tls(error.to_string());
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.authorities {
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem).map_err(broken)?);
    }
    parameters.build().map_err(broken)
}

#[async_trait]
impl MailTransport for SmtpTransport {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailFailure> {
        let message = self.message(mail)?;
        match self.server.send(message).await {
            Ok(_) => Ok(()),
            // The code says enough; the text of an answer often repeats the recipient.
            Err(error) if is_about_the_mail(&error) => Err(MailFailure::Never(said(&error))),
            Err(error) => Err(MailFailure::NotNow(said(&error))),
        }
    }
}

/// Whether the server will never take this mail: other permanent refusals, such as of our password, are about us, and
/// end when somebody corrects the configuration.
fn is_about_the_mail(error: &lettre::transport::smtp::Error) -> bool {
    error.status().map(u16::from).is_some_and(|code| (550..=553).contains(&code))
}

fn said(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the server answered {code}"),
        None if error.is_timeout() => "the server did not answer in time".to_owned(),
        None if error.is_tls() => "the server's certificate is not trusted, or TLS failed".to_owned(),
        None => "the server cannot be reached".to_owned(),
    }
}
