//! Every case goes through both backends, which must agree with each other and with what is written here.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use proptest::prelude::*;

use super::{aws_lc, pure_rust};
use crate::KeyError;
use crate::material::KeyMaterial;

const MESSAGE: &[u8] = b"eyJhbGciOiJFZERTQSJ9.e30";

const P256_KEY: &[u8] = include_bytes!("../../tests/keys/p256.pk8");

/// The order of P-256, big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of the Ed25519 base point, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

struct Both {
    native: aws_lc::PublicKey,
    pure: pure_rust::PublicKey,
}

impl Both {
    fn new(material: &KeyMaterial) -> Result<Self, KeyError> {
        match (aws_lc::PublicKey::new(material), pure_rust::PublicKey::new(material)) {
            (Ok(native), Ok(pure)) => Ok(Self { native, pure }),
            (Err(native), Err(pure)) => {
                assert_eq!(native, pure);
                Err(native)
            }
            (native, pure) => panic!("native takes the key: {}, pure Rust: {}", native.is_ok(), pure.is_ok()),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let native = self.native.verify(message, signature);
        let pure = self.pure.verify(message, signature);
        assert_eq!(native, pure, "native and pure Rust disagree about {}", hex::encode(signature));
        native
    }

    /// Refused: another message, no signature, one byte less or more, each byte changed.
    fn refuses_damage(&self, signature: &[u8]) {
        assert!(self.verify(MESSAGE, signature));
        assert!(!self.verify(b"eyJhbGciOiJFZERTQSJ9.e31", signature));
        assert!(!self.verify(b"", signature));
        assert!(!self.verify(MESSAGE, b""));
        assert!(!self.verify(MESSAGE, &signature[1..]));
        assert!(!self.verify(MESSAGE, &signature[..signature.len() - 1]));
        assert!(!self.verify(MESSAGE, &[signature, &[0]].concat()));
        assert!(!self.verify(MESSAGE, &[&[0], signature].concat()));
        assert!(!self.verify(MESSAGE, &vec![0; signature.len()]));
        assert!(!self.verify(MESSAGE, &vec![0xff; signature.len()]));
        for index in (0..signature.len()).step_by(signature.len().div_ceil(64)) {
            let mut damaged = signature.to_vec();
            damaged[index] ^= 1 << (index % 8);
            assert!(!self.verify(MESSAGE, &damaged), "byte {index}");
        }
    }
}

fn ed25519() -> (Both, Vec<u8>) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let material = KeyMaterial::ed25519(pair.public_key().as_ref().try_into().unwrap()).unwrap();
    (Both::new(&material).unwrap(), pair.sign(MESSAGE).as_ref().to_vec())
}

fn p256() -> (Both, EcdsaKeyPair) {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, P256_KEY).unwrap();
    let material = KeyMaterial::P256(pair.public_key().as_ref().try_into().unwrap());
    (Both::new(&material).unwrap(), pair)
}

fn rsa(pkcs8: &[u8]) -> (Both, RsaKeyPair) {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
    let n = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let e = pair.public_key().exponent().big_endian_without_leading_zero().to_vec();
    (Both::new(&KeyMaterial::rsa(n, e).unwrap()).unwrap(), pair)
}

fn rsa_sign(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    signature
}

/// `minuend - subtrahend`, both big-endian.
fn subtract(minuend: &[u8], subtrahend: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference: Vec<u8> = minuend
        .iter()
        .zip(subtrahend)
        .rev()
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            digit.rem_euclid(256) as u8
        })
        .collect();
    difference.reverse();
    difference
}

#[test]
fn ed25519_takes_the_signature_and_no_other() {
    let (key, signature) = ed25519();
    key.refuses_damage(&signature);
}

#[test]
fn ed25519_refuses_the_scalar_plus_the_group_order() {
    let (key, mut signature) = ed25519();
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ED25519_ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!key.verify(MESSAGE, &signature));
}

#[test]
fn es256_takes_the_signature_and_no_other() {
    let (key, pair) = p256();
    key.refuses_damage(pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref());
}

