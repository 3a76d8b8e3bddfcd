//! (l): users read, listed, signed up, looked up among a thousand and a million, and imported.

use super::bare;
use super::imports;
use super::sign_in;
use crate::rig::accounts::{PASSWORD, add_accounts, email, live_sessions, user_id};
use crate::rig::cpu::process_time;
use crate::rig::instance::{Instance, Tenant, now, roomy};
use crate::rig::load::{Load, Pace, Plan, run as generate};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::requests::{self, Request};
use crate::rig::{BenchError, Settings};
use plinto_actors::ApiKeyWish;
use plinto_domain::Timestamp;
use plinto_domain::api_key::ApiKeyKind;
use plinto_http::ListenerName;
use plinto_runtime::Deadline;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// Users who are read in turn, each with a live session.
const READ: u64 = 512;
/// Users on a page of a list.
const PAGE: u64 = 100;
/// Sizes of the tenants users are looked up in; the second a thousandth of it for a quick look.
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// Users added in one transaction while a tenant is filled.
const FILLED_AT_ONCE: u64 = 5_000;
/// Look-ups a second: few enough that nothing queues, so that what is measured is a look-up.
const LOOK_UPS: f64 = 500.0;
/// Different users among those looked up: far more than are remembered.
const LOOKED_UP: u64 = 50_000;
/// Connections that sign up: as many as sign in, in (c).
const SIGNING_UP: usize = 8;
/// A hash takes tens of milliseconds, so a round needs some seconds to count in.
const LEAST_SIGN_UP: Duration = Duration::from_secs(4);
const WARM_UP: Duration = Duration::from_millis(500);

/// A tenant, and a key that may read its users and add some.
pub(super) struct Scene {
    pub(super) instance: Instance,
    pub(super) tenant: Tenant,
    pub(super) key: String,
    epoch: Timestamp,
}

impl Scene {
    async fn set(settings: &Settings, users: u64) -> Result<(Self, tempfile::TempDir), BenchError> {
        let folder = settings.fresh_dir()?;
        let instance = Instance::serve(&folder.path().join("data"), roomy()).await?;
        let tenant = instance.tenant("alpha").await?;
        let epoch = now();
        for first in (0..users).step_by(FILLED_AT_ONCE as usize) {
            let some = first..users.min(first + FILLED_AT_ONCE);
            add_accounts(&**instance.store.engine(), &tenant.vault, some, epoch).await?;
        }
        let operator = instance.platform.issue_platform_key("benchmark").await?.text;
        let operator = instance.platform.authenticate(&operator).await?;
        let wish = ApiKeyWish {
            kind: ApiKeyKind::Secret,
            name: "users".to_owned(),
            scopes: vec!["users:read".to_owned(), "users:write".to_owned()],
            expires_at: None,
            account: None,
        };
        let deadline = Deadline::after(Duration::from_secs(10));
        let key = instance.platform.issue_api_key(tenant.id, wish, &operator, deadline).await?.text;
        Ok((Self { instance, tenant, key, epoch }, folder))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.instance.address(ListenerName::Core)
    }

    fn user(&self, number: u64) -> Request {
        requests::get_as(&self.key, &format!("/v1/users/{}", user_id(self.epoch, number)))
    }
}

fn closed(address: SocketAddr, requests: Vec<Request>, connections: usize, span: Duration) -> Plan {
    Plan { addresses: Arc::new([address]), requests: requests.into(), connections, pace: Pace::Closed, span }
}

async fn measure(plan: &Plan, what: &str) -> Result<Load, BenchError> {
    generate(plan.clone()).await?.all_served(what)
}

/// Measures (l).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let (scene, _folder) = Scene::set(settings, READ.max(FEW)).await?;
    let mut done = reads(&scene, settings).await?;
    done.push(pages(&scene, settings).await?);
    done.push(sign_ups(&scene, settings).await?);
    scene.instance.stop().await;
    done.extend(look_ups(settings).await?);
    Ok(done)
}

/// A user read by a service and users who read themselves, against axum and one ractor call.
async fn reads(scene: &Scene, settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let (platform, engine) = (&scene.instance.platform, scene.instance.store.engine());
    let tokens = live_sessions(platform, &**engine, &scene.tenant, READ, scene.epoch).await?;
    let me = tokens.iter().map(|token| requests::get_as(token, "/v1/users/me")).collect();
    let by_id = (0..READ).map(|number| scene.user(number)).collect();
    let ractor = bare::json_with_ractor().await?;
    let plans = [
        ("the route with a ractor call", ractor.address, vec![requests::get(bare::PATH)]),
        ("a user read by id", scene.address(), by_id),
        ("users who read themselves", scene.address(), me),
    ]
    .map(|(what, address, requests)| (what, closed(address, requests, CONNECTIONS, settings.span)));
    for (what, plan) in &plans {
        measure(&Plan { span: WARM_UP, ..plan.clone() }, what).await?;
    }
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..settings.rounds {
        let mut rates = Vec::new();
        for (what, plan) in &plans {
            rates.push(measure(plan, what).await?.rate());
        }
        for (ours, rounds) in rates[1..].iter().zip(&mut rounds) {
            rounds.push(Round { baseline: rates[0], ours: *ours });
        }
    }
    let [by_id, me] = rounds;
    let bar = Some(Bar::AtLeast(0.70));
    Ok(vec![
        Measurement::ratio("l.1", "user read by id / axum + one ractor call", "1/s", by_id, bar),
        Measurement::ratio("l.2", "GET /v1/users/me / axum + one ractor call", "1/s", me, bar),
    ])
}

