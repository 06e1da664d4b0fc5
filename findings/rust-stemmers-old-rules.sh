#!/usr/bin/env bash
# The crate rust-stemmers stems English by rules that Snowball has since mended: other words become one.
#
# rust-stemmers 1.2.0 (2019, the newest) and PyStemmer 3.1.0, both Snowball's English stemmer: university, universe and universal are one stem in the
# first, and three in the second; so are emergency and emerge, organization and organ, international, internal and intern; added is "ad" in the
# first, the stem of "ad" itself. An index that is built by one and asked by the other does not find these words, and figures of a search differ
# between Rust and Python. frostem 2.20261016.1, generated from today's Snowball, agrees with PyStemmer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q PyStemmer==3.1.0
mkdir -p stem/src
cat > stem/Cargo.toml <<'END'
[package]
name = "stem"
version = "0.1.0"
edition = "2021"
[dependencies]
frostem = { version = "=2.20261016.1", default-features = false, features = ["english"] }
rust-stemmers = "=1.2.0"
END
cat > stem/src/main.rs <<'END'
fn main() {
    let old = rust_stemmers::Stemmer::create(rust_stemmers::Algorithm::English);
    let new = frostem::Stemmer::new(frostem::Algorithm::English);
    for word in std::env::args().skip(1) {
        println!("{word} {} {}", old.stem(&word), new.stem(&word));
    }
}
END
words="university universe universal emergency emerge organization organ international internal intern added running connections"
cargo run -q --manifest-path stem/Cargo.toml -- $words > rust.txt
python/bin/python3 -c '
import Stemmer, sys
stemmer = Stemmer.Stemmer("english")
for word in sys.argv[1:]:
    print(word, stemmer.stemWord(word))
' $words > python.txt
echo "word rust-stemmers frostem | PyStemmer"
paste -d'|' rust.txt <(cut -d' ' -f2 python.txt) | sed 's/|/ | /'
# one stem for three words in the first, three in the others
[[ $(grep -c '^univers[a-z]* univers ' rust.txt) == 3 ]]
[[ $(grep '^univers' python.txt | cut -d' ' -f2 | sort -u | wc -l) == 3 ]]
grep -q '^added ad add$' rust.txt
# today's rules are the same in both languages
diff <(cut -d' ' -f1,3 rust.txt) python.txt
echo "as it was: rust-stemmers 1.2.0 has older rules than Snowball"
