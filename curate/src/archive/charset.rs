//! Bytes of a page as text: in the encoding that the bytes are in, whatever a label says.
//!
//! In this order:
//!
//! 1. a byte order mark, that of UTF-32 among them;
//! 2. UTF-16 by the zeros in every second byte of its markup;
//! 3. ISO-2022-JP by its escapes, where all else is ASCII;
//! 4. UTF-8, where the bytes are valid, or wrong in so few places that another encoding would be chance: each costs one character;
//! 5. the charset that the header names, then the one that the page names in `meta` or its XML declaration, where the bytes bear it out;
//!    where both do and they differ, the one whose text is more like that of the guess;
//! 6. a guess from all bytes.
//!
//! Browsers go by the labels, as they begin to show a page before they have it ([WHATWG HTML], "determining the character encoding"). We
//! have all of it. A label that the bytes contradict is a server's default or a template's remains: multi-byte text is wrong under another
//! label at once, bytes beyond ASCII that stand alone are no UTF-8, and text in Latin letters has no long runs of bytes beyond ASCII.
//!
//! UTF-32 is none of the web's encodings: browsers take its mark for that of UTF-16, and show each letter with a zero. Here it is decoded, as
//! the mark leaves no doubt: no page in UTF-16 begins with a zero, and each unit must be a character.
//!
//! Not told: encodings that no browser reads (HZ, ISO-2022-KR, UTF-7), and one single-byte encoding under another's label, as long as all
//! bytes are letters in both.
//!
//! Source: WHATWG Encoding; `chardetng` for the guess.
//! Cost: one pass for UTF-8, which copies nothing.
//!
//! [WHATWG HTML]: https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_4, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1250, WINDOWS_1252, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258,
};

use super::prescan;

/// So many characters beyond ASCII in valid UTF-8 outweigh one wrong place; where a label says UTF-8, as many as there are wrong places, or
/// one where those are few. In other encodings hardly a Latin letter seems to be valid UTF-8, and of two-byte characters one in ten.
const VALID_FOR_WRONG: usize = 4;

/// Wrong characters that a label's encoding may give; and one in so many of those beyond ASCII.
const FEW_WRONG: usize = 2;
const WRONG: usize = 10;

/// The mean length of runs of bytes beyond ASCII from which a text is not in Latin letters. There it is 1.0 to 1.2; in Cyrillic, Greek or
/// Chinese it is above 3.
const LONG_RUNS: usize = 2;

/// Fewest different bytes beyond ASCII that are letters of a text, and no line drawn with one of them.
const FEW_BYTES: u32 = 12;

/// Decodes a page; what is no character becomes U+FFFD.
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], from_header: Option<&str>) -> Cow<'a, str> {
    if let Some(unit) = utf32(bytes) {
        let letters = bytes[4..].chunks(4).map(|bytes| character(bytes, unit));
        return Cow::Owned(letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect());
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return text(encoding, &bytes[mark..]);
    }
    if let Some(encoding) = utf16(bytes) {
        return text(encoding, bytes);
    }
    if let Some(valid) = UTF_8.decode_without_bom_handling_and_without_replacement(bytes) {
        return escaped(bytes).unwrap_or(valid);
    }
    let labels = [
        from_header.and_then(|name| prescan::encoding(name.as_bytes())),
        prescan::from_meta(bytes),
        prescan::from_xml(bytes),
    ];
    if is_utf8(bytes, labels.contains(&Some(UTF_8))) {
        return text(UTF_8, bytes);
    }
    let mut named: Vec<(&'static Encoding, Cow<'a, str>)> = Vec::new();
    for encoding in labels.into_iter().flatten().filter(|encoding| *encoding != UTF_8) {
        if named.iter().all(|(known, _)| *known != encoding) {
            named.extend(borne_out(encoding, bytes).map(|text| (encoding, text)));
        }
    }
    match named.len() {
        0 => text(guess(bytes), bytes),
        1 => named.swap_remove(0).1,
        _ => {
            let guess = text(guess(bytes), bytes);
            let alike = |text: &str| text.chars().zip(guess.chars()).filter(|(one, other)| one == other).count();
            // of equals, the first
            let best = named.into_iter().rev().max_by_key(|(_, text)| alike(text));
            best.expect("there are two or more").1
        }
    }
}

