//! How columns are encoded in our Parquet files.

use datafusion::arrow::datatypes::Schema;
use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};
use schemas::columns::{CHOSEN, COMPLETION, POSITIVE, PROMPT, QUERY, REJECTED, TEXT};

/// Rows in a page, at most. A batch of strings that is read keeps the pages that it is from, and a sort counts those.
const PAGE_ROWS: usize = 2048;

/// Columns that hold running text: no dictionary, no statistics.
const TEXT_COLUMNS: [&str; 7] = [TEXT, PROMPT, COMPLETION, CHOSEN, REJECTED, QUERY, POSITIVE];

/// Columns that hold hashes: no dictionary, no statistics, and nothing that could be packed.
const HASH_COLUMNS: [&[&str]; 2] = [&["bands", "list", "item"], &["short_hash"]];

/// The encoding of each column of a file.
pub fn parquet_properties(schema: &Schema) -> WriterProperties {
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_created_by("tamis".into())
        .set_compression(Compression::ZSTD(level))
        .set_data_page_row_count_limit(PAGE_ROWS);
    for name in TEXT_COLUMNS.iter().filter(|name| schema.index_of(name).is_ok()) {
        let column = ColumnPath::from(*name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    for parts in HASH_COLUMNS.iter().filter(|parts| schema.index_of(parts[0]).is_ok()) {
        let column = ColumnPath::new(parts.iter().map(|part| (*part).to_owned()).collect());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column.clone(), EnabledStatistics::None)
            .set_column_compression(column, Compression::UNCOMPRESSED);
    }
    properties.set_column_dictionary_enabled(ColumnPath::from("id"), false).build()
}
