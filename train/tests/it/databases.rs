//! An index in a database: it finds what one in a folder finds, and is whole whatever happens to those that write it.
//!
//! The tests start a server of their own, by the programs in `TAMIS_POSTGRES_BIN`, or by those of the system.

use std::{
    env, fs,
    ops::Range,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use fixtures::dice::Dice;
use serde_json::{Value, json};

use crate::{
    programs::PROGRAMS,
    support::{Workshop, program, stderr, text, train},
};

/// Who the server runs as where the tests are run by root, whom it refuses: nobody.
const NOBODY: u32 = 65534;

/// A server of PostgreSQL that is reached by a socket in its folder, and ends with the test.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    /// Starts a server; none where there are no programs for that, which is said.
    fn start(test: &str, with_vectors: bool) -> Option<Self> {
        let found = programs().find(|(_, has_vectors)| *has_vectors || !with_vectors);
        let Some((programs, _)) = found else {
            let what = if with_vectors { "PostgreSQL with pgvector" } else { "PostgreSQL" };
            fixtures::needs::skipped(
                test,
                &format!("there is no {what}; TAMIS_POSTGRES_BIN says where its programs are"),
            );
            return None;
        };
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let run_folder = folder.path().join("run");
        fs::create_dir(&run_folder).expect("it can be written");
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let command = |name: &str| {
            let mut command = Command::new(programs.join(name));
            command.current_dir(&run_folder).env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::null());
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        if is_root {
            chown(&run_folder, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        let made = command("initdb")
            .args(["-D", "data", "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"])
            .status();
        assert!(made.is_ok_and(|made| made.success()), "a database can be made in {}", text(&run_folder));
        let process = command("postgres")
            .args(["-D", "data", "-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(&run_folder)
            .spawn()
            .expect("a server can be started");
        let server = Self { folder, process };
        for _ in 0..300 {
            if server.client().is_ok() {
                return Some(server);
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not answer");
    }

    fn client(&self) -> Result<postgres::Client, postgres::Error> {
        postgres::Client::connect(&self.address(""), postgres::NoTls)
    }

    /// The address of an index.
    fn address(&self, index: &str) -> String {
        let socket = text(&self.folder.path().join("run")).replace('/', "%2F");
        let index = if index.is_empty() { String::new() } else { format!("?index={index}") };
        format!("postgres://tester@{socket}/postgres{index}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // at once, and with all that it has started
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// Folders with the programs of a server, and whether it has vectors.
fn programs() -> impl Iterator<Item = (PathBuf, bool)> {
    let own = env::var_os("TAMIS_POSTGRES_BIN").map(PathBuf::from);
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let of_system = versions.map(|version| version.path().join("bin"));
    own.into_iter().chain(of_system).filter(|folder| folder.join("initdb").exists()).map(|folder| {
        let version = folder.parent().and_then(Path::file_name).unwrap_or_default();
        let shares = [folder.join("../share/postgresql"), Path::new("/usr/share/postgresql").join(version)];
        let has_vectors = shares.iter().any(|share| share.join("extension/vector.control").exists());
        (folder, has_vectors)
    })
}

fn run(command: &str, index: &str, more: &[&str]) -> std::process::Output {
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.push(index);
    train(&[&arguments[..], more].concat())
}

fn well(command: &str, index: &str, more: &[&str]) -> String {
    let output = run(command, index, more);
    assert!(output.status.success(), "{command} {more:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).expect("it is UTF-8")
}

fn refused(command: &str, index: &str, more: &[&str]) -> String {
    let output = run(command, index, more);
    assert_eq!(output.status.code(), Some(1), "{command} {more:?}: {}", stderr(&output));
    stderr(&output)
}

/// What is found, whole.
fn found(index: &str, question: &str, more: &[&str]) -> Vec<Value> {
    let said = well("search", index, &[&[question, "--json"], more].concat());
    said.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn write(path: &Path, rows: &[Value]) {
    fs::write(path, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).expect("it can be written");
}

/// Documents of few words, so that many passages are as good as each other.
fn documents(range: Range<usize>, purpose: &str) -> Vec<Value> {
    let mut dice = Dice::new(1, purpose);
    range
        .map(|number| {
            let words: Vec<String> = (0..5 + dice.below(40)).map(|_| format!("word{}", dice.below(60))).collect();
            let date = (number % 5 > 0).then(|| format!("2026-0{}-01", 1 + number % 9));
            json!({
                "id": format!("doc{number:04}"), "title": format!("Title {}", dice.below(9)), "text": words.join(" "),
                "source": if number % 3 == 0 { "a" } else { "b" }, "language": if number % 2 == 0 { "en" } else { "de" }, "date": date,
            })
        })
        .collect()
}

/// The same passages with the same scores, to the bit, before and after documents are added, replaced and removed.
#[test]
fn a_database_finds_what_a_folder_finds() {
    let Some(server) = Server::start("databases::a_database_finds_what_a_folder_finds", false) else { return };
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: &str| folder.path().join(name);
    let (place, address) = (path("index"), server.address("docs"));
    let indexes = [text(&place), address.as_str()];
    write(&path("all.jsonl"), &documents(0..300, "all"));
    let others =
        [documents(200..360, "others"), vec![json!({"id": "doc0007", "text": " "}), json!({"text": "word1 alone"})]];
    write(&path("others.jsonl"), &others.concat());
    let same = || {
        for question in ["word1 word2 word3", "WORD59", "title 3, word7?", "word1 word1 word2", "nowhere", "?"] {
            for more in [
                &["--k", "7"][..],
                &["--k", "10000"],
                &["--source", "a", "--language", "en", "--language", "de"],
                &["--since", "2026-03", "--before", "2026-07-01"],
                &["--k1", "0.9", "--b", "0.4"],
            ] {
                assert_eq!(found(indexes[0], question, more), found(indexes[1], question, more), "{question} {more:?}");
            }
        }
        let said = indexes.map(|index| well("index check", index, &[]));
        let whole = said.each_ref().map(|said| said.rsplit(':').next().expect("it says a number"));
        assert_eq!(whole[0], whole[1]);
    };
    let cut = ["--words", "12", "--overlap", "4"];
    let built = indexes.map(|index| well("index build", index, &[&[text(&path("all.jsonl"))], &cut[..]].concat()));
    assert_eq!(built[0], built[1]);
    same();
    let added = indexes.map(|index| well("index add", index, &[text(&path("others.jsonl"))]));
    assert_eq!(added[0], added[1]);
    assert!(
        added[1].contains("100 were there and are replaced; 1 have no word and are left out; 1 of these were there"),
        "{}",
        added[1]
    );
    same();
    let removed = indexes.map(|index| well("index remove", index, &["doc0001", "doc0300", "unheard"]));
    assert_eq!(removed[0], removed[1]);
    same();
    // all but the segments, of which a database knows nothing
    let info = indexes.map(|index| well("index info", index, &[]).split("; ").take(2).collect::<Vec<_>>().join("; "));
    assert_eq!(info[0].trim(), info[1].trim());

    // questions with known answers, by ids and by texts
    let known = [
        json!({"query": "word3 word4 word5", "relevant": ["doc0003", "doc0010:0-80", "gone"]}),
        json!({"query": "word9", "relevant": ["doc0200"]}),
    ];
    write(&path("questions.jsonl"), &known);
    let judged = indexes.map(|index| well("search --questions", text(&path("questions.jsonl")), &[index]));
    assert_eq!(judged[0], judged[1]);
}

/// What is said to be in is in, and nothing is there in part; one program writes at a time; what is damaged is named.
#[test]
fn a_database_stays_whole() {
    let Some(server) = Server::start("databases::a_database_stays_whole", false) else { return };
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: &str| folder.path().join(name);
    let address = server.address("docs");
    assert!(refused("search", &address, &["word1"]).contains("there is no index: `train index build` makes one"));
    write(&path("zero.jsonl"), &[json!({"id": "zero", "text": "a\u{0} character"})]);
    assert!(
        refused("index build", &address, &[text(&path("zero.jsonl"))])
            .contains("passage zero has the character U+0000")
    );
    // a build that failed leaves nothing
    write(&path("first.jsonl"), &documents(0..50, "first"));
    well("index build", &address, &[text(&path("first.jsonl"))]);
    assert!(
        refused("index build", &address, &[text(&path("first.jsonl"))])
            .contains("there is an index: `train index add` adds to it")
    );
    assert!(refused("search", &address, &["word1", "--by", "vectors"]).contains("its passages have no vectors"));
    assert!(refused("search", &server.address("others"), &["word1"]).contains("index=others: there is no index"));

    assert!(
        refused("index build", &server.address("public"), &[text(&path("first.jsonl"))])
            .contains("the schema `public` is something else")
    );
    // words and ids that are too long for what finds rows
    let long = [json!({"id": "long", "text": format!("{} {}", "x".repeat(5000), "y".repeat(5000))})];
    write(&path("long.jsonl"), &long);
    well("index add", &address, &[text(&path("long.jsonl"))]);
    assert_eq!(found(&address, &"y".repeat(5000), &[]).len(), 1);
    assert!(well("index check", &address, &[]).contains("whole: 51 passages"));
    well("index remove", &address, &["long"]);
    write(&path("id.jsonl"), &[json!({"id": "i".repeat(3000), "text": "word"})]);
    assert!(refused("index add", &address, &[text(&path("id.jsonl"))]).contains("has 3000 bytes"));
    write(&path("many.jsonl"), &documents(0..20_000, "many"));
    let mut dice = Dice::new(7, "kills");
    for _ in 0..6 {
        let mut adding = program(&["index", "add", &address, text(&path("many.jsonl"))])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program can be started");
        thread::sleep(Duration::from_millis(dice.below(1500) as u64));
        let _ = adding.kill();
        let is_done = adding.wait().is_ok_and(|status| status.success());
        let said = well("index check", &address, &[]);
        let count = if said.contains("whole: 20000") { 20_000 } else { 50 };
        assert!(said.contains(&format!("whole: {count} passages")) && (!is_done || count == 20_000), "{said}");
    }

    let mut client = server.client().expect("the server runs");
    let lock = "SELECT pg_advisory_lock(hashtextextended('tamis index docs', 0))";
    // what was killed may hold it for a moment
    client.execute(lock, &[]).expect("a lock can be taken");
    assert!(refused("index remove", &address, &["doc0001"]).contains("another program writes this index"));
    client.execute("SELECT pg_advisory_unlock_all()", &[]).expect("it can be given back");
    client.execute("DELETE FROM docs.postings WHERE term = 'word5' AND passage = (SELECT max(passage) FROM docs.postings WHERE term = 'word5')", &[]).expect("it can be damaged");
    assert!(
        refused("index check", &address, &[]).contains("its postings are not those of its texts: `word5` in passage ")
    );
    let nobody = "postgres://ada:secret@127.0.0.1:9/docs?connect_timeout=2";
    let said = refused("search", nobody, &["word1"]);
    assert!(said.contains("postgres://ada@127.0.0.1:9/docs?index=tamis: ") && !said.contains("secret"), "{said}");
}

/// Vectors in a database are as near as in a folder, alone and beside words; and its graph finds what comparing all finds, filters or not.
#[test]
fn vectors_are_as_near_in_a_database() {
    let Some(server) = Server::start("databases::vectors_are_as_near_in_a_database", true) else { return };
    let workshop = Workshop::new();
    let program = PROGRAMS.iter().find(|program| program.name == "retrieve").expect("there is one");
    program.prepare(&workshop);
    let output = program.run(&workshop, "encoders", &[], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let encoders = workshop.path().join("encoders");
    let row = |number: usize| json!({"id": format!("d{number:03}"), "text": format!("It is {number}."), "source": format!("s{}", number % 7)});
    let all = workshop.path().join("all.jsonl");
    write(&all, &(0..400).map(row).collect::<Vec<_>>());
    let (place, address) = (workshop.path().join("index"), server.address("dense"));
    for index in [text(&place), &address] {
        well("index build", index, &[text(&all), "--encoder", text(&encoders), "--graph"]);
        well("index add", index, &[text(&all)]);
        assert!(well("index info", index, &[]).contains("vectors of 16 numbers by "));
    }
    assert!(well("index check", &address, &[]).contains("whole: 400 passages"));
    for more in [
        &["--by", "vectors", "--exact", "--k", "20"][..],
        &["--by", "vectors", "--exact", "--source", "s3"],
        &["--by", "vectors", "--ef", "200", "--source", "s3"],
        &["--by", "hybrid", "--vector-weight", "0.5", "--k", "30"],
        &["--by", "hybrid", "--exact", "--k", "5"],
    ] {
        let [own, other] = [text(&place), &address].map(|index| found(index, "What is 17?", more));
        assert_eq!(own.len(), other.len(), "{more:?}");
        for (own, other) in own.iter().zip(&other) {
            let [one, next] = [own, other].map(|row| row["score"].as_f64().expect("a number"));
            assert!((one - next).abs() < 5e-4 * one.abs().max(1.0), "{more:?}: {own} and {other}");
        }
    }
    let ids = |more: &[&str]| -> Vec<String> {
        let found = found(&address, "What is 17?", &[&["--by", "vectors", "--k", "10"], more].concat());
        found.iter().map(|row| row["id"].to_string()).collect()
    };
    let exact = ids(&["--exact"]);
    let by_graph = ids(&["--ef", "100"]);
    assert!(by_graph.iter().filter(|id| exact.contains(id)).count() >= 8, "{by_graph:?} are hardly {exact:?}");
}
