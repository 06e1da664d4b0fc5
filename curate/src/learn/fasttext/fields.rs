//! The numbers and names of a model's file, little end first.

use std::io::Read;

/// Why a file is no model that can be used.
pub type Wrong = String;

/// A number that counts something.
pub fn count(number: i32) -> Result<usize, Wrong> {
    usize::try_from(number).map_err(|_| format!("{number} is no count"))
}

/// The numbers of a file, little end first.
pub struct Fields<R>(pub R);

impl<R: Read> Fields<R> {
    /// That many bytes, which need not be there.
    pub fn bytes(&mut self, size: usize) -> Result<Vec<u8>, Wrong> {
        let mut bytes = Vec::new();
        let read = (&mut self.0).take(size as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if read == size { Ok(bytes) } else { Err("the file is cut short".into()) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(|_| "the file is cut short".to_owned())?;
        Ok(bytes)
    }

    pub fn i32(&mut self) -> Result<i32, Wrong> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, Wrong> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn size(&mut self) -> Result<usize, Wrong> {
        let number = self.i64()?;
        usize::try_from(number).map_err(|_| format!("{number} is no size"))
    }

    pub fn flag(&mut self) -> Result<bool, Wrong> {
        self.array::<1>().map(|[byte]| byte != 0)
    }

    pub fn floats(&mut self, size: usize) -> Result<Vec<f32>, Wrong> {
        let bytes = self.bytes(size.checked_mul(4).ok_or("a table is larger than any memory")?)?;
        Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// Bytes up to a zero.
    pub fn name(&mut self) -> Result<Vec<u8>, Wrong> {
        let mut name = Vec::new();
        loop {
            match self.array::<1>()? {
                [0] => return Ok(name),
                [byte] => name.push(byte),
            }
        }
    }
}
