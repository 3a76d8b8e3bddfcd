//! The OpenAPI document, generated from the code, and its explorer.

mod completion;
mod problems;

use crate::config::ListenerName;
use crate::guard::{Guarded, ListenerLoad, RouteContext, Wrapped};
use crate::state::AppState;
use crate::{auth, core, health, hosted};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use std::sync::Arc;
use tower::ServiceExt;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

/// The explorer's own files run in it, and its style sheets are inline.
const EXPLORER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

/// Where a listener of this node is reached.
pub(crate) fn url_of(state: &AppState, listener: ListenerName) -> String {
    let known = state.platform().this_node().urls.get(listener.as_str()).cloned();
    known.unwrap_or_else(|| format!("http://localhost:{}", listener.default_port()))
}

/// What the document says of the API as a whole. Each capability adds its own operations; see [`CAPABILITIES`].
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plinto",
        description = "Multi-tenant identity platform. Paths of a tenant may be prefixed with `/t/{tenant}`. `introspection` and `runtime` are served by the auth service (port 8001), everything else by the Core API (port 8000). Errors are problem details (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(serve),
    modifiers(&Schemes)
)]
struct Api;

/// The operations of each capability.
const CAPABILITIES: &[fn() -> utoipa::openapi::OpenApi] = &[
    core::accounts::Operations::openapi,
    core::sessions::Operations::openapi,
    core::session_lists::Operations::openapi,
    core::session_organization::Operations::openapi,
    core::keys::Operations::openapi,
    core::me::Operations::openapi,
    core::tenants::Operations::openapi,
    core::users::Operations::openapi,
    core::users::imports::Operations::openapi,
    core::audit::Operations::openapi,
    core::retention::Operations::openapi,
    core::holds::Operations::openapi,
    core::consents::Operations::openapi,
    core::subjects::Operations::openapi,
    core::mailbox::Operations::openapi,
    core::api_keys::Operations::openapi,
    core::service_accounts::Operations::openapi,
    core::authorization::Operations::openapi,
    core::access::Operations::openapi,
    core::policies::Operations::openapi,
    core::oauth::Operations::openapi,
    hosted::Operations::openapi,
    core::recovery::Operations::openapi,
    core::passwordless::Operations::openapi,
    core::organizations::Operations::openapi,
    core::organizations::invitations::Operations::openapi,
    core::organizations::domains::Operations::openapi,
    core::organizations::offers::Operations::openapi,
    core::organizations::offer_page::Operations::openapi,
    core::mail_pages::Operations::openapi,
    core::settings::Operations::openapi,
    core::flags::Operations::openapi,
    auth::introspect::Operations::openapi,
    auth::runtime::Operations::openapi,
    auth::nodes::Operations::openapi,
    health::Operations::openapi,
];

fn session_cookie() -> SecurityScheme {
    let description = "Cookie of a browser's session (without `__Host-` where the base URL is http), from \
                       `POST /v1/auth/sign-in` with `mode: cookie`. What changes something also needs the header \
                       `Plinto-CSRF` with the value of the cookie `__Host-plinto-csrf`, and a page of ours.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("__Host-plinto-access", description)))
}

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |description: &str, format: Option<&str>| {
            let mut scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
            if let Some(format) = format {
                scheme = scheme.bearer_format(format);
            }
            SecurityScheme::Http(scheme.build())
        };
        let components = document.components.get_or_insert_with(Default::default);
        for (name, scheme) in [
            ("access_token", bearer("Access token of a session", Some("JWT"))),
            ("platform_key", bearer("API key of an operator: plk_ops_…", None)),
            (
                "service_key",
                bearer("Secret API key of a tenant with the scope the operation asks for: plk_sec_…", None),
            ),
            ("session_cookie", session_cookie()),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// The one route that is not always there.
const FAULT: &str = "/v1/runtime/fault";

/// The OpenAPI 3.1 document. `auth` is where the auth service is reached; the rest is served where the document is.
fn document(auth: &str, fault_injection: bool) -> utoipa::openapi::OpenApi {
    let mut document = Api::openapi();
    for capability in CAPABILITIES {
        document.merge(capability());
    }
    problems::describe(document.components.get_or_insert_default());
    completion::complete(&mut document, &health::routes(), None);
    completion::complete(&mut document, &core::routes(true), None);
    completion::complete(&mut document, &auth::routes(fault_injection), Some(auth));
    if !fault_injection {
        document.paths.paths.remove(FAULT);
    }
    document
}

/// The document as it is sent.
pub(crate) fn render(auth: &str, fault_injection: bool) -> Bytes {
    serde_json::to_vec(&document(auth, fault_injection)).expect("the document is plain JSON").into()
}

/// The OpenAPI document of this version.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "operations", responses((status = 200, body = Object)))]
pub(crate) async fn serve(State(state): State<AppState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], state.openapi())
}

/// The explorer at `/docs`; its files are in the binary.
pub(crate) fn explorer(load: &Arc<ListenerLoad>, state: &AppState) -> Router<AppState> {
    let config = utoipa_swagger_ui::Config::from("/v1/openapi.json").try_it_out_enabled(true);
    let files: Router = Router::from(SwaggerUi::new("/docs").config(config));
    let file = async move |mut request: Request| {
        // What the outer router found in the path is not for this one to find again.
        request.extensions_mut().clear();
        let mut answer = files.oneshot(request).await.into_response();
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, EXPLORER_POLICY);
        answer
    };
    let guarded = Guarded::new(RouteContext::explorer(load, state), Wrapped::new(file));
    ["/docs", "/docs/", "/docs/{*rest}"]
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, get(guarded.clone())))
}
