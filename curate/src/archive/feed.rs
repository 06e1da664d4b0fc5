//! A file's bytes as it holds them, as a window that moves forward and can be set anywhere.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read from the file at a time.
const BUFFER: usize = 64 * 1024;

/// The bytes of a file from some offset on.
pub struct Feed<R> {
    input: R,
    bytes: Vec<u8>,
    taken: usize,
    /// The file offset of the first byte in the window.
    offset: u64,
    /// Bytes of the file.
    length: u64,
    ended: bool,
}

impl<R: Read + Seek> Feed<R> {
    /// Begins at the start of `input`.
    pub fn new(mut input: R) -> io::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        Ok(Self { input, bytes: Vec::new(), taken: 0, offset: 0, length, ended: false })
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes at hand.
    pub fn window(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// The file offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the window holds the file's last byte.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Moves past `count` bytes of the window.
    pub fn take(&mut self, count: usize) {
        self.taken += count;
        self.offset += count as u64;
    }

    /// Makes the window hold `count` bytes, unless the file ends first; says whether it does.
    pub fn need(&mut self, count: usize) -> io::Result<bool> {
        while self.window().len() < count && !self.ended {
            self.read()?;
        }
        Ok(self.window().len() >= count)
    }

    /// Brings some more bytes into the window.
    pub fn read(&mut self) -> io::Result<()> {
        if self.taken == self.bytes.len() || self.taken > 4 * BUFFER {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        let filled = self.bytes.len();
        self.bytes.resize(filled + BUFFER, 0);
        let read = loop {
            match self.input.read(&mut self.bytes[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.bytes.truncate(filled + *read.as_ref().unwrap_or(&0));
        self.ended |= read? == 0;
        Ok(())
    }

    /// Goes on at `offset` of the file.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(offset))?;
        self.bytes.clear();
        (self.taken, self.offset, self.ended) = (0, offset, false);
        self.read()
    }
}
