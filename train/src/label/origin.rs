//! Whose requests are answered: those of our own page.
//!
//! A page of somebody else, open in the same browser, can send requests to this machine; it cannot choose their headers `Host` and
//! `Origin`. A name of somebody else that leads to this machine is in `Host`, so that nothing but numbers and `localhost` are ours.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use super::refusal::Refusal;

/// The port of an address that names none.
const HTTP_PORT: u16 = 80;

/// Where the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnOrigin(SocketAddr);

impl OwnOrigin {
    /// That of a server that listens at an address.
    pub fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Makes sure that a request is one of our own page, or of no page.
    ///
    /// # Errors
    /// When it is not.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.is_ours(host)) {
            return Err(Refusal::forbidden(format!(
                "the header `Host` is {}, and this server is asked by its number, or as `localhost`, at port {}",
                host.map_or_else(|| "missing".to_owned(), |host| format!("`{host}`")),
                self.0.port()
            )));
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        if origin.strip_prefix("http://").is_some_and(|origin| self.is_ours(origin)) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("the request comes from a page of `{origin}`, and not of this server")))
    }

    /// Whether a host with a port is this server.
    fn is_ours(&self, authority: &str) -> bool {
        let (name, port) = match authority.rsplit_once(':') {
            // the colons of a number in brackets are its own
            Some((name, port)) if !port.ends_with(']') => (name, port.parse::<u16>().ok()),
            _ => (authority, Some(HTTP_PORT)),
        };
        if port != Some(self.0.port()) {
            return false;
        }
        let (own, is_any) = (self.0.ip(), self.0.ip().is_unspecified());
        if name.eq_ignore_ascii_case("localhost") {
            return is_any || own.is_loopback();
        }
        let number = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        number.parse().is_ok_and(|number: IpAddr| is_any || number == own)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn is_admitted(address: &str, host: Option<&'static str>, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        OwnOrigin::new(address.parse().expect("an address")).admit(&headers).is_ok()
    }

    #[test]
    fn our_own_page_may_ask_and_no_other() {
        let own = "127.0.0.1:8400";
        assert!(is_admitted(own, Some("127.0.0.1:8400"), None));
        assert!(is_admitted(own, Some("localhost:8400"), Some("http://localhost:8400")));
        assert!(is_admitted(own, Some("127.0.0.1:8400"), Some("http://127.0.0.1:8400")));
        for (host, origin) in [
            (None, None),
            (Some("127.0.0.1"), None),
            (Some("127.0.0.1:8401"), None),
            (Some("labels.example:8400"), None),
            (Some("10.0.0.1:8400"), None),
            (Some("127.0.0.1:8400"), Some("http://labels.example")),
            (Some("127.0.0.1:8400"), Some("https://127.0.0.1:8400")),
            (Some("127.0.0.1:8400"), Some("http://127.0.0.1:3000")),
            (Some("127.0.0.1:8400"), Some("null")),
        ] {
            assert!(!is_admitted(own, host, origin), "{host:?} {origin:?}");
        }
    }

    /// Whoever opens it to a network is asked by any of the machine's numbers, and still by no name.
    #[test]
    fn other_addresses_have_numbers() {
        assert!(is_admitted("0.0.0.0:80", Some("192.168.1.5"), Some("http://192.168.1.5")));
        assert!(is_admitted("0.0.0.0:8400", Some("localhost:8400"), None));
        assert!(!is_admitted("0.0.0.0:8400", Some("machine:8400"), None));
        assert!(is_admitted("[::1]:8400", Some("[::1]:8400"), None));
        assert!(is_admitted("[::1]:80", Some("[::1]"), None));
        assert!(!is_admitted("192.168.1.5:8400", Some("localhost:8400"), None));
        assert!(is_admitted("192.168.1.5:8400", Some("192.168.1.5:8400"), None));
    }
}
