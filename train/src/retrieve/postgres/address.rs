//! Where an index is: a folder, or a schema of a database.

use std::{
    env,
    fmt::{self, Display, Formatter},
    path::PathBuf,
    str::FromStr,
};

use postgres::{Config, config::Host};

/// The schema of an index, unless its address says another.
const SCHEMA: &str = "tamis";

/// Where an index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In a database.
    Postgres(PostgresAddress),
}

/// A schema of a database: `postgres://USER@HOST:PORT/DATABASE?index=SCHEMA`, and whatever else such an address may say.
///
/// A password that is not in it is that of the environment, `PGPASSWORD`. Shown, it has none.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    /// What it says of the database, which is an address of PostgreSQL; it may have a password.
    database: String,
    pub(super) schema: String,
}

impl PostgresAddress {
    /// How the database is reached.
    pub(super) fn config(&self) -> Config {
        let mut config: Config = self
            .database
            .parse()
            .unwrap_or_else(|error| unreachable!("an address is checked when it is read: {error}"));
        if config.get_password().is_none()
            && let Ok(password) = env::var("PGPASSWORD")
        {
            config.password(password);
        }
        config.application_name("train");
        config
    }
}

impl FromStr for IndexPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return text.parse().map(Self::Postgres);
        }
        Ok(Self::Folder(text.into()))
    }
}

impl FromStr for PostgresAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, said) = text.split_once('?').unwrap_or((text, ""));
        let (own, others): (Vec<&str>, Vec<&str>) =
            said.split('&').filter(|part| !part.is_empty()).partition(|part| part.starts_with("index="));
        let schema = match own[..] {
            [] => SCHEMA,
            [one] => one.trim_start_matches("index="),
            _ => return Err("it names two indexes".into()),
        };
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        if !schema.starts_with(is_letter)
            || schema.len() > 63
            || !schema.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit())
        {
            return Err(format!("`index={schema}`: a name has small letters, digits and underscores, 63 at most"));
        }
        let fault = |error: postgres::Error| {
            let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{cause}")
        };
        let database = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
        database.parse::<Config>().map_err(fault)?;
        Ok(Self { database, schema: schema.to_owned() })
    }
}

impl Display for IndexPlace {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(formatter),
            Self::Postgres(address) => address.fmt(formatter),
        }
    }
}

/// Without a password.
impl Display for PostgresAddress {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (config, schema) = (self.config(), &self.schema);
        write!(formatter, "postgres://")?;
        if let Some(user) = config.get_user() {
            write!(formatter, "{user}@")?;
        }
        for (place, host) in config.get_hosts().iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(formatter, "{comma}{name}")?,
                Host::Unix(path) => write!(formatter, "{comma}{}", path.display().to_string().replace('/', "%2F"))?,
            }
            if let Some(port) = config.get_ports().get(place).or_else(|| config.get_ports().first()) {
                write!(formatter, ":{port}")?;
            }
        }
        write!(formatter, "/{}?index={schema}", config.get_dbname().unwrap_or_default())
    }
}

/// As it is shown: without a password.
impl fmt::Debug for PostgresAddress {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_an_index_and_shows_no_password() {
        let place: IndexPlace =
            "postgres://ada:secret@db.local:5433/docs?connect_timeout=3&index=news_2".parse().expect("it is one");
        assert_eq!(place.to_string(), "postgres://ada@db.local:5433/docs?index=news_2");
        let IndexPlace::Postgres(address) = place else { panic!("it is a database") };
        assert_eq!(address.config().get_password(), Some(&b"secret"[..]));
        assert_eq!("out/docs".parse(), Ok(IndexPlace::Folder("out/docs".into())));
        let fault = |text: &str| text.parse::<IndexPlace>().expect_err("it is none");
        assert!(fault("postgres://h/d?index=Two words").contains("small letters"));
        assert!(fault("postgres://h/d?index=a&index=b").contains("two indexes"));
        assert!(fault("postgres://h/d?unheard=1").contains("unheard"), "{}", fault("postgres://h/d?unheard=1"));
    }
}
