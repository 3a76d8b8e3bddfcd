//! Values on their way to the server and back.

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::merging::Shared;
use crate::engine::{Row, Value};
use crate::error::StorageError;

type Refused = Box<dyn std::error::Error + Sync + Send>;

/// A parameter does not fit its column. Found out before anything is sent.
#[derive(Debug, thiserror::Error)]
#[error("a parameter is of the wrong kind")]
pub(super) struct WrongKind;

/// A parameter. Its `Debug` is that of [`Value`], which shows the kind only: the driver logs parameters.
#[derive(Debug)]
pub(super) struct Param<'a>(pub(super) &'a Value);

impl Param<'_> {
    /// The type to announce when the server shall not find it out by itself.
    pub(super) fn announced(&self) -> Type {
        match self.0 {
            Value::Null => Type::UNKNOWN,
            Value::Int(_) => Type::INT8,
            Value::Text(_) => Type::TEXT,
            Value::Blob(_) => Type::BYTEA,
            Value::Uuid(_) => Type::UUID,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Value::Text(value) if [Type::TEXT, Type::VARCHAR].contains(ty) => value.to_sql(ty, out),
            Value::Blob(value) if *ty == Type::BYTEA => value.to_sql(ty, out),
            Value::Uuid(value) if *ty == Type::UUID => value.to_sql(ty, out),
            _ => Err(Box::new(WrongKind)),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// An array of parameters that never reaches a log.
pub(super) struct Column<'a, T>(pub(super) &'a [T]);

impl<T> std::fmt::Debug for Column<'_, T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Column({} values)", self.0.len())
    }
}

impl<T: ToSql + std::fmt::Debug> ToSql for Column<'_, T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&[T] as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl Shared<'_> {
    /// The type to announce. All values are of one kind.
    pub(super) fn announced(&self) -> Type {
        match self {
            Self::One(value) => Param(value).announced(),
            Self::Each(values) => match values.first() {
                Some(Value::Int(_)) => Type::INT8_ARRAY,
                Some(Value::Text(_)) => Type::TEXT_ARRAY,
                Some(Value::Blob(_)) => Type::BYTEA_ARRAY,
                Some(Value::Uuid(_)) => Type::UUID_ARRAY,
                Some(Value::Null) | None => Type::UNKNOWN,
            },
        }
    }
}

impl std::fmt::Debug for Shared<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(value) => write!(out, "One({value:?})"),
            Self::Each(values) => write!(out, "Each({} of {:?})", values.len(), values.first()),
        }
    }
}

impl ToSql for Shared<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        match self {
            Self::One(value) => Param(value).to_sql(ty, out),
            Self::Each(values) => values.iter().map(|value| Param(value)).collect::<Vec<_>>().to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Reads a row; a column of a type no table has is damage.
pub(super) fn row(found: &tokio_postgres::Row) -> Result<Row, StorageError> {
    let values = (0..found.len()).map(|index| column(found, index));
    Ok(Row { values: values.collect::<Result<_, _>>()? })
}

fn column(found: &tokio_postgres::Row, index: usize) -> Result<Value, StorageError> {
    let wrong = |_| StorageError::decode("a column of a result");
    let value: Option<Value> = match *found.columns()[index].type_() {
        Type::INT8 => found.try_get::<_, Option<i64>>(index).map_err(wrong)?.map(Value::Int),
        Type::INT4 => {
            found.try_get::<_, Option<i32>>(index).map_err(wrong)?.map(|value| Value::Int(value.into()))
        }
        Type::TEXT => found.try_get::<_, Option<String>>(index).map_err(wrong)?.map(Value::Text),
        Type::BYTEA => found.try_get::<_, Option<Vec<u8>>>(index).map_err(wrong)?.map(Value::Blob),
        Type::UUID => {
            found.try_get(index).map(|id: Option<uuid::Uuid>| id.map(Value::Uuid)).map_err(wrong)?
        }
        _ => return Err(StorageError::decode("a column of a type no table has")),
    };
    Ok(value.unwrap_or(Value::Null))
}