fn text<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    encoding.decode_without_bom_handling(bytes).0
}

/// UTF-16 without a mark: markup is ASCII, so that every second byte is zero for most of a page's head.
pub(super) fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(512) & !1];
    // nearly all pages end here
    memchr::memchr(0, &head[..head.len().min(16)])?;
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let has = |pair: [u8; 2]| head.chunks_exact(2).any(|unit| unit == pair);
    let (pairs, even, odd) = (head.len() / 2, zeros(0), zeros(1));
    if odd * 2 > pairs && even * 16 < pairs && has([b'<', 0]) {
        Some(UTF_16LE)
    } else if even * 2 > pairs && odd * 16 < pairs && has([0, b'<']) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// How a unit of UTF-32 is read.
type Unit = fn([u8; 4]) -> u32;

/// UTF-32 by its mark, where the units at its head are characters.
pub(super) fn utf32(bytes: &[u8]) -> Option<Unit> {
    let unit: Unit = match bytes {
        [0xff, 0xfe, 0, 0, ..] => u32::from_le_bytes,
        [0, 0, 0xfe, 0xff, ..] => u32::from_be_bytes,
        _ => return None,
    };
    let head = &bytes[4..bytes.len().min(512)];
    let is_text = head.chunks_exact(4).all(|bytes| character(bytes, unit).is_some_and(|letter| letter != '\0'));
    (is_text && head.len() >= 4).then_some(unit)
}

/// The character of a unit, if it is whole and one.
fn character(bytes: &[u8], unit: Unit) -> Option<char> {
    bytes.first_chunk::<4>().copied().map(unit).and_then(char::from_u32)
}

/// The text of ISO-2022-JP, which is ASCII but for its escapes.
fn escaped(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let escapes = |bytes: &[u8]| matches!(bytes, [b'$', b'B' | b'@', ..] | [b'(', b'J' | b'I', ..]);
    let has_escape = memchr::memchr_iter(0x1b, bytes).any(|at| escapes(&bytes[at + 1..]));
    if !has_escape || !bytes.is_ascii() {
        return None;
    }
    borne_out(ISO_2022_JP, bytes)
}

/// Whether bytes that are not all valid UTF-8 are UTF-8 all the same. Of a page that is cut, the last character does not count.
fn is_utf8(bytes: &[u8], is_named: bool) -> bool {
    let (mut valid, mut wrong) = (0, 0);
    let mut rest = bytes.len();
    for chunk in bytes.utf8_chunks() {
        rest -= chunk.valid().len() + chunk.invalid().len();
        valid += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        let is_cut = rest == 0
            && chunk.invalid().len() < 4
            && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        wrong += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    if is_named {
        wrong == 0 || (valid > 0 && wrong <= valid.max(FEW_WRONG))
    } else {
        valid > 0 && wrong * VALID_FOR_WRONG <= valid
    }
}

/// The text in the encoding of a label, unless the bytes contradict it.
fn borne_out<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return None;
    }
    // the label of servers that were never told another
    if encoding == WINDOWS_1252 && Runs::of(bytes).are_of_other_letters() {
        return None;
    }
    let text = text(encoding, bytes);
    let is_wrong = |letter: char| matches!(letter, '\u{fffd}' | '\u{80}'..='\u{9f}');
    let (wrong, beyond) = text
        .chars()
        .filter(|letter| !letter.is_ascii())
        .fold((0, 0), |(wrong, beyond), letter| (wrong + usize::from(is_wrong(letter)), beyond + 1));
    (wrong <= FEW_WRONG || wrong * WRONG <= beyond).then_some(text)
}

/// How bytes beyond ASCII stand.
struct Runs {
    /// Together, as they do in other letters than Latin.
    are_long: bool,
    /// How many different ones there are.
    letters: u32,
}

