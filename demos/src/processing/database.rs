//! `query SQL`: rows out of SQLite.
//!
//! Blocking calls, for the blocking pool. Queries run beside one another, each on a connection of
//! its own: were there one for all, a slow I1 would make I2 wait, which is what this program is
//! about not doing.
//!
//! Queries only read. Inputs are processed in no promised order, so a row written by I1 might or
//! might not be there for I2; SQLite's authorizer refuses everything but reading, with a file as
//! well as with the sample that is built in.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use super::{Answer, Cell, Failure, Rows};
use crate::program::quantity::grouped;

/// The sample: enough to join, group and sort.
const SAMPLE: &str = include_str!("sample.sql");

/// SQLite's virtual machine looks up this often, counted in its instructions, whether the query
/// is still wanted. A thousand take some microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

/// SQLite needs so much for itself, the texts of tables for instance.
const LEAST_LENGTH: usize = 1 << 16;

/// A database that is only read, with a connection for each query that runs.
#[derive(Debug)]
pub struct Database {
    file: Option<PathBuf>,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// The sample, in memory: tables `planets` and `moons`.
    ///
    /// # Errors
    /// SQLite's, if it has no memory.
    pub fn sample() -> Result<Self, Failure> {
        Self::with(None)
    }

    /// The database in `file`, which must be there.
    ///
    /// # Errors
    /// A sentence, if it is not there or is no database.
    pub fn in_file(file: &Path) -> Result<Self, Failure> {
        Self::with(Some(file.to_owned()))
    }

    fn with(file: Option<PathBuf>) -> Result<Self, Failure> {
        let database = Self {
            file,
            idle: Mutex::default(),
        };
        // The first connection is made at once: a wrong file is an error at start.
        let first = database.connect()?;
        first
            .query_row("select count(*) from sqlite_schema", [], |_| Ok(()))
            .map_err(|error| explain(&error))?;
        database.give_back(first);
        Ok(database)
    }

    /// Runs one statement and gives its rows, up to `limit` bytes of them.
    ///
    /// Blocks. Ends soon after `unwanted` is set, with an error nobody will read.
    ///
    /// # Errors
    /// A sentence with SQLite's own words in it.
    pub fn query(
        &self,
        sql: &str,
        limit: usize,
        unwanted: &Arc<AtomicBool>,
    ) -> Result<Answer, Failure> {
        let mut connection = match self.idle().pop() {
            Some(idle) => idle,
            None => self.connect()?,
        };
        let unwanted = Arc::clone(unwanted);
        // Relaxed: the flag carries nothing but itself, and a late look costs microseconds.
        let look = move || unwanted.load(Ordering::Relaxed);
        connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(look))
            .map_err(|error| explain(&error))?;
        // A query of one line can ask for a blob of a gigabyte, and no look would come in between.
        let longest = i32::try_from(limit.max(LEAST_LENGTH)).unwrap_or(i32::MAX);
        connection
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)
            .map_err(|error| explain(&error))?;
        let rows = rows_of(&connection, sql, limit);
        self.give_back(connection);
        rows.map(Answer::Rows)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A panic while the list was held leaves a list all the same.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, connection: Connection) {
        const KEPT: usize = 8;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }

    fn connect(&self) -> Result<Connection, Failure> {
        let opened = match &self.file {
            None => Connection::open_in_memory(),
            Some(file) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(file, flags)
            }
        };
        let mut connection = opened.map_err(|error| explain(&error))?;
        if self.file.is_none() {
            connection
                .execute_batch(SAMPLE)
                .map_err(|error| explain(&error))?;
        }
        connection
            .authorizer(Some(only_reading))
            .map_err(|error| explain(&error))?;
        Ok(connection)
    }
}

