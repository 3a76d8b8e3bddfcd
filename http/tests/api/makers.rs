//! What the tests over all routes need of each: things its path and body name, and a good body.
//!
//! **You added a route and a test sent you here?** Add a line to [`Street::make`] for a path parameter or for a member of
//! a body that names something of a tenant, or to [`Street::member`] for a member whose value must have a certain form.

use crate::app::{Answer, PASSWORD, TestApp, Tokens, request, tokens};
use crate::authorization_code::{register, sign_in};
use crate::user_agent::UserAgent;
use axum::http::header;
use plinto_domain::api_scope::ApiScopes;
use plinto_http::ListenerName;
use plinto_http::routes::{Access, Route, Tenancy, table};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// Two tenants: `demo`, where things are made, and `other`, from which they must not be reached.
pub(crate) struct Street<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) document: Value,
    /// Somebody of `demo`.
    pub(crate) ada: Tokens,
    /// Somebody of `other`.
    pub(crate) eve: Tokens,
    pub(crate) other_id: String,
    /// A key of `other`'s services, with every right there is.
    pub(crate) other_key: String,
    serial: AtomicU32,
}

/// A request to a route that names things of `demo`, without tenant and credentials.
pub(crate) struct Sketch {
    pub(crate) method: String,
    /// The pattern with things of `demo` for its parameters.
    pub(crate) path: String,
    /// Good for the route, and naming things of `demo`; none for routes without a body.
    pub(crate) body: Option<Value>,
    pub(crate) media: String,
    /// Whether the path names a thing, besides a tenant.
    pub(crate) names_a_thing: bool,
    /// Whether the body does.
    pub(crate) body_names_a_thing: bool,
}

impl<'a> Street<'a> {
    pub(crate) async fn of(app: &'a TestApp) -> Self {
        let (other_id, _) = app.another_tenant("other").await;
        let scopes: Vec<String> = ApiScopes::all().iter().map(|scope| scope.to_string()).collect();
        let body = json!({ "name": "all", "scopes": scopes });
        let made =
            app.core("POST", "/t/other/v1/api-keys", Some(&app.platform_key), Some(body)).await.expect(201);
        let other_key = made.json()["key"].as_str().unwrap().to_owned();
        let ada = app.user("ada@example.com").await;
        let body = json!({ "email": "eve@example.com", "password": PASSWORD });
        app.core("POST", "/t/other/v1/auth/sign-up", None, Some(body)).await.expect(202);
        let eve = tokens(&app.try_sign_in("other", "eve@example.com", PASSWORD).await.expect(200));
        let document = app.core("GET", "/v1/openapi.json", None, None).await.expect(200).json();
        Self { app, document, ada, eve, other_id, other_key, serial: AtomicU32::new(0) }
    }

