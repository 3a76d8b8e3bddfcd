//! Answers to clients, on their way through the user's browser (RFC 6749 §4.1.2, RFC 9207, Form Post Response Mode).

use super::page::Page;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::AuthorizationAnswer;
use plinto_domain::oauth::ResponseMode;
use std::borrow::Cow;

#[derive(Template)]
#[template(path = "hosted/form_post.html")]
struct FormPost<'a> {
    page: &'a Page,
    action: &'a str,
    parameters: &'a [(&'static str, Cow<'a, str>)],
}

/// Sends the browser to the client.
pub(super) fn send(page: &Page, answer: &AuthorizationAnswer) -> Response {
    let parameters = parameters(answer);
    let uri = &answer.destination.redirect_uri;
    match answer.destination.response_mode {
        ResponseMode::FormPost => {
            page.show(StatusCode::OK, &FormPost { page, action: uri, parameters: &parameters })
        }
        ResponseMode::Query => redirect(&with_query(uri, &encoded(&parameters))),
        ResponseMode::Fragment => redirect(&format!("{uri}#{}", encoded(&parameters))),
    }
}

fn parameters(answer: &AuthorizationAnswer) -> Vec<(&'static str, Cow<'_, str>)> {
    let mut parameters: Vec<(&'static str, Cow<'_, str>)> = match &answer.result {
        Ok(code) => vec![("code", code.expose().into())],
        Err(error) => {
            vec![("error", error.code.as_str().into()), ("error_description", error.description.into())]
        }
    };
    parameters.extend(answer.destination.state.as_deref().map(|state| ("state", state.into())));
    parameters.push(("iss", answer.issuer.as_str().into()));
    parameters
}

fn encoded(parameters: &[(&'static str, Cow<'_, str>)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// An address with more parameters than it had.
pub(super) fn with_query(uri: &str, query: &str) -> String {
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

/// See Other: what was posted is never sent on (RFC 9700 §4.12).
pub(super) fn redirect(uri: &str) -> Response {
    match HeaderValue::try_from(uri) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => crate::problem::internal().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_what_an_address_has() {
        assert_eq!(with_query("https://a.example/cb", "code=1"), "https://a.example/cb?code=1");
        assert_eq!(with_query("https://a.example/cb?x=1", "code=1"), "https://a.example/cb?x=1&code=1");
        assert_eq!(with_query("https://a.example/cb?", "code=1"), "https://a.example/cb?code=1");
    }
}
