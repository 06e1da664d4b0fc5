//! One notion of a word in every script: copies are found, and benchmarks cut out, wherever spaces are put or not.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use curate::{
    measure::{BandHasher, BandsConfig},
    text::{
        minhash::chance_to_share,
        normal::NormalForm,
        shingles::{Shingler, jaccard},
    },
};

use crate::{
    duplicates::write_lines,
    support::{curate, stderr, temporary, text},
};

/// A language: its name, whether it puts spaces between words, and some of its words.
struct Language {
    name: &'static str,
    spaces: bool,
    words: &'static str,
}

const LANGUAGES: [Language; 11] = [
    Language {
        name: "English",
        spaces: true,
        words: "the house rain school teacher market river friend book yesterday morning evening buys sells reads writes \
                walks old new small large water bread fish tree road city village child mother father opens closes because \
                when under over before after every",
    },
    Language {
        name: "Russian",
        spaces: true,
        words: "дом дождь школа учитель рынок река друг книга вчера утро вечер покупает продаёт читает пишет идёт старый новый \
                маленький большой вода хлеб рыба дерево дорога город деревня ребёнок мать отец мой твой потому когда под над \
                перед после каждый зелёный",
    },
    Language {
        name: "Arabic",
        spaces: true,
        words: "البيت المطر المدرسة المعلم السوق النهر الصديق الكتاب أمس الصباح المساء يشتري يبيع يقرأ يكتب يمشي قديم جديد صغير \
                كبير الماء الخبز السمك الشجرة الطريق المدينة القرية الطفل الأم الأب يفتح يغلق لأن عندما تحت فوق قبل بعد كل أخضر",
    },
    Language {
        name: "Hindi",
        spaces: true,
        words: "घर बारिश विद्यालय शिक्षक बाज़ार नदी मित्र किताब कल सुबह शाम खरीदता बेचता पढ़ता लिखता चलता पुराना नया छोटा बड़ा \
                पानी रोटी मछली पेड़ सड़क शहर गाँव बच्चा माता पिता खोलता बंद क्योंकि जब नीचे ऊपर पहले बाद हर हरा",
    },
    Language {
        name: "Korean",
        spaces: true,
        words: "집이 비가 학교에 선생님이 시장에서 강가에 친구와 책을 어제 아침에 저녁에 산다 판다 읽는다 쓴다 걷는다 오래된 새로운 작은 큰 \
                물을 빵을 생선을 나무가 길을 도시의 마을에 아이가 어머니가 아버지가 연다 닫는다 때문에 언제 아래에 위에 전에 후에 모든 푸른",
    },
    Language {
        name: "Chinese",
        spaces: false,
        words: "房子 下雨 学校 老师 市场 河边 朋友 书 昨天 早上 晚上 买 卖 读 写 走路 旧 新 小 大 水 面包 鱼 树 公路 城市 村庄 孩子 母亲 父亲 \
                打开 关上 因为 时候 下面 上面 以前 以后 每个 绿色",
    },
    Language {
        name: "Japanese",
        spaces: false,
        words: "家 雨が 学校で 先生は 市場へ 川の 友だちと 本を 昨日 朝 夜に 買う 売る 読む 書く 歩く 古い 新しい 小さな 大きな 水 パン 魚を 木の 道 \
                町へ 村の 子ども 母と 父は 開ける 閉める から とき 下に 上に 前に 後で すべて 緑の",
    },
    Language {
        name: "Thai",
        spaces: false,
        words: "บ้าน ฝน โรงเรียน ครู ตลาด แม่น้ำ เพื่อน หนังสือ เมื่อวาน เช้า เย็น ซื้อ ขาย อ่าน เขียน เดิน เก่า ใหม่ เล็ก ใหญ่ น้ำ ขนมปัง ปลา \
                ต้นไม้ ถนน เมือง หมู่บ้าน เด็ก แม่ พ่อ เปิด ปิด เพราะ เมื่อ ใต้ บน ก่อน หลัง ทุก สีเขียว",
    },
    Language {
        name: "Lao",
        spaces: false,
        words: "ເຮືອນ ຝົນ ໂຮງຮຽນ ຄູ ຕະຫຼາດ ແມ່ນ້ຳ ໝູ່ ປຶ້ມ ມື້ວານ ເຊົ້າ ແລງ ຊື້ ຂາຍ ອ່ານ ຂຽນ ຍ່າງ ເກົ່າ ໃໝ່ ນ້ອຍ ໃຫຍ່ ນ້ຳ ເຂົ້າຈີ່ ປາ ຕົ້ນໄມ້ ຖະໜົນ \
                ເມືອງ ບ້ານ ເດັກ ແມ່ ພໍ່ ເປີດ ປິດ ເພາະ ເມື່ອ ໃຕ້ ເທິງ ກ່ອນ ຫຼັງ ທຸກ ສີຂຽວ",
    },
    Language {
        name: "Khmer",
        spaces: false,
        words: "ផ្ទះ ភ្លៀង សាលា គ្រូ ផ្សារ ទន្លេ មិត្ត សៀវភៅ ម្សិលមិញ ព្រឹក ល្ងាច ទិញ លក់ អាន សរសេរ ដើរ ចាស់ ថ្មី តូច ធំ ទឹក នំប៉័ង ត្រី ដើមឈើ ផ្លូវ \
                ទីក្រុង ភូមិ ក្មេង ម្តាយ ឪពុក បើក បិទ ព្រោះ ពេល ក្រោម លើ មុន ក្រោយ គ្រប់ បៃតង",
    },
    Language {
        name: "Burmese",
        spaces: false,
        words: "အိမ် မိုး ကျောင်း ဆရာ ဈေး မြစ် သူငယ်ချင်း စာအုပ် မနေ့က မနက် ညနေ ဝယ် ရောင်း ဖတ် ရေး လမ်းလျှောက် ဟောင်း သစ် သေး ကြီး \
                ရေ ပေါင်မုန့် ငါး သစ်ပင် လမ်း မြို့ ရွာ ကလေး အမေ အဖေ ဖွင့် ပိတ် ကြောင့် သောအခါ အောက် အပေါ် မတိုင်မီ နောက် တိုင်း အစိမ်း",
    },
];

