//! Whether an index in a database is whole.

use std::borrow::Cow;

use super::{
    address::PostgresAddress,
    index::{PASSAGE, passage_of},
    session::Session,
    term::stored_term,
};
use crate::{
    error::Result,
    retrieve::{analysis::Analysis, passage::Passage, postings::Postings},
};

/// Passages that are looked at together.
const TOGETHER: i64 = 10_000;

/// Makes sure that postings are those of the texts, and lengths, too. That ids come once the database sees to.
///
/// # Errors
/// When something is not so: it is named.
pub fn check_postgres(address: &PostgresAddress) -> Result<usize> {
    let mut session = Session::connect(address)?;
    session.begin_view()?;
    let (settings, _) = session.settings()?;
    let analysis = Analysis::new(settings.analysis);
    let (mut count, mut after) = (0, -1_i64);
    loop {
        let sql = format!("SELECT {PASSAGE}, length FROM passages WHERE number > $1 ORDER BY number LIMIT $2");
        let rows = session.query(&sql, &[&after, &TOGETHER])?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { break };
        let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        let passages: Vec<Passage> = rows.iter().map(passage_of).collect();
        let searched: Vec<String> = passages.iter().map(Passage::searched).collect();
        let expected = Postings::new(&searched, &analysis);
        let lengths: Vec<i32> = rows.iter().map(|row| row.get(10)).collect();
        if let Some(place) =
            (0..rows.len()).find(|place| i64::from(lengths[*place]) != i64::from(expected.lengths()[*place]))
        {
            let (id, is, should) = (&passages[place].id, lengths[place], expected.lengths()[place]);
            return Err(session.fault(format!("passage {id} has {should} terms, and its length is {is}")));
        }
        let sql =
            "SELECT term, passage, count, length FROM postings WHERE passage BETWEEN $1 AND $2 ORDER BY term, passage";
        let mut found = session.query(sql, &[&first.get::<_, i64>(0), &last.get::<_, i64>(0)])?.into_iter();
        let mut wanted: Vec<(Cow<'_, str>, usize, u16)> = Vec::new();
        for (term, name) in (0u32..).zip(expected.terms().iter()) {
            let (places, counts) = expected.of_term(term);
            let of_term = places.iter().zip(counts);
            wanted.extend(of_term.map(|(place, count)| (stored_term(name), *place as usize, *count)));
        }
        // long terms stand in another order
        wanted.sort_unstable();
        for (name, place, times) in &wanted {
            let wanted = (&**name, numbers[*place], i32::from(*times), lengths[*place]);
            let row = found.next();
            let is = row.as_ref().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)));
            if is != Some(wanted) {
                let id = &passages[*place].id;
                return Err(session.fault(format!("its postings are not those of its texts: `{name}` in passage {id}")));
            }
        }
        if let Some(row) = found.next() {
            let term: &str = row.get(0);
            return Err(session.fault(format!("its postings are not those of its texts: `{term}` stands in none")));
        }
        count += rows.len();
        after = last.get(0);
    }
    let lost = "SELECT count(*) FROM postings o WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.number = o.passage)";
    let rows = session.query(lost, &[])?;
    match rows.first().map_or(0, |row| row.get::<_, i64>(0)) {
        0 => Ok(count),
        lost => Err(session.fault(format!("{lost} postings are of passages that are not there"))),
    }
}