fn only_reading(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => {
            Authorization::Allow
        }
        AuthAction::Function { function_name } if function_name != "load_extension" => {
            Authorization::Allow
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value: None,
        } if tells_only(pragma_name) => Authorization::Allow,
        AuthAction::Pragma {
            pragma_name: "table_info" | "table_xinfo" | "index_list" | "index_info",
            ..
        } => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

fn tells_only(pragma: &str) -> bool {
    matches!(
        pragma,
        "table_list" | "database_list" | "compile_options" | "function_list" | "user_version"
    )
}

fn rows_of(connection: &Connection, sql: &str, limit: usize) -> Result<Rows, Failure> {
    let mut statement = connection.prepare(sql).map_err(|error| explain(&error))?;
    if statement.parameter_count() > 0 {
        return Err(Failure(
            "SQL: the query has a `?` or `:name` in it, and there is nothing to put there"
                .to_owned(),
        ));
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if columns.is_empty() {
        return Err(Failure(
            "SQL: queries here only read, and this gives no rows; write for example \
             `query select 1`"
                .to_owned(),
        ));
    }
    let rows = collect(&mut statement, columns.len(), limit)?;
    Ok(Rows { columns, rows })
}

fn collect(
    statement: &mut Statement<'_>,
    width: usize,
    limit: usize,
) -> Result<Vec<Vec<Cell>>, Failure> {
    let mut found = statement.query([]).map_err(|error| explain(&error))?;
    let (mut rows, mut bytes) = (Vec::new(), 0usize);
    while let Some(row) = found.next().map_err(|error| explain(&error))? {
        let mut cells = Vec::with_capacity(width);
        for column in 0..width {
            let cell = cell(row.get_ref(column).map_err(|error| explain(&error))?);
            bytes += size_of::<Cell>()
                + if let Cell::Text(text) = &cell {
                    text.len()
                } else {
                    0
                };
            cells.push(cell);
            if bytes > limit {
                let limit = grouped(limit);
                return Err(Failure(format!(
                    "SQL: the rows take more than the limit of {limit} bytes; add a LIMIT to the \
                     query"
                )));
            }
        }
        rows.push(cells);
    }
    Ok(rows)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Cell::Text(format!("x'{digits}'"))
        }
    }
}

