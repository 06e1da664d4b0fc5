//! Event files, as TensorBoard reads them.
//!
//! ```text
//! OUT/tensorboard/events.out.tfevents.SECONDS.PROCESS
//!     record: length | its checksum | an event | its checksum
//!     event:  the time, the step, and one of: the version, numbers by tag, "the run starts here again"
//! ```
//!
//! Files are only added to: a training that goes on opens another, and says that what others tell of later steps is void.
//!
//! Source: the TFRecord format, and `event.proto` and `summary.proto` of TensorFlow, of which a handful of fields are written.

mod event;
mod record;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use prost::Message as _;

use self::{
    event::{Event, What},
    record::record,
};
use crate::error::{Error, Result};

/// The event file of a run.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// A new file in `folder`.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
        let (path, file) = make(folder)?;
        let mut events = Self { path, file };
        events.write(0, What::version())?;
        Ok(events)
    }

    /// Says that the run starts at `step` again: what was told of it and of later steps is void.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn start_at(&mut self, step: u64) -> Result<()> {
        self.write(step, What::start())
    }

    /// Numbers of a step, by tag.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn scalars(&mut self, step: u64, scalars: &[(String, f64)]) -> Result<()> {
        self.write(step, What::scalars(scalars))
    }

    fn write(&mut self, step: u64, what: What) -> Result<()> {
        let wall_time = since_epoch().as_secs_f64();
        let bytes = record(&Event { wall_time, step, what: Some(what) }.encode_to_vec());
        self.file.write_all(&bytes).map_err(Error::file("write", &self.path))
    }
}

/// A file that was not there before. TensorBoard reads a folder's files in the order of their names.
fn make(folder: &Path) -> Result<(PathBuf, File)> {
    let (seconds, process) = (since_epoch().as_secs(), std::process::id());
    let mut number = 0;
    loop {
        let path = folder.join(format!("events.out.tfevents.{seconds:010}.{process}.{number}"));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            file => return file.map(|file| (path.clone(), file)).map_err(Error::file("write", &path)),
        }
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{
        event::tests::{Read, parse},
        record::tests::records,
        *,
    };

    /// What is written is read again by a reader of the formats, checksums and all.
    #[test]
    fn a_file_says_what_it_was_told() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut events = EventFile::create(folder.path())?;
        let other = EventFile::create(folder.path())?;
        assert_ne!(events.path, other.path, "a run has a file of its own");
        events.start_at(21)?;
        events.scalars(300, &[("train/loss".into(), 2.5), ("train/learning_rate".into(), 1e-3)])?;
        let bytes = fs::read(&events.path).expect("it was written");
        let read: Vec<(u64, Read)> = records(&bytes).iter().map(|event| parse(event)).collect();
        let scalars = vec![("train/loss".into(), 2.5), ("train/learning_rate".into(), 1e-3)];
        assert_eq!(
            read,
            [(0, Read::Version("brain.Event:2".into())), (21, Read::Status(1)), (300, Read::Scalars(scalars)),]
        );
        Ok(())
    }
}
