//! Personal data: addresses of mail and of machines, masked.
//!
//! Source: what FineWeb (Penedo et al. 2024) masks. Its stand-ins for mail are kept; for machines, addresses are taken that are
//! set aside for documentation (RFC 5737), for FineWeb's belong to somebody.

use std::{net::Ipv4Addr, ops::Range};

use xxhash_rust::xxh3::xxh3_64;

/// Stand-ins for an address of mail.
const MAIL: [&str; 2] = ["email@example.com", "firstname.lastname@example.org"];

/// Stand-ins for the address of a machine.
const MACHINE: [&str; 3] = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];

/// Writes `text` to `masked` with stand-ins for addresses of mail and public addresses of machines. Which stand-in it is
/// follows from the address. Returns how many bytes of addresses were taken.
///
/// ```
/// # use curate::text::personal::mask;
/// let mut masked = String::new();
/// assert_eq!(mask("Ask ann.lee@mail.test at 127.0.0.1 or 8.8.8.8.", &mut masked), 24);
/// assert_eq!(masked, "Ask firstname.lastname@example.org at 127.0.0.1 or 192.0.2.1.");
/// ```
pub fn mask(text: &str, masked: &mut String) -> u64 {
    masked.clear();
    let (mut from, mut taken) = (0, 0);
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'@', b'.', &text.as_bytes()[at..]) {
        let place = at + found;
        at = place + 1;
        let (range, stand_ins) = match text.as_bytes()[place] {
            b'@' => (mail(text, from, place), &MAIL[..]),
            _ => (machine(text, from, place), &MACHINE[..]),
        };
        let Some(range) = range else { continue };
        let address = &text[range.clone()];
        #[expect(clippy::cast_possible_truncation, reason = "a remainder by 2 or 3")]
        let choice = (xxh3_64(address.to_ascii_lowercase().as_bytes()) % stand_ins.len() as u64) as usize;
        masked.push_str(&text[from..range.start]);
        masked.push_str(stand_ins[choice]);
        taken += address.len() as u64;
        (from, at) = (range.end, range.end);
    }
    masked.push_str(&text[from..]);
    taken
}

/// The address of mail whose `@` stands at `at`, with nothing before `from`.
fn mail(text: &str, from: usize, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(byte);
    let start = at - bytes[from..at].iter().rev().take_while(|byte| is_local(byte)).count();
    // marks that stand around addresses are no part of them
    let start = start + bytes[start..at].iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let end = at + 1 + bytes[at + 1..].iter().take_while(|byte| is_host(byte)).count();
    let host = text[at + 1..end].trim_end_matches(['.', '-']);
    let ending = host.rsplit_once('.')?.1;
    let is_address = start < at
        && bytes[at - 1] != b'.'
        && host.split('.').all(|label| !label.is_empty() && !label.starts_with('-'))
        && ending.len() >= 2
        && ending.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_address.then_some(start..at + 1 + host.len())
}

/// The public address of a machine whose first point stands at `at`, with nothing before `from`.
fn machine(text: &str, from: usize, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let digits = bytes[from..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let start = at - digits;
    let end = start + bytes[start..].iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (address, end) = match text[start..end].strip_suffix('.') {
        Some(address) => (address, end - 1),
        None => (&text[start..end], end),
    };
    let stands_alone = |byte: Option<&u8>| {
        byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_'))
    };
    let before = (start > 0).then(|| &bytes[start - 1]);
    let after = bytes.get(end).filter(|byte| **byte != b'.');
    let address: Ipv4Addr = address.parse().ok()?;
    (stands_alone(before) && stands_alone(after) && is_public(address)).then_some(start..end)
}

/// Whether an address leads to a machine of the public network.
fn is_public(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && second & 0b1100_0000 == 64;
    !(first == 0
        || first >= 224
        || is_shared
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        let mut masked = String::new();
        mask(text, &mut masked);
        masked
    }

    #[test]
    fn what_looks_like_an_address_and_is_none_stays() {
        for text in [
            "a @ b",
            "@home",
            "me@localhost",
            "1@2.3",
            "x.@y.com",
            "version 1.2.3.4.5",
            "at 10.0.0.1",
            "1.2.3",
            "300.1.1.1",
            "node-8.8.8.8",
            "3.14",
            "a@b.c",
            "@",
            ".",
            "a@b..com",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn marks_around_an_address_stay() {
        let stand_in = masked("o'neil+list@mail.example.co.uk");
        assert!(MAIL.contains(&stand_in.as_str()), "{stand_in}");
        assert_eq!(masked("(O'Neil+list@mail.example.co.uk)."), format!("({stand_in})."));
        let machine = masked("9.9.9.9");
        assert!(MACHINE.contains(&machine.as_str()), "{machine}");
        assert_eq!(masked("http://9.9.9.9:80/, 9.9.9.9."), format!("http://{machine}:80/, {machine}."));
    }

    proptest! {
        /// What is masked is not masked again, whatever stands around it.
        #[test]
        fn masking_twice_is_masking_once(text in "[a-c@. é0-9-]{0,40}") {
            let once = masked(&text);
            // two stand-ins that touch may be read as one
            prop_assume!(!once.contains("comfirst") && !once.contains("orgemail") && once.matches('@').count() < 2);
            prop_assert_eq!(masked(&once).len(), once.len());
        }

        #[test]
        fn nothing_is_lost_where_nothing_is_found(text in "[a-c. é]{0,40}") {
            prop_assert_eq!(masked(&text), text);
        }
    }
}
