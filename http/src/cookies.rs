//! Sessions of browsers: tokens in cookies, which no script reads, instead of in answers.
//!
//! Where the public base URL is https, names begin with `__Host-`: such a cookie is of this very host, came over TLS,
//! and nobody on a neighbouring host can set it (RFC 6265bis §4.1.3.2). Over plain http, which is for development,
//! browsers refuse such names, so they are without it and without `Secure`. A browser has one session per host: where
//! tenants are to have sessions side by side, they have hosts of their own.
//!
//! What changes something also needs the header `Plinto-CSRF`. Its value is made from the refresh token by a hash, so
//! it is of this session alone, changes with it, and nothing follows from knowing it.

use crate::problem::{Problem, catalogue};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use plinto_actors::SignedIn;
use plinto_domain::randomness::Randomness;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Header in which a page repeats the token that only a page of ours can know.
pub(crate) const CSRF_HEADER: HeaderName = HeaderName::from_static("plinto-csrf");
/// What is hashed before the refresh token.
const CSRF_PURPOSE: &str = "plinto csrf\n";
/// Longest value read, in bytes.
const LONGEST: usize = 8 * 1024;

/// How tokens travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carrier {
    /// In headers and bodies.
    Bodies,
    /// In cookies.
    Cookies,
}

impl<S: Send + Sync> FromRequestParts<S> for Carrier {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::Bodies))
    }
}

/// The names of the cookies.
struct Names {
    access: &'static str,
    refresh: &'static str,
    csrf: &'static str,
    challenge: &'static str,
    form: &'static str,
}

const OVER_TLS: Names = Names {
    access: "__Host-plinto-access",
    refresh: "__Host-plinto-refresh",
    csrf: "__Host-plinto-csrf",
    challenge: "__Host-plinto-challenge",
    form: "__Host-plinto-form",
};
const IN_CLEAR: Names = Names {
    access: "plinto-access",
    refresh: "plinto-refresh",
    csrf: "plinto-csrf",
    challenge: "plinto-challenge",
    form: "plinto-form",
};

const fn names(https: bool) -> &'static Names {
    if https { &OVER_TLS } else { &IN_CLEAR }
}

/// The tokens a request brings in cookies, not yet believed. No `Debug`.
#[derive(Default)]
pub(crate) struct CookieTokens {
    pub(crate) access: Option<Zeroizing<String>>,
    pub(crate) refresh: Option<Zeroizing<String>>,
}

impl CookieTokens {
    /// Reads them. One that comes twice is none: somebody has set another beside it.
    pub(crate) fn of(headers: &HeaderMap, https: bool) -> Self {
        let mut found = Self::default();
        if !headers.contains_key(header::COOKIE) {
            return found;
        }
        let names = names(https);
        (found.access, found.refresh) = (named(headers, names.access), named(headers, names.refresh));
        found
    }
}

fn named(headers: &HeaderMap, name: &str) -> Option<Zeroizing<String>> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = texts.flat_map(Cookie::split_parse).flatten().filter(|cookie| cookie.name() == name);
    let only = values.next().filter(|cookie| (1..=LONGEST).contains(&cookie.value().len()))?;
    values.next().is_none().then(|| Zeroizing::new(only.value().to_owned()))
}

/// What a browser keeps that asked for a mail to sign in by, and how the tokens are to travel afterwards. No `Debug`.
pub(crate) struct CookieChallenge {
    pub(crate) text: Zeroizing<String>,
    pub(crate) carrier: Carrier,
}

/// Stands before a challenge whose session will be in cookies, and before one that only confirms a link.
const OF_COOKIES: &str = "c.";
const OF_BODIES: &str = "b.";

impl CookieChallenge {
    /// Reads it, not yet believed.
    pub(crate) fn of(headers: &HeaderMap, https: bool) -> Option<Self> {
        let value = named(headers, names(https).challenge)?;
        let kinds = [(OF_COOKIES, Carrier::Cookies), (OF_BODIES, Carrier::Bodies)];
        kinds.into_iter().find_map(|(kind, carrier)| {
            let text = Zeroizing::new(value.strip_prefix(kind)?.to_owned());
            Some(Self { text, carrier })
        })
    }

    /// The header that keeps it. It is sent along when a link in a mail is opened, which is from elsewhere, and not with
    /// forms of pages elsewhere.
    pub(crate) fn keep(&self, seconds: u32, https: bool) -> (HeaderName, HeaderValue) {
        let kind = match self.carrier {
            Carrier::Cookies => OF_COOKIES,
            Carrier::Bodies => OF_BODIES,
        };
        challenge_cookie(&format!("{kind}{}", *self.text), seconds.into(), https)
    }

