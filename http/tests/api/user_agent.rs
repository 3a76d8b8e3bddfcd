//! A browser without scripts: it keeps cookies, follows redirects while they stay with us, and sends the forms of pages.

use crate::app::{Answer, BASE, TestApp};
use crate::browser_sessions::Jar;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use plinto_http::ListenerName;
use std::collections::HashMap;

/// Redirects that are followed; more are a loop.
const MOST_REDIRECTS: usize = 10;

#[derive(Clone, Default)]
pub(crate) struct UserAgent {
    pub(crate) jar: Jar,
    /// Sent with every request.
    pub(crate) language: Option<&'static str>,
}

/// Where a browser ended up.
pub(crate) struct Place {
    /// Path and query of ours, or a whole address elsewhere.
    pub(crate) address: String,
    pub(crate) answer: Answer,
}

impl Place {
    /// The last step of a path of ours.
    pub(crate) fn step(&self) -> &str {
        let path = self.address.split('?').next().unwrap();
        path.strip_prefix("/t/demo").unwrap_or(path)
    }

    /// Parameters of an address elsewhere, of its query or its fragment.
    pub(crate) fn parameters(&self) -> HashMap<String, String> {
        let (_, parameters) = self.address.split_once(['?', '#']).unwrap_or_default();
        form_urlencoded::parse(parameters.as_bytes()).into_owned().collect()
    }

    pub(crate) fn text(&self) -> &str {
        &self.answer.text
    }

    /// Address and hidden fields of the page's form.
    pub(crate) fn form(&self) -> (String, Vec<(String, String)>) {
        let form = &self.text()[self.text().find("<form").expect("a form")..];
        let hidden = form.split("<input type=\"hidden\"").skip(1);
        let fields = hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect();
        (attribute(form, "action"), fields)
    }

    /// Where a link of the page leads.
    pub(crate) fn link(&self, id: &str) -> String {
        let link = self.text().split("<a ").find(|link| link.contains(&format!("id=\"{id}\"")));
        attribute(link.unwrap_or_else(|| panic!("no link {id} in {}", self.text())), "href")
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name} in {tag:.200}"));
    let value = &rest[..rest.find('"').unwrap()];
    value
        .replace("&#38;", "&")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
}

impl UserAgent {
    fn request(&self, method: &str, address: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(address);
        let cookies = self.jar.line();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(language) = self.language {
            request = request.header(header::ACCEPT_LANGUAGE, language);
        }
        request
    }

    /// Sends one request, and keeps the cookies of its answer.
    pub(crate) async fn send(&mut self, app: &TestApp, request: Request<Body>) -> Answer {
        let answer = app.send(ListenerName::Core, request).await;
        self.jar.keep(&answer);
        answer
    }

    /// Goes to an address, and on as long as we say where.
    pub(crate) async fn open(&mut self, app: &TestApp, address: &str) -> Place {
        let request = self.request("GET", address).body(Body::empty()).unwrap();
        let answer = self.send(app, request).await;
        self.follow(app, address.to_owned(), answer).await
    }

    /// Sends a form as it stands on a page, with these fields filled in.
    pub(crate) async fn submit(&mut self, app: &TestApp, page: &Place, filled: &[(&str, &str)]) -> Place {
        let (action, hidden) = page.form();
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = hidden.chain(filled.iter().copied()).collect();
        self.post(app, &action, &fields, "same-origin").await
    }

    /// Sends a form of a page on some site.
    pub(crate) async fn post(
        &mut self,
        app: &TestApp,
        address: &str,
        fields: &[(&str, &str)],
        site: &str,
    ) -> Place {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request("POST", address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from(form))
            .unwrap();
        let answer = self.send(app, request).await;
        self.follow(app, address.to_owned(), answer).await
    }

    async fn follow(&mut self, app: &TestApp, mut address: String, mut answer: Answer) -> Place {
        for _ in 0..MOST_REDIRECTS {
            if answer.status != StatusCode::SEE_OTHER {
                return Place { address, answer };
            }
            let location = answer.headers[header::LOCATION].to_str().unwrap().to_owned();
            let ours = location.strip_prefix(BASE).unwrap_or(&location);
            if !ours.starts_with("/t/") {
                return Place { address: location, answer };
            }
            address = ours.to_owned();
            let request = self.request("GET", &address).body(Body::empty()).unwrap();
            answer = self.send(app, request).await;
        }
        panic!("redirects without end at {address}");
    }
}
