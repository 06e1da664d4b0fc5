//! Bodies in chunks, joined.

/// What a body turns out to be when it is read as chunks.
pub enum Chunks {
    /// Chunks, joined, and the last one.
    Whole(Vec<u8>),
    /// Chunks, joined, of which the last one is missing or the next one is none.
    Cut(Vec<u8>),
    /// No chunks, but a single word in a line, where the first one's size should stand.
    Word(String),
    /// No chunks.
    None,
}

/// Joins chunks. Extensions and trailers are left out.
pub fn join_chunks(body: &[u8]) -> Chunks {
    /// More letters than a size has.
    const LONGEST: usize = 16;
    let mut rest = body.trim_ascii_start();
    let mut joined = Vec::new();
    while !rest.is_empty() {
        let line_end = memchr::memchr(b'\n', &rest[..rest.len().min(4096)]);
        // the last line may have lost its end
        let whole = if rest.len() <= LONGEST { rest.len() } else { 0 };
        let line = rest[..line_end.unwrap_or(whole)].trim_ascii();
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
        let size =
            std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(size) = size.and_then(|digits| usize::from_str_radix(digits, 16).ok()) else {
            let is_word = line_end.is_some()
                && (1..=LONGEST).contains(&line.len())
                && line.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'{' | b'['));
            return if !joined.is_empty() {
                Chunks::Cut(joined)
            } else if is_word {
                Chunks::Word(String::from_utf8_lossy(line).into_owned())
            } else {
                Chunks::None
            };
        };
        if size == 0 {
            return Chunks::Whole(joined);
        }
        rest = &rest[line_end.map_or(rest.len(), |end| end + 1)..];
        joined.reserve(if joined.is_empty() { rest.len() } else { 0 });
        joined.extend_from_slice(&rest[..size.min(rest.len())]);
        rest = &rest[size.min(rest.len())..];
        rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
    }
    if joined.is_empty() { Chunks::None } else { Chunks::Cut(joined) }
}