    /// The header that forgets it.
    pub(crate) fn forget(https: bool) -> (HeaderName, HeaderValue) {
        challenge_cookie("", 0, https)
    }
}

fn challenge_cookie(value: &str, seconds: i64, https: bool) -> (HeaderName, HeaderValue) {
    let cookie = Cookie::build((names(https).challenge, value)).http_only(true).same_site(SameSite::Lax);
    line(cookie.build(), seconds, https)
}

/// What a page repeats in [`CSRF_HEADER`].
pub(crate) fn csrf_token(refresh: &str) -> String {
    hex::encode(Sha256::new().chain_update(CSRF_PURPOSE).chain_update(refresh).finalize())
}

/// The cookies of a session that was begun or goes on with new tokens.
pub(crate) fn set(signed_in: &SignedIn, https: bool) -> [(HeaderName, HeaderValue); 3] {
    let refresh = signed_in.refresh.expose();
    let lasts = i64::try_from(signed_in.refresh_expires_in).unwrap_or(i64::MAX);
    [
        access_cookie(&signed_in.access.token, signed_in.access.expires_in.into(), https),
        refresh_cookie(refresh, lasts, https),
        csrf_cookie(&csrf_token(refresh), lasts, https),
    ]
}

/// The same cookies gone.
pub(crate) fn clear(https: bool) -> [(HeaderName, HeaderValue); 3] {
    [access_cookie("", 0, https), refresh_cookie("", 0, https), csrf_cookie("", 0, https)]
}

/// Follows links from elsewhere, so that whoever is signed in finds themselves so; changes nothing by itself.
fn access_cookie(value: &str, seconds: i64, https: bool) -> (HeaderName, HeaderValue) {
    let cookie = Cookie::build((names(https).access, value)).http_only(true).same_site(SameSite::Lax);
    line(cookie.build(), seconds, https)
}

fn refresh_cookie(value: &str, seconds: i64, https: bool) -> (HeaderName, HeaderValue) {
    let cookie = Cookie::build((names(https).refresh, value)).http_only(true).same_site(SameSite::Strict);
    line(cookie.build(), seconds, https)
}

/// For our own pages to read.
fn csrf_cookie(value: &str, seconds: i64, https: bool) -> (HeaderName, HeaderValue) {
    let cookie = Cookie::build((names(https).csrf, value)).same_site(SameSite::Strict);
    line(cookie.build(), seconds, https)
}

fn line(mut cookie: Cookie<'_>, seconds: i64, https: bool) -> (HeaderName, HeaderValue) {
    cookie.set_path("/");
    cookie.set_max_age(Duration::seconds(seconds));
    cookie.set_secure(https);
    let line = HeaderValue::try_from(cookie.to_string()).expect("tokens are visible ASCII");
    (header::SET_COOKIE, line)
}

/// Who is signed in in a browser on a tenant's pages: one ticket for each account, the present one first. A tenant has a
/// cookie of its own, so that tenants on one host do not sign each other's users out. Not yet believed; no `Debug`.
pub(crate) struct TicketCookie(Option<Zeroizing<String>>);

/// Between two tickets; none has it in it.
const BETWEEN_TICKETS: &str = ".";

impl TicketCookie {
    fn name(slug: &str, https: bool) -> String {
        let host = if https { "__Host-" } else { "" };
        format!("{host}plinto-browser-{slug}")
    }

    /// Reads it.
    pub(crate) fn of(headers: &HeaderMap, slug: &str, https: bool) -> Self {
        Self(named(headers, &Self::name(slug, https)))
    }

    /// The tickets in it.
    pub(crate) fn tickets(&self) -> Vec<&str> {
        self.0.as_ref().map(|value| value.split(BETWEEN_TICKETS).collect()).unwrap_or_default()
    }

    /// The header that keeps tickets. It comes along when an application sends a user here, which is from elsewhere, and not
    /// with forms of pages elsewhere.
    pub(crate) fn keep(
        tickets: &[String],
        slug: &str,
        seconds: u32,
        https: bool,
    ) -> (HeaderName, HeaderValue) {
        let value = tickets.join(BETWEEN_TICKETS);
        let cookie = Cookie::build((Self::name(slug, https), value)).http_only(true).same_site(SameSite::Lax);
        line(cookie.build(), seconds.into(), https)
    }

