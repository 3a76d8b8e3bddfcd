//! The page the link of an invitation leads to, without a script. Opening it changes nothing, since scanners of mail open
//! links: the person accepts or declines by a button.

use crate::core::mail_pages::{self, LinkQuery};
use crate::extract::{Client, FormBody, NamedTenant, QueryOf};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use askama::Template;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use plinto_actors::{InvitationOffer, InvitedAccount, NewAccount, ServiceError};
use plinto_domain::organization::invitation::ADDRESS_NOT_PROVED;
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(offer_page, answer))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/auth/organization-invitation", Access::Public, offer_page),
        Route::new(Method::POST, "/auth/organization-invitation", Access::Public, answer),
    ]
}

/// The form of the page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct AnswerForm {
    /// The token of the link.
    token: String,
    /// `accept` or `decline`.
    #[schema(example = "decline")]
    answer: String,
    /// The password of the account that is made, where there is none.
    password: Option<String>,
}

#[derive(Template)]
#[template(path = "organization_invitation.html")]
struct OfferPage<'a> {
    title: &'a str,
    text: &'a str,
    form: Option<OfferForm<'a>>,
}

struct OfferForm<'a> {
    token: &'a str,
    asks_password: bool,
}

fn show(title: &str, text: &str, form: Option<OfferForm<'_>>) -> Result<Response, Problem> {
    mail_pages::show(&OfferPage { title, text, form })
}

/// What went wrong as a page for people, where they can do something about it.
fn refused(error: ServiceError, token: &str) -> Result<Response, Problem> {
    match error {
        ServiceError::Denied(denial) => show(denial.title, denial.detail, None),
        ServiceError::Invalid(fields) => {
            let text: Vec<_> = fields.iter().map(|field| field.detail.as_str()).collect();
            show("Choose another password", &text.join(" "), Some(OfferForm { token, asks_password: true }))
        }
        other => Err(other.into()),
    }
}

/// The page on which an invitation is accepted or declined.
#[utoipa::path(get, path = "/auth/organization-invitation", tag = "organizations", params(LinkQuery),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn offer_page(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    QueryOf(LinkQuery { token }): QueryOf<LinkQuery>,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let offer = state.platform().invitation_offer(tenant, &token, client, state.deadline()).await;
    let InvitationOffer { organization, account, .. } = match offer {
        Ok(offer) => offer,
        Err(error) => return refused(error, &token),
    };
    let title = format!("Join {}", organization.name);
    let asks_password = match account {
        InvitedAccount::Unproved => return show(&title, ADDRESS_NOT_PROVED.detail, None),
        InvitedAccount::Proved(_) => false,
        InvitedAccount::None => true,
    };
    let text = match asks_password {
        true => "Choose a password for your new account. A few unrelated words make a good one.",
        false => "Your account becomes a member.",
    };
    show(&title, text, Some(OfferForm { token: &token, asks_password }))
}

/// Accept or decline an invitation from the page. The answer is a page, also when the link is not usable.
#[utoipa::path(post, path = "/auth/organization-invitation", tag = "organizations",
    request_body(content = AnswerForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn answer(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    form: FormBody,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let (token, answer, password) =
        (form.required("token")?, form.required("answer")?, form.optional("password")?);
    let (platform, deadline) = (state.platform(), state.deadline());
    if answer != "accept" {
        return match platform.decline_invitation(tenant, &token, client, deadline).await {
            Ok(()) => show("Done", "You declined the invitation. You can close this page.", None),
            Err(error) => refused(error, &token),
        };
    }
    let account = NewAccount { password: password.as_deref(), name: None };
    match platform.accept_invitation(tenant, &token, account, client, deadline).await {
        Ok(_) => show("Done", "You are a member now. Sign in to go on.", None),
        Err(error) => refused(error, &token),
    }
}
