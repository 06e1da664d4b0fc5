//! Abbreviations, which keep their stop.

/// Abbreviations that keep their stop, without it, in order.
const ABBREVIATIONS: [&str; 52] = [
    "Adm", "Apr", "Aug", "Bros", "Co", "Conn", "Corp", "D.C", "Dec", "Del", "Dr", "E.g", "Feb", "Fla", "Ga", "Gen",
    "Gov", "I.e", "Ill", "Inc", "Ind", "Jan", "Jr", "Jul", "Jun", "Kan", "La", "Ltd", "Mar", "Mass", "Md", "Messrs",
    "Mich", "Minn", "Miss", "Mo", "Mr", "Mrs", "Ms", "Mt", "Nov", "Oct", "Pa", "Ph.D", "Prof", "Rep", "Rev", "Sen",
    "Sept", "St", "a.m", "co",
];

/// More of them, in order.
const SMALL_ABBREVIATIONS: [&str; 5] = ["e.g", "i.e", "p.m", "v.s", "vs"];

/// Whether a chunk is an abbreviation with its stop; a letter and a stop always are.
pub fn is_abbreviation(chunk: &str) -> bool {
    let Some(stem) = chunk.strip_suffix('.') else { return false };
    (stem.len() == 1 && stem.as_bytes()[0].is_ascii_alphabetic())
        || (stem.len() <= 6
            && (ABBREVIATIONS.binary_search(&stem).is_ok() || SMALL_ABBREVIATIONS.binary_search(&stem).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order() {
        assert!(ABBREVIATIONS.is_sorted() && SMALL_ABBREVIATIONS.is_sorted());
    }
}
