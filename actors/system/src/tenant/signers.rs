use plinto_token::{Algorithm, SigningKey};

/// The keys a tenant signs with. Never empty.
pub(crate) struct Signers(Vec<SigningKey>);

impl Signers {
    /// Active keys, oldest first; none if there is none.
    pub(super) fn of(keys: Vec<SigningKey>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Signs access tokens: the oldest. Rotation retires all others, and a key that is added because a client wants another
    /// algorithm comes later.
    pub(crate) fn access(&self) -> &SigningKey {
        &self.0[0]
    }

    /// Signs what somebody wants signed with this algorithm: the newest of it.
    pub(crate) fn with(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        self.0.iter().rev().find(|key| key.algorithm() == algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_key_signs_access_tokens_and_the_newest_of_an_algorithm_the_rest() {
        let key = |algorithm| SigningKey::generate(algorithm).expect("a key");
        let keys = vec![key(Algorithm::EdDsa), key(Algorithm::Es256), key(Algorithm::Es256)];
        let newest = keys[2].kid().to_owned();
        let signers = Signers::of(keys).expect("some");
        assert_eq!(signers.access().algorithm(), Algorithm::EdDsa);
        assert_eq!(signers.with(Algorithm::Es256).map(SigningKey::kid), Some(newest.as_str()));
        assert!(signers.with(Algorithm::Rs256).is_none() && Signers::of(Vec::new()).is_none());
    }
}
