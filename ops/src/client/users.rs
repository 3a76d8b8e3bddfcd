//! Many users at once.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::messages::PageOf;
use super::{Client, ClientError, LineError, PAGE, UserImport, read, send};

/// Time a part of an import may take.
const PART: Duration = Duration::from_secs(330);
/// Time an export may take.
const EXPORT: Duration = Duration::from_secs(24 * 3_600);

impl Client {
    fn users(&self, method: Method, tenant: &str, path: &str) -> Result<RequestBuilder, ClientError> {
        self.core(method, &format!("/t/{tenant}/v1/users{path}"))
    }

    /// Begins an import.
    pub(crate) async fn begin_import(
        &self,
        tenant: &str,
        source: &str,
        dry_run: bool,
        on_conflict: &str,
    ) -> Result<UserImport, ClientError> {
        let body = json!({ "source": source, "dry_run": dry_run, "on_conflict": on_conflict });
        read(send(self.users(Method::POST, tenant, "/imports")?.json(&body)).await?).await
    }

    /// Imports, newest first, until `visit` has seen enough.
    pub(crate) async fn imports(
        &self,
        tenant: &str,
        visit: impl FnMut(UserImport) -> bool,
    ) -> Result<(), ClientError> {
        self.all(tenant, "/imports", visit).await
    }

    /// Sends lines of an import; the first one has this number.
    pub(crate) async fn send_lines(
        &self,
        tenant: &str,
        id: &str,
        first: u64,
        lines: Vec<u8>,
    ) -> Result<UserImport, ClientError> {
        let request = self.users(Method::PUT, tenant, &format!("/imports/{id}/lines/{first}"))?;
        let request = request.header("content-type", "application/x-ndjson").timeout(PART).body(lines);
        read(send(request).await?).await
    }

    /// Says that there are no more lines.
    pub(crate) async fn complete_import(&self, tenant: &str, id: &str) -> Result<UserImport, ClientError> {
        read(send(self.users(Method::POST, tenant, &format!("/imports/{id}/complete"))?).await?).await
    }

    /// What was wrong with which line.
    pub(crate) async fn import_errors(
        &self,
        tenant: &str,
        id: &str,
        mut visit: impl FnMut(LineError),
    ) -> Result<(), ClientError> {
        self.all(tenant, &format!("/imports/{id}/errors"), |error| {
            visit(error);
            false
        })
        .await
    }

    /// All users, one a line, as they come.
    pub(crate) async fn export_users(
        &self,
        tenant: &str,
        password_hashes: bool,
    ) -> Result<Response, ClientError> {
        let path = if password_hashes { "/export/password-hashes" } else { "/export" };
        send(self.users(Method::GET, tenant, path)?.timeout(EXPORT)).await
    }

    /// Items of a list, page by page, until `visit` has seen enough.
    async fn all<T: DeserializeOwned>(
        &self,
        tenant: &str,
        path: &str,
        mut visit: impl FnMut(T) -> bool,
    ) -> Result<(), ClientError> {
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(after.take().map(|after| ("after", after)));
            let page: PageOf<T> =
                read(send(self.users(Method::GET, tenant, path)?.query(&query)).await?).await?;
            if page.items.into_iter().any(&mut visit) {
                return Ok(());
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
