use uuid::Uuid;
use zeroize::Zeroizing;

use super::Value;
use crate::error::StorageError;
use crate::vault::TenantVault;

/// One row of a result, columns in the order of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The columns.
    pub values: Vec<Value>,
}

/// Takes the columns of a row one after the other and names the one that does not decode.
pub(crate) struct Columns {
    table: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Columns {
    pub(crate) fn of(table: &'static str, row: Row) -> Self {
        Self { table, values: row.values.into_iter() }
    }

    /// Goes on with the columns of another table of a joined row.
    pub(crate) fn of_table(&mut self, table: &'static str) -> &mut Self {
        self.table = table;
        self
    }

    fn next(&mut self, column: &'static str) -> Result<Value, StorageError> {
        self.values.next().ok_or_else(|| self.wrong(column))
    }

    fn wrong(&self, column: &'static str) -> StorageError {
        StorageError::decode(format!("{}.{column}", self.table))
    }

    pub(crate) fn int(&mut self, column: &'static str) -> Result<i64, StorageError> {
        self.maybe_int(column)?.ok_or_else(|| self.wrong(column))
    }

    pub(crate) fn maybe_int(&mut self, column: &'static str) -> Result<Option<i64>, StorageError> {
        match self.next(column)? {
            Value::Int(value) => Ok(Some(value)),
            Value::Null => Ok(None),
            _ => Err(self.wrong(column)),
        }
    }

    pub(crate) fn flag(&mut self, column: &'static str) -> Result<bool, StorageError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong(column)),
        }
    }

    pub(crate) fn key_version(&mut self, column: &'static str) -> Result<u32, StorageError> {
        u32::try_from(self.int(column)?).map_err(|_| self.wrong(column))
    }

    pub(crate) fn text(&mut self, column: &'static str) -> Result<String, StorageError> {
        self.maybe_text(column)?.ok_or_else(|| self.wrong(column))
    }

    pub(crate) fn maybe_text(&mut self, column: &'static str) -> Result<Option<String>, StorageError> {
        match self.next(column)? {
            Value::Text(value) => Ok(Some(value)),
            Value::Null => Ok(None),
            _ => Err(self.wrong(column)),
        }
    }

    /// Text that names one of a closed set.
    pub(crate) fn named<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StorageError> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.wrong(column))
    }

    /// Text that holds JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<T, StorageError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|_| self.wrong(column))
    }

    pub(crate) fn uuid(&mut self, column: &'static str) -> Result<Uuid, StorageError> {
        self.maybe_uuid(column)?.ok_or_else(|| self.wrong(column))
    }

    pub(crate) fn maybe_uuid(&mut self, column: &'static str) -> Result<Option<Uuid>, StorageError> {
        match self.next(column)? {
            Value::Uuid(value) => Ok(Some(value)),
            Value::Blob(bytes) => Uuid::from_slice(&bytes).map(Some).map_err(|_| self.wrong(column)),
            Value::Null => Ok(None),
            _ => Err(self.wrong(column)),
        }
    }

    pub(crate) fn blob(&mut self, column: &'static str) -> Result<Vec<u8>, StorageError> {
        self.maybe_blob(column)?.ok_or_else(|| self.wrong(column))
    }

    pub(crate) fn maybe_blob(&mut self, column: &'static str) -> Result<Option<Vec<u8>>, StorageError> {
        match self.next(column)? {
            Value::Blob(value) => Ok(Some(value)),
            Value::Null => Ok(None),
            _ => Err(self.wrong(column)),
        }
    }

    pub(crate) fn bytes32(&mut self, column: &'static str) -> Result<[u8; 32], StorageError> {
        self.blob(column)?.try_into().map_err(|_| self.wrong(column))
    }

    pub(crate) fn maybe_bytes32(&mut self, column: &'static str) -> Result<Option<[u8; 32]>, StorageError> {
        self.maybe_blob(column)?.map(|bytes| bytes.try_into().map_err(|_| self.wrong(column))).transpose()
    }

    /// Opens a sealed column bound to `row`.
    pub(crate) fn sealed(
        &mut self,
        vault: &TenantVault,
        row: &[u8],
        column: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let sealed = self.blob(column)?;
        Ok(vault.open(self.table, row, column, &sealed)?)
    }

    /// Opens a sealed column that may be null.
    pub(crate) fn maybe_sealed(
        &mut self,
        vault: &TenantVault,
        row: &[u8],
        column: &'static str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        self.maybe_blob(column)?
            .map(|sealed| vault.open(self.table, row, column, &sealed).map_err(StorageError::from))
            .transpose()
    }

    /// Opens a sealed column that holds text.
    pub(crate) fn sealed_text(
        &mut self,
        vault: &TenantVault,
        row: &[u8],
        column: &'static str,
    ) -> Result<String, StorageError> {
        let plain = self.sealed(vault, row, column)?;
        String::from_utf8(plain.to_vec()).map_err(|_| self.wrong(column))
    }

    /// Opens a sealed column that holds text or null.
    pub(crate) fn maybe_sealed_text(
        &mut self,
        vault: &TenantVault,
        row: &[u8],
        column: &'static str,
    ) -> Result<Option<String>, StorageError> {
        self.maybe_sealed(vault, row, column)?
            .map(|plain| String::from_utf8(plain.to_vec()).map_err(|_| self.wrong(column)))
            .transpose()
    }
}