    fn serial(&self) -> u32 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes a thing in `demo` and gives its name in paths and bodies: one line for each kind. `before` is the pattern
    /// up to the parameter, or the whole pattern for a member of the body.
    async fn make(&self, before: &str, name: &str, made: &BTreeMap<String, String>) -> Option<String> {
        Some(match (before, name) {
            (_, "tenant") => "demo".into(),
            ("/v1/tenants/", "id") => self.app.tenant.to_string(),
            ("/v1/audit/events/", "seq") => self.audit_entry().await,
            // The mailbox of development belongs to nobody.
            ("/v1/dev/mailbox/", "id") => self.mail().await,
            ("/v1/platform/api-keys/", "id") => {
                self.app.state.platform().issue_platform_key("made").await.unwrap().id.to_string()
            }
            (path, "user") if path.ends_with("/members/") => self.member_of(&made["organization"]).await,
            (_, "organization") => self.organization().await,
            (path, "from") if path.ends_with("/transfer-ownership") => self.ada.user.clone(),
            (path, "to") if path.ends_with("/transfer-ownership") => {
                self.member_of(&made["organization"]).await
            }
            ("/v1/users/me/invitations/", "invitation") => self.invitation_to_ada().await,
            ("/v1/users/invitations/", "invitation") => self.user_invitation().await,
            (_, "invitation") => self.invitation(&made["organization"], &self.new_address()).await,
            (path, "domain") if path.ends_with("/domains/") => self.domain(&made["organization"]).await,
            ("/v1/organizations", "owner") => self.user().await,
            (_, "user" | "user_id") => self.user().await,
            (_, "session") => self.app.sign_in("ada@example.com").await.session,
            ("/v1/api-keys/", "key") => self.app.secret_key(&["users:read"]).await.0,
            (_, "account") => self.service_account().await,
            ("/v1/clients/" | "/t/{tenant}/oauth2/register/", "client") => self.client().await,
            ("/v1/users/me/applications/", "client") => self.application(&self.ada.user).await,
            ("/v1/users/{user}/applications/", "client") => self.application(&made["user"]).await,
            ("/v1/grants", "subject") => self.user().await,
            ("/v1/roles/", "role") => self.role().await,
            ("/v1/flags/", "flag") => self.flag().await,
            ("/v1/policies/versions/", "version") => self.policy_version().await,
            ("/v1/grants/", "grant") => self.grant().await,
            (_, "import") => self.import().await,
            ("/v1/users/imports/{import}/lines/", "first") => "1".into(),
            ("/v1/users/{user}/emails/", "email") => self.email(&made["user"]).await,
            _ => return None,
        })
    }

    /// A good value for a member of a body that names nothing: one line for each that must have a certain form.
    fn member(&self, _route: &str, name: &str) -> Option<Value> {
        Some(match name {
            "email" => json!(self.new_address()),
            "invitations" => json!([{ "email": self.new_address(), "role": "member" }]),
            "domain" => json!(format!("new-{}.example", self.serial())),
            "password" => json!(PASSWORD),
            "key" => json!(format!("key-{}", self.serial())),
            "until" => json!(1_800_000_060_000_i64),
            // Nobody's: a test that got in would change the password the others sign in with.
            "current_password" => json!("quite another password"),
            "slug" => json!(format!("slug-{}", self.serial())),
            "refresh_token" => json!(self.ada.refresh),
            "path" => json!(format!("/tenants/{}", self.app.tenant)),
            _ => return None,
        })
    }

    /// An entry further on than the ledger of `other` is.
    async fn audit_entry(&self) -> String {
        self.user().await;
        let page = self.app.manage("GET", "/v1/audit/events?limit=1", None).await.expect(200).json();
        page["items"][0]["seq"].to_string()
    }

    async fn mail(&self) -> String {
        self.app.sign_up("ada@example.com").await.expect(202);
        self.app.mail("ada@example.com", "already_registered").await.mail.to_string()
    }

