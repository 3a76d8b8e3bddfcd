//! What every page has: the tenant's look, a language, the token of its forms, the flow it belongs to.

use super::words::Words;
use crate::cookies::{FormCookie, TicketCookie};
use crate::extract::FormBody;
use crate::guard::cross_site;
use crate::problem::{self, Problem, catalogue};
use crate::state::AppState;
use askama::Template;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use plinto_actors::{AuthorizationAnswer, Browser, Next, ServiceError, TenantLook};
use plinto_domain::TenantId;
use plinto_domain::oauth::{Client, Interaction, OAuthError, ResponseMode, Step};
use url::{Host, Url};

/// What every page has.
pub(super) struct Page {
    pub(super) tenant: TenantId,
    pub(super) slug: String,
    pub(super) look: TenantLook,
    pub(super) words: &'static Words,
    /// What its forms repeat.
    pub(super) form_token: String,
    form_cookie: FormCookie,
    pub(super) https: bool,
    /// The sealed interaction.
    pub(super) flow: Option<String>,
    /// Of the application it is about.
    pub(super) links: Option<Links>,
    /// Where the application's answer goes.
    pub(super) answer_to: Option<String>,
    state: AppState,
}

/// An application as pages show it.
pub(super) struct Links {
    pub(super) name: String,
    pub(super) logo: Option<String>,
    pub(super) website: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) terms: Option<String>,
}

impl From<&Client> for Links {
    fn from(client: &Client) -> Self {
        let definition = &client.definition;
        Self {
            name: definition.name.as_str().to_owned(),
            logo: definition.logo_uri.clone(),
            website: definition.client_uri.clone(),
            policy: definition.policy_uri.clone(),
            terms: definition.tos_uri.clone(),
        }
    }
}

impl FromRequestParts<AppState> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let params =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| problem::not_found())?;
        let slug = params.iter().find(|(name, _)| *name == "tenant").map(|(_, slug)| slug.to_owned());
        let slug = slug.ok_or_else(problem::not_found)?;
        let tenant = state.platform().resolve(&slug).await?;
        let look = state.platform().look(tenant, state.deadline()).await?;
        let https = state.config().strict_transport;
        let form_cookie = FormCookie::of(&parts.headers, https, state.randomness());
        Ok(Self {
            tenant,
            slug,
            look,
            words: Words::of_browser(&parts.headers),
            form_token: form_cookie.token(),
            form_cookie,
            https,
            flow: None,
            links: None,
            answer_to: None,
            state: state.clone(),
        })
    }
}

/// An address of the tenant's with one parameter, if it has a value.
fn address(slug: &str, path: &str, flow: Option<&str>) -> String {
    match flow {
        // Sealed texts are base64url: nothing in them has to be encoded.
        Some(flow) => format!("/t/{slug}{path}?flow={flow}"),
        None => format!("/t/{slug}{path}"),
    }
}

impl Page {
    pub(super) fn state(&self) -> &AppState {
        &self.state
    }

    /// The path of a form or file.
    pub(super) fn path(&self, path: &str) -> String {
        address(&self.slug, path, None)
    }

    /// The address of another step of the same flow.
    pub(super) fn link(&self, path: &str) -> String {
        address(&self.slug, path, self.flow.as_deref())
    }

    /// Whether a text is in the page's language: what rules say is English.
    pub(super) fn is_translated(&self, text: &str) -> bool {
        text == self.words.wrong_credentials
    }

    pub(super) fn stylesheet(&self) -> String {
        format!("{}?v={}", self.path("/hosted/style.css"), super::assets::version(&self.look))
    }

    /// Refuses a form that is not of one of our pages: a page elsewhere can neither read the token nor have the cookie sent.
    pub(super) fn check_form(&self, headers: &HeaderMap, form: &FormBody) -> Result<(), Failure> {
        let checked = cross_site::check_form(headers).and_then(|()| {
            let said = form.required("form_token")?;
            self.form_cookie.check(&said)
        });
        checked.map_err(|problem| self.failed(problem))
    }