/// Words of a document.
const WORDS: usize = 400;

/// Pairs of a document and its copy, for each language and each share of words.
const PAIRS: usize = 200;

/// Draws numbers, always the same ones.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

impl Language {
    fn words(&self) -> Vec<&'static str> {
        self.words.split_whitespace().collect()
    }

    /// So many words in no order, by their places in the list.
    fn draw(&self, count: usize, dice: &mut Dice) -> Vec<usize> {
        let all = self.words().len();
        (0..count).map(|_| dice.below(all)).collect()
    }

    /// The same with `changed` other words.
    fn change(&self, words: &[usize], changed: usize, dice: &mut Dice) -> Vec<usize> {
        let (mut words, all) = (words.to_vec(), self.words().len());
        let mut places = BTreeSet::new();
        while places.len() < changed {
            places.insert(dice.below(words.len()));
        }
        for place in places {
            words[place] = (words[place] + 1 + dice.below(all - 1)) % all;
        }
        words
    }

    /// The text: where no spaces are put between words, one stands behind a clause of twelve.
    fn write(&self, words: &[usize]) -> String {
        let all = self.words();
        let clauses = words.chunks(12).map(|clause| {
            let words: Vec<&str> = clause.iter().map(|word| all[*word]).collect();
            words.join(if self.spaces { " " } else { "" })
        });
        clauses.collect::<Vec<_>>().join(" ")
    }
}

