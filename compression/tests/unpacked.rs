//! Whatever a file is packed by, in one member or many: all of it comes, or what is wrong is said.

use std::{
    io::{self, BufRead, Read, Write as _},
    process::{Command, Stdio},
};

use compression::{Allowance, Error, MaxWindow, Packer, Packing, Refusal, Unpacked};
use proptest::prelude::*;

fn packed(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new(), packing).expect("there is memory");
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("memory can be written")
}

/// What comes of some bytes, and how it ends.
fn unpacked(bytes: &[u8]) -> (Vec<u8>, Result<(), Error>) {
    let mut all = Vec::new();
    let mut unpacked = Unpacked::new(bytes, Box::new(MaxWindow::default())).expect("memory can be read");
    let end = unpacked.read_to_end(&mut all);
    let end = end.map(drop).map_err(|error| Error::of(&error).expect("memory has no faults of its own").clone());
    if end.is_ok() {
        assert_eq!(unpacked.taken(), bytes.len() as u64, "all bytes are accounted for");
    } else {
        // whoever asks again is told again
        assert!(unpacked.fill_buf().is_err());
    }
    (all, end)
}

fn text(lines: usize) -> Vec<u8> {
    (0..lines)
        .map(|line| format!("{{\"id\": {line}, \"text\": \"line {}\"}}\n", line * 7919 % 1009))
        .collect::<String>()
        .into_bytes()
}

/// A frame of zstd or LZ4 that holds no data.
fn skippable(kind: u8, length: u8) -> Vec<u8> {
    [&[0x50 | kind, 0x2a, 0x4d, 0x18, length, 0, 0, 0][..], &vec![7; usize::from(length)]].concat()
}

#[test]
fn members_are_read_one_after_the_other() {
    let whole = text(900);
    assert_eq!(unpacked(&whole), (whole.clone(), Ok(())));
    for packing in Packing::ALL {
        let members: Vec<Vec<u8>> = whole.chunks(5000).map(|part| packed(packing, part)).collect();
        let empty = packed(packing, b"");
        for bytes in [packed(packing, &whole), members.concat(), [empty.clone(), members.concat(), empty].concat()] {
            assert_eq!(Packing::of(&bytes), packing);
            assert_eq!(unpacked(&bytes), (whole.clone(), Ok(())), "{packing}");
        }
        assert_eq!(unpacked(&packed(packing, b"")), (Vec::new(), Ok(())), "{packing}");
    }
}

/// Zeros behind a member of gzip and of xz are padding; frames without data stand wherever they like, first of all as well.
#[test]
fn what_holds_no_data_is_passed_over() {
    let whole = text(50);
    let twice = [&whole[..], &whole].concat();
    for (packing, zeros) in [(Packing::Gzip, 513), (Packing::Xz, 512)] {
        let member = packed(packing, &whole);
        let bytes = [&member[..], &vec![0; zeros], &member, &vec![0; zeros]].concat();
        assert_eq!(unpacked(&bytes), (twice.clone(), Ok(())), "{packing}");
    }
    let uneven = [packed(Packing::Xz, &whole), vec![0; 3]].concat();
    assert!(matches!(unpacked(&uneven).1, Err(Error::Corrupt { .. })), "`xz -t` refuses it, too");
    for packing in [Packing::Zstd, Packing::Lz4] {
        let member = packed(packing, &whole);
        let parts = [&skippable(0, 9)[..], &member, &skippable(15, 0), &skippable(13, 200), &member, &skippable(3, 1)];
        let bytes = parts.concat();
        assert_eq!(unpacked(&bytes), (twice.clone(), Ok(())), "{packing}");
        let cut = &bytes[..bytes.len() - 1];
        assert!(matches!(unpacked(cut).1, Err(Error::Cut { .. })), "a cut in the last frame without data: {packing}");
    }
}

/// A file that was cut anywhere but between two members gives what stands before, and an error: never a silent end. A few first bytes may be text.
#[test]
fn a_cut_is_never_an_end() {
    let (first, second) = (text(40), text(60));
    for packing in Packing::ALL {
        let (one, other) = (packed(packing, &first), packed(packing, &second));
        let bytes = [&one[..], &other].concat();
        let whole = [&first[..], &second].concat();
        for at in 1..bytes.len() {
            let (found, end) = unpacked(&bytes[..at]);
            if Packing::of(&bytes[..at]) == Packing::Plain && end.is_ok() {
                assert!(at < 5 && bytes[..at].is_ascii(), "{packing}, cut at {at}");
                continue;
            }
            assert!(whole.starts_with(&found), "{packing}, cut at {at}");
            match end {
                Ok(()) => assert_eq!((at, found.len()), (one.len(), first.len()), "{packing}, cut at {at}"),
                Err(error) => {
                    assert!(
                        matches!(error, Error::Cut { at: end, .. } if end == at as u64),
                        "{packing}, cut at {at}: {error}"
                    );
                    assert_eq!(error.lost(at as u64), at as u64);
                }
            }
        }
    }
}

