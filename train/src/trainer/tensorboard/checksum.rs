//! CRC-32C, and the mask that TFRecord puts over it.

/// Castagnoli's polynomial, its bits in reverse.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The remainders of all bytes.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "a byte is below 256")]
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ POLYNOMIAL } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

/// The cyclic redundancy check of RFC 3720 (iSCSI), section 12.1.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |rest: u32, byte| TABLE[usize::from(rest.to_le_bytes()[0] ^ byte)] ^ (rest >> 8))
}

/// The check turned by 15 bits and moved by a constant, so that a check over bytes that hold their own check still finds faults.
#[must_use]
pub fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3720, section B.4.
    #[test]
    fn checks_are_those_of_the_standard() {
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
    }
}