#[test]
fn es256_refuses_zero_and_out_of_range_scalars() {
    let (key, pair) = p256();
    let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
    let (r, s) = signature.as_ref().split_at(32);
    let zero = [0; 32];
    let mut one = zero;
    one[31] = 1;
    let all_ones = [0xff; 32];
    for (name, r, s) in [
        ("r = 0", &zero[..], s),
        ("s = 0", r, &zero[..]),
        ("both 0", &zero[..], &zero[..]),
        ("r = n", &P256_ORDER[..], s),
        ("s = n", r, &P256_ORDER[..]),
        ("r = 2^256-1", &all_ones[..], s),
        ("s = 2^256-1", r, &all_ones[..]),
        ("both 1", &one[..], &one[..]),
        ("swapped", s, r),
    ] {
        assert!(!key.verify(MESSAGE, &[r, s].concat()), "{name}");
    }
}

#[test]
fn es256_takes_the_high_twin_of_a_signature() {
    // JOSE does not ask for low s; what matters is that all verifiers say the same
    let (key, pair) = p256();
    let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
    let (r, s) = signature.as_ref().split_at(32);
    assert!(key.verify(MESSAGE, &[r, &subtract(&P256_ORDER, s)].concat()));
}

#[test]
fn es256_refuses_der() {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, P256_KEY).unwrap();
    let material = KeyMaterial::P256(pair.public_key().as_ref().try_into().unwrap());
    let key = Both::new(&material).unwrap();
    assert!(!key.verify(MESSAGE, pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref()));
}

#[test]
fn rs256_takes_the_signature_and_no_other() {
    let (key, pair) = rsa(include_bytes!("../../tests/keys/rsa2048.pk8"));
    let signature = rsa_sign(&pair, &RSA_PKCS1_SHA256);
    key.refuses_damage(&signature);
    // signature + modulus is the same number modulo n
    let modulus = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    assert!(!key.verify(MESSAGE, &modulus));
    assert!(!key.verify(MESSAGE, &subtract(&modulus, &signature)));
    let mut one = vec![0; 256];
    one[255] = 1;
    assert!(!key.verify(MESSAGE, &one));
}

#[test]
fn rs256_refuses_another_hash_and_another_padding() {
    let (key, pair) = rsa(include_bytes!("../../tests/keys/rsa2048.pk8"));
    assert!(!key.verify(MESSAGE, &rsa_sign(&pair, &RSA_PKCS1_SHA512)));
    assert!(!key.verify(MESSAGE, &rsa_sign(&pair, &RSA_PSS_SHA256)));
}

#[test]
fn rs256_takes_the_largest_modulus_allowed() {
    let (key, pair) = rsa(include_bytes!("../../tests/keys/rsa4096.pk8"));
    assert!(key.verify(MESSAGE, &rsa_sign(&pair, &RSA_PKCS1_SHA256)));
}

#[test]
fn p256_refuses_points_off_the_curve() {
    let mut base = [4; 65];
    hex::decode_to_slice(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        &mut base[1..],
    )
    .unwrap();
    assert!(Both::new(&KeyMaterial::P256(base)).is_ok());
    let mut off = base;
    off[64] ^= 1;
    assert_eq!(Both::new(&KeyMaterial::P256(off)).err(), Some(KeyError::InvalidPoint));
    let mut origin = [0; 65];
    origin[0] = 4;
    assert_eq!(Both::new(&KeyMaterial::P256(origin)).err(), Some(KeyError::InvalidPoint));
    let mut beyond_field = [0xff; 65];
    beyond_field[0] = 4;
    assert_eq!(Both::new(&KeyMaterial::P256(beyond_field)).err(), Some(KeyError::InvalidPoint));
}

#[test]
fn hashes_agree() {
    for message in [&b""[..], b"abc", MESSAGE] {
        assert_eq!(aws_lc::sha256(message), pure_rust::sha256(message));
    }
    assert_eq!(
        hex::encode(pure_rust::sha256(b"abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

proptest! {
    #[test]
    fn ed25519_keys_and_signatures_are_judged_alike(point: [u8; 32], signature: [u8; 64], message: Vec<u8>) {
        if let Ok(material) = KeyMaterial::ed25519(point) {
            prop_assert!(!Both::new(&material).unwrap().verify(&message, &signature));
        }
    }

    #[test]
    fn p256_keys_are_judged_alike(mut point: [u8; 65]) {
        point[0] = 4;
        prop_assert!(Both::new(&KeyMaterial::P256(point)).is_err());
    }

    #[test]
    fn p256_signatures_are_judged_alike(r: [u8; 32], s: [u8; 32]) {
        let (key, _) = p256();
        prop_assert!(!key.verify(MESSAGE, &[r, s].concat()));
    }
}
