//! (m): whether somebody may do something, asked in the process by one caller, so on one core.

use crate::rig::accounts::{add_accounts, user_id};
use crate::rig::instance::{Instance, Tenant, now, roomy};
use crate::rig::numbers::{Round, median};
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings};
use plinto_actors::{CheckRequest, Circumstances, GrantDraft, NewPolicyVersion, Platform, RoleOrPermission};
use plinto_domain::audit::Actor;
use plinto_domain::authorization::{Permission, Place, Question, Subject};
use plinto_domain::policy::{PolicySource, SchemaSource};
use plinto_domain::precondition::Precondition;
use plinto_runtime::Deadline;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;
use tokio::time::Instant;

/// Users who are asked about in turn.
const USERS: u64 = 512;
/// Checks of one caller on one core.
const BAR: Bar = Bar::AtLeast(200_000.0);
const WARM_UP: Duration = Duration::from_millis(200);
/// Checks between two looks at the clock.
const AT_ONCE: u64 = 512;
const SCHEMA: &str = "entity organization; entity role;
    entity user in [organization, role] { metadata?: { plan?: String } };
    entity document in [organization] { public?: Bool, size?: Long };
    action read, write appliesTo { principal: user, resource: document, context: { mfa?: Bool } };";
/// One permits what is asked here, and one could forbid it.
const POLICIES: &str = r#"
    permit(principal, action == Action::"read", resource) when { resource has public && resource.public };
    permit(principal in role::"editor", action == Action::"write", resource);
    permit(principal, action, resource) when { principal has metadata.plan && principal.metadata.plan == "gold" };
    forbid(principal == user::"usr_nobody", action, resource);
    forbid(principal, action == Action::"write", resource) unless { context has mfa && context.mfa };"#;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// What is asked beside the question, check by check.
type Properties = fn(u64) -> Option<Map<String, Value>>;

fn nothing(_: u64) -> Option<Map<String, Value>> {
    None
}

fn public(_: u64) -> Option<Map<String, Value>> {
    json!({ "public": true }).as_object().cloned()
}

/// Never the same twice, so that nobody can have kept the answer.
fn always_new(turn: u64) -> Option<Map<String, Value>> {
    json!({ "public": true, "size": turn }).as_object().cloned()
}

struct Scene {
    instance: Instance,
    tenant: Tenant,
    users: Vec<Subject>,
}

impl Scene {
    async fn set(settings: &Settings) -> Result<(Self, tempfile::TempDir), BenchError> {
        let folder = settings.fresh_dir()?;
        let instance = Instance::start(&folder.path().join("data"), roomy()).await?;
        let tenant = instance.tenant("alpha").await?;
        let epoch = now();
        add_accounts(&**instance.store.engine(), &tenant.vault, 0..USERS, epoch).await?;
        let users: Vec<_> = (0..USERS).map(|number| Subject::User(user_id(epoch, number))).collect();
        let read = Permission::parse("permission", "document:read").expect("a permission");
        for subject in &users {
            let (subject, place) = (*subject, Place::Tenant);
            let what = RoleOrPermission::Permission(read.clone());
            let draft = GrantDraft { subject, what, place, expires_at: None };
            instance.platform.create_grant(tenant.id, draft, Actor::System, soon()).await?;
        }
        Ok((Self { instance, tenant, users }, folder))
    }

    fn platform(&self) -> &Platform {
        &self.instance.platform
    }

    async fn activate_policies(&self) -> Result<(), BenchError> {
        let schema = SchemaSource::Text(SCHEMA.to_owned());
        let source = PolicySource { schema, policies: POLICIES.to_owned() };
        let new = NewPolicyVersion { source, note: String::new() };
        let (platform, tenant) = (self.platform(), self.tenant.id);
        let version = platform.create_policy_version(tenant, new, Actor::System, soon()).await?.version;
        let any = Precondition::None;
        platform.activate_policy_version(tenant, Some(version), any, Actor::System, soon()).await?;
        Ok(())
    }

    /// Checks a second.
    async fn rate(&self, beside: Properties, span: Duration) -> Result<f64, BenchError> {
        let (begun, mut turn) = (Instant::now(), 0_u64);
        while begun.elapsed() < span {
            let deadline = soon();
            for _ in 0..AT_ONCE {
                let properties = beside(turn);
                let subject = self.users.get((turn % USERS) as usize).copied();
                let question = Question { action: "read", kind: "document", id: "1", organization: None };
                let circumstances =
                    Circumstances { resource: properties.as_ref(), ..Circumstances::default() };
                let request = CheckRequest { subject, question, circumstances };
                if !self.platform().check(self.tenant.id, request, deadline).await? {
                    return Err(BenchError::Invalid("who may read was told otherwise".to_owned()));
                }
                turn += 1;
            }
        }
        Ok(turn as f64 / begun.elapsed().as_secs_f64())
    }
}

/// Look-ups a second of as many users in a hash map.
fn look_ups(users: &[Subject], span: Duration) -> f64 {
    let known: HashMap<Subject, bool> = users.iter().map(|user| (*user, true)).collect();
    let (begun, mut turn) = (Instant::now(), 0_u64);
    while begun.elapsed() < span {
        for _ in 0..AT_ONCE {
            let subject = &users[(turn % USERS) as usize];
            assert!(black_box(known.get(black_box(subject)).copied().unwrap_or(false)));
            turn += 1;
        }
    }
    turn as f64 / begun.elapsed().as_secs_f64()
}

/// Measures (m).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let (scene, _folder) = Scene::set(settings).await?;
    let mut done = vec![measure(&scene, settings, ("m.1", "checks of what is granted"), nothing).await?];
    scene.activate_policies().await?;
    done.push(measure(&scene, settings, ("m.2", "checks beside five policies"), nothing).await?);
    let name = ("m.3", "checks beside five policies, with a property");
    done.push(measure(&scene, settings, name, public).await?);
    let name = ("m.4", "checks beside five policies, with a property that is always new");
    // What was never asked before has to be evaluated, each time.
    done.push(measure(&scene, settings, name, always_new).await?.told());
    scene.instance.stop().await;
    Ok(done)
}

async fn measure(
    scene: &Scene,
    settings: &Settings,
    (id, name): (&str, &str),
    beside: Properties,
) -> Result<Measurement, BenchError> {
    scene.rate(beside, WARM_UP).await?;
    let mut rounds = Vec::new();
    for _ in 0..settings.rounds {
        let baseline = look_ups(&scene.users, settings.span);
        let ours = scene.rate(beside, settings.span).await?;
        rounds.push(Round { baseline, ours });
    }
    let rates: Vec<f64> = rounds.iter().map(|round| round.ours).collect();
    let note = format!("{:.4} of look-ups in a hash map", median(rounds.iter().map(Round::ratio)));
    Ok(Measurement::absolute(id, name, "1/s", &rates, Some(BAR)).note(note))
}
