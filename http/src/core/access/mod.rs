//! Decisions: the OpenID AuthZEN Authorization API 1.0 (final, 11 January 2026), and why they are as they are.
//!
//! Requests, answers and status codes are the standard's: members it does not know are ignored, a request that is wrong
//! is answered 400, a denial is an answer of 200. Error bodies are problem details, as everywhere.

mod entities;
mod evaluation;
mod explain;
mod metadata;
pub(super) mod rulings;
mod search;

pub(super) use evaluation::EvaluationBody;

use super::authorization::READ;
use crate::routes::{Access, Route};
use axum::http::Method;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(
        evaluation::evaluate,
        evaluation::evaluate_all,
        search::subjects,
        search::resources,
        search::actions,
        metadata::by_inserted_path,
        metadata::under_tenant,
        explain::explain
    ),
    tags((name = "decisions", description = "OpenID AuthZEN Authorization API 1.0: may somebody do something?"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    let post = |row: Route| row.of_tenant().echoing_request_id();
    vec![
        post(Route::new(Method::POST, "/access/v1/evaluation", READ, evaluation::evaluate))
            .timed_by_its_calls(),
        post(Route::new(Method::POST, "/access/v1/evaluations", READ, evaluation::evaluate_all)),
        post(Route::new(Method::POST, "/access/v1/search/subject", READ, search::subjects)),
        post(Route::new(Method::POST, "/access/v1/search/resource", READ, search::resources)),
        post(Route::new(Method::POST, "/access/v1/search/action", READ, search::actions)),
        Route::new(
            Method::GET,
            "/.well-known/authzen-configuration/t/{tenant}",
            Access::Public,
            metadata::by_inserted_path,
        )
        .echoing_request_id(),
        Route::new(
            Method::GET,
            "/t/{tenant}/.well-known/authzen-configuration",
            Access::Public,
            metadata::under_tenant,
        )
        .echoing_request_id(),
        Route::new(Method::GET, "/v1/authz/explain", READ, explain::explain).of_tenant(),
    ]
}