fn explain(error: &rusqlite::Error) -> Failure {
    use rusqlite::Error::{MultipleStatement, SqlInputError, SqliteFailure};
    let message = match error {
        MultipleStatement => {
            "SQL: one statement a line; put the second into a line of its own".to_owned()
        }
        SqlInputError { msg, offset, .. } if *offset >= 0 => {
            format!("SQL: {msg} (at byte {offset} of the query)")
        }
        SqlInputError { msg, .. } => format!("SQL: {msg}"),
        SqliteFailure(code, _) if code.code == ErrorCode::AuthorizationForStatementDenied => {
            "SQL: queries here only read; this one would do something else".to_owned()
        }
        SqliteFailure(code, _) if code.code == ErrorCode::OperationInterrupted => {
            "SQL: the query was called off".to_owned()
        }
        SqliteFailure(code, _) if code.code == ErrorCode::TooBig => {
            "SQL: a text or blob is longer than the limit (--max-content)".to_owned()
        }
        SqliteFailure(code, _) if code.code == ErrorCode::NotADatabase => {
            "the file is not an SQLite database".to_owned()
        }
        SqliteFailure(_, Some(message)) => format!("SQL: {message}"),
        other => format!("SQL: {other}"),
    };
    Failure(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(database: &Database, sql: &str) -> Result<Rows, String> {
        match database.query(sql, 1 << 20, &Arc::default()) {
            Ok(Answer::Rows(rows)) => Ok(rows),
            Ok(other) => panic!("not rows: {other:?}"),
            Err(failure) => Err(failure.0),
        }
    }

    #[test]
    fn every_kind_of_value() {
        let database = Database::sample().unwrap();
        let rows = ask(&database, "select 1 as a, 2.0, 'drei', null, x'00ff'").unwrap();
        assert_eq!(rows.columns[0], "a");
        let shown: Vec<String> = rows.rows[0].iter().map(Cell::to_string).collect();
        assert_eq!(shown, ["1", "2.0", "drei", "NULL", "x'00ff'"]);
    }

    #[test]
    fn the_sample_can_be_joined_and_described() {
        let database = Database::sample().unwrap();
        let rows = ask(
            &database,
            "select p.name, count(*) n from planets p join moons m on m.planet = p.name \
             group by 1 order by n desc, 1 limit 1",
        );
        assert!(rows.is_ok_and(|rows| rows.rows.len() == 1));
        assert!(ask(&database, "pragma table_info(planets)").is_ok_and(|rows| rows.rows.len() > 2));
        let recursive = "with recursive n(i) as (select 1 union all select i+1 from n where i<9) \
                         select sum(i) from n";
        assert!(ask(&database, recursive).is_ok());
    }

    #[test]
    fn errors_are_sentences() {
        let database = Database::sample().unwrap();
        for (sql, part) in [
            (
                "selec 1",
                "SQL: near \"selec\": syntax error (at byte 0 of the query)",
            ),
            ("select * from nowhere", "SQL: no such table: nowhere"),
            ("select 1; select 2", "SQL: one statement a line"),
            (
                "-- nothing",
                "SQL: queries here only read, and this gives no rows",
            ),
            ("select ?", "nothing to put there"),
            ("select load_extension('x')", "SQL: "),
            ("select abs(-9223372036854775808)", "SQL: integer overflow"),
        ] {
            let message = ask(&database, sql).unwrap_err();
            assert!(message.contains(part), "{sql}: {message}");
        }
    }

    #[test]
    fn nothing_is_ever_written() {
        let database = Database::sample().unwrap();
        for sql in [
            "delete from planets",
            "insert into planets(name) values ('Vulcan')",
            "create table x(y)",
            "create temp table x(y)",
            "drop table moons",
            "attach 'stray.db' as stray",
            "vacuum into 'stray.db'",
            "pragma user_version = 3",
            "pragma query_only = off",
            "begin",
            "with x as (select 1) update planets set name = 'x'",
        ] {
            let message = ask(&database, sql).unwrap_err();
            assert!(message.contains("only read"), "{sql}: {message}");
        }
        assert!(!Path::new("stray.db").exists());
        assert_eq!(
            ask(&database, "select count(*) from planets").unwrap().rows,
            [[Cell::Integer(8)]]
        );
    }

    #[test]
    fn too_many_rows_are_refused_before_they_fill_the_memory() {
        let database = Database::sample().unwrap();
        let message = ask(
            &database,
            "with recursive n(i) as (select 1 union all select i+1 from n) select i from n",
        )
        .unwrap_err();
        assert!(
            message.contains("more than the limit of 1,048,576 bytes"),
            "{message}"
        );
    }

    #[test]
    fn a_value_as_large_as_sqlite_can_make_is_refused_before_it_is_made() {
        let database = Database::sample().unwrap();
        for sql in [
            "select zeroblob(900000000)",
            "select length(printf('%.*c', 900000000, 'x'))",
            "select length(hex(zeroblob(400000000)))",
            "select group_concat(zeroblob(1000000)) from planets, moons",
        ] {
            let message = ask(&database, sql).unwrap_err();
            assert!(
                message.contains("longer than the limit"),
                "{sql}: {message}"
            );
        }
        let wide = format!("select {}1", "zeroblob(1000000), ".repeat(1000));
        let message = ask(&database, &wide).unwrap_err();
        assert!(message.contains("more than the limit"), "{message}");
    }

    #[test]
    fn an_unwanted_query_ends_and_its_connection_is_good_for_the_next() {
        let database = Database::sample().unwrap();
        let unwanted = Arc::new(AtomicBool::new(true));
        let endless =
            "with recursive n(i) as (select 1 union all select i+1 from n) select max(i) from n";
        let answer = database.query(endless, 100, &unwanted);
        assert_eq!(
            answer,
            Err(Failure("SQL: the query was called off".to_owned()))
        );
        assert!(ask(&database, "select 1").is_ok());
    }

    #[test]
    fn a_file_is_opened_at_start_and_never_made() {
        let missing = Database::in_file(Path::new("no/such.db")).unwrap_err();
        assert!(missing.0.contains("unable to open"), "{missing}");
        let wrong = Database::in_file(Path::new("Cargo.toml")).unwrap_err();
        assert_eq!(wrong.0, "the file is not an SQLite database");
    }
}
