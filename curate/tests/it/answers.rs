//! Records as crawlers write them, through the program: heads that lie, bodies that are cut, files that are no pages, and text in
//! another encoding than its label says.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};

use crate::support::{curate, run_well, stderr, stdout, temporary, text};

const STORY: &str = "The miller went down to the weir every morning, read the height of the water from the post, and wrote it into a book that \
    his father had begun. In the evening he read it out to whoever was there, and nobody was ever bored by it.";

fn html(text: &str) -> String {
    let paragraphs: String = (1..9).map(|day| format!("<p>Day {day}. {text}</p>\n")).collect();
    format!("<html><head><title>Weir</title></head><body><article>{paragraphs}</article></body></html>")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory can be written")
}

/// A record; `headers` are those of WARC beside the ones that all have.
fn record(url: &str, headers: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Record-ID: <urn:{}>\r\nWARC-Date: 2024-05-01T10:00:00Z\r\nWARC-Target-URI: {url}\r\n{headers}\r\nContent-Length: \
         {}\r\n\r\n",
        url.trim(),
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

const RESPONSE: &str = "WARC-Type: response\r\nContent-Type: application/http; msgtype=response";

/// A record of an answer with some headers of HTTP.
fn answer(name: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let block = [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat();
    record(&format!("http://weir.example/{name}"), RESPONSE, &block)
}

/// What `curate extract` makes of an archive: texts and how they are cut, by the last part of their URL; and what it says.
fn extract(archive: &[u8]) -> (BTreeMap<String, (String, String)>, String) {
    let folder = temporary();
    let path = folder.path().join("crawl.warc");
    fs::write(&path, archive).expect("the folder can be written");
    let output = curate(&["extract", "-v", "--max-error-rate", "1", text(&path)]).output().expect("it can be started");
    // a command that reads no document does not end well
    let code = i32::from(output.stdout.is_empty());
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    let documents = stdout(&output)
        .lines()
        .map(|line| {
            let document: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let of = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
            (of("url").rsplit('/').next().unwrap_or_default().to_owned(), (of("text"), of("truncated")))
        })
        .collect();
    (documents, stderr(&output))
}

/// A page is one whatever its head says of it, and says how it is cut.
#[test]
fn pages_are_read_whatever_their_heads_say() {
    let page = html(STORY);
    let page = page.as_bytes();
    let packed = gzip(page);
    let html = "Content-Type: text/html\r\n";
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let cases: [(&str, String, Vec<u8>, &str); 14] = [
        ("plain", html.into(), page.into(), ""),
        ("joined", format!("{html}Transfer-Encoding: chunked\r\n"), page.into(), ""),
        ("no-last-chunk", format!("{html}Transfer-Encoding: chunked\r\n"), chunk(page), "chunks"),
        ("gzip-gone", format!("{html}Content-Encoding: gzip\r\n"), page.into(), ""),
        ("br-gone", format!("{html}Content-Encoding: br\r\n"), page.into(), ""),
        ("charset-as-coding", format!("{html}Content-Encoding: UTF-8\r\n"), page.into(), ""),
        ("list", format!("{html}Content-Encoding: identity, gzip\r\n"), packed.clone(), ""),
        ("two-headers", format!("{html}Content-Encoding: none\r\nContent-Encoding: gzip\r\n"), packed.clone(), ""),
        ("packed-unsaid", html.into(), packed.clone(), ""),
        ("behind-the-end", format!("{html}Content-Encoding: gzip\r\n"), [&packed[..], b"\r\n"].concat(), ""),
        (
            "packed-cut",
            format!("{html}Content-Encoding: gzip\r\n"),
            packed[..packed.len() - 12].into(),
            "content_encoding",
        ),
        ("short", format!("{html}Content-Length: 99999\r\n"), page.into(), "content_length"),
        ("no-type", String::new(), page.into(), ""),
        ("folded", "Content-Type:\r\n text/html;\r\n\tcharset=utf-8\r\n".into(), page.into(), ""),
    ];
    let mut archive: Vec<u8> = cases.iter().flat_map(|(name, headers, body, _)| answer(name, headers, body)).collect();
    let block = [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", page].concat();
    let mut expected: BTreeMap<&str, &str> = cases.iter().map(|(name, _, _, cut)| (*name, *cut)).collect();
    for (url, headers, block, name, cut) in [
        ("<http://weir.example/brackets>", RESPONSE, &block[..], "brackets", ""),
        ("\r\n\thttp://weir.example/folded-url", RESPONSE, &block[..], "folded-url", ""),
        ("http://weir.example/unsaid-http", "WARC-Type: response", &block[..], "unsaid-http", ""),
        (
            "http://weir.example/resource",
            "warc-type: resource\r\nContent-Type: text/html;charset=utf-8",
            page,
            "resource",
            "",
        ),
        (
            "http://weir.example/length",
            format!("{RESPONSE}\r\nWARC-Truncated: length").as_str(),
            &block[..],
            "length",
            "length",
        ),
        (
            "http://weir.example/time",
            format!("{RESPONSE}\r\nWARC-Truncated: Time").as_str(),
            &block[..],
            "time",
            "time",
        ),
    ] {
        archive.extend(record(url, headers, block));
        expected.insert(name, cut);
    }
    let (documents, said) = extract(&archive);
    let found: BTreeMap<&str, &str> = documents.iter().map(|(name, (_, cut))| (name.as_str(), cut.as_str())).collect();
    assert_eq!(found, expected, "{said}");
    for (name, (text, _)) in &documents {
        assert!(text.contains("Day 1. The miller went down"), "{name}: {text}");
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{name}: {text:?}");
    }
    assert!(said.contains("20 documents (5 of them cut), 0 other records"), "{said}");
}

/// Files under a page's label are no documents, and have their reason; what cannot be unpacked is named.
#[test]
fn what_is_no_page_has_its_reason() {
    let html = "Content-Type: text/html\r\n";
    let noise: Vec<u8> = (0..3000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let page = self::html(STORY);
    let mut damaged = gzip(page.as_bytes());
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let block = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}").into_bytes();
    let archive = [
        answer("jpeg", html, &[b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", &noise[..]].concat()),
        answer("pdf", html, &[b"%PDF-1.4\n", &noise[..]].concat()),
        answer(
            "zip-in-gzip",
            &format!("{html}Content-Encoding: gzip\r\n"),
            &gzip(&[b"PK\x03\x04", &noise[..]].concat()),
        ),
        answer("unknown", html, &noise),
        answer("json", html, br#"{"title": "Weir", "text": "The miller went down to the weir every morning."}"#),
        answer("style", html, "body { margin: 0 }\n.weir { float: left }\n".repeat(20).as_bytes()),
        answer(
            "feed",
            html,
            b"<?xml version=\"1.0\"?><rss><channel><item><description>The miller</description></item></channel></rss>",
        ),
        record(
            "urn:pageinfo:http://weir.example/",
            "WARC-Type: resource\r\nContent-Type: application/json",
            b"{\"urls\": {}}",
        ),
        record("urn:view:http://weir.example/", "WARC-Type: resource\r\nContent-Type: image/png", b"\x89PNG\r\n\x1a\n"),
        record(
            "http://weir.example/tool",
            &format!("{RESPONSE}\r\nWARC-Identified-Payload-Type: image/svg+xml"),
            &block("<g><text>Weir</text></g>"),
        ),
        record(
            "dns:weir.example",
            "WARC-Type: response\r\nContent-Type: text/dns",
            b"20240501100000\nweir.example. 300 IN A 192.0.2.1\n",
        ),
        answer("damaged", &format!("{html}Content-Encoding: gzip\r\n"), &damaged),
        answer("not-brotli", &format!("{html}Content-Encoding: br\r\n"), &noise),
    ];
    let (documents, said) = extract(&archive.concat());
    assert_eq!(documents, BTreeMap::new(), "{said}");
    let reasons: Vec<&str> = said.lines().filter_map(|line| line.split(": ").nth(2)).collect();
    assert_eq!(reasons[..11], [vec!["not_html"; 10], vec!["not_http"]].concat(), "{said}");
    assert_eq!(reasons[11..], ["http_encoding"; 2], "{said}");
    assert!(said.contains("cannot be unpacked as gzip") && said.contains("cannot be unpacked as br"), "{said}");
}

/// A text is read in the encoding that it is in.
#[test]
fn text_is_read_in_the_encoding_that_it_is_in() {
    let german = "Der Müller ging jeden Morgen hinunter zum Wehr, prüfte die Höhe des Wassers und schrieb sie in ein großes Buch – „für später“.";
    let chinese =
        "磨坊主每天早上走到水闸旁边，看看水位，然后记在父亲留下的本子上。晚上他把它念给大家听，谁也不觉得无聊。";
    let japanese =
        "粉屋は毎朝水門へ下りて、水の高さを読み、父が始めた帳面に書きました。夜になると皆の前で読み上げました。";
    let cases = [
        ("utf8-as-latin1", "utf-8", german, "; charset=ISO-8859-1", ""),
        ("utf8-as-gbk", "utf-8", chinese, "", "<meta charset=gbk>"),
        ("latin1-as-utf8", "windows-1252", german, "; charset=utf-8", "<meta charset=utf-8>"),
        (
            "gbk-behind-a-script",
            "gbk",
            chinese,
            "",
            "<script charset=utf-8 src=a.js></script><!-- charset=utf-8 --><meta charset=gb2312>",
        ),
        ("gbk-unsaid", "gbk", chinese, "", ""),
        ("escapes", "iso-2022-jp", japanese, "", ""),
        ("escapes-as-utf8", "iso-2022-jp", japanese, "; charset=utf-8", ""),
        ("sjis-as-latin1", "shift_jis", japanese, "; charset=latin1", ""),
    ];
    let archive: Vec<u8> = cases
        .iter()
        .flat_map(|(name, encoding, story, parameter, head)| {
            let page = html(story).replace("<head>", &format!("<head>{head}"));
            let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes()).expect("it is known");
            answer(name, &format!("Content-Type: text/html{parameter}\r\n"), &encoding.encode(&page).0)
        })
        .collect();
    let (documents, said) = extract(&archive);
    for (name, _, story, ..) in cases {
        let text = documents.get(name).map(|(text, _)| text.as_str()).unwrap_or_default();
        assert!(text.contains(story), "{name}: {text} {said}");
    }
}

/// A run keeps what there is of a cut page: its document, `why`, the ledger and the report say so.
#[tokio::test]
async fn a_cut_page_says_so_wherever_one_looks() {
    let folder = temporary();
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("the folder can be written");
    let page = html(STORY);
    let block = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}").into_bytes();
    let archive = [
        answer("whole", "Content-Type: text/html\r\n", page.as_bytes()),
        record(
            "http://weir.example/cut",
            &format!("{RESPONSE}\r\nWARC-Truncated: length"),
            &block(&page[..page.len() / 2]),
        ),
        record("http://weir.example/nothing", &format!("{RESPONSE}\r\nWARC-Truncated: time"), &block("")),
    ];
    write("crawl.warc", &archive.concat());
    write(
        "cut.toml",
        b"name = \"cut\"\nseed = 1\n[source.web]\nwarc = [\"crawl.warc\"]\n[mixture.text]\nweights = { web = 1 }\n",
    );
    let out = folder.path().join("out");
    let ledger = run_well(&folder.path().join("cut.toml"), &out, &[]);
    let entries: Vec<_> = ledger
        .truncated
        .iter()
        .map(|entry| (entry.source.as_str(), entry.truncated.as_str(), entry.documents))
        .collect();
    assert_eq!(entries, [("web", "length", 1)], "what is no document is not counted");
    let detail = |fates: Vec<curate::run::Fate>| fates[0].details.clone();
    for (name, expected) in [("whole", None), ("cut", Some("length")), ("nothing", Some("time"))] {
        let fates =
            curate::run::why(&out, &format!("http://weir.example/{name}")).await.expect("the run knows the record");
        let found = detail(fates);
        assert_eq!(
            found,
            expected.map(|cut| ("truncated".to_owned(), cut.to_owned())).into_iter().collect::<Vec<_>>(),
            "{name}"
        );
    }
    assert_eq!(truncated_column(&out.join("documents/web/part-00000.parquet")), [None, Some("length".to_owned())]);
    let report = fs::read_to_string(out.join("report.html")).expect("a finished run has a report");
    assert!(report.contains("id=\"truncated\""), "the report has its section");
}

fn truncated_column(path: &Path) -> Vec<Option<String>> {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::Field;

    let reader =
        SerializedFileReader::new(fs::File::open(path).expect("the documents are there")).expect("they are Parquet");
    let rows = reader.get_row_iter(None).expect("there are rows");
    rows.map(|row| {
        let row = row.expect("a row can be read");
        let (_, field) =
            row.get_column_iter().find(|(name, _)| name.as_str() == "truncated").expect("the column is there");
        match field {
            Field::Str(text) => Some(text.clone()),
            _ => None,
        }
    })
    .collect()
}