impl Runs {
    fn of(bytes: &[u8]) -> Self {
        let (mut runs, mut length, mut seen, mut in_run) = (0usize, 0usize, 0u128, false);
        for byte in bytes {
            let is_beyond = !byte.is_ascii();
            if is_beyond {
                length += 1;
                seen |= 1 << (byte & 0x7f);
            }
            runs += usize::from(is_beyond && !in_run);
            in_run = is_beyond;
        }
        Self { are_long: length >= LONG_RUNS * runs, letters: seen.count_ones() }
    }

    /// Whether this is a text in other letters than Latin.
    fn are_of_other_letters(&self) -> bool {
        self.are_long && self.letters >= FEW_BYTES
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    const LATIN: [&Encoding; 7] =
        [WINDOWS_1252, WINDOWS_1250, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258, ISO_8859_2, ISO_8859_4];
    let whole = detect(bytes);
    if !whole.is_single_byte() {
        return whole;
    }
    let runs = Runs::of(bytes);
    if !runs.are_of_other_letters() {
        // a dash or two between ASCII are no Cyrillic
        return if runs.are_long || LATIN.contains(&whole) { whole } else { WINDOWS_1252 };
    }
    // one wrong byte rules an encoding out: is it the one without that byte?
    let is_it = |encoding: &&'static Encoding| {
        let sound = borne_out(encoding, bytes).map(|text| text.replace('\u{fffd}', ""));
        sound.is_some_and(|sound| detect(&encoding.encode(&sound).0) == *encoding)
    };
    [SHIFT_JIS, GBK, BIG5, EUC_JP, EUC_KR].into_iter().find(is_it).unwrap_or(whole)
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{KOI8_R, WINDOWS_1251};

    use super::*;

    const GERMAN: &str =
        "Der Müller prüfte täglich, ob das Wehr der Mühle schließt, und notierte die Höhe – „fünf Fuß“, wie üblich.";
    const RUSSIAN: &str =
        "Мельник каждый день записывал, какой высоты вода у плотины, и читал свои записи вслух по вечерам.";
    const JAPANESE: &str =
        "粉屋は毎日水門を調べて、水の高さを帳面に書きました。夜になるとそれを皆の前で読み上げました。";
    const CHINESE: &str = "磨坊主每天检查水闸，把水位记在本子上。晚上他在大家面前把它念出来，孩子们都喜欢听。";
    const TRADITIONAL: &str = "磨坊主每天檢查水閘，把水位記在本子上。晚上他在大家面前把它念出來，孩子們都喜歡聽。";
    const KOREAN: &str =
        "방앗간 주인은 매일 수문을 살피고 물의 높이를 공책에 적었습니다. 저녁이면 모두 앞에서 읽었습니다.";

    fn page(head: &str, text: &str) -> String {
        format!("<html><head>{head}<title>t</title></head><body><p>{text}</p><p>{text}</p></body></html>")
    }

    fn encode(encoding: &'static Encoding, page: &str) -> Vec<u8> {
        let (bytes, _, has_unmapped) = encoding.encode(page);
        assert!(!has_unmapped, "the page can be written in {}", encoding.name());
        bytes.into_owned()
    }

    /// Whatever the labels say, a text is read as it was written.
    #[test]
    fn labels_that_the_bytes_contradict_are_none() {
        let texts = [
            (UTF_8, GERMAN),
            (UTF_8, CHINESE),
            (WINDOWS_1252, GERMAN),
            (WINDOWS_1251, RUSSIAN),
            (KOI8_R, RUSSIAN),
            (SHIFT_JIS, JAPANESE),
            (EUC_JP, JAPANESE),
            (ISO_2022_JP, JAPANESE),
            (GBK, CHINESE),
            (BIG5, TRADITIONAL),
            (EUC_KR, KOREAN),
        ];
        for (encoding, text) in texts {
            for label in [
                None,
                Some("utf-8"),
                Some("iso-8859-1"),
                Some("no-such"),
                Some("utf-16"),
                Some("iso-2022-kr"),
                Some(encoding.name()),
            ] {
                let meta = label.map_or(String::new(), |label| format!("<meta charset=\"{label}\">"));
                for (from_header, head) in [(label, ""), (None, meta.as_str()), (label, "<meta charset=ascii>")] {
                    let page = page(head, text);
                    assert_eq!(decode(&encode(encoding, &page), from_header), page, "{} as {label:?}", encoding.name());
                }
            }
        }
    }

