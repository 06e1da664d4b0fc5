//! What is lost of files is counted in bytes of files, and nothing may be unless the configuration says so.

use std::{fs, io::Write as _};

use compression::{Packer, Packing};

use crate::support::{Workshop, stderr, text, train};

fn packed(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new(), packing).expect("there is memory");
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("memory can be written")
}

/// A file that breaks off is named with the byte, the bytes that are lost and the key; with the key, the training says at its start and in its
/// metrics what it lacks, and a cache that lacks it is not taken where nothing may be lost.
#[test]
fn a_file_that_breaks_off_is_named() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 8000);
    let lines = fs::read(workshop.path().join("sums.jsonl")).expect("it was written");
    for (packing, name) in
        [(Packing::Gzip, "cut.jsonl.gz"), (Packing::Bzip2, "cut.jsonl.bz2"), (Packing::Zstd, "cut.jsonl.zst")]
    {
        let bytes = packed(packing, &lines);
        let half = bytes.len() - bytes.len() / 50;
        fs::write(workshop.path().join(name), &bytes[..half]).expect("it can be written");
        let data = format!("mixture = \"{name}\"\nvalidation = 0.1");
        workshop.set_data(&data);
        let refused = |out: &str, more: &[&str]| {
            let output = workshop.pretrain(out, more);
            let error = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert!(error.contains(&format!("{name}: the file ends at byte {half}, within")), "{error}");
            assert!(
                error.contains(&format!("{half} of its {half} bytes are lost")) && error.contains("`max_lost_rate`"),
                "{error}"
            );
        };
        let cache = text(&workshop.path().join("cache")).to_owned();
        refused(&format!("{name}-strict"), &["--cache", &cache]);

        if packing == Packing::Bzip2 {
            // its only block is not whole: there is nothing to train on, and lenience does not help
            continue;
        }
        let more = ["--cache", &cache, "--until", "10"];
        workshop.set_data(&format!("{data}\nmax_lost_rate = 1.0"));
        let out = format!("{name}-lenient");
        let output = workshop.pretrain(&out, &more);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("{name}: {half} of {half} bytes are lost")), "{}", stderr(&output));
        let first = &workshop.metrics(&out)[0];
        assert_eq!((&first["lost_bytes"], &first["of_bytes"]), (&half.into(), &half.into()), "{first}");

        workshop.set_data(&format!("{data}\nmax_lost_rate = 0.5"));
        let over = workshop.pretrain(&format!("{name}-over"), &more);
        let expected = format!("{half} of {half} bytes are lost, over the share of 0.5 that `max_lost_rate` allows");
        assert!(stderr(&over).contains(&expected), "{}", stderr(&over));

        workshop.set_data(&data);
        refused(&format!("{name}-again"), &["--cache", &cache]);
    }
    let output = train(&[
        "tokenizer",
        text(&workshop.path().join("cut.jsonl.gz")),
        "--out",
        text(&workshop.path().join("t.json")),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cut.jsonl.gz: the file ends at byte"), "{}", stderr(&output));
}

/// How lines are packed is told by their first bytes, whatever the name says; what is no text is named; a long window needs leave.
#[test]
fn lines_are_opened_by_their_first_bytes() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 600);
    let lines = fs::read(workshop.path().join("sums.jsonl")).expect("it was written");
    let documents = |name: &str, bytes: &[u8]| {
        fs::write(workshop.path().join(name), bytes).expect("it can be written");
        workshop.set_data(&format!("mixture = \"{name}\"\nvalidation = 0.1"));
        workshop.pretrain(&format!("out-{name}"), &["--until", "1"])
    };
    for packing in [Packing::Plain, Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4] {
        let output = documents(&format!("{packing}.jsonl"), &packed(packing, &lines));
        assert!(output.status.success() && stderr(&output).contains("600 documents"), "{packing}: {}", stderr(&output));
    }
    let output = documents("zip.jsonl.gz", b"PK\x03\x04 and more");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("zip.jsonl.gz: it begins with 50 4b 03 04, a ZIP file: unpack it first"),
        "{}",
        stderr(&output)
    );

    // a frame that asks for a window of 2 GiB and holds the lines as they are
    let block = u32::try_from(lines.len()).expect("short") << 3 | 1;
    let long = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3][..], &block.to_le_bytes()[..3], &lines].concat();
    assert!(documents("long.jsonl.zst", &long).status.success());
    let output = workshop.pretrain("refused", &["--set", "data.max_window=1G"]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("long.jsonl.zst: a zstd frame at byte 0 needs a window of 2147483648 bytes"), "{error}");
    assert!(error.contains("raise `max_window`"), "{error}");
}
