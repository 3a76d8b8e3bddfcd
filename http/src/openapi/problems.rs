//! The catalogue of problems in the document: an example of each code, and a reusable response for each status.

use crate::problem::{Kind, MEDIA_TYPE, Problem, catalogue};
use axum::http::{StatusCode, header};
use std::collections::BTreeMap;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Components, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};

/// The reusable response of a status.
pub(super) fn reference(status: &str) -> Ref {
    Ref::new(format!("#/components/responses/problem_{status}"))
}

/// Adds the catalogue.
pub(super) fn describe(components: &mut Components) {
    let mut by_status: BTreeMap<StatusCode, Vec<Kind>> = BTreeMap::new();
    for kind in catalogue::all() {
        let mut problem = Problem::of(kind);
        if kind == catalogue::INVALID_FIELDS {
            problem = problem.with_field("email", "invalid_email", "is not an e-mail address");
        }
        let value = serde_json::to_value(problem).expect("problems are plain JSON");
        let example =
            ExampleBuilder::new().summary(kind.title).description(kind.detail).value(Some(value)).build();
        components.examples.insert(kind.code.to_owned(), RefOr::T(example));
        by_status.entry(kind.status).or_default().push(kind);
    }
    name_the_codes(components);
    for (status, kinds) in by_status {
        components
            .responses
            .insert(format!("problem_{}", status.as_str()), RefOr::T(response(status, &kinds)));
    }
}

/// So that a client, and the test with schemathesis, knows every code.
fn name_the_codes(components: &mut Components) {
    let Some(RefOr::T(Schema::Object(problem))) = components.schemas.get_mut("Problem") else { return };
    if let Some(RefOr::T(Schema::Object(code))) = problem.properties.get_mut("code") {
        code.enum_values = Some(catalogue::all().map(|kind| kind.code.into()).collect());
    }
}

fn response(status: StatusCode, kinds: &[Kind]) -> Response {
    let mut content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    for kind in kinds {
        let example = Ref::new(format!("#/components/examples/{}", kind.code));
        content = content.examples_from_iter([(kind.code, RefOr::Ref(example))]);
    }
    let codes: Vec<_> = kinds.iter().map(|kind| format!("`{}`", kind.code)).collect();
    let reason = status.canonical_reason().unwrap_or("Problem");
    let mut response = ResponseBuilder::new()
        .description(format!("{reason}: {}", codes.join(", ")))
        .content(MEDIA_TYPE, content.build());
    for (name, description) in headers_of(status) {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new().schema(Some(text)).description(Some(*description)).build();
        response = response.header(name.as_str(), header);
    }
    response.build()
}

fn headers_of(status: StatusCode) -> &'static [(header::HeaderName, &'static str)] {
    const RETRY: (header::HeaderName, &str) = (header::RETRY_AFTER, "Seconds after which to try again");
    match status {
        StatusCode::UNAUTHORIZED => {
            &[(header::WWW_AUTHENTICATE, "How to authenticate (RFC 9110 §11.6.1, RFC 6750 §3)")]
        }
        StatusCode::METHOD_NOT_ALLOWED => &[(header::ALLOW, "Methods of this path")],
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => &[RETRY],
        _ => &[],
    }
}