/// What follows a member, and is none, is no end either.
#[test]
fn what_follows_is_named() {
    for packing in Packing::ALL {
        let member = packed(packing, &text(3));
        let (found, end) = unpacked(&[&member[..], b"and some more words"].concat());
        assert_eq!(found, text(3));
        let error = end.expect_err("these words are no member");
        assert!(matches!(error, Error::Corrupt { at, .. } if at == member.len() as u64), "{error}");
        assert_eq!(error.lost(member.len() as u64 + 19), 19);
    }
}

#[test]
fn other_formats_are_named_by_their_first_bytes() {
    let mut tar = vec![0; 1024];
    tar[..6].copy_from_slice(b"a.json");
    tar[257..263].copy_from_slice(b"ustar\0");
    let known: [(&[u8], &str); 6] = [
        (b"PK\x03\x04rest of it", "it begins with 50 4b 03 04, a ZIP file: unpack it first"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "it begins with 37 7a bc af 27 1c, a 7z file: unpack it first"),
        (b"PAR1\x15\x04", "it begins with 50 41 52 31 15, Parquet: read it as such"),
        (b"\xff\x06\x00\x00sNaPpY", "it begins with ff 06 00 00 73 4e 61 50, framed Snappy: unpack it first"),
        (b"\x1f\x9d\x90", "it begins with 1f 9d 90, a file of `compress` (.Z): unpack it first, by `gzip -d`"),
        (&tar, "a tar file: unpack it first"),
    ];
    for (bytes, message) in known {
        let (found, end) = unpacked(bytes);
        let error = end.expect_err("it is no text");
        assert!(found.is_empty() && error.to_string().contains(message), "{error}");
        assert_eq!(error.lost(bytes.len() as u64), bytes.len() as u64);
        let inside = unpacked(&packed(Packing::Xz, bytes)).1.expect_err("it is no text");
        assert!(inside.to_string().starts_with("what it holds, as xz, begins with "), "{inside}");
    }
    let twice = packed(Packing::Gzip, &packed(Packing::Bzip2, b"text"));
    let error = unpacked(&twice).1.expect_err("it is packed twice").to_string();
    assert_eq!(error, "what it holds, as gzip, begins with 42 5a 68 36, which is packed once more: unpack it once");
    for words in ["B", "BZh9 is how bzip2 begins", "PK", "(c) 2026", "{\"text\": \"PK\"}\n"] {
        assert_eq!(unpacked(words.as_bytes()), (words.into(), Ok(())));
    }
}

/// A frame whose header asks for a window of `log` bits, with one raw block that ends it.
fn long_frame(log: u8, content: &[u8]) -> Vec<u8> {
    let block = u32::try_from(content.len()).expect("short") << 3 | 1;
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3][..], &block.to_le_bytes()[..3], content].concat()
}

/// Windows of 2 GiB are granted or refused before a byte is unpacked, with what would be needed; longer ones nobody can unpack.
#[test]
fn a_window_is_asked_for() {
    let read = |bytes: &[u8], limit: u64| {
        let allowance = MaxWindow { limit, advice: "raise it".into() };
        let mut all = Vec::new();
        let end = Unpacked::new(bytes, Box::new(allowance)).expect("memory").read_to_end(&mut all);
        (all, end.map(drop).map_err(|error: io::Error| error.to_string()))
    };
    for log in [28, 31] {
        let bytes = [long_frame(20, b"short, "), long_frame(log, b"long")].concat();
        assert_eq!(read(&bytes, 1 << log), (b"short, long".to_vec(), Ok(())), "2^{log}");
        let (before, end) = read(&bytes, (1 << log) - 1);
        assert_eq!(before, b"short, ");
        let error = end.expect_err("it is over the limit");
        let (window, limit) = (1u64 << log, (1u64 << log) - 1);
        let expected = format!(
            "a zstd frame at byte 16 needs a window of {window} bytes to be unpacked, and the limit is {limit}: raise it"
        );
        assert_eq!(error, expected);
    }
    assert!(read(&long_frame(32, b"longer"), u64::MAX).1.expect_err("too long").contains("4294967296"));

    // a dictionary of 64 MiB, which xz asks for in steps
    let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 9);
    packer.write_all(b"by xz -9").expect("memory can be written");
    let bytes = packer.finish().expect("memory can be written");
    assert_eq!(read(&bytes, 64 << 20), (b"by xz -9".to_vec(), Ok(())));
    assert!(
        read(&bytes, 32 << 20)
            .1
            .expect_err("it is over the limit")
            .contains("an xz stream at byte 0 needs a window of 67108864")
    );
}

