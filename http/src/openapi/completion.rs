//! What the document says of an operation because of its row in the authorization table: answers of the guard and of
//! what reads requests, the tenant's header, the port. Handlers document what is theirs alone.

use super::problems::reference;
use crate::guard::budgets;
use crate::routes::{Access, Repeating, Route, Tenancy};
use axum::http::{Method, StatusCode};
use std::collections::BTreeSet;
use utoipa::Number;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Required, Response, Server, Type};

/// Completes the operations of these rows.
pub(super) fn complete(document: &mut OpenApi, rows: &[Route], server: Option<&str>) {
    for route in rows {
        let operation =
            document.paths.paths.get_mut(route.path).and_then(|item| operation_of(item, &route.method));
        let Some(operation) = operation else { continue };
        answers(operation, route);
        plain_body(operation);
        if budgets::are_told(route.access) {
            budget_headers(operation);
        }
        bounded_pages(operation);
        if route.tenancy == Tenancy::Selected {
            let text = "Tenant, unless the path, the host name or the credential names it";
            header(operation, "Plinto-Tenant", text, ObjectBuilder::new());
        }
        if route.repeating == Repeating::OnceByKey {
            let text = "A string of your own for this request, such as a UUID: sent again with it within a day, the request takes effect once and is answered as the first time";
            let key = ObjectBuilder::new().min_length(Some(1)).max_length(Some(255));
            header(operation, "Idempotency-Key", text, key.pattern(Some("^[!#-\\[\\]-~]+$")));
        }
        if route.access == Access::AccessToken {
            let by_cookie = SecurityRequirement::new("session_cookie", Vec::<String>::new());
            operation.security.get_or_insert_default().push(by_cookie);
        }
        if let Some(url) = server {
            operation.servers = Some(vec![Server::new(url)]);
        }
    }
}

/// What answers say of the caller's rate limit. Problems are references to one text each and do not repeat it.
fn budget_headers(operation: &mut Operation) {
    let headers = [
        (
            &budgets::POLICY,
            "Your rate limit: requests at once (`q`), and the seconds in which it renews itself (`w`)",
        ),
        (&budgets::LEFT, "What is left of it: requests (`r`), and seconds until it is whole again (`t`)"),
    ];
    for answer in operation.responses.responses.values_mut() {
        let RefOr::T(answer) = answer else { continue };
        for (name, description) in headers {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new().schema(Some(text)).description(Some(description)).build();
            answer.headers.insert(name.as_str().to_owned(), header.into());
        }
    }
}

fn operation_of<'i>(item: &'i mut PathItem, method: &Method) -> Option<&'i mut Operation> {
    match *method {
        Method::GET => item.get.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::PUT => item.put.as_mut(),
        Method::PATCH => item.patch.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        _ => None,
    }
}

/// Problems that this operation can answer with, whatever its handler does.
fn answers(operation: &mut Operation, route: &Route) {
    let mut statuses = BTreeSet::from([StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE]);
    if route.access != Access::Public {
        statuses.insert(StatusCode::UNAUTHORIZED);
    }
    if route.access == Access::AccessToken && !route.method.is_safe() {
        statuses.insert(StatusCode::FORBIDDEN);
    }
    if matches!(route.access, Access::Manage(_) | Access::PlatformKey | Access::Metrics) {
        statuses.insert(StatusCode::FORBIDDEN);
    }
    if route.tenancy == Tenancy::Selected {
        statuses.extend([StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::TOO_MANY_REQUESTS]);
    }
    if route.path.contains('{') {
        statuses.insert(StatusCode::NOT_FOUND);
    }
    if operation.request_body.is_some() {
        statuses.extend([
            StatusCode::BAD_REQUEST,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]);
    }
    if route.repeating == Repeating::OnceByKey {
        statuses.extend([StatusCode::BAD_REQUEST, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY]);
    }
    let parameters = operation.parameters.iter().flatten();
    let is_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query);
    if parameters.into_iter().any(is_query) {
        statuses.insert(StatusCode::BAD_REQUEST);
    }
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if is_problem(response) {
            *response = RefOr::Ref(reference(status));
        }
    }
    for status in statuses {
        let status = status.as_str();
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::Ref(reference(status)));
    }
}

/// A body that may be left out is no body that may be `null`.
fn plain_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema else { continue };
        let only = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned();
        if let Some(only) = only.filter(|_| choice.items.len() == 2) {
            content.schema = Some(only);
            body.required = Some(Required::False);
        }
    }
}

/// Lists have pages of a bounded size; see [`crate::pages`].
fn bounded_pages(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.name != "limit" || parameter.parameter_in != ParameterIn::Query {
            continue;
        }
        if let Some(RefOr::T(Schema::Object(limit))) = &mut parameter.schema {
            limit.minimum = Some(Number::from(1_u32));
            limit.maximum.get_or_insert(Number::from(crate::pages::LARGEST));
        }
    }
}

/// Whether a handler's documentation says `body = Problem`.
fn is_problem(response: &RefOr<Response>) -> bool {
    let RefOr::T(response) = response else { return false };
    let mut schemas = response.content.values().filter_map(|content| match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    });
    schemas.any(|schema| matches!(schema, RefOr::Ref(to) if to.ref_location.ends_with("/schemas/Problem")))
}

/// Adds an optional header to those an operation takes, unless its handler documents it.
fn header(operation: &mut Operation, name: &str, description: &str, schema: ObjectBuilder) {
    let parameters = operation.parameters.get_or_insert_default();
    let is_it = |known: &Parameter| known.name.eq_ignore_ascii_case(name);
    if parameters.iter().any(|parameter| matches!(parameter, RefOr::T(known) if is_it(known))) {
        return;
    }
    let header = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema.schema_type(Type::String)))
        .build();
    parameters.push(RefOr::T(header));
}
