//! Any text as a page: there is a text that is not blank, none, or a limit that was reached.
#![no_main]

use curate::extract::{Extractor, GivenUp, PageLimits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|html: &str| {
    let limits = PageLimits { nodes: 20_000, depth: 200, ..PageLimits::default() };
    match Extractor::Tamis.extract(html, &limits) {
        Ok(Some(page)) => assert!(!page.text.trim().is_empty()),
        Ok(None) | Err(GivenUp::TooMuch(_)) => {}
        Err(given_up) => panic!("{given_up:?}"),
    }
});
