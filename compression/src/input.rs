//! A file's bytes as it holds them, as a window that moves forward.

use std::io::{self, Read};

/// Bytes that are read at a time.
pub(crate) const BUFFER: usize = 256 << 10;

/// Bytes on their way from a file.
pub(crate) struct Input<R> {
    reader: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes that were taken so far.
    taken: u64,
    ended: bool,
    /// Whether somebody wanted more than there is.
    missed: bool,
}

impl<R: Read> Input<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, bytes: vec![0; BUFFER], start: 0, end: 0, taken: 0, ended: false, missed: false }
    }

    /// The bytes at hand.
    pub fn window(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// How many bytes of the file lie before the next one.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether no byte is left.
    pub fn is_at_end(&self) -> bool {
        self.ended && self.start == self.end
    }

    /// Whether a reader wanted bytes behind the end.
    pub fn missed(&self) -> bool {
        self.missed
    }

    /// Moves past `count` bytes of the window.
    pub fn take(&mut self, count: usize) {
        self.start += count;
        self.taken += count as u64;
    }

    /// Brings bytes into an empty window, unless the file has ended.
    pub fn fill(&mut self) -> io::Result<()> {
        self.need(1).map(|_| ())
    }

    /// Makes the window hold `count` bytes, up to the size of the buffer, unless the file ends first; says whether it does.
    pub fn need(&mut self, count: usize) -> io::Result<bool> {
        while self.end - self.start < count && !self.ended {
            if self.start == self.end {
                (self.start, self.end) = (0, 0);
            } else if self.start + count > self.bytes.len() {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            match self.reader.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end - self.start >= count)
    }

    /// Moves past `count` bytes, which may be many; says whether there were so many.
    pub fn skip(&mut self, count: u64) -> io::Result<bool> {
        let mut left = count;
        while left > 0 && self.need(1)? {
            let some = self.window().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.take(some);
            left -= some as u64;
        }
        Ok(left == 0)
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let count = self.window().len().min(output.len());
        output[..count].copy_from_slice(&self.window()[..count]);
        self.take(count);
        self.missed |= count == 0 && !output.is_empty();
        Ok(count)
    }
}
