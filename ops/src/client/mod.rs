//! The HTTP client of the commands: what an operator may ask of a running instance.

mod error;
mod messages;
mod users;

use std::time::Duration;

use plinto_runtime::TreeSnapshot;
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) use error::ClientError;
pub(crate) use messages::{LineError, Node, Readiness, ServiceKey, Tenant, User, UserImport};
use messages::{Nodes, TenantPage};

/// Time an answer may take; deleting a large tenant takes longest.
const PATIENCE: Duration = Duration::from_secs(60);
const PAGE: u32 = 200;

/// Where the services are that a command needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services {
    /// Base URL of the Core API.
    pub(crate) core: Option<String>,
    /// Base URL of the auth service.
    pub(crate) auth: Option<String>,
}

/// Speaks to one instance, as its operator. No `Debug`: it holds the platform key.
pub(crate) struct Client {
    http: reqwest::Client,
    services: Services,
    key: Option<Zeroizing<String>>,
}

impl Client {
    /// A client; `key` is the platform key.
    pub(crate) fn new(services: Services, key: Option<Zeroizing<String>>) -> Result<Self, ClientError> {
        // Proxies and authorities are for the world outside; an instance of this machine is not there.
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().tls_certs_only([]).build();
        Ok(Self { http: http.map_err(ClientError::Setup)?, services, key })
    }

    fn core(&self, method: Method, path: &str) -> Result<RequestBuilder, ClientError> {
        let base = self.services.core.as_deref().ok_or(ClientError::ServiceMissing { service: "core" })?;
        self.request(method, base, path)
    }

    fn auth(&self, method: Method, path: &str) -> Result<RequestBuilder, ClientError> {
        let base = self.services.auth.as_deref().ok_or(ClientError::ServiceMissing { service: "auth" })?;
        self.request(method, base, path)
    }

    fn request(&self, method: Method, base: &str, path: &str) -> Result<RequestBuilder, ClientError> {
        let key = self.key.as_ref().ok_or(ClientError::KeyMissing)?;
        Ok(self.http.request(method, format!("{base}{path}")).bearer_auth(key.as_str()))
    }

    /// Creates a tenant.
    pub(crate) async fn create_tenant(&self, slug: &str, name: &str) -> Result<Tenant, ClientError> {
        let request = self.core(Method::POST, "/v1/tenants")?.json(&json!({ "slug": slug, "name": name }));
        read(send(request).await?).await
    }

    /// One tenant by id, `None` if there is none.
    pub(crate) async fn tenant(&self, id: &str) -> Result<Option<Tenant>, ClientError> {
        match send(self.core(Method::GET, &format!("/v1/tenants/{id}"))?).await {
            Ok(answer) => read(answer).await.map(Some),
            Err(ClientError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every tenant, page by page, until `visit` has seen enough.
    async fn pages(&self, mut visit: impl FnMut(Tenant) -> bool) -> Result<(), ClientError> {
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(after.take().map(|after| ("after", after)));
            let page: TenantPage =
                read(send(self.core(Method::GET, "/v1/tenants")?.query(&query)).await?).await?;
            for tenant in page.items {
                if visit(tenant) {
                    return Ok(());
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Every tenant.
    pub(crate) async fn tenants(&self) -> Result<Vec<Tenant>, ClientError> {
        let mut all = Vec::new();
        self.pages(|tenant| {
            all.push(tenant);
            false
        })
        .await?;
        Ok(all)
    }

    /// The tenant with this slug or id.
    pub(crate) async fn find_tenant(&self, named: &str) -> Result<Tenant, ClientError> {
        let unknown = || ClientError::UnknownTenant { named: named.to_owned() };
        if named.starts_with("ten_") {
            return self.tenant(named).await?.ok_or_else(unknown);
        }
        let mut found = None;
        self.pages(|tenant| {
            let this = tenant.slug == named;
            found = this.then_some(tenant);
            this
        })
        .await?;
        found.ok_or_else(unknown)
    }

    /// Deletes a tenant for good.
    pub(crate) async fn delete_tenant(&self, id: &str) -> Result<(), ClientError> {
        send(self.core(Method::DELETE, &format!("/v1/tenants/{id}"))?).await.map(drop)
    }

    /// Creates a user with a password.
    pub(crate) async fn create_user(
        &self,
        tenant: &str,
        email: &str,
        password: &str,
        name: Option<&str>,
    ) -> Result<User, ClientError> {
        let mut body = json!({ "email": email, "password": password });
        if let Some(name) = name {
            body["name"] = Value::from(name);
        }
        let request = self.core(Method::POST, &format!("/v1/tenants/{tenant}/users"))?;
        read(send(request.json(&body)).await?).await
    }

    /// Makes a key with which a service of the tenant calls the auth service.
    pub(crate) async fn create_service_key(
        &self,
        tenant: &str,
        name: &str,
    ) -> Result<ServiceKey, ClientError> {
        let request = self.core(Method::POST, &format!("/v1/tenants/{tenant}/service-keys"))?;
        read(send(request.json(&json!({ "name": name }))).await?).await
    }

    /// Rotates a tenant's data key and signing key.
    pub(crate) async fn rotate_keys(&self, tenant: &str, algorithm: &str) -> Result<(), ClientError> {
        let request = self.core(Method::POST, &format!("/v1/tenants/{tenant}/keys/rotate"))?;
        send(request.json(&json!({ "alg": algorithm }))).await.map(drop)
    }

    /// The supervision tree below a path.
    pub(crate) async fn tree(&self, prefix: &str, limit: usize) -> Result<TreeSnapshot, ClientError> {
        let query = [("prefix", prefix.to_owned()), ("limit", limit.to_string())];
        read(send(self.auth(Method::GET, "/v1/runtime/tree")?.query(&query)).await?).await
    }

    /// The nodes that are alive, in order of name.
    pub(crate) async fn nodes(&self) -> Result<Vec<Node>, ClientError> {
        let nodes: Nodes = read(send(self.auth(Method::GET, "/v1/runtime/nodes")?).await?).await?;
        Ok(nodes.nodes)
    }

    /// A client of another node, with the same key.
    pub(crate) fn of_node(&self, auth: String) -> Self {
        let services = Services { core: None, auth: Some(auth) };
        Self { http: self.http.clone(), services, key: self.key.clone() }
    }

    /// Whether the service at a base URL can do its work. Needs no key.
    pub(crate) async fn readiness(&self, base: &str) -> Result<Readiness, ClientError> {
        let answer =
            self.http.get(format!("{base}/health/ready")).send().await.map_err(ClientError::unreachable)?;
        read(answer).await
    }
}

async fn send(request: RequestBuilder) -> Result<Response, ClientError> {
    let answer = request.send().await.map_err(ClientError::unreachable)?;
    if answer.status().is_success() { Ok(answer) } else { Err(ClientError::refused(answer).await) }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, ClientError> {
    answer.json().await.map_err(ClientError::unreadable)
}
