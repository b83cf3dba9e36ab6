//! The hash slots of a cluster, and which of them a server has.

use std::ops::RangeInclusive;

/// How many a cluster has.
pub(super) const ALL: u32 = 16384;

/// The slots of one server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Slots(Vec<RangeInclusive<u32>>);

impl Slots {
    pub(super) fn add(&mut self, first: u32, last: u32) {
        self.0.push(first..=last);
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|range| range.end().saturating_sub(*range.start()).saturating_add(1)).sum()
    }

    /// Whether the slot of a key without a hash tag is one of them.
    pub(super) fn have(&self, key: &[u8]) -> bool {
        let slot = u32::from(crc16(key)) % ALL;
        self.0.iter().any(|range| range.contains(&slot))
    }
}

/// CRC-16/XMODEM, by which a cluster spreads keys.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _bit| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_slot_that_servers_say() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // CLUSTER KEYSLOT bearward
        let mut slots = Slots::default();
        slots.add(0, 99);
        slots.add(12182, 12182);
        assert!(slots.have(b"foo") && !slots.have(b"123456789"), "CLUSTER KEYSLOT foo is 12182");
        assert_eq!(slots.count(), 101);
    }
}
