use crate::input::InvalidInput;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Longest URI of a client, in bytes.
const LONGEST: usize = 1_000;
/// URIs of one kind that a client may have.
const MOST: usize = 50;
/// Hosts that are this very machine, as native applications name them (RFC 8252 §7.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// A URI of a client to which its user is sent back: compared as a text, never as what it means.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "https://app.example.com/callback")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Reads a list, in order, each once.
    pub(super) fn parse_all(field: &'static str, texts: Vec<String>) -> Result<Vec<Self>, InvalidInput> {
        if texts.len() > MOST {
            return Err(InvalidInput::new(field, "too_many_uris", "a client has at most 50 URIs of a kind"));
        }
        let mut all: Vec<Self> =
            texts.into_iter().map(|text| Self::parse(field, text)).collect::<Result<_, _>>()?;
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn parse(field: &'static str, text: String) -> Result<Self, InvalidInput> {
        let refuse = |detail| Err(InvalidInput::new(field, "invalid_redirect_uri", detail));
        if !is_uri(&text) {
            return refuse("a redirect URI is an absolute URI of at most 1000 printable ASCII characters");
        }
        let Ok(url) = Url::parse(&text) else {
            return refuse("a redirect URI is an absolute URI, such as https://app.example.com/callback");
        };
        if text.contains('#') || text.contains('*') {
            return refuse("a redirect URI has no fragment and no wildcard (RFC 6749 section 3.1.2)");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("a redirect URI has no user name and no password");
        }
        if has_dot_segment(&text) {
            return refuse("a redirect URI has no . or .. in its path");
        }
        match url.scheme() {
            "https" if url.host().is_some() => Ok(Self(text)),
            "http" if is_this_machine(&url) => Ok(Self(text)),
            "http" => refuse("http is for this machine only (localhost, 127.0.0.1, [::1]); use https"),
            // A scheme of the application's own is a domain name the other way round (RFC 8252 §7.1).
            scheme if scheme.contains('.') => Ok(Self(text)),
            _ => {
                refuse("the scheme is https, or of the application's own such as com.example.app (RFC 8252)")
            }
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a presented URI is this one: the same text, but for the port of a loopback address, which a native
    /// application is given when it asks (RFC 8252 §7.3).
    pub fn admits(&self, presented: &str) -> bool {
        if self.0 == presented {
            return true;
        }
        let own = after_loopback(&self.0);
        own.is_some() && own == after_loopback(presented)
    }
}

/// A loopback address and what follows its port.
fn after_loopback(uri: &str) -> Option<(&'static str, &str)> {
    LOOPBACK.into_iter().find_map(|host| {
        let rest = uri.strip_prefix(host)?;
        let rest = match rest.strip_prefix(':') {
            None => rest,
            Some(port) => {
                let digits = port.bytes().take_while(u8::is_ascii_digit).count();
                port[..digits].parse::<u16>().ok()?;
                &port[digits..]
            }
        };
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
    })
}

fn is_uri(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`'))
}

/// Whether a path has a step that a browser would resolve: what it leads to is not what it says.
fn has_dot_segment(text: &str) -> bool {
    let path = text.split_once('?').map_or(text, |(path, _)| path);
    path.split('/').any(|step| {
        let step = step.to_ascii_lowercase().replace("%2e", ".");
        step == "." || step == ".."
    })
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A page or picture of a client that is linked or shown: https, or http on this machine.
pub(super) fn parse_web_uri(field: &'static str, text: String) -> Result<String, InvalidInput> {
    let detail = "give an https URL of at most 1000 characters without user name";
    let refuse = || InvalidInput::new(field, "invalid_uri", detail);
    let url = is_uri(&text).then(|| Url::parse(&text).ok()).flatten().ok_or_else(refuse)?;
    let is_web = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url));
    let is_plain = url.username().is_empty() && url.password().is_none() && url.host().is_some();
    (is_web && is_plain).then_some(text).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse("redirect_uris", text.to_owned()).unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
    }

    #[test]
    fn what_a_client_may_register() {
        for good in [
            "https://app.example.com/callback",
            "https://app.example.com/callback?from=plinto",
            "https://app.example.com",
            "http://localhost:3000/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:8080/callback",
            "com.example.app:/callback",
        ] {
            uri(good);
        }
        for bad in [
            "",
            "callback",
            "/callback",
            "//app.example.com/callback",
            "http://app.example.com/callback",
            "https://app.example.com/callback#",
            "https://app.example.com/callback#x",
            "https://*.example.com/callback",
            "https://user@app.example.com/callback",
            "https://user:pw@app.example.com/callback",
            "https://app.example.com/a/../callback",
            "https://app.example.com/a/%2E%2e/callback",
            "https://app.example.com/./callback",
            "https://app.example.com\\@evil.example/",
            "https://app.example.com/\"onload=x",
            "https://app.example.com/call back",
            "https://app.example.com/caf\u{e9}",
            "https://",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/callback",
            "http://localhost.evil.example/callback",
        ] {
            assert!(RedirectUri::parse("redirect_uris", bad.to_owned()).is_err(), "{bad}");
        }
        let long = format!("https://app.example.com/{}", "a".repeat(1_000));
        assert!(RedirectUri::parse("redirect_uris", long).is_err());
        let many = (0..51).map(|number| format!("https://app.example.com/{number}")).collect();
        assert!(RedirectUri::parse_all("redirect_uris", many).is_err());
    }

    /// Redirect URI confusion (RFC 9700 §4.1): nothing but the very text counts.
    #[test]
    fn only_the_same_text_is_admitted() {
        let registered = uri("https://app.example.com/callback");
        assert!(registered.admits("https://app.example.com/callback"));
        for other in [
            "https://app.example.com/callback/",
            "https://app.example.com/callback?x",
            "https://app.example.com/callback#x",
            "https://app.example.com/Callback",
            "https://APP.example.com/callback",
            "https://app.example.com:443/callback",
            "https://app.example.com/call%62ack",
            "https://app.example.com/callback/../evil",
            "https://app.example.com/callback%2f..%2fevil",
            "https://app.example.com@evil.example/callback",
            "https://evil.example/?https://app.example.com/callback",
            "https://app.example.com.evil.example/callback",
            "http://app.example.com/callback",
            " https://app.example.com/callback",
            "",
        ] {
            assert!(!registered.admits(other), "{other}");
        }
    }

    #[test]
    fn of_a_loopback_address_any_port_is_admitted_and_nothing_else_differs() {
        let registered = uri("http://127.0.0.1/callback");
        for good in
            ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"]
        {
            assert!(registered.admits(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:80x/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1@evil.example/callback",
            "http://127.0.0.1:80/other",
            "http://[::1]/callback",
            "http://localhost/callback",
            "https://127.0.0.1/callback",
        ] {
            assert!(!registered.admits(bad), "{bad}");
        }
        assert!(!uri("http://localhost:3000/callback").admits("http://localhost:3001/callback"));
        assert!(uri("http://[::1]:1/x").admits("http://[::1]:2/x"));
    }

    #[test]
    fn links_of_a_client_are_of_the_web() {
        for good in ["https://example.com/logo.png", "http://localhost:3000/logo.png"] {
            assert!(parse_web_uri("logo_uri", good.to_owned()).is_ok(), "{good}");
        }
        for bad in
            ["http://example.com/x", "javascript:alert(1)", "https://a@b/x", "data:image/png,x", "", "x"]
        {
            assert!(parse_web_uri("logo_uri", bad.to_owned()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_admitted_is_the_same_but_for_a_port(presented in "\\PC{0,60}", suffix in "\\PC{0,20}") {
            let registered = uri("https://app.example.com/callback");
            prop_assert_eq!(registered.admits(&presented), presented == registered.as_str());
            let grown = format!("{}{suffix}", registered.as_str());
            prop_assert_eq!(registered.admits(&grown), suffix.is_empty());
            let native = uri("http://127.0.0.1/cb");
            if native.admits(&presented) {
                prop_assert!(presented.starts_with("http://127.0.0.1") && presented.ends_with("/cb"));
            }
        }
    }
}
