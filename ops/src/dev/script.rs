//! The script that shows the whole way of a session, ready to be pasted into any shell.

use plinto_domain::randomness::Randomness;

use super::credentials::{DevCredentials, passphrase};
use crate::composition::RunInfo;

/// Signs a new user up and in, introspects the token, signs out, introspects again. Needs sh, curl and sed; holds
/// no comments, which an interactive zsh would not understand, and never leaves the shell it is pasted into.
pub(super) fn text(
    info: &RunInfo,
    credentials: &DevCredentials,
    randomness: &dyn Randomness,
) -> Option<String> {
    let (core, auth) = (info.url("core")?, info.url("auth")?);
    let key = credentials.service_key.as_deref()?;
    let tenant = &credentials.tenant;
    let password = passphrase(randomness);
    Some(format!(
        r#"CORE={core}/t/{tenant}
AUTH={auth}
SERVICE_KEY={key}
EMAIL="ada-$(date +%s)-$$@example.com"
PASSWORD={password}
BODY="{{\"email\":\"$EMAIL\",\"password\":\"$PASSWORD\"}}"
curl -sS "$CORE/v1/auth/sign-up" -H 'Content-Type: application/json' -d "$BODY"; echo
TOKEN=$(curl -sS "$CORE/v1/auth/sign-in" -H 'Content-Type: application/json' -d "$BODY" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
curl -sS "$AUTH/v1/introspect" -H "Authorization: Bearer $SERVICE_KEY" -d "token=$TOKEN"; echo
curl -sS -X POST "$CORE/v1/auth/sign-out" -H "Authorization: Bearer $TOKEN"
curl -sS "$AUTH/v1/introspect" -H "Authorization: Bearer $SERVICE_KEY" -d "token=$TOKEN"; echo"#
    ))
}
