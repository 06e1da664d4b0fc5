//! Events in the encoding of protocol buffers.
//!
//! ```text
//! Event       1 double wall_time   2 int64 step   3 string file_version   5 Summary summary   7 SessionLog session_log
//! Summary     1 repeated Value value
//! Value       1 string tag   2 float simple_value
//! SessionLog  1 enum status, of which 1 is START
//! ```
//!
//! A step of 0 is written like any other: fields are `required` here, which TensorFlow leaves out where they are 0.

use prost::{Message, Oneof};

/// What every file begins with.
const VERSION: &str = "brain.Event:2";

/// The status of a session that starts.
const START: i32 = 1;

/// One event.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, required, tag = "1")]
    pub wall_time: f64,
    /// The step: a number below 2^63, which is written as an `int64` is.
    #[prost(uint64, required, tag = "2")]
    pub step: u64,
    /// What it says.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
}

/// What an event says.
#[derive(Clone, PartialEq, Oneof)]
pub enum What {
    /// The format's version.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Numbers by tag.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// The run starts at this step again.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Numbers.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The numbers.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A number with its tag.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The tag, such as `train/loss`.
    #[prost(string, required, tag = "1")]
    pub tag: String,
    /// The number.
    #[prost(float, required, tag = "2")]
    pub simple_value: f32,
}

/// What happens to a run.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// Of several, [`START`].
    #[prost(int32, required, tag = "1")]
    pub status: i32,
}

impl What {
    /// The version of the format that is written here.
    #[must_use]
    pub fn version() -> Self {
        Self::FileVersion(VERSION.to_owned())
    }

    /// That the run starts at this step again.
    #[must_use]
    pub fn start() -> Self {
        Self::SessionLog(SessionLog { status: START })
    }

    /// Numbers by tag.
    #[must_use]
    pub fn scalars(scalars: &[(String, f64)]) -> Self {
        let value = |(tag, number): &(String, f64)| {
            #[expect(clippy::cast_possible_truncation, reason = "the format has single precision")]
            let simple_value = *number as f32;
            Value { tag: tag.clone(), simple_value }
        };
        Self::Summary(Summary { value: scalars.iter().map(value).collect() })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The bytes are those of the format's documents, field by field; a reader of our own is no witness of its writer.
    #[test]
    fn bytes_are_those_of_the_format() {
        let bytes = |step, what| Event { wall_time: 1.5, step, what: Some(what) }.encode_to_vec();
        let time = [9, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f];
        assert_eq!(bytes(0, What::version()), [&time[..], b"\x10\x00\x1a\x0dbrain.Event:2"].concat());
        assert_eq!(bytes(300, What::start()), [&time[..], b"\x10\xac\x02\x3a\x02\x08\x01"].concat());
        let scalars = What::scalars(&[("a".into(), 0.0), ("bc".into(), 2.5)]);
        let numbers = b"\x2a\x15\x0a\x08\x0a\x01a\x15\x00\x00\x00\x00\x0a\x09\x0a\x02bc\x15\x00\x00\x20\x40";
        assert_eq!(bytes(1, scalars), [&time[..], b"\x10\x01", numbers].concat());
    }

    /// What a reader finds in an event.
    #[derive(Debug, PartialEq)]
    pub enum Read {
        Version(String),
        Status(u64),
        Scalars(Vec<(String, f32)>),
    }

    /// A field's value as it was written.
    enum Field<'b> {
        Number(u64),
        Bytes(&'b [u8]),
    }

    fn digits(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for place in 0.. {
            let (byte, rest) = bytes.split_first().expect("a number ends");
            *bytes = rest;
            number |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let key = digits(&mut bytes);
            let length = match key & 7 {
                0 => {
                    found.push((key >> 3, Field::Number(digits(&mut bytes))));
                    continue;
                }
                1 => 8,
                2 => usize::try_from(digits(&mut bytes)).expect("a field is in memory"),
                5 => 4,
                kind => panic!("there is no kind {kind}"),
            };
            let (value, rest) = bytes.split_at(length);
            found.push((key >> 3, Field::Bytes(value)));
            bytes = rest;
        }
        found
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).expect("a text is UTF-8")
    }

    /// The step of an event, and what it says.
    pub fn parse(event: &[u8]) -> (u64, Read) {
        let (mut step, mut what) = (0, None);
        for field in fields(event) {
            match field {
                (1, Field::Bytes(time)) => assert_eq!(time.len(), 8),
                (2, Field::Number(number)) => step = number,
                (3, Field::Bytes(version)) => what = Some(Read::Version(text(version))),
                (5, Field::Bytes(summary)) => what = Some(Read::Scalars(fields(summary).iter().map(scalar).collect())),
                (7, Field::Bytes(session)) => {
                    if let [(1, Field::Number(status))] = fields(session)[..] {
                        what = Some(Read::Status(status));
                    }
                }
                (number, _) => panic!("there is no field {number}"),
            }
        }
        (step, what.expect("an event says something"))
    }

    fn scalar(value: &(u64, Field<'_>)) -> (String, f32) {
        let (1, Field::Bytes(value)) = value else { panic!("a summary has values") };
        match fields(value)[..] {
            [(1, Field::Bytes(tag)), (2, Field::Bytes(number))] => {
                (text(tag), f32::from_le_bytes(number.try_into().expect("a number has 4 bytes")))
            }
            _ => panic!("a value has a tag and a number"),
        }
    }
}
