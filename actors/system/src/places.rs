//! Where network addresses are, roughly.

use std::fmt;
use std::net::IpAddr;

/// An approximate place: what is known of it. Personal data: `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 code of the country.
    pub country: Option<String>,
    /// A part of the country, in English.
    pub region: Option<String>,
    /// A city, in English.
    pub city: Option<String>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(redacted)")
    }
}

/// Knows where addresses are. It answers at once, from what is on this machine: nobody else hears of an address.
pub trait Places: Send + Sync {
    /// The place of an address, if anything is known of it.
    fn place_of(&self, address: IpAddr) -> Option<Place>;
}

/// Knows nothing.
pub(crate) struct Nowhere;

impl Places for Nowhere {
    fn place_of(&self, _: IpAddr) -> Option<Place> {
        None
    }
}