    /// The interaction of a sealed text; the page belongs to it from then on.
    pub(super) async fn open(&mut self, sealed: Option<&str>) -> Result<Interaction, Failure> {
        let Some(sealed) = sealed else { return Err(self.too_old()) };
        let opened = self.state.platform().open_interaction(self.tenant, sealed, self.state.deadline()).await;
        let opened = opened.map_err(|error| self.failed(error.into()))?;
        let interaction = opened.ok_or_else(|| self.too_old())?;
        self.flow = Some(sealed.to_owned());
        self.answer_to = Some(interaction.request.destination.redirect_uri.clone());
        self.liking(&interaction);
        Ok(interaction)
    }

    /// Speaks the language an application asks for, if there is it.
    pub(super) fn liking(&mut self, interaction: &Interaction) {
        let asked = &interaction.request.ui_locales;
        if !asked.is_empty() {
            self.words = Words::of(asked.iter().map(String::as_str).chain([self.words.language]));
        }
    }

    /// Shows the application of an interaction.
    pub(super) async fn about(&mut self, interaction: &Interaction) -> Result<(), Failure> {
        let client = interaction.request.client;
        let client = self.state.platform().application(self.tenant, client, self.state.deadline()).await;
        let client = client.map_err(|error| self.failed(error.into()))?;
        self.links = client.as_deref().map(Links::from);
        Ok(())
    }

    /// The flow goes on with this interaction.
    pub(super) async fn seal(&mut self, interaction: &Interaction) -> Result<(), Failure> {
        let deadline = self.state.deadline();
        let sealed = self.state.platform().seal_interaction(self.tenant, interaction, deadline).await;
        self.flow = Some(sealed.map_err(|error| self.failed(error.into()))?);
        Ok(())
    }

    /// Who is signed in in this browser.
    pub(super) async fn browser(&self, headers: &HeaderMap) -> Result<Browser, Failure> {
        let cookie = TicketCookie::of(headers, &self.slug, self.https);
        let platform = self.state.platform();
        let browser = platform.browser(self.tenant, &cookie.tickets(), self.state.deadline()).await;
        browser.map_err(|error| self.failed(error.into()))
    }

    /// Sends the browser on, with the tickets of who is signed in from now on.
    pub(super) fn redirect_with(&self, tickets: &[String], path: &str) -> Response {
        let cookie = TicketCookie::keep(tickets, &self.slug, self.look.session_seconds, self.https);
        let mut response = self.redirect(path);
        response.headers_mut().append(cookie.0, cookie.1);
        response
    }

    /// Sends the browser to another step of the flow.
    pub(super) fn redirect(&self, path: &str) -> Response {
        Redirect::to(&self.link(path)).into_response()
    }

    /// Shows a page.
    pub(super) fn show(&self, status: StatusCode, template: &impl Template) -> Response {
        let Ok(html) = template.render() else { return problem::internal().into_response() };
        let mut response = (status, Html(html)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.content_policy());
        if let Some((name, value)) = self.form_cookie.new_line(self.https) {
            headers.append(name, value);
        }
        response
    }