/// An allowance is asked for what is long alone, and told the window of each frame.
#[test]
fn short_windows_are_nobodys_affair() {
    struct Noted(std::sync::Arc<std::sync::Mutex<Vec<u64>>>);
    impl Allowance for Noted {
        fn allow(&mut self, window: u64) -> Result<(), Refusal> {
            self.0.lock().expect("one thread").push(window);
            Ok(())
        }
    }
    let noted = std::sync::Arc::default();
    let bytes = [long_frame(23, b"a"), long_frame(27, b"b"), long_frame(10, b"c"), long_frame(24, b"d")].concat();
    let mut all = String::new();
    let read = Unpacked::new(&bytes[..], Box::new(Noted(std::sync::Arc::clone(&noted)))).expect("memory");
    read.take(99).read_to_string(&mut all).expect("it is sound");
    assert_eq!((all.as_str(), &noted.lock().expect("one thread")[..]), ("abcd", &[1 << 27, 1 << 24][..]));
}

/// What the programs of others write is read as they read it; those that are not here are named.
#[test]
fn other_programs_files_are_read() {
    let whole = text(40_000);
    let commands = [
        "gzip -c",
        "pigz -c",
        "bgzip -c",
        "bzip2 -c",
        "pbzip2 -c",
        "lbzip2 -c",
        "xz -c",
        "xz -T2 --block-size=100KiB -c",
        "pxz -c",
        "pixz",
        "zstd -c",
        "zstd --long=31 -c",
        "zstd -T2 -B128K -c",
        "pzstd -c",
        "lz4 -c",
        "lz4 -B4 -BD -c",
    ];
    let mut missing = Vec::new();
    for command in commands {
        let mut words = command.split(' ');
        let program = words.next().expect("a command has a name");
        let child = Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else {
            missing.push(program);
            continue;
        };
        let mut input = child.stdin.take().expect("it was asked for");
        let bytes = std::thread::scope(|scope| {
            scope.spawn(|| {
                input.write_all(&whole).expect("the program reads");
                drop(input);
            });
            let mut bytes = Vec::new();
            child.stdout.take().expect("it was asked for").read_to_end(&mut bytes).expect("the program writes");
            bytes
        });
        assert!(child.wait().expect("it ends").success(), "{command}");
        let (found, end) = unpacked(&[&bytes[..], &bytes].concat());
        assert_eq!(end, Ok(()), "{command}");
        assert!(found == [&whole[..], &whole].concat(), "{command}");
    }
    eprintln!("not here, and not compared: {}", missing.join(", "));
}

proptest! {
    /// Any bytes come back as they were, whatever their members, and whatever the size of the pieces in which they are asked for.
    #[test]
    fn a_round_trip_changes_nothing(
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3000), 0..4),
        packing in proptest::sample::select(Packing::ALL.to_vec()),
        piece in 1usize..700,
    ) {
        // what begins as a format of others is not read
        let parts: Vec<Vec<u8>> = parts.into_iter().map(|part| [&b"text "[..], &part].concat()).collect();
        let bytes: Vec<u8> = parts.iter().flat_map(|part| packed(packing, part)).collect();
        let mut unpacked = Unpacked::new(&bytes[..], Box::new(MaxWindow::default())).expect("memory can be read");
        let (mut all, mut some) = (Vec::new(), vec![0; piece]);
        loop {
            match unpacked.read(&mut some).expect("it is sound") {
                0 => break,
                count => all.extend_from_slice(&some[..count]),
            }
        }
        prop_assert_eq!(all, parts.concat());
    }

    /// A flipped byte is an error, or changes nothing; it does not end a file, and nothing hangs or panics.
    #[test]
    fn a_flipped_byte_is_found(
        packing in proptest::sample::select(Packing::ALL.to_vec()),
        place in any::<prop::sample::Index>(),
        flip in 1u8..=255,
    ) {
        let whole = text(60);
        let mut bytes = packed(packing, &whole);
        let at = place.index(bytes.len());
        bytes[at] ^= flip;
        let (found, end) = unpacked(&bytes);
        // zstd and LZ4 write no checksum unless they are asked to, and a header may turn a file into text
        let is_checked = matches!(packing, Packing::Gzip | Packing::Bzip2 | Packing::Xz);
        if end.is_ok() && is_checked && Packing::of(&bytes) == packing {
            prop_assert_eq!(found, whole);
        }
    }

    /// Any bytes behind the first ones of a packing come to an end.
    #[test]
    fn noise_ends(packing in proptest::sample::select(Packing::ALL.to_vec()), noise in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let start = packed(packing, b"a");
        let _ = unpacked(&noise);
        let _ = unpacked(&[&start[..6], &noise].concat());
        let _ = unpacked(&[&start[..], &noise].concat());
    }
}
