use crate::state::AppState;
use axum::http::{HeaderMap, HeaderValue};
use std::fmt;

/// The trace a request belongs to: the caller's (W3C Trace Context) or a new one.
#[derive(Clone, Copy)]
pub(super) struct TraceId([u8; 16]);

impl TraceId {
    pub(super) fn of(headers: &HeaderMap, state: &AppState) -> Self {
        let given = headers.get("traceparent").and_then(|value| parse(value.as_bytes()));
        Self(given.unwrap_or_else(|| state.trace_id()))
    }

    pub(super) fn header(self) -> HeaderValue {
        let mut text = [0_u8; 32];
        hex::encode_to_slice(self.0, &mut text).expect("32 digits hold 16 bytes");
        HeaderValue::from_bytes(&text).expect("hexadecimal digits are visible ASCII")
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The trace id of a `traceparent` header, version 00 or later (§3.2.2, §3.2.4).
fn parse(value: &[u8]) -> Option<[u8; 16]> {
    let well_formed = value.len() >= 55
        && value[2] == b'-'
        && value[35] == b'-'
        && value[52] == b'-'
        && &value[..2] != b"ff"
        && (value.len() == 55 || (&value[..2] != b"00" && value[55] == b'-'));
    let lower_hex = |part: &[u8]| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !well_formed || !lower_hex(&value[..2]) || !lower_hex(&value[3..35]) || !lower_hex(&value[36..52]) {
        return None;
    }
    let mut id = [0_u8; 16];
    hex::decode_to_slice(&value[3..35], &mut id).ok()?;
    (id != [0; 16] && &value[36..52] != b"0000000000000000").then_some(id)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_well_formed_traceparents_are_joined() {
        let good = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(parse(good).map(hex::encode).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        let bad: [&[u8]; 7] = [
            b"",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        ];
        for value in bad {
            assert_eq!(parse(value), None, "{}", String::from_utf8_lossy(value));
        }
    }
}
