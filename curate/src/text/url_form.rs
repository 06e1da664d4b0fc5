//! One form for all links to a page.

use url::Url;

/// Parameters that say where a reader came from, and not which page it is.
const TRACKING: [&str; 10] =
    ["fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref_src", "yclid", "_hsenc"];

/// The form of a URL, so that two links to one page have the same: without scheme, user, `www.`, port by default, fragment and parameters
/// of trackers, the host in lower case, the other parameters sorted, and no slash at the end. What is no URL of the web has none.
///
/// ```
/// # use curate::text::url_form::url_form;
/// let form = url_form("HTTP://www.Example.com:80/a/../b/?z=1&utm_source=x&a=2#top");
/// assert_eq!(form.as_deref(), Some("example.com/b?a=2&z=1"));
/// assert_eq!(form, url_form("https://example.com/b?a=2&z=1"));
/// assert_eq!(url_form("mailto:someone@example.com"), None);
/// ```
#[must_use]
pub fn url_form(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?.trim_end_matches('.');
    let mut form = host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host).to_owned();
    // the other scheme's port is no other page
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        form.push(':');
        form.push_str(&port.to_string());
    }
    form.push_str(url.path().trim_end_matches('/'));
    let is_kept = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        !parameter.is_empty() && !name.starts_with("utm_") && !TRACKING.contains(&name)
    };
    let mut parameters: Vec<&str> = url.query().unwrap_or_default().split('&').filter(is_kept).collect();
    parameters.sort_unstable();
    for (place, parameter) in parameters.iter().enumerate() {
        form.push(if place == 0 { '?' } else { '&' });
        form.push_str(parameter);
    }
    Some(form)
}

/// The host of a form.
#[must_use]
pub fn host_of(form: &str) -> &str {
    form.split(['/', '?', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_that_differ_keep_their_forms_apart() {
        let form = |url| url_form(url).expect("it is a URL");
        assert_ne!(form("http://example.com/?page=1"), form("http://example.com/?page=2"));
        assert_ne!(form("http://example.com/A"), form("http://example.com/a"));
        assert_ne!(form("http://example.com:8080/"), form("http://example.com/"));
        assert_eq!(form("http://example.com"), form("https://www.example.com/?utm_medium=mail#x"));
        assert_eq!(form("http://www.com/"), "www.com");
        assert_eq!(host_of("example.com:8080/a"), "example.com");
    }

    proptest! {
        /// A form is a form of itself.
        #[test]
        fn a_form_is_stable(path in "[a-zA-Z0-9/%._~-]{0,30}", query in "[a-z0-9=&_]{0,20}") {
            let form = url_form(&format!("http://Www.Example.org/{path}?{query}#f")).expect("it is a URL");
            prop_assert_eq!(url_form(&format!("https://{form}")), Some(form));
        }
    }
}