    /// Nothing is loaded but our own files and the pictures of tenant and application. Forms go here; a browser holds the
    /// redirects after a form to the same rule, so where the answer goes is allowed as well, and any https address it may
    /// go on to from there.
    fn content_policy(&self) -> HeaderValue {
        let logos =
            [self.look.logo_url.as_deref(), self.links.as_ref().and_then(|links| links.logo.as_deref())];
        let pictures = logos.into_iter().flatten().filter_map(source).collect::<Vec<_>>().join(" ");
        let answer = self.answer_to.as_deref().and_then(source).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' {pictures}; \
             form-action 'self' https: {answer}; base-uri 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    }

    /// A page that says something.
    pub(super) fn message(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let (error, link) = (None, None);
        self.show(status, &Message { page: self, title, text, error, link })
    }

    /// The same, with a way on.
    pub(super) fn message_with_link(&self, title: &str, text: &str, path: &str, link: &str) -> Response {
        let link = Some((self.link(path), link));
        self.show(StatusCode::OK, &Message { page: self, title, text, error: None, link })
    }

    /// A page about what an application did wrong, where it must not be told itself.
    pub(super) fn untrusted(&self, text: &str, error: OAuthError) -> Response {
        let title = self.words.bad_request;
        self.show(
            StatusCode::BAD_REQUEST,
            &Message { page: self, title, text, error: Some(error), link: None },
        )
    }

    pub(super) fn too_old(&self) -> Failure {
        let words = self.words;
        Failure(Box::new(self.message(StatusCode::BAD_REQUEST, words.too_old, words.too_old_text)))
    }

    /// A page about what went wrong on the way.
    pub(super) fn failed(&self, problem: Problem) -> Failure {
        let words = self.words;
        let detail = match problem.code {
            // Its own words are for pages with scripts.
            code if code == catalogue::CSRF_TOKEN_MISMATCH.code => words.form_lost,
            code if code == catalogue::CROSS_SITE_REQUEST.code => words.form_lost,
            _ => &problem.detail,
        };
        let mut response = self.message(problem.status_code(), words.failed, detail);
        let headers = problem.into_response().into_parts().0.headers;
        for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
            if let Some(value) = headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Failure(Box::new(response))
    }

    /// Sends the browser to the application.
    pub(super) fn answer(&mut self, answer: &AuthorizationAnswer) -> Response {
        self.answer_to = Some(answer.destination.redirect_uri.clone());
        super::answer::send(self, answer)
    }

    /// What happens next, as an answer to the browser.
    pub(super) async fn go_to(&mut self, interaction: &Interaction, next: Next) -> Result<Response, Failure> {
        match next {
            Next::Answered(answer) => {
                if answer.destination.response_mode == ResponseMode::FormPost {
                    self.about(interaction).await?;
                }
                Ok(self.answer(&answer))
            }
            Next::Untrusted(error) => Ok(self.untrusted(self.words.bad_request_text, error)),
            Next::Page(step) => {
                if self.flow.is_none() {
                    self.seal(interaction).await?;
                }
                Ok(self.redirect(match step {
                    Step::SignIn => "/sign-in",
                    Step::SignUp => "/sign-up",
                    Step::SelectAccount => "/select-account",
                    Step::Consent => "/consent",
                    Step::Authorize | Step::Refuse(_) => "/oauth2/continue",
                }))
            }
        }
    }
}

#[derive(Template)]
#[template(path = "hosted/message.html")]
struct Message<'a> {
    page: &'a Page,
    title: &'a str,
    text: &'a str,
    error: Option<OAuthError>,
    link: Option<(String, &'a str)>,
}

/// What a content policy calls the place an address is at: its origin, or its scheme where it has a scheme of its own, or
/// an address of this machine that is no name (a policy has no place for such).
fn source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    Some(match (url.scheme(), url.host()) {
        ("http", Some(Host::Ipv4(_) | Host::Ipv6(_))) => "http:".to_owned(),
        ("http" | "https", Some(_)) => url.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    })
}

/// An answer that is no success, made already. Boxed: it is large and rare.
pub(super) struct Failure(pub(super) Box<Response>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem.into_response()))
    }
}

/// What a form is answered with that a rule refused: its own page once more, with what is wrong; other errors are none of
/// its fields'.
pub(super) fn refusal(error: ServiceError, words: &Words) -> Result<String, ServiceError> {
    match error {
        ServiceError::InvalidCredentials => Ok(words.wrong_credentials.to_owned()),
        ServiceError::Denied(denial) => Ok(denial.detail.to_owned()),
        ServiceError::Invalid(fields) => {
            let details: Vec<_> = fields.iter().map(|field| field.detail.as_str()).collect();
            Ok(details.join(" "))
        }
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_as_policies_name_it() {
        for (uri, expected) in [
            ("https://app.example.com/callback?x", "https://app.example.com"),
            ("https://app.example.com:8443/callback", "https://app.example.com:8443"),
            ("http://localhost:3000/callback", "http://localhost:3000"),
            ("http://127.0.0.1:51234/callback", "http:"),
            ("http://[::1]:51234/callback", "http:"),
            ("com.example.app:/callback", "com.example.app:"),
        ] {
            assert_eq!(source(uri).as_deref(), Some(expected), "{uri}");
        }
        assert_eq!(source("nonsense"), None);
    }
}
