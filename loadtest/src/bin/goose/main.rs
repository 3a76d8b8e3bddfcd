//! `plinto-goose`: people who sign up, sign in, are introspected, refresh and sign out, against a running server.
//!
//! `plinto-goose --host http://127.0.0.1:8000 --users 8 --run-time 30s`, with `PLINTO_AUTH_HOST` (default
//! `http://127.0.0.1:8001`), `PLINTO_TENANT` (default `demo`) and `PLINTO_SERVICE_KEY` in the environment.
//!
//! Every person comes from the same address: raise `PLINTO_LIMITS__ADDRESS_BURST` of the server, or the scenario
//! measures the limiter.

mod person;

use goose::prelude::*;
use mimalloc::MiMalloc;
use person::{introspect, refresh, sign_in, sign_out, sign_up};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    GooseAttack::initialize()?
        .register_scenario(
            scenario!("person")
                .register_transaction(transaction!(sign_up).set_name("sign up").set_on_start())
                .register_transaction(transaction!(sign_in).set_name("sign in").set_sequence(1))
                .register_transaction(
                    transaction!(introspect).set_name("introspect").set_sequence(2).set_weight(20)?,
                )
                .register_transaction(transaction!(refresh).set_name("refresh").set_sequence(3))
                .register_transaction(transaction!(sign_out).set_name("sign out").set_sequence(4)),
        )
        .execute()
        .await?;
    Ok(())
}