    /// The header that forgets them.
    pub(crate) fn forget(slug: &str, https: bool) -> (HeaderName, HeaderValue) {
        Self::keep(&[], slug, 0, https)
    }
}

/// What ties the forms of our pages to the browser they were shown in. No `Debug`.
pub(crate) struct FormCookie {
    value: Zeroizing<String>,
    is_new: bool,
}

/// What is hashed before the cookie.
const FORM_PURPOSE: &str = "plinto form\n";
/// Random bytes in it.
const FORM_BYTES: usize = 16;

impl FormCookie {
    /// The browser's, or a new one.
    pub(crate) fn of(headers: &HeaderMap, https: bool, randomness: &dyn Randomness) -> Self {
        let known = named(headers, names(https).form).filter(|value| value.len() == 2 * FORM_BYTES);
        match known {
            Some(value) => Self { value, is_new: false },
            None => {
                let mut bytes = [0_u8; FORM_BYTES];
                randomness.fill(&mut bytes);
                Self { value: Zeroizing::new(hex::encode(bytes)), is_new: true }
            }
        }
    }

    /// What a form repeats: nothing follows from knowing it.
    pub(crate) fn token(&self) -> String {
        hex::encode(Sha256::new().chain_update(FORM_PURPOSE).chain_update(&*self.value).finalize())
    }

    /// Refuses a form that repeats something else, or comes from a browser that was shown none.
    pub(crate) fn check(&self, said: &str) -> Result<(), Problem> {
        match !self.is_new && bool::from(self.token().as_bytes().ct_eq(said.as_bytes())) {
            true => Ok(()),
            false => Err(Problem::of(catalogue::CSRF_TOKEN_MISMATCH)),
        }
    }

    /// The header that keeps it, if the browser has none yet.
    pub(crate) fn new_line(&self, https: bool) -> Option<(HeaderName, HeaderValue)> {
        let cookie = Cookie::build((names(https).form, self.value.as_str())).http_only(true);
        let cookie = cookie.same_site(SameSite::Lax).build();
        self.is_new.then(|| line(cookie, FORM_SECONDS, https))
    }
}

/// A form may be sent for as long as an interaction takes.
const FORM_SECONDS: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(https: bool, lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().expect("header"));
        }
        CookieTokens::of(&headers, https).access.map(|token| token.to_string())
    }

    #[test]
    fn a_token_is_read_under_its_one_name_and_only_if_it_comes_once() {
        let token = || Some("a.b.c".to_owned());
        assert_eq!(read(true, &["x=1; __Host-plinto-access=a.b.c"]), token());
        assert_eq!(read(true, &["x=1", "__Host-plinto-access=a.b.c"]), token());
        assert_eq!(read(false, &["plinto-access=a.b.c"]), token());
        assert_eq!(read(true, &["plinto-access=a.b.c"]), None, "a neighbour could have set it");
        assert_eq!(read(false, &["__Host-plinto-access=a.b.c"]), None);
        assert_eq!(read(true, &["__Host-plinto-access=a; __Host-plinto-access=b"]), None);
        assert_eq!(read(true, &["__Host-plinto-access=a", "__Host-plinto-access=b"]), None);
        assert_eq!(read(true, &[]), None);
        assert_eq!(read(true, &["__Host-plinto-access="]), None);
        assert_eq!(read(true, &[&format!("__Host-plinto-access={}", "x".repeat(9_000))]), None);
    }

    #[test]
    fn a_challenge_is_read_as_it_was_kept() {
        for (carrier, https) in [(Carrier::Cookies, true), (Carrier::Bodies, true), (Carrier::Cookies, false)]
        {
            let kept = CookieChallenge { text: Zeroizing::new("secret".into()), carrier };
            let (_, line) = kept.keep(600, https);
            let line = line.to_str().expect("visible").to_owned();
            assert_eq!(line.starts_with("__Host-plinto-challenge="), https);
            assert!(line.contains("; HttpOnly; SameSite=Lax") && line.contains("; Path=/; Max-Age=600"));
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, line.split(';').next().expect("a pair").parse().expect("header"));
            let read = CookieChallenge::of(&headers, https).expect("is there");
            assert!(*read.text == "secret" && read.carrier == carrier);
        }
    }

    #[test]
    fn the_token_of_pages_is_of_one_refresh_token() {
        assert_eq!(csrf_token("plr_a"), csrf_token("plr_a"));
        assert_ne!(csrf_token("plr_a"), csrf_token("plr_b"));
        assert_eq!(csrf_token("plr_a").len(), 64);
    }
}
