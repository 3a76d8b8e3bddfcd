//! Resident memory of this process.

use super::error::BenchError;

/// Page size of every Linux target we build for; `/proc/self/statm` counts in pages.
const PAGE: u64 = 4_096;

/// Resident bytes of this process, from `/proc/self/statm`.
pub(crate) fn resident() -> Result<u64, BenchError> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    pages(&text)
        .map(|pages| pages * PAGE)
        .ok_or_else(|| BenchError::Invalid("/proc/self/statm has another form".into()))
}

fn pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_second_number_of_statm_is_the_resident_one() {
        assert_eq!(super::pages("90571 41234 1202 88 0 5121 0\n"), Some(41_234));
        assert_eq!(super::pages("90571"), None);
    }

    #[test]
    fn memory_that_is_touched_becomes_resident() {
        let before = super::resident().unwrap();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(super::resident().unwrap() >= before + (32 << 20));
        drop(block);
    }
}
