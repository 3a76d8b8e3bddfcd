//! Many statements as one: statements that each concern one row by its whole key, and all of them different rows,
//! have the same effect in any order, so those with the same text can be one statement over arrays. That saves
//! most of what a commit costs the server.

use std::collections::{HashMap, HashSet};

use super::suitability::TENANT_TABLES;
use crate::engine::{Expect, Statement, Unit, Value};
use crate::repositories::constraint;

/// One request to the server.
pub(super) enum Step<'a> {
    /// A statement as it is.
    Alone(&'a Statement),
    /// Several with one text.
    Merged(Merged<'a>),
}

/// Statements with one text and one expectation, as one.
pub(super) struct Merged<'a> {
    pub(super) text: String,
    /// Values of the parameters of `text`.
    pub(super) params: Vec<Shared<'a>>,
    /// Rows it must affect, if it must, and the name of the conflict when it does not.
    pub(super) expected: Option<u64>,
    pub(super) otherwise: &'static str,
}

/// A parameter of many statements.
pub(super) enum Shared<'a> {
    /// The same for all of them.
    One(&'a Value),
    /// One for each, as an array.
    Each(Vec<&'a Value>),
}

/// The statements of units as they are.
pub(super) fn one_by_one<'a>(units: &[&'a Unit]) -> Vec<Step<'a>> {
    units.iter().flat_map(|unit| &unit.statements).map(Step::Alone).collect()
}

/// Turns the statements of units into steps with the same effect.
pub(super) fn steps<'a>(units: &[&'a Unit]) -> Vec<Step<'a>> {
    let mut texts = HashMap::new();
    let mut steps = Vec::new();
    let mut wave = Wave::default();
    for unit in units {
        let points: Option<Vec<_>> =
            unit.statements.iter().map(|statement| Point::of(statement, &mut texts)).collect();
        let points = points.filter(|points| points.iter().collect::<HashSet<_>>().len() == points.len());
        let Some(points) = points else {
            wave.end(&mut steps);
            steps.extend(unit.statements.iter().map(Step::Alone));
            continue;
        };
        if points.iter().any(|point| wave.points.contains(point)) {
            wave.end(&mut steps);
        }
        wave.points.extend(points);
        unit.statements.iter().for_each(|statement| wave.add(statement));
    }
    wave.end(&mut steps);
    steps
}

/// The one row a statement concerns.
#[derive(PartialEq, Eq, Hash)]
struct Point {
    table: &'static str,
    key: Vec<u8>,
}

impl Point {
    fn of(statement: &Statement, texts: &mut HashMap<&'static str, Option<Keyed>>) -> Option<Self> {
        let keyed = texts.entry(statement.sql).or_insert_with(|| Keyed::read(statement.sql)).as_ref()?;
        let mut key = Vec::new();
        for place in &keyed.places {
            let (kind, bytes): (u8, &[u8]) = match statement.params.get(place - 1)? {
                Value::Uuid(id) => (0, id.as_bytes()),
                Value::Blob(bytes) => (1, bytes),
                Value::Text(text) => (2, text.as_bytes()),
                Value::Int(_) | Value::Null => return None,
            };
            key.push(kind);
            key.extend_from_slice(&bytes.len().to_be_bytes());
            key.extend_from_slice(bytes);
        }
        Some(Self { table: keyed.table, key })
    }
}

/// A text that concerns one row by its whole key.
struct Keyed {
    table: &'static str,
    /// Numbers of the parameters that are the key.
    places: Vec<usize>,
}

