//! A connection to the database of an index.

use std::fmt;

use postgres::{Client, NoTls, Row, Statement, types::ToSql};

use super::{
    address::PostgresAddress,
    settings::{FORMAT, Settings},
};
use crate::error::{Error, Result};

/// What a statement is given.
pub(super) type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// A connection, whose names are those of one index.
pub(super) struct Session {
    pub client: Client,
    pub address: PostgresAddress,
    /// The version of the extension of vectors, where it is there.
    extension: Option<(u32, u32)>,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("address", &self.address.to_string()).finish_non_exhaustive()
    }
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// When there is no such database, or it lets nobody in.
    pub fn connect(address: &PostgresAddress) -> Result<Self> {
        let client = address.config().connect(NoTls).map_err(|error| fault(address, &error))?;
        let mut session = Self { client, address: address.clone(), extension: None };
        session.find_names()?;
        Ok(session)
    }

    /// Names are those of the index, then those of the extension of vectors, wherever it is.
    pub fn find_names(&mut self) -> Result<()> {
        let found = "SELECT quote_ident(n.nspname), e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace \
                     WHERE e.extname = 'vector'";
        let rows = self.query(found, &[])?;
        let place = rows.first().map_or_else(|| "public".to_owned(), |row| row.get(0));
        self.extension = rows.first().map(|row| {
            let mut numbers = row.get::<_, &str>(1).split('.').map(|number| number.parse().unwrap_or(0));
            (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
        });
        self.run(&format!("SET search_path TO \"{}\", {place}", self.address.schema))
    }

    /// Whether walks through a graph go on where a condition leaves out what they find.
    pub fn walks_on(&self) -> bool {
        self.extension >= Some((0, 8))
    }

    /// Whether the schema holds an index.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn has_index(&mut self) -> Result<bool> {
        let schema = self.address.schema.clone();
        let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = $1 \
                      AND table_name IN ('settings', 'passages', 'postings')";
        let rows = self.query(tables, &[&schema])?;
        Ok(rows.first().is_some_and(|row| row.get::<_, i64>(0) == 3))
    }

    /// What the index is made by, and its version.
    ///
    /// # Errors
    /// When there is no index, or its format is another.
    pub fn settings(&mut self) -> Result<(Settings, u64)> {
        if !self.has_index()? {
            return Err(self.fault("there is no index: `train index build` makes one"));
        }
        let rows = self.query("SELECT format, version, config FROM settings", &[])?;
        let [row] = &rows[..] else { return Err(self.fault("its settings are not one row")) };
        let format: i32 = row.get(0);
        if format != FORMAT {
            return Err(self.fault(format!("its format is {format}, and this version reads {FORMAT}")));
        }
        let settings =
            serde_json::from_str(row.get(2)).map_err(|error| self.fault(format!("its settings: {error}")))?;
        Ok((settings, number(row.get(1))))
    }

    /// The version of the index.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn version(&mut self) -> Result<u64> {
        let rows = self.query("SELECT version FROM settings", &[])?;
        Ok(rows.first().map_or(0, |row| number(row.get(0))))
    }

    /// Begins to look at one version of the index, whatever is written meanwhile.
    ///
    /// Plans are made for the values of each statement: which way is the best depends on filters.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn begin_view(&mut self) -> Result<()> {
        self.run(
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan",
        )
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn query(&mut self, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
        self.client.query(sql, values).map_err(|error| fault(&self.address, &error))
    }

    /// The rows of a statement that was prepared.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn query_prepared(&mut self, statement: &Statement, values: Values<'_>) -> Result<Vec<Row>> {
        self.client.query(statement, values).map_err(|error| fault(&self.address, &error))
    }

    /// A statement that is given values more than once.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn prepare(&mut self, sql: &str) -> Result<Statement> {
        self.client.prepare(sql).map_err(|error| fault(&self.address, &error))
    }

    /// Runs a statement. Returns how many rows it touched.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn execute(&mut self, sql: &str, values: Values<'_>) -> Result<u64> {
        self.client.execute(sql, values).map_err(|error| fault(&self.address, &error))
    }

    /// Runs statements without values.
    ///
    /// # Errors
    /// When the database refuses one.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(|error| fault(&self.address, &error))
    }

    /// What is wrong with the index.
    pub fn fault(&self, message: impl Into<String>) -> Error {
        Error::IndexDatabase { index: self.address.to_string(), message: message.into() }
    }
}

/// What a database said.
pub(super) fn fault(address: &PostgresAddress, error: &postgres::Error) -> Error {
    let message = match error.as_db_error() {
        Some(said) => {
            let more = [said.detail(), said.hint()].into_iter().flatten().map(|text| format!(". {text}"));
            format!("{}{}", said.message(), more.collect::<String>())
        }
        None => {
            let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{cause}")
        }
    };
    Error::IndexDatabase { index: address.to_string(), message }
}

/// A number that is not negative.
pub(super) fn number(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