    async fn user(&self) -> String {
        let body = json!({ "email": format!("new-{}@example.com", self.serial()), "password": PASSWORD });
        let path = format!("/v1/tenants/{}/users", self.app.tenant);
        let made = self.app.core("POST", &path, Some(&self.app.platform_key), Some(body)).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn user_invitation(&self) -> String {
        let made = self.app.invite_user(&format!("new-{}@example.com", self.serial())).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn service_account(&self) -> String {
        let body = Some(json!({ "name": "made" }));
        let made = self.app.manage("POST", "/v1/service-accounts", body).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// An application the user lets have something.
    async fn application(&self, user: &str) -> String {
        let email = self.app.manage("GET", &format!("/v1/users/{user}"), None).await.expect(200).json();
        let client = register(self.app, json!({})).await;
        let mut agent = UserAgent::default();
        let page = agent.open(self.app, &client.address(&[])).await;
        let page = sign_in(self.app, &mut agent, &page, email["email"].as_str().unwrap()).await;
        agent.submit(self.app, &page, &[("decision", "allow")]).await;
        client.id
    }

    /// One that Ada owns.
    async fn organization(&self) -> String {
        self.app.organization(&format!("slug-{}", self.serial()), &self.ada.user).await
    }

    async fn member_of(&self, organization: &str) -> String {
        let user = self.user().await;
        self.app.join(organization, &user, "member").await.expect(201);
        user
    }

    async fn import(&self) -> String {
        let made = self.app.manage("POST", "/v1/users/imports", Some(json!({}))).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    fn new_address(&self) -> String {
        format!("new-{}@example.com", self.serial())
    }

    async fn invitation(&self, organization: &str, email: &str) -> String {
        let path = format!("/v1/organizations/{organization}/invitations");
        let made = self.app.manage("POST", &path, Some(json!({ "email": email }))).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// One to an organization that is not hers.
    async fn invitation_to_ada(&self) -> String {
        let emails = format!("/v1/users/{}/emails", self.ada.user);
        let email = self.app.manage("GET", &emails, None).await.expect(200).json()["items"][0]["id"].clone();
        let proved = format!("{emails}/{}/mark-verified", email.as_str().unwrap());
        self.app.manage("POST", &proved, None).await.expect(200);
        let organization =
            self.app.organization(&format!("slug-{}", self.serial()), &self.user().await).await;
        self.invitation(&organization, "ada@example.com").await
    }

    async fn domain(&self, organization: &str) -> String {
        let path = format!("/v1/organizations/{organization}/domains");
        let body = json!({ "domain": format!("new-{}.example", self.serial()) });
        let made = self.app.manage("POST", &path, Some(body)).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn role(&self) -> String {
        let body = json!({ "key": format!("role-{}", self.serial()), "name": "A role" });
        let made = self.app.manage("POST", "/v1/roles", Some(body)).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn policy_version(&self) -> String {
        let body = json!({ "schema": "entity user;", "policies": "" });
        let made = self.app.manage("POST", "/v1/policies/versions", Some(body)).await.expect(201);
        made.json()["version"].to_string()
    }

    async fn client(&self) -> String {
        let made =
            self.app.manage("POST", "/v1/clients", Some(json!({ "name": "a client" }))).await.expect(201);
        made.json()["client_id"].as_str().unwrap().to_owned()
    }

    async fn flag(&self) -> String {
        let key = format!("flag-{}", self.serial());
        let body = json!({ "key": key, "type": "boolean" });
        self.app.manage("POST", "/v1/flags", Some(body)).await.expect(201);
        key
    }

    async fn grant(&self) -> String {
        let body = json!({ "subject": self.user().await, "permission": "document:read" });
        let made = self.app.manage("POST", "/v1/grants", Some(body)).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn email(&self, user: &str) -> String {
        let body = json!({ "email": format!("new-{}@example.com", self.serial()) });
        let made = self.app.manage("POST", &format!("/v1/users/{user}/emails"), Some(body)).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Every documented route.
    pub(crate) fn routes(&self) -> Vec<(ListenerName, Route)> {
        let of = |listener| table(listener, &self.app.state).into_iter().map(move |route| (listener, route));
        [ListenerName::Core, ListenerName::Auth].into_iter().flat_map(of).collect()
    }

    pub(crate) async fn sketch(&self, route: &Route) -> Sketch {
        let (mut path, mut made) = (String::new(), BTreeMap::new());
        let mut names_a_thing = false;
        let mut rest = route.path;
        while let Some((plain, after)) = rest.split_once('{') {
            path.push_str(plain);
            let (name, after) = after.split_once('}').unwrap();
            let before = &route.path[..route.path.len() - rest.len() + plain.len()];
            let value = self.make(before, name, &made).await;
            let value = value.unwrap_or_else(|| {
                panic!("{}: how is {{{name}}} made? Add a line to Street::make in {}", route.path, file!())
            });
            names_a_thing |= !matches!(name, "tenant" | "id");
            path.push_str(&value);
            made.insert(name.to_owned(), value);
            rest = after;
        }
        path.push_str(rest);
        let operation = &self.document["paths"][route.path][route.method.as_str().to_lowercase()];
        let content = operation["requestBody"]["content"].as_object();
        let (mut body, mut body_names_a_thing, mut media) = (None, false, String::new());
        if let Some((kind, described)) = content.and_then(|content| content.iter().next()) {
            media.clone_from(kind);
            let mut good = Map::new();
            let members = self.members(&described["schema"]);
            for (name, member) in members.iter().filter(|(_, member)| member.required) {
                let value = match self.make(route.path, name, &made).await {
                    Some(thing) => {
                        body_names_a_thing = true;
                        json!(thing)
                    }
                    None => self.member(route.path, name).unwrap_or_else(|| self.example(&member.schema)),
                };
                good.insert(name.clone(), value);
            }
            body = Some(Value::Object(good));
        }
        let method = route.method.as_str().to_owned();
        Sketch { method, path, body, media, names_a_thing, body_names_a_thing }
    }

    /// Sends a sketched request, as JSON or as a form, whatever the route takes.
    pub(crate) async fn send(
        &self,
        listener: ListenerName,
        sketch: &Sketch,
        path: &str,
        bearer: Option<&str>,
    ) -> Answer {
        let mut request = request(&sketch.method, path, bearer, sketch.body.clone());
        if sketch.media == "application/x-www-form-urlencoded" {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in sketch.body.as_ref().and_then(Value::as_object).unwrap() {
                form.append_pair(name, value.as_str().unwrap_or_default());
            }
            *request.body_mut() = form.finish().into();
        }
        if sketch.body.is_some() {
            request.headers_mut().insert(header::CONTENT_TYPE, sketch.media.parse().unwrap());
        }
        self.app.send(listener, request).await
    }

    /// A credential of `demo` that the route accepts.
    pub(crate) fn credential(&self, route: &Route) -> Option<&str> {
        match route.access {
            Access::Public => None,
            Access::AccessToken => Some(&self.ada.access),
            Access::ApiKey | Access::Manage(_) | Access::PlatformKey | Access::Metrics => {
                Some(&self.app.platform_key)
            }
        }
    }

    /// The members a body of this schema may have.
    pub(crate) fn members(&self, schema: &Value) -> BTreeMap<String, Member> {
        let schema = self.resolved(schema);
        let mut members = BTreeMap::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            members.extend(self.members(part));
        }
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            members.insert(name.clone(), Member { required: required(name), schema: member.clone() });
        }
        members
    }

    /// The schema itself: references followed, `null` left out of a choice, the first of what remains.
    fn resolved<'v>(&'v self, schema: &'v Value) -> &'v Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.resolved(self.document.pointer(&reference[1..]).unwrap());
        }
        let choices = ["oneOf", "anyOf"].into_iter().filter_map(|choice| schema[choice].as_array()).flatten();
        let chosen = choices.into_iter().find(|choice| choice["type"] != "null");
        chosen.map_or(schema, |chosen| self.resolved(chosen))
    }

    /// A value of this schema: its example, or the simplest one.
    fn example(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        let given = [&schema["example"], &schema["examples"][0], &schema["default"], &schema["enum"][0]];
        if let Some(given) = given.into_iter().find(|value| !value.is_null()) {
            return given.clone();
        }
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object");
        match kind {
            "string" => json!("example"),
            "boolean" => json!(true),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "array" => json!([self.example(&schema["items"])]),
            _ => {
                let members = self.members(schema).into_iter().filter(|(_, member)| member.required);
                members.map(|(name, member)| (name, self.example(&member.schema))).collect()
            }
        }
    }
}

/// A member of a body.
pub(crate) struct Member {
    pub(crate) required: bool,
    schema: Value,
}

/// A path as it is under a tenant, for routes that select one.
pub(crate) fn under(tenant: &str, route: &Route, path: &str) -> String {
    match route.tenancy {
        Tenancy::Selected => format!("/t/{tenant}{path}"),
        Tenancy::None => path.to_owned(),
    }
}
