//! The mailbox of development: mail that goes nowhere, to be read by people and tests. These routes exist only where
//! mail is kept instead of being sent.

use crate::extract::{QueryOf, path_id};
use crate::problem::{self, Problem};
use crate::routes::{Access, Route};
use crate::state::AppState;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use plinto_actors::{KeptMail, Mailbox};
use plinto_domain::mail::Language;
use plinto_domain::{MailId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// Nothing runs on the page, and what a mail brings along stays in its frame.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(list, get, page),
    tags((name = "mailbox", description = "Mail in development: kept in memory instead of being sent"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/v1/dev/mailbox", Access::Public, list),
        Route::new(Method::GET, "/v1/dev/mailbox/{id}", Access::Public, get),
        Route::new(Method::GET, "/dev/mailbox", Access::Public, page),
    ]
}

fn mailbox(state: &AppState) -> Result<&Mailbox, Problem> {
    state.platform().mailbox().map(|mailbox| &**mailbox).ok_or_else(problem::not_found)
}

/// Which mails.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailboxQuery {
    /// Only those to this address.
    to: Option<String>,
    /// Only those of this kind.
    kind: Option<String>,
}

/// A mail in the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailSummary {
    /// The mail's id.
    #[schema(value_type = String, example = "mail_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: MailId,
    /// The tenant that wrote it.
    #[schema(value_type = String, example = "ten_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    tenant_id: TenantId,
    /// To whom.
    to: String,
    /// What kind of mail.
    #[schema(example = "verify_email")]
    kind: &'static str,
    /// Tag of its language (BCP 47).
    #[schema(value_type = String, example = "en")]
    language: Language,
    /// Subject.
    subject: String,
    /// When it was queued, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    at: Timestamp,
}

/// A mail.
#[derive(Serialize, ToSchema)]
pub(crate) struct Mail {
    #[serde(flatten)]
    summary: MailSummary,
    /// `Message-ID`.
    message_id: String,
    /// Who writes, for people.
    from_name: String,
    /// Where answers go.
    reply_to: Option<String>,
    /// For readers without HTML.
    text: String,
    /// For the others.
    html: String,
    /// The link it leads to, if it has one.
    link: Option<String>,
}

/// The mails there are, newest first; the oldest go when there are more than 500.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailList {
    items: Vec<MailSummary>,
}

impl From<&KeptMail> for MailSummary {
    fn from(mail: &KeptMail) -> Self {
        Self {
            id: mail.mail,
            tenant_id: mail.tenant,
            to: mail.to.clone(),
            kind: mail.kind,
            language: mail.language,
            subject: mail.subject.clone(),
            at: mail.at,
        }
    }
}

impl From<&KeptMail> for Mail {
    fn from(mail: &KeptMail) -> Self {
        let link = mail.text.lines().find(|line| line.starts_with("http://") || line.starts_with("https://"));
        Self {
            summary: mail.into(),
            message_id: mail.message_id.clone(),
            from_name: mail.from_name.clone(),
            reply_to: mail.reply_to.clone(),
            link: link.map(ToOwned::to_owned),
            text: mail.text.clone(),
            html: mail.html.clone(),
        }
    }
}

/// List the mails of the mailbox. Only in development.
#[utoipa::path(get, path = "/v1/dev/mailbox", tag = "mailbox", params(MailboxQuery),
    responses((status = 200, body = MailList), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    QueryOf(query): QueryOf<MailboxQuery>,
) -> Result<Json<MailList>, Problem> {
    let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
    let mails = mailbox(&state)?.list();
    let wanted = mails.iter().filter(|mail| is(&query.to, &mail.to) && is(&query.kind, mail.kind));
    Ok(Json(MailList { items: wanted.map(MailSummary::from).collect() }))
}

/// One mail of the mailbox. Only in development.
#[utoipa::path(get, path = "/v1/dev/mailbox/{id}", tag = "mailbox",
    params(("id" = String, Path, example = "mail_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    responses((status = 200, body = Mail), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(mail): Path<String>,
) -> Result<Json<Mail>, Problem> {
    let kept = mailbox(&state)?.get(path_id(&mail)?);
    Ok(Json(Mail::from(&kept.ok_or_else(problem::not_found)?)))
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    mails: Vec<KeptMail>,
}

/// The mailbox as a page for people. Only in development.
#[utoipa::path(get, path = "/dev/mailbox", tag = "mailbox",
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, body = Problem)))]
pub(crate) async fn page(State(state): State<AppState>) -> Result<Response, Problem> {
    let page = MailboxPage { mails: mailbox(&state)?.list() };
    let html = page.render().map_err(|_| problem::internal())?;
    Ok(([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(html)).into_response())
}
