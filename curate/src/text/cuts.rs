//! Cuts: byte ranges that are taken out of a text, and how what remains is joined.

use std::ops::Range;

/// Sorts cuts and joins those that touch.
///
/// ```
/// # use curate::text::cuts::union;
/// let mut cuts = vec![7..9, 0..3, 2..5];
/// union(&mut cuts);
/// assert_eq!(cuts, [0..5, 7..9]);
/// ```
pub fn union(cuts: &mut Vec<Range<u32>>) {
    cuts.sort_unstable_by_key(|cut| (cut.start, cut.end));
    let mut kept: usize = 0;
    for place in 0..cuts.len() {
        let cut = cuts[place].clone();
        match kept.checked_sub(1).map(|last| &mut cuts[last]) {
            Some(last) if cut.start <= last.end => last.end = last.end.max(cut.end),
            _ => {
                cuts[kept] = cut;
                kept += 1;
            }
        }
    }
    cuts.truncate(kept);
}

/// The text without its cuts, which are in order and apart from each other. Where a cut begins and ends at line feeds, those that
/// are left divide its neighbours; within a line, a blank line takes its place.
///
/// ```
/// # use curate::text::cuts::cut;
/// assert_eq!(cut("One.\nMenu\nTwo.", &[5..10]), "One.\nTwo.");
/// assert_eq!(cut("One two three", &[3..7]), "One\n\nthree");
/// ```
#[must_use]
pub fn cut(text: &str, cuts: &[Range<u32>]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    let ends = cuts.iter().map(|cut| (cut.start as usize, cut.end as usize));
    for (start, end) in ends.chain([(text.len(), text.len())]) {
        join(&mut left, &text[from..start]);
        from = end;
    }
    left.truncate(left.trim_end().len());
    left
}

fn join(left: &mut String, piece: &str) {
    if left.is_empty() {
        left.push_str(piece.trim_start());
        return;
    }
    if piece.trim().is_empty() {
        return;
    }
    if left.ends_with('\n') || piece.starts_with('\n') {
        left.push_str(piece);
        return;
    }
    left.truncate(left.trim_end().len());
    left.push_str("\n\n");
    left.push_str(piece.trim_start());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::single_range_in_vec_init, reason = "one cut is a list of cuts")]
    #[test]
    fn what_remains_is_joined_as_its_ends_ask() {
        assert_eq!(cut("A\n\nB\n\nC", &[3..6]), "A\n\nC");
        assert_eq!(cut("A\nB and C\nD", &[2..9]), "A\n\nD", "the line feeds around an inner cut are left");
        assert_eq!(cut("Begin. Notice. End.", &[0..6, 15..19]), "Notice.");
        assert_eq!(cut("All of it", &[0..9]), "");
        assert_eq!(cut("one two", &[]), "one two");
    }
}
