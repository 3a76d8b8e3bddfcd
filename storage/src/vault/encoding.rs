/// Length-prefixed concatenation: each field as a 64-bit big-endian length and its bytes.
///
/// Injective: two different lists never encode alike, because a reader can take the encoding apart
/// again without knowing the fields.
pub(crate) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
