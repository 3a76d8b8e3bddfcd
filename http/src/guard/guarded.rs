//! A handler with the guard round it, as one handler: a layer would cost each request another boxed service, another
//! boxed future, and a copy of the request into each.

use super::{RouteContext, run};
use crate::state::AppState;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use std::pin::Pin;
use std::sync::Arc;

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Functions that are handlers, whose futures axum boxes already.
pub(crate) trait BoxedHandler<T>: Handler<T, AppState, Future = Answering> {}

impl<T, H: Handler<T, AppState, Future = Answering>> BoxedHandler<T> for H {}

/// A handler that may be any.
pub(crate) struct Wrapped(Box<dyn Fn(Request, AppState) -> Answering + Send + Sync>);

impl Wrapped {
    pub(crate) fn new<T>(handler: impl BoxedHandler<T>) -> Self {
        Self(Box::new(move |request, state| handler.clone().call(request, state)))
    }

    pub(super) fn call(&self, request: Request, state: AppState) -> Answering {
        (self.0)(request, state)
    }
}

/// What a guarded handler consists of.
pub(super) struct Inner {
    pub(super) context: RouteContext,
    pub(super) handler: Wrapped,
}

/// A handler under guard. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Guarded(Arc<Inner>);

impl Guarded {
    pub(crate) fn new(context: RouteContext, handler: Wrapped) -> Self {
        Self(Arc::new(Inner { context, handler }))
    }
}

/// Marks the one way [`Guarded`] is a handler.
pub(crate) enum Whole {}

impl Handler<Whole, AppState> for Guarded {
    type Future = Answering;

    fn call(self, request: Request, state: AppState) -> Answering {
        Box::pin(run(state, self.0, request))
    }
}
