//! Lists of breached passwords.

use std::path::PathBuf;
use std::time::Duration;

use plinto_actors::WhileUnavailable;

use super::Check;
use crate::settings::BreachSettings;

const TIMEOUT_MILLIS: u32 = 1_000;
/// A sign-up waits for the answer, and has ten seconds unless configured otherwise.
const LONGEST_TIMEOUT: i64 = 5_000;

impl Check<'_> {
    pub(super) fn breaches(&mut self) -> BreachSettings {
        const URL: &str = "passwords.breached_url";
        const UNAVAILABLE: &str = "passwords.breached_unavailable";
        let file = self.text("passwords.breached_file").map(PathBuf::from);
        let url = self.text(URL).map(|text| text.trim_end_matches('/').to_owned());
        if let Some(text) = &url
            && !is_base(text)
        {
            let fix =
                "give a URL to which five digits are added, such as https://api.pwnedpasswords.com/range";
            self.problem(URL, "this is no such URL", fix);
        }
        let layers = self.layers;
        for key in ["passwords.breached_ca_file", "passwords.breached_timeout_millis"] {
            if url.is_none() && layers.get(key).is_some() {
                let fix = "give passwords.breached_url as well, or leave this out";
                self.problem(key, "it is for a server that is asked, and none is given", fix);
            }
        }
        let while_unavailable = match self.text(UNAVAILABLE) {
            None | Some("accept") => WhileUnavailable::Accept,
            Some("refuse") => WhileUnavailable::Refuse,
            Some(other) => {
                self.problem(UNAVAILABLE, format!("`{other}` cannot be used"), "give accept or refuse");
                WhileUnavailable::Accept
            }
        };
        if layers.get(UNAVAILABLE).is_some() && url.is_none() && file.is_none() {
            let fix = "give passwords.breached_url or passwords.breached_file as well, or leave this out";
            self.problem(UNAVAILABLE, "the list this program carries is always there", fix);
        }
        let millis = self.within("passwords.breached_timeout_millis", TIMEOUT_MILLIS, LONGEST_TIMEOUT);
        BreachSettings {
            file,
            url,
            ca_file: self.text("passwords.breached_ca_file").map(PathBuf::from),
            timeout: Duration::from_millis(millis.into()),
            while_unavailable,
        }
    }
}

/// A web address to whose path something can be added.
fn is_base(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}
