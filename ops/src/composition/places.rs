use plinto_actors::{Place, Places};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A database of places cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "`geo.database` names {}, which cannot be read as a database of places: give a .mmdb file such as GeoLite2-City.mmdb", path.display()
)]
pub(crate) struct PlacesProblem {
    path: PathBuf,
    source: maxminddb::MaxMindDbError,
}

/// Places of a MaxMind database on this machine, read once: a newer file is used after a restart.
pub(crate) struct MaxMindPlaces(maxminddb::Reader<Vec<u8>>);

impl MaxMindPlaces {
    /// Reads a database of cities or countries.
    pub(crate) fn open(path: &Path) -> Result<Self, PlacesProblem> {
        let problem = |source| PlacesProblem { path: path.to_owned(), source };
        maxminddb::Reader::open_readfile(path).map(Self).map_err(problem)
    }
}

impl Places for MaxMindPlaces {
    fn place_of(&self, address: IpAddr) -> Option<Place> {
        // An entry that cannot be read is as good as none.
        let found: maxminddb::geoip2::City<'_> = self.0.lookup(address).ok()?.decode().ok()??;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let place = Place {
            country: owned(found.country.iso_code),
            region: owned(found.subdivisions.first().and_then(|region| region.names.english)),
            city: owned(found.city.names.english),
        };
        (place != Place::default()).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text as the format writes it: type and length in one byte.
    fn text(value: &str) -> Vec<u8> {
        let length = u8::try_from(value.len()).expect("short");
        assert!(length < 29, "longer texts are written otherwise");
        [&[0x40 | length], value.as_bytes()].concat()
    }

    fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let count = u8::try_from(members.len()).expect("few");
        let members = members.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        std::iter::once(0xe0 | count).chain(members).collect()
    }

    fn number(value: u8) -> Vec<u8> {
        vec![0xa1, value]
    }

    /// A database in which every address is in Berlin: one node whose both records point to the one entry.
    fn berlin() -> Vec<u8> {
        const NODES: u8 = 1;
        const RECORD: [u8; 3] = [0, 0, NODES + 16];
        let names = |name| map(&[("names", map(&[("en", text(name))]))]);
        let entry = map(&[("city", names("Berlin")), ("country", map(&[("iso_code", text("DE"))]))]);
        let metadata = map(&[
            ("node_count", vec![0xc1, NODES]),
            ("record_size", number(24)),
            ("ip_version", number(4)),
            ("database_type", text("Suite-City")),
            ("languages", vec![0x00, 0x04]),
            ("binary_format_major_version", number(2)),
            ("binary_format_minor_version", number(0)),
            ("build_epoch", vec![0x01, 0x02, 1]),
            ("description", map(&[])),
        ]);
        [&RECORD[..], &RECORD, &[0; 16], &entry, b"\xab\xcd\xefMaxMind.com", &metadata].concat()
    }

    #[test]
    fn addresses_are_where_the_database_says() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("places.mmdb");
        std::fs::write(&path, berlin()).expect("written");
        let places = MaxMindPlaces::open(&path).expect("a database");
        let place = places.place_of("192.0.2.7".parse().expect("address")).expect("known");
        assert_eq!(place.city.as_deref(), Some("Berlin"));
        assert_eq!((place.country.as_deref(), place.region), (Some("DE"), None));
        assert_eq!(places.place_of("2001:db8::1".parse().expect("address")), None, "only IPv4 is in it");
    }

    #[test]
    fn what_is_no_database_is_refused_with_the_name_of_the_key() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("places.mmdb");
        assert!(MaxMindPlaces::open(&path).is_err(), "it is not there");
        std::fs::write(&path, b"nonsense").expect("written");
        let Err(problem) = MaxMindPlaces::open(&path) else { panic!("nonsense was read") };
        assert!(problem.to_string().contains("geo.database"), "{problem}");
    }
}