    #[test]
    fn a_wrong_byte_costs_one_character() {
        for (encoding, text) in [(UTF_8, GERMAN), (SHIFT_JIS, JAPANESE), (GBK, CHINESE), (WINDOWS_1252, GERMAN)] {
            let marked = page("", &format!("A{text}").repeat(9)).replacen('A', "\u{1} ", 1);
            let wrong = if encoding == WINDOWS_1252 { 0x81 } else { 0xff };
            let bytes: Vec<u8> =
                encode(encoding, &marked).into_iter().map(|byte| if byte == 1 { wrong } else { byte }).collect();
            for label in [None, Some(encoding.name())] {
                if encoding == WINDOWS_1252 && label.is_none() {
                    continue;
                }
                let found = decode(&bytes, label).replace(['\u{fffd}', '\u{81}'], "\u{1}");
                assert_eq!(found, marked, "{} as {label:?}", encoding.name());
            }
        }
    }

    #[test]
    fn of_two_labels_the_bytes_choose() {
        let russian = encode(WINDOWS_1251, &page("<meta charset=windows-1251>", RUSSIAN));
        assert!(decode(&russian, Some("koi8-r")).contains(RUSSIAN));
        let czech = "Mlynář každý den zapisoval výšku vody u jezu a večer své záznamy četl nahlas přátelům.";
        let czech_page =
            encode(ISO_8859_2, &page("<meta http-equiv=Content-Type content='text/html; charset=iso-8859-2'>", czech));
        assert!(decode(&czech_page, None).contains(czech), "a label that nothing contradicts holds");
    }

    #[test]
    fn utf16_is_known_with_and_without_a_mark() {
        let page = page("", &format!("{GERMAN} {JAPANESE}"));
        let little: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = page.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little.clone(), big, [b"\xff\xfe".to_vec(), little].concat()] {
            assert_eq!(decode(&bytes, Some("utf-8")), page);
        }
        assert_eq!(
            decode(b"<p>A page with a zero \0 in it.</p>", Some("utf-16")),
            "<p>A page with a zero \0 in it.</p>"
        );
    }

    /// The mark of UTF-32, little end first, begins with that of UTF-16. Other binary data may begin so, too.
    #[test]
    fn utf32_is_known_by_its_mark() {
        let page = page("", &format!("{GERMAN} {JAPANESE} \u{1f41f}"));
        let units = format!("\u{feff}{page}");
        let little: Vec<u8> = units.chars().map(u32::from).flat_map(u32::to_le_bytes).collect();
        let big: Vec<u8> = units.chars().map(u32::from).flat_map(u32::to_be_bytes).collect();
        for bytes in [&little, &big] {
            assert_eq!(decode(bytes, Some("utf-16")), page);
            assert_eq!(decode(&bytes[..bytes.len() - 1], None), page.replace("</html>", "</html\u{fffd}"), "it is cut");
        }
        for other in [&b"\xff\xfe\0\0"[..], b"\xff\xfe\0\0<\0p\0", b"\0\0\xfe\xff\0\x11\0\0", b"\xff\xfe\0\0\0\0\0\0"] {
            assert!(utf32(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_is_too_little_to_tell_goes_by_its_label() {
        assert_eq!(decode(b"<p>caf\xe9", Some("iso-8859-1")), "<p>café");
        assert_eq!(decode(b"<p>caf\xe9</p>", None), "<p>café</p>");
        assert_eq!(decode(b"<p>ASCII \x97 and a dash \x97.</p>", Some("utf-8")), "<p>ASCII — and a dash —.</p>");
        assert_eq!(
            decode(b"<p>sch\xc3\xb6n, caf\xe9, r\xf4le</p>", Some("utf-8")),
            "<p>schön, caf\u{fffd}, r\u{fffd}le</p>"
        );
        assert_eq!(decode("日本".as_bytes(), None), "日本");
        let cut = "Ein Satz, der im Umlaut endet: ü".as_bytes();
        assert_eq!(decode(&cut[..cut.len() - 1], Some("utf-8")), "Ein Satz, der im Umlaut endet: \u{fffd}");
    }
}