/// Processor time of the whole process, load generator included, per page of sealed names and addresses.
async fn pages(scene: &Scene, settings: &Settings) -> Result<Measurement, BenchError> {
    let request = requests::get_as(&scene.key, &format!("/v1/users?limit={PAGE}"));
    let plan = closed(scene.address(), vec![request], 1, settings.span);
    measure(&Plan { span: WARM_UP, ..plan.clone() }, "a page of users").await?;
    let mut millis = Vec::new();
    for _ in 0..settings.rounds {
        let before = process_time();
        let pages = measure(&plan, "a page of users").await?.latency.len();
        millis.push((process_time() - before).as_secs_f64() * 1_000.0 / pages as f64);
    }
    let name = format!("processor time of a page of {PAGE} users");
    let note = "the load generator's time is in it".to_owned();
    Ok(Measurement::absolute("l.3", &name, "ms", &millis, Some(Bar::AtMost(1.0))).note(note))
}

/// Accounts made over HTTP, each with an address of its own, against nothing but argon2id on all cores.
async fn sign_ups(scene: &Scene, settings: &Settings) -> Result<Measurement, BenchError> {
    let span = if settings.quick { settings.span } else { settings.span.max(LEAST_SIGN_UP) };
    // No machine of two cores hashes so many.
    let most = (span.as_secs_f64() * 1_000.0) as u64;
    let mut rounds = Vec::new();
    for round in 0..settings.rounds as u64 {
        let baseline = sign_in::raw(span).await?;
        let new = (0..most).map(|number| email(10 * MANY + round * most + number));
        let requests = new.map(|email| requests::sign_up(&scene.tenant.slug, &email, PASSWORD)).collect();
        let load = generate(closed(scene.address(), requests, SIGNING_UP, span)).await?;
        if !load.statuses.keys().eq([202].iter()) {
            return Err(BenchError::Invalid(format!("sign-ups were answered with {:?}", load.statuses)));
        }
        rounds.push(Round { baseline, ours: load.count(202) as f64 / load.elapsed.as_secs_f64() });
    }
    let name = "sign-ups / raw argon2id on the same cores";
    Ok(Measurement::ratio("l.4", name, "1/s", rounds, Some(Bar::AtLeast(0.90))))
}

/// p99 of look-ups by id and by address in a tenant of a thousand users and in one of a million.
async fn look_ups(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let many = if settings.quick { MANY / 20 } else { MANY };
    let (few, _few_folder) = Scene::set(settings, FEW).await?;
    let begun = tokio::time::Instant::now();
    let (full, _full_folder) = Scene::set(settings, many).await?;
    let filling = many as f64 / begun.elapsed().as_secs_f64();
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..settings.rounds {
        let small = p99s(&few, FEW, settings.span).await?;
        let large = p99s(&full, many, settings.span).await?;
        for ((baseline, ours), rounds) in small.into_iter().zip(large).zip(&mut rounds) {
            rounds.push(Round { baseline, ours });
        }
    }
    let imported = imports::measure(&full, settings).await?;
    few.instance.stop().await;
    full.instance.stop().await;
    let [by_id, by_email] = rounds;
    let bar = Some(Bar::AtMost(1.5));
    let named = |what: &str| format!("p99 of a look-up by {what}, {many} users / {FEW}");
    let note = format!("filled with {filling:.0} users/s, straight into storage");
    Ok(vec![
        Measurement::ratio("l.5", &named("id"), "ms", by_id, bar).note(note),
        Measurement::ratio("l.6", &named("address"), "ms", by_email, bar),
        imported,
    ])
}

async fn p99s(scene: &Scene, users: u64, span: Duration) -> Result<[f64; 2], BenchError> {
    // Spread over the whole tenant, whatever its size.
    let numbers = || (0..LOOKED_UP).map(|turn| turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % users);
    let by_email = |number| {
        requests::get_as(&scene.key, &format!("/v1/users?email={}", email(number).replace('@', "%40")))
    };
    let mut p99s = [0.0; 2];
    let kinds: [Vec<Request>; 2] =
        [numbers().map(|number| scene.user(number)).collect(), numbers().map(by_email).collect()];
    for (requests, p99) in kinds.into_iter().zip(&mut p99s) {
        let plan = closed(scene.address(), requests, SIGNING_UP, span);
        let plan = Plan { pace: Pace::PerSecond(LOOK_UPS), ..plan };
        let load = measure(&plan, "a look-up").await?;
        *p99 = load.latency.value_at_quantile(0.99) as f64 / 1_000.0;
    }
    Ok(p99s)
}