impl Keyed {
    /// `None` for any text whose form is not plainly one of the two below.
    fn read(sql: &'static str) -> Option<Self> {
        if ["SELECT", "RETURNING", "ON CONFLICT", "UNION", " OR ", ";"].iter().any(|word| sql.contains(word))
        {
            return None;
        }
        match Form::read(sql)? {
            Form::Insert { table, columns, values } => {
                let columns: Vec<_> = columns.split(", ").collect();
                let values: Vec<_> = values.split(", ").collect();
                if columns.len() != values.len() {
                    return None;
                }
                let value =
                    |name: &str| columns.iter().position(|column| *column == name).map(|at| values[at]);
                Self::with(table, value)
            }
            Form::Update { table, set, condition } => {
                let conditions: Vec<_> = condition.split(" AND ").collect();
                let value = |name: &str| {
                    conditions.iter().find_map(|condition| condition.strip_prefix(name)?.strip_prefix(" = "))
                };
                let keyed = Self::with(table, value)?;
                let moves =
                    |column: &&str| set.split(", ").any(|part| part.starts_with(&format!("{column} =")));
                (!key_of(table)?.iter().any(moves)).then_some(keyed)
            }
        }
    }

    fn with<'a>(table: &'static str, value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let parameter = |column: &&str| value(column)?.strip_prefix('$')?.parse().ok();
        let places: Option<Vec<usize>> = key_of(table)?.iter().map(parameter).collect();
        Some(Self { table, places: places? })
    }
}

/// The columns of a table's primary key, for tables of tenants.
fn key_of(table: &str) -> Option<&'static [&'static str]> {
    TENANT_TABLES.contains(&table).then_some(())?;
    constraint::KEYS.iter().find(|(of, ..)| *of == table).map(|(_, columns, _)| *columns)
}

/// The parts of a text.
enum Form {
    Insert { table: &'static str, columns: &'static str, values: &'static str },
    Update { table: &'static str, set: &'static str, condition: &'static str },
}

impl Form {
    fn read(sql: &'static str) -> Option<Self> {
        if let Some(rest) = sql.strip_prefix("INSERT INTO ") {
            let (table, rest) = rest.split_once(" (")?;
            let (columns, values) = rest.split_once(") VALUES (")?;
            return Some(Self::Insert { table, columns, values: values.strip_suffix(')')? });
        }
        let (table, rest) = sql.strip_prefix("UPDATE ")?.split_once(" SET ")?;
        let (set, condition) = rest.split_once(" WHERE ")?;
        Some(Self::Update { table, set, condition })
    }

    /// The same over rows of parameters; `names` says what stands for each parameter, `places` which of them are the
    /// key.
    ///
    /// The planner must not turn an update round and look for every row of the tenant among the parameters, which it
    /// does where its statistics are missing or old: 512 parameters and 25 000 rows took seconds. So a fence
    /// (`OFFSET 0`) has each key looked up by itself, and the update goes to the places found. No condition is left
    /// outside that an index could serve (the policy of row-level security is not one either), so that but for
    /// reading the whole table, which is switched off, there is no other way to its rows.
    fn over(&self, source: &str, names: &[String], places: &[usize]) -> String {
        match self {
            Self::Insert { table, columns, values } => {
                format!("INSERT INTO {table} ({columns}) SELECT {} FROM {source}", renamed(values, names))
            }
            Self::Update { table, set, condition } => {
                let columns = || key_of(table).unwrap_or_default().iter().zip(places);
                let key: Vec<_> = columns()
                    .map(|(column, place)| format!("keyed.{column} = {}", names[place - 1]))
                    .collect();
                let is_key =
                    |part: &&str| columns().any(|(column, place)| *part == format!("{column} = ${place}"));
                let rest = condition.split(" AND ").filter(|part| !is_key(part));
                let rest: String = rest.map(|part| format!(" AND {}", renamed(part, names))).collect();
                format!(
                    "UPDATE {table} SET {} FROM (SELECT p.*, found.place FROM {source}, LATERAL \
                     (SELECT keyed.ctid AS place FROM {table} AS keyed WHERE {} OFFSET 0) AS found OFFSET 0) AS p \
                     WHERE {table}.ctid = p.place{rest}",
                    renamed(set, names),
                    key.join(" AND ")
                )
            }
        }
    }
}

/// Puts a name in place of each parameter.
fn renamed(part: &str, names: &[String]) -> String {
    let mut pieces = part.split('$');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let name = number.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
        // A number without a parameter: the server says so when it sees it.
        out.push_str(name.map_or("$", String::as_str));
        out.push_str(rest);
    }
    out
}

/// Whether rows of other tables refer to what this text inserts.
fn is_parent(sql: &'static str) -> bool {
    matches!(Form::read(sql), Some(Form::Insert { table: "users" | "organizations", .. }))
}

/// Statements whose order does not matter.
#[derive(Default)]
struct Wave<'a> {
    points: HashSet<Point>,
    groups: Vec<Vec<&'a Statement>>,
}

