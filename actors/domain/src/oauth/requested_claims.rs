use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Longest value of `claims` that is looked at, in bytes.
const LONGEST: usize = 4_096;

/// Claims of a user there are (OpenID Connect Core §5.1).
pub const USER_CLAIMS: [&str; 7] = [
    "name",
    "preferred_username",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
];

/// Claims a client asks for one by one, by the parameter `claims` (OpenID Connect Core §5.5).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RequestedClaims {
    /// From UserInfo.
    pub userinfo: BTreeSet<String>,
    /// In the ID token.
    pub id_token: BTreeSet<String>,
}

impl RequestedClaims {
    /// Reads the parameter. Claims that are not known are passed over; what they must be is a wish (§5.5.1).
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut members: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mut of = |member| match members.remove(member) {
            None | Some(Value::Null) => Some(BTreeSet::new()),
            Some(Value::Object(claims)) => {
                let is_request = |value: &Value| value.is_null() || value.is_object();
                claims.values().all(is_request).then(|| known(claims))
            }
            Some(_) => None,
        };
        Some(Self { userinfo: of("userinfo")?, id_token: of("id_token")? })
    }
}

fn known(claims: Map<String, Value>) -> BTreeSet<String> {
    claims.into_iter().map(|(name, _)| name).filter(|name| USER_CLAIMS.contains(&name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn claims_are_read_and_strange_ones_passed_over() {
        let text = r#"{"userinfo":{"name":{"essential":true},"nick":null},"id_token":{"email":null,"acr":{"values":["1"]}}}"#;
        let read = RequestedClaims::parse(text).expect("well formed");
        assert!(read.userinfo.iter().eq(["name"]) && read.id_token.iter().eq(["email"]));
        assert_eq!(RequestedClaims::parse("{}"), Some(RequestedClaims::default()));
        for bad in ["", "[]", "1", r#"{"userinfo":1}"#, r#"{"id_token":{"name":"x"}}"#, "{\"userinfo\":{}"] {
            assert_eq!(RequestedClaims::parse(bad), None, "{bad}");
        }
        assert_eq!(RequestedClaims::parse(&format!("{{\"x\":\"{}\"}}", "x".repeat(LONGEST))), None);
        assert_eq!(RequestedClaims::parse(&"[".repeat(LONGEST)), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}") {
            let _ = RequestedClaims::parse(&text);
        }
    }
}