/// Of copies with 1, 2 and 5 % of their words changed, as many share a band as theory says at the similarity that their shingles have;
/// and the shingles are as similar as so few words allow. `--nocapture` shows the figures.
#[test]
fn copies_are_found_as_theory_says() {
    let config = BandsConfig::default();
    let (mut hasher, mut shingler, mut normal) =
        (BandHasher::new(config), Shingler::new(config.shingle), NormalForm::default());
    let mut set_of = |text: &str| {
        let mut set = Vec::new();
        normal.take(text);
        shingler.take(&normal, &mut set);
        set.sort_unstable();
        set.dedup();
        set
    };
    let mut bands_of = |text: &str| {
        let mut bands = Vec::new();
        hasher.push(text, &mut bands);
        // the first is that of the whole text
        bands.split_off(1)
    };
    eprintln!("                similarity, copies found of {PAIRS}, expected; with 1, 2 and 5 % of words changed");
    for language in &LANGUAGES {
        let mut dice = Dice(7);
        let mut line = format!("{:10}", language.name);
        for (percent, least_similarity) in [(1, 0.86), (2, 0.75), (5, 0.5)] {
            let (mut similarities, mut found, mut expected, mut variance) = (0.0, 0.0, 0.0, 0.0);
            for _ in 0..PAIRS {
                let words = language.draw(WORDS, &mut dice);
                let copy = language.change(&words, WORDS * percent / 100, &mut dice);
                let (text, copy) = (language.write(&words), language.write(&copy));
                let similarity = jaccard(&set_of(&text), &set_of(&copy));
                let chance = chance_to_share(similarity, config.bands, config.rows);
                similarities += similarity;
                expected += chance;
                variance += chance * (1.0 - chance);
                let share = bands_of(&text).iter().zip(bands_of(&copy)).any(|(one, other)| *one == other);
                found += f64::from(u8::from(share));
            }
            let mean = similarities / PAIRS as f64;
            write!(line, "   {mean:.3} {found:3} {expected:5.1}").expect("a string takes all");
            assert!(mean > least_similarity, "{}, {percent} %: the mean similarity is {mean}", language.name);
            assert!(
                (found - expected).abs() < 1.0 + 4.0 * f64::sqrt(variance),
                "{}, {percent} %: {found} copies found, {expected} expected",
                language.name
            );
        }
        eprintln!("{line}");
    }
}

/// In each script one near copy goes, and of the others none; a question that stands in a document is cut out of it.
#[test]
fn commands_find_copies_and_questions_in_every_script() {
    let folder = temporary();
    let (file, benchmark) = (folder.path().join("texts.jsonl"), folder.path().join("benchmark.jsonl"));
    let (mut documents, mut questions) = (Vec::new(), Vec::new());
    for language in &LANGUAGES {
        let mut dice = Dice(11);
        let name = |kind: &str| format!("{} {kind}", language.name);
        for number in 0..5 {
            let words = language.draw(180, &mut dice);
            documents.push((name(&number.to_string()), language.write(&words)));
            if number == 0 {
                documents.push((name("copy"), language.write(&language.change(&words, 2, &mut dice))));
            }
        }
        let question = language.write(&language.draw(36, &mut dice));
        let [before, behind] = [0, 1].map(|_| language.write(&language.draw(120, &mut dice)));
        documents.push((name("leak"), format!("{before} {question} {behind}")));
        questions.push((name("question"), question));
    }
    write_lines(&file, &documents);
    write_lines(&benchmark, &questions);

    let out = folder.path().join("dedup");
    let output = curate(&["dedup", text(&file), "--out", text(&out)]).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    let left = fs::read_to_string(out.join("survivors/texts.jsonl")).expect("there are survivors");
    for language in &LANGUAGES {
        let all = left.lines().filter(|line| line.contains(language.name)).count();
        assert_eq!(all, 6, "{}: 5 documents and one with a question stay", language.name);
    }

    let out = folder.path().join("decontaminate");
    let arguments = ["decontaminate", text(&file), "--against", text(&benchmark), "--out", text(&out)];
    let output = curate(&arguments).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    let left = fs::read_to_string(out.join("survivors/texts.jsonl")).expect("there are survivors");
    for (id, question) in &questions {
        assert!(!left.contains(question.as_str()), "{id} stands there still");
    }
}