impl<'a> Wave<'a> {
    fn add(&mut self, statement: &'a Statement) {
        let alike = |group: &&mut Vec<&Statement>| {
            let first = group[0];
            first.sql == statement.sql
                && (first.expect, first.otherwise) == (statement.expect, statement.otherwise)
                && same_kinds(first, statement)
        };
        match self.groups.iter_mut().find(alike) {
            Some(group) => group.push(statement),
            None => self.groups.push(vec![statement]),
        }
    }

    /// Rows that others refer to come first; everything else keeps the order of appearance.
    fn end(&mut self, steps: &mut Vec<Step<'a>>) {
        let Self { groups, .. } = std::mem::take(self);
        let (parents, others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| is_parent(group[0].sql));
        for group in parents.into_iter().chain(others) {
            match merged(&group) {
                Some(merged) => steps.push(Step::Merged(merged)),
                None => steps.extend(group.into_iter().map(Step::Alone)),
            }
        }
    }
}

/// Whether each parameter of both is of one kind, or null.
fn same_kinds(one: &Statement, other: &Statement) -> bool {
    let same = |(one, other): (&Value, &Value)| {
        matches!((one, other), (Value::Null, Value::Null))
            || (*one != Value::Null && std::mem::discriminant(one) == std::mem::discriminant(other))
    };
    one.params.len() == other.params.len() && one.params.iter().zip(&other.params).all(same)
}

/// `None` for a single statement, or one that has no form to merge.
fn merged<'a>(group: &[&'a Statement]) -> Option<Merged<'a>> {
    let [first, _, ..] = group else { return None };
    let (form, Keyed { places, .. }) = (Form::read(first.sql)?, Keyed::read(first.sql)?);
    let (mut arrays, mut columns, mut params, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, value) in first.params.iter().enumerate() {
        let element = match value {
            Value::Int(_) => "bigint",
            Value::Text(_) => "text",
            Value::Blob(_) => "bytea",
            Value::Uuid(_) => "uuid",
            // Null in all of them, and without a type; the server takes that of the column.
            Value::Null => {
                names.push("NULL".to_owned());
                continue;
            }
        };
        let column: Vec<_> = group.iter().map(|statement| &statement.params[index]).collect();
        let number = params.len() + 1;
        if column.iter().all(|other| *other == value) {
            // The tenant above all: as a constant the planner and a distributed database know what to do with it.
            params.push(Shared::One(value));
            names.push(format!("${number}::{element}"));
        } else {
            params.push(Shared::Each(column));
            arrays.push(format!("${number}::{element}[]"));
            columns.push(format!("p{number}"));
            names.push(format!("p.p{number}"));
        }
    }
    let expected = match first.expect {
        Expect::Any => None,
        // One row each: their key says so. Any other number would not be met by all of them.
        Expect::Rows(1) => Some(group.len() as u64),
        Expect::Rows(_) => return None,
    };
    let source = format!("unnest({}) AS p ({})", arrays.join(", "), columns.join(", "));
    let text = form.over(&source, &names, &places);
    Some(Merged { text, params, expected, otherwise: first.otherwise })
}
