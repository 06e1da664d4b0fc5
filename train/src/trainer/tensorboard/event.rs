//! Events in the encoding of protocol buffers: fields of a number and a kind, one after the other.
//!
//! ```text
//! Event       1 double wall_time   2 int64 step   3 string file_version   5 Summary summary   7 SessionLog session_log
//! Summary     1 repeated Value value
//! Value       1 string tag   2 float simple_value
//! SessionLog  1 enum status, of which 1 is START
//! ```

/// What every file begins with.
const VERSION: &str = "brain.Event:2";

/// What an event says.
#[derive(Debug, Clone, Copy)]
pub enum What<'e> {
    /// The format's version.
    Version,
    /// The run starts at this step again.
    Start,
    /// Numbers by tag.
    Scalars(&'e [(String, f64)]),
}

/// One event.
#[derive(Debug, Clone, Copy)]
pub struct Event<'e> {
    /// Seconds since 1970.
    pub seconds: f64,
    /// The step.
    pub step: u64,
    /// What it says.
    pub what: What<'e>,
}

impl Event<'_> {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut message = Message::default();
        message.fixed(1, Kind::Fixed64, &self.seconds.to_le_bytes());
        message.varint(2, self.step);
        match self.what {
            What::Version => message.bytes(3, VERSION.as_bytes()),
            What::Start => {
                let mut session = Message::default();
                session.varint(1, 1);
                message.bytes(7, &session.0);
            }
            What::Scalars(scalars) => {
                let mut summary = Message::default();
                for (tag, number) in scalars {
                    #[expect(clippy::cast_possible_truncation, reason = "the format has single precision")]
                    let number = *number as f32;
                    let mut value = Message::default();
                    value.bytes(1, tag.as_bytes());
                    value.fixed(2, Kind::Fixed32, &number.to_le_bytes());
                    summary.bytes(1, &value.0);
                }
                message.bytes(5, &summary.0);
            }
        }
        message.0
    }
}

/// How a field's value is written.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// Fields that were written.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u64, number: u64) {
        self.key(field, Kind::Varint);
        self.digits(number);
    }

    fn fixed(&mut self, field: u64, kind: Kind, bytes: &[u8]) {
        self.key(field, kind);
        self.0.extend_from_slice(bytes);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, Kind::Bytes);
        self.digits(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn key(&mut self, field: u64, kind: Kind) {
        self.digits(field << 3 | kind as u64);
    }

    /// A number in groups of seven bits, the lowest first; a set eighth bit says that more follow.
    fn digits(&mut self, mut number: u64) {
        loop {
            let low = number.to_le_bytes()[0] & 0x7F;
            number >>= 7;
            if number == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }
}

#[cfg(test)]
pub mod tests {
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
