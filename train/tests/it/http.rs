//! A client of HTTP that knows nothing of the server: bytes on a socket.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// Longer than any answer of a test takes.
const LONG: Duration = Duration::from_mins(2);

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case, with values.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A connection on which an answer is being read.
pub struct Reading {
    stream: BufReader<TcpStream>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Bytes of a chunk that are left.
    chunk: Option<usize>,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The events of a stream; `[DONE]` is null.
    pub fn events(&self) -> Vec<Value> {
        self.body.split("\n\n").filter(|event| !event.is_empty()).map(event).collect()
    }
}

/// What an event says; `[DONE]` is null.
pub fn event(text: &str) -> Value {
    let data = text.strip_prefix("data: ").unwrap_or_else(|| panic!("no event: {text}"));
    if data == "[DONE]" {
        return Value::Null;
    }
    serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))
}

/// Asks and waits for the whole answer.
pub fn ask(address: &str, method: &str, path: &str, body: &str) -> Response {
    try_ask(address, method, path, &[("Content-Type", "application/json")], body.as_bytes()).expect("it is answered")
}

/// The same with other headers.
pub fn try_ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
    let mut reading = begin(address, method, path, headers, body)?;
    let mut text = Vec::new();
    loop {
        let mut part = [0; 4096];
        match reading.read(&mut part)? {
            0 => break,
            count => text.extend_from_slice(&part[..count]),
        }
    }
    let Reading { status, headers, .. } = reading;
    Ok(Response { status, headers, body: String::from_utf8(text).expect("answers are UTF-8") })
}

/// Asks and reads as far as the head of the answer.
pub fn begin(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reading> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.set_write_timeout(Some(LONG))?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n")?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", body.len())?;
    // a server may answer before it has read all, and close
    let written = stream.write_all(body);
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        written?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let status =
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status: {line}"));
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Ok(Reading { stream, status, headers, chunk: is_chunked.then_some(0) })
}

impl Reading {
    /// Some bytes of the body; 0 at its end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.chunk else { return self.stream.read(into) };
        let mut left = left;
        if left == 0 {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            left = usize::from_str_radix(line.trim_end(), 16).map_err(|_| io::ErrorKind::UnexpectedEof)?;
            if left == 0 {
                return Ok(0);
            }
        }
        let count = left.min(into.len());
        self.stream.read_exact(&mut into[..count])?;
        left -= count;
        if left == 0 {
            self.stream.read_exact(&mut [0; 2])?;
        }
        self.chunk = Some(left);
        Ok(count)
    }

    /// The next event of a stream, as far as it is one; none at the end.
    pub fn next_event(&mut self) -> io::Result<Option<Value>> {
        let mut text = String::new();
        let mut byte = [0];
        while !text.ends_with("\n\n") {
            if self.read(&mut byte)? == 0 {
                return Ok(None);
            }
            text.push(char::from(byte[0]));
        }
        // characters beyond ASCII are bytes here, and no test looks at them
        Ok(Some(event(text.trim_end())))
    }
}
