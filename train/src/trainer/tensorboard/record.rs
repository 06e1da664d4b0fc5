//! The frame of a record, as TFRecord has it.

use crc32c::crc32c;

/// The bytes in their frame: their length in 8 bytes and its check in 4, and their own check behind them, the lowest byte first.
#[must_use]
pub fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), bytes, &masked(bytes).to_le_bytes()].concat()
}

/// The CRC-32C of some bytes, turned by 15 bits and moved by a constant, so that a check over bytes that hold their own check still finds
/// faults.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> u64 {
        bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The records of a file, with all checks right.
    pub fn records(mut file: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while !file.is_empty() {
            let length = usize::try_from(number(&file[..8])).expect("a record is in memory");
            assert_eq!(number(&file[8..12]), u64::from(masked(&file[..8])));
            let bytes = &file[12..12 + length];
            assert_eq!(number(&file[12 + length..16 + length]), u64::from(masked(bytes)));
            found.push(bytes.to_vec());
            file = &file[16 + length..];
        }
        found
    }

    /// Made by another program, which takes the check of RFC 3720 (iSCSI), section 12.1, bit by bit.
    #[test]
    fn a_record_has_the_bytes_of_the_format() {
        assert_eq!(record(b"one"), b"\x03\0\0\0\0\0\0\0\xb0\x99\x49\x0eone\x01\x40\x55\x08");
    }

    #[test]
    fn records_follow_each_other() {
        let file = [record(b"one"), record(b""), record(&[7; 300])].concat();
        assert_eq!(records(&file), [b"one".to_vec(), Vec::new(), vec![7; 300]]);
    }
}
