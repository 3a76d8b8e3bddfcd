//! (o): what users granted: refreshes through the tenant's ledger against raw SQLite group commit, and whole flows.

use super::ledger::WRITERS;
use super::raw_ledger::RawLedger;
use crate::rig::accounts::{PASSWORD, add_accounts, email};
use crate::rig::instance::{Instance, Tenant, now, roomy};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings};
use futures::future::try_join_all;
use plinto_actors::runtime::Deadline;
use plinto_actors::{
    Begun, Browser, ClientAuthentication, ClientContext, ClientProof, IssuedTokens, Limits, Next, Platform,
    ServiceError,
};
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{
    ClientChange, ClientDefinition, CodePresented, IdTokenAlgorithm, Parameters, TokenWish,
};
use std::time::Duration;
use tokio::time::Instant;

const CALLBACK: &str = "https://app.example.com/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application with a user who is signed in.
struct Stage {
    platform: Platform,
    tenant: TenantId,
    client_id: String,
    secret: String,
    browser: Browser,
    context: ClientContext,
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

impl Stage {
    async fn of(instance: &Instance, tenant: &Tenant) -> Result<Self, BenchError> {
        let wanted = ClientChange {
            name: Some("app".to_owned()),
            redirect_uris: Some(vec![CALLBACK.to_owned()]),
            first_party: Some(true),
            id_token_signed_response_alg: Some(IdTokenAlgorithm::EdDSA),
            ..ClientChange::default()
        };
        let definition = ClientDefinition::of(wanted).expect("it is valid");
        let (platform, id) = (instance.platform.clone(), tenant.id);
        let made = platform.create_client(id, definition, Actor::System, deadline()).await?;
        let context = ClientContext::default();
        let address = email(0);
        let signed_in = platform.sign_in(id, address.as_str(), PASSWORD, context.clone(), deadline()).await?;
        let (ticket, _) = platform.ticket(id, signed_in.session, deadline()).await?;
        let browser = platform.browser(id, &[ticket.expose()], deadline()).await?;
        let secret = made.secret.expect("a confidential client has one").to_string();
        Ok(Self {
            platform,
            tenant: id,
            client_id: made.view.client.id.to_string(),
            secret,
            browser,
            context,
        })
    }

    fn client(&self) -> ClientAuthentication<'_> {
        ClientAuthentication {
            client_id: Some(&self.client_id),
            proof: ClientProof::Secret(&self.secret),
            possession: None,
            context: &self.context,
        }
    }

    /// From the request to the tokens.
    async fn tokens(&self) -> Result<IssuedTokens, ServiceError> {
        let pairs = [
            ("client_id", self.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = Parameters::of(pairs).expect("few");
        let begun = self.platform.begin_authorization(self.tenant, &parameters, deadline()).await?;
        let Begun::Interaction(interaction) = begun else { panic!("the request is good") };
        let next = self.platform.advance(self.tenant, &interaction, &self.browser, deadline()).await?;
        let Next::Answered(answer) = next else { panic!("nobody has to be asked") };
        let code = answer.result.expect("a code");
        let presented = CodePresented { redirect_uri: Some(CALLBACK), code_verifier: Some(VERIFIER) };
        let (client, wish) = (self.client(), TokenWish::default());
        let redeemed =
            self.platform.redeem_code(self.tenant, client, code.expose(), presented, wish, deadline());
        Ok(redeemed.await?.expect("tokens"))
    }

    /// One whole flow.
    async fn flow(&self) -> Result<(), ServiceError> {
        let tokens = self.tokens().await?;
        let learned = self.platform.user_info(self.tenant, &tokens.access_token, None, deadline()).await?;
        assert!(learned.expect("who it is").contains_key("email"));
        Ok(())
    }

    async fn next(&self, tokens: &IssuedTokens) -> Result<IssuedTokens, ServiceError> {
        let token = tokens.refresh_token.as_ref().expect("there is one").expose();
        let (client, wish) = (self.client(), TokenWish::default());
        let next = self.platform.refresh_tokens(self.tenant, client, token, wish, deadline()).await?;
        Ok(next.expect("the next ones"))
    }
}

/// Refreshes a second, by callers that each wait for their own.
async fn refreshes(stage: &Stage, span: Duration) -> Result<f64, BenchError> {
    let begun = try_join_all((0..WRITERS).map(|_| stage.tokens())).await?;
    let start = Instant::now();
    let callers = begun.into_iter().map(|mut tokens| async move {
        let mut done = 0_u64;
        while start.elapsed() < span {
            tokens = stage.next(&tokens).await?;
            done += 1;
        }
        Ok::<_, ServiceError>(done)
    });
    let done: u64 = try_join_all(callers).await?.into_iter().sum();
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

/// Flows a second, by callers that each wait for their own.
async fn flows(stage: &Stage, span: Duration) -> Result<f64, BenchError> {
    let start = Instant::now();
    let callers = (0..WRITERS).map(|_| async move {
        let mut done = 0_u64;
        while start.elapsed() < span {
            stage.flow().await?;
            done += 1;
        }
        Ok::<_, ServiceError>(done)
    });
    let done: u64 = try_join_all(callers).await?.into_iter().sum();
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

/// Measures (o).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let per_round: u64 = if settings.quick { 6_400 } else { 32_000 };
    let limits = Limits { verified_tokens: 400_000, ..roomy() };
    let instance = Instance::start(&folder.path().join("data"), limits).await?;
    let tenant = instance.tenant("alpha").await?;
    add_accounts(&**instance.store.engine(), &tenant.vault, 0..1, now()).await?;
    let stage = Stage::of(&instance, &tenant).await?;
    let mut raw = RawLedger::open(&folder.path().join("raw.db"), per_round)?;
    let (mut refreshed, mut flown) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        let baseline = raw.run(settings.span).await?;
        refreshed.push(Round { baseline, ours: refreshes(&stage, settings.span).await? });
        flown.push(Round { baseline, ours: flows(&stage, settings.span).await? });
    }
    drop(stage);
    instance.stop().await;
    Ok(vec![
        Measurement::ratio(
            "o.1",
            "refreshes of grants / raw group commit, 64 writers",
            "1/s",
            refreshed,
            Some(Bar::AtLeast(0.50)),
        )
        .note("beside the write, each reads the grant, asks the session, signs an access and an ID token"),
        Measurement::ratio(
            "o.2",
            "authorization + code + tokens + UserInfo / raw group commit",
            "1/s",
            flown,
            None,
        )
        .note("two durable units each, with a live session, in process"),
    ])
}
