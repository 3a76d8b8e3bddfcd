use super::foreign;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use plinto_domain::password::{Password, PasswordHash};
use plinto_domain::randomness::Randomness;
use plinto_domain::sign_in::PasswordCheck;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Cost of new hashes: memory in KiB, passes, lanes (OWASP's argon2id recommendation).
pub const CURRENT_PARAMETERS: (u32, u32, u32) = (19_456, 2, 1);
/// Most memory a stored hash may ask for, so that imported hashes cannot exhaust the machine.
const MOST_MEMORY_KIB: u32 = 262_144;
/// How hashes of the form we make begin, whatever their parameters.
const OWN: &str = "$argon2id$v=19$";
const SALT_LENGTH: usize = 16;
const OUTPUT_LENGTH: usize = 32;

/// Memory of one hashing thread, kept between hashes: allocating it afresh costs a third of the throughput.
#[derive(Default)]
pub struct HashMemory {
    blocks: Vec<Block>,
}

impl HashMemory {
    fn blocks(&mut self, params: &Params) -> &mut [Block] {
        let wanted = params.block_count();
        if self.blocks.len() < wanted {
            self.blocks.resize(wanted, Block::default());
        }
        &mut self.blocks[..wanted]
    }

    /// Gives back what a hash that asks for more than ours needed.
    fn trim(&mut self) {
        let usual = current().block_count();
        if self.blocks.len() > usual {
            self.blocks.truncate(usual);
            self.blocks.shrink_to_fit();
        }
    }
}

/// A stored hash could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored password hash has an unknown form")]
pub(super) struct UnusableHash;

/// The key argon2 derives. Memory beyond what our own hashes need is given back.
pub(super) fn derive(
    memory: &mut HashMemory,
    (algorithm, version, params): (Algorithm, Version, Params),
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), UnusableHash> {
    let blocks = memory.blocks(&params);
    let derived = Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password, salt, out, blocks)
        .map_err(|_| UnusableHash);
    memory.trim();
    derived
}

/// Ours, with parameters.
fn ours(params: Params) -> (Algorithm, Version, Params) {
    (Algorithm::Argon2id, Version::V0x13, params)
}

fn current() -> Params {
    let (memory, passes, lanes) = CURRENT_PARAMETERS;
    Params::new(memory, passes, lanes, Some(OUTPUT_LENGTH)).expect("the current parameters are valid")
}

/// Hashes a password with the current parameters and a fresh salt.
pub fn hash_password(
    memory: &mut HashMemory,
    password: &Password,
    randomness: &dyn Randomness,
) -> PasswordHash {
    let mut salt = [0_u8; SALT_LENGTH];
    randomness.fill(&mut salt);
    let mut out = Zeroizing::new([0_u8; OUTPUT_LENGTH]);
    derive(memory, ours(current()), password.as_bytes(), &salt, &mut *out)
        .expect("current parameters, a 16-byte salt and a bounded password are always accepted");
    encode(&salt, &*out)
}

fn encode(salt: &[u8], output: &[u8]) -> PasswordHash {
    let phc = Phc {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&current()).expect("the current parameters have a PHC form"),
        salt: Some(Salt::new(salt).expect("a 16-byte salt has a PHC form")),
        hash: Some(Output::new(output).expect("a 32-byte output has a PHC form")),
    };
    PasswordHash::from_phc(phc.to_string())
}

/// Checks a password against a stored hash in constant time; a match under older parameters is renewed.
pub fn verify_password(
    memory: &mut HashMemory,
    password: &Password,
    stored: &PasswordHash,
    randomness: &dyn Randomness,
) -> Option<PasswordCheck> {
    if !stored.as_phc().starts_with(OWN) {
        return foreign::verify(memory, password, stored, randomness);
    }
    let (matches, up_to_date) = matches(memory, password, stored).ok()?;
    let upgraded = (matches && !up_to_date).then(|| hash_password(memory, password, randomness));
    Some(PasswordCheck { matches, upgraded })
}

fn matches(
    memory: &mut HashMemory,
    password: &Password,
    stored: &PasswordHash,
) -> Result<(bool, bool), UnusableHash> {
    let phc = Phc::new(stored.as_phc()).map_err(|_| UnusableHash)?;
    let known = phc.algorithm == argon2::ARGON2ID_IDENT && phc.version == Some(Version::V0x13.into());
    let params = Params::try_from(&phc).map_err(|_| UnusableHash)?;
    if !known || params.m_cost() > MOST_MEMORY_KIB {
        return Err(UnusableHash);
    }
    let salt = phc.salt.ok_or(UnusableHash)?;
    let expected = phc.hash.ok_or(UnusableHash)?;
    let up_to_date = (params.m_cost(), params.t_cost(), params.p_cost()) == CURRENT_PARAMETERS;
    let mut out = Zeroizing::new(vec![0_u8; expected.len()]);
    derive(memory, ours(params), password.as_bytes(), &salt, &mut out)?;
    Ok((bool::from(out.ct_eq(expected.as_bytes())), up_to_date))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Randomness for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }

    fn password(text: &str) -> Password {
        Password::entered("password", text).expect("valid")
    }

    #[test]
    fn a_hash_verifies_only_its_password_and_names_its_parameters() {
        let mut memory = HashMemory::default();
        let hash = hash_password(&mut memory, &password("correct horse"), &Fixed);
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_phc());
        let good = verify_password(&mut memory, &password("correct horse"), &hash, &Fixed).expect("usable");
        assert!(good.matches && good.upgraded.is_none());
        let wrong = verify_password(&mut memory, &password("wrong horse"), &hash, &Fixed).expect("usable");
        assert!(!wrong.matches);
    }

    /// Test vector of the argon2 reference implementation: password "password", salt "somesalt", m=65536 t=2 p=1.
    const REFERENCE: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn older_parameters_are_accepted_and_renewed() {
        let mut memory = HashMemory::default();
        let stored = PasswordHash::from_phc(REFERENCE.into());
        let check = verify_password(&mut memory, &password("password"), &stored, &Fixed).expect("usable");
        assert!(check.matches);
        let renewed = check.upgraded.expect("renewed");
        assert!(renewed.as_phc().contains("m=19456,t=2,p=1"));
        assert!(
            verify_password(&mut memory, &password("password"), &renewed, &Fixed).expect("usable").matches
        );
    }

    #[test]
    fn damaged_or_excessive_hashes_are_refused() {
        let mut memory = HashMemory::default();
        for bad in [
            "",
            "$argon2id$",
            "$2b$12$abc",
            "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            let stored = PasswordHash::from_phc(bad.into());
            assert!(verify_password(&mut memory, &password("password"), &stored, &Fixed).is_none(), "{bad}");
        }
    }
}
