//! What a client asks the authorization endpoint for (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
//!
//! It is read in two steps, because a refusal goes to two places: to the user, on a page of ours, while it is not certain
//! where the client is; and to the client once its redirect URI is (RFC 6749 §4.1.2.1).

use super::definition::is_resource;
use super::error::{OAuthCode, OAuthError};
use super::parameters::Parameters;
use super::pkce::{CodeChallenge, S256};
use super::registered::GrantType;
use super::requested_claims::RequestedClaims;
use super::scope::{OFFLINE_ACCESS, OPENID, ScopeSet};
use super::{Client, ClientDefinition};
use crate::id::ClientId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const MOST_RESOURCES: usize = 20;
/// Longest value of `state`, `nonce`, `login_hint`, in bytes.
const LONGEST: usize = 1_024;
const MOST_LOCALES: usize = 10;

/// How an answer travels back (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In its fragment.
    Fragment,
    /// In a form the browser sends there.
    FormPost,
}

impl ResponseMode {
    /// The values of `response_mode` there are.
    pub const ALL: [&'static str; 3] = ["query", "fragment", "form_post"];

    fn of(text: &str) -> Option<Self> {
        [Self::Query, Self::Fragment, Self::FormPost]
            .into_iter()
            .zip(Self::ALL)
            .find(|(_, name)| *name == text)
            .map(|(mode, _)| mode)
    }
}

/// Where the answer goes: certain, so an error may go there too.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// A registered URI of the client, as it was presented.
    pub redirect_uri: String,
    /// How the answer gets there.
    pub response_mode: ResponseMode,
    /// What the client wants back unchanged.
    pub state: Option<String>,
}

/// What the user is to be asked, whatever is known (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Nothing may be asked.
    None,
    /// To sign in.
    Login,
    /// To consent.
    Consent,
    /// Which account to use.
    SelectAccount,
    /// To make an account (Initiating User Registration via OpenID Connect 1.0).
    Create,
}

impl Prompt {
    /// The values of `prompt` there are.
    pub const ALL: [&'static str; 5] = ["none", "login", "consent", "select_account", "create"];

    fn of(text: &str) -> Option<Self> {
        let all = [Self::None, Self::Login, Self::Consent, Self::SelectAccount, Self::Create];
        all.into_iter().zip(Self::ALL).find(|(_, name)| *name == text).map(|(prompt, _)| prompt)
    }
}

/// A request that may be answered. It holds a hint of who the user is: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: ClientId,
    /// Where the answer goes.
    pub destination: Destination,
    /// What is asked for, among what the client may have.
    pub scope: ScopeSet,
    /// Resource servers its tokens are to be meant for (RFC 8707).
    pub resources: Vec<String>,
    /// What the code is bound to.
    pub code_challenge: Option<CodeChallenge>,
    /// Comes back in the ID token.
    pub nonce: Option<String>,
    /// What is to be asked in any case.
    pub prompt: BTreeSet<Prompt>,
    /// Seconds since the user authenticated, at most.
    pub max_age: Option<u32>,
    /// Who the user may be.
    pub login_hint: Option<String>,
    /// An ID token of the user who is meant, not yet believed.
    pub id_token_hint: Option<String>,
    /// Languages the user may like, best first.
    pub ui_locales: Vec<String>,
    /// Claims asked for one by one.
    pub claims: RequestedClaims,
    /// Thumbprint of the key that must come with the code (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
}

const fn refused(code: OAuthCode, description: &'static str) -> OAuthError {
    OAuthError::new(code, description)
}

const fn invalid(description: &'static str) -> OAuthError {
    refused(OAuthCode::InvalidRequest, description)
}

impl Destination {
    /// Where the answer to a client goes, unless that is not certain: then nobody but the user may hear why.
    pub fn of(client: &Client, parameters: &Parameters) -> Result<Self, OAuthError> {
        let presented = parameters.one("redirect_uri")?;
        let presented = presented.ok_or(invalid("redirect_uri is missing"))?;
        if !client.definition.redirect_uris.iter().any(|registered| registered.admits(presented)) {
            return Err(invalid("redirect_uri is none of the client's"));
        }
        // What is wrong with these is said when the request is read.
        let mode = parameters.one("response_mode").ok().flatten().and_then(ResponseMode::of);
        let state = parameters.one("state").ok().flatten().filter(|state| state.len() <= LONGEST);
        Ok(Self {
            redirect_uri: presented.to_owned(),
            response_mode: mode.unwrap_or_default(),
            state: state.map(str::to_owned),
        })
    }
}

impl AuthorizationRequest {
    /// Reads a request of a client whose answer goes there.
    pub fn read(
        client: &Client,
        destination: Destination,
        parameters: &Parameters,
    ) -> Result<Self, OAuthError> {
        parameters.check_once()?;
        refuse_what_is_not_taken(parameters)?;
        check_response(parameters)?;
        let definition = &client.definition;
        if !definition.may_use(GrantType::AuthorizationCode) {
            return Err(refused(
                OAuthCode::UnauthorizedClient,
                "this client has no authorization_code grant",
            ));
        }
        let scope = wanted_scope(definition, parameters.one("scope")?)?;
        let claims = match parameters.one("claims")? {
            Some(text) => RequestedClaims::parse(text)
                .ok_or(invalid("claims is not as in OpenID Connect Core section 5.5"))?,
            None => RequestedClaims::default(),
        };
        Ok(Self {
            client: client.id,
            resources: wanted_resources(definition, parameters)?,
            code_challenge: code_challenge(definition, parameters)?,
            nonce: text(parameters, "nonce", invalid("nonce is longer than 1024 bytes"))?,
            prompt: prompts(parameters.one("prompt")?)?,
            max_age: max_age(parameters.one("max_age")?)?,
            login_hint: text(parameters, "login_hint", invalid("login_hint is longer than 1024 bytes"))?,
            id_token_hint: parameters.one("id_token_hint")?.map(str::to_owned),
            ui_locales: locales(parameters.one("ui_locales")?),
            dpop_jkt: thumbprint(parameters.one("dpop_jkt")?)?,
            scope,
            claims,
            destination,
        })
    }

    /// Whether the user is to be asked this in any case.
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    /// Whether it is one of OpenID Connect: then there is an ID token.
    pub fn is_of_openid(&self) -> bool {
        self.scope.contains(OPENID)
    }
}

fn refuse_what_is_not_taken(parameters: &Parameters) -> Result<(), OAuthError> {
    let not_taken = [
        ("request", refused(OAuthCode::RequestNotSupported, "a request object is not taken here")),
        ("request_uri", refused(OAuthCode::RequestUriNotSupported, "this request_uri is not one of ours")),
        (
            "registration",
            refused(OAuthCode::RegistrationNotSupported, "clients do not register in a request"),
        ),
    ];
    for (name, error) in not_taken {
        if parameters.one(name)?.is_some() {
            return Err(error);
        }
    }
    Ok(())
}

fn check_response(parameters: &Parameters) -> Result<(), OAuthError> {
    match parameters.one("response_type")? {
        Some("code") => {}
        Some(_) => return Err(refused(OAuthCode::UnsupportedResponseType, "the only response_type is code")),
        None => return Err(invalid("response_type is missing")),
    }
    if parameters.one("state")?.is_some_and(|state| state.len() > LONGEST) {
        return Err(invalid("state is longer than 1024 bytes"));
    }
    match parameters.one("response_mode")?.map(ResponseMode::of) {
        Some(None) => Err(invalid("response_mode is one of query, fragment and form_post")),
        Some(Some(_)) | None => Ok(()),
    }
}

/// What is asked for of what the client may have. Scopes that are not understood are ignored (OpenID Connect Core §3.1.2.1),
/// unless nothing else is asked for.
fn wanted_scope(definition: &ClientDefinition, asked: Option<&str>) -> Result<ScopeSet, OAuthError> {
    let Some(asked) = asked else { return Ok(definition.scopes.clone()) };
    let malformed = refused(OAuthCode::InvalidScope, "scope is a list of scopes with one space between them");
    let asked = ScopeSet::of_parameter(asked).ok_or(malformed)?;
    let mut wanted = asked.among(&[&definition.scopes, &ScopeSet::of_users()]);
    if !definition.may_use(GrantType::RefreshToken) {
        wanted.remove(OFFLINE_ACCESS);
    }
    if wanted.is_empty() {
        return Err(refused(OAuthCode::InvalidScope, "this client may ask for none of these scopes"));
    }
    Ok(wanted)
}

fn wanted_resources(
    definition: &ClientDefinition,
    parameters: &Parameters,
) -> Result<Vec<String>, OAuthError> {
    let asked: BTreeSet<&str> = parameters.all("resource").take(MOST_RESOURCES + 1).collect();
    if asked.len() > MOST_RESOURCES || !asked.iter().all(|resource| is_resource(resource)) {
        let detail = "resource is an absolute URI without fragment, given at most 20 times (RFC 8707)";
        return Err(refused(OAuthCode::InvalidTarget, detail));
    }
    let registered = &definition.resources;
    if asked.iter().any(|asked| !registered.iter().any(|known| known == asked)) {
        return Err(refused(
            OAuthCode::InvalidTarget,
            "this client may not ask for tokens for this resource",
        ));
    }
    Ok(asked.into_iter().map(str::to_owned).collect())
}

fn code_challenge(
    definition: &ClientDefinition,
    parameters: &Parameters,
) -> Result<Option<CodeChallenge>, OAuthError> {
    let Some(text) = parameters.one("code_challenge")? else {
        return match (definition.require_pkce, parameters.one("code_challenge_method")?) {
            (true, _) => Err(invalid("code_challenge is missing: this client needs PKCE (RFC 7636)")),
            (false, Some(_)) => Err(invalid("code_challenge_method comes with code_challenge")),
            (false, None) => Ok(None),
        };
    };
    if parameters.one("code_challenge_method")? != Some(S256) {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let malformed = invalid("code_challenge is the base64url of a SHA-256 (RFC 7636 section 4.2)");
    CodeChallenge::parse(text).ok_or(malformed).map(Some)
}

fn text(parameters: &Parameters, name: &str, too_long: OAuthError) -> Result<Option<String>, OAuthError> {
    match parameters.one(name)? {
        Some(text) if text.len() > LONGEST => Err(too_long),
        text => Ok(text.map(str::to_owned)),
    }
}

/// A JWK thumbprint (RFC 7638): 256 bits, base64url.
fn thumbprint(text: Option<&str>) -> Result<Option<String>, OAuthError> {
    let is_one = |text: &str| CodeChallenge::parse(text).is_some();
    match text {
        Some(text) if !is_one(text) => Err(invalid("dpop_jkt is a JWK thumbprint (RFC 9449 section 10)")),
        text => Ok(text.map(str::to_owned)),
    }
}

fn prompts(text: Option<&str>) -> Result<BTreeSet<Prompt>, OAuthError> {
    let unknown = invalid("prompt is none, login, consent, select_account, create, or several but none");
    let read = text.map(|text| text.split(' ').map(Prompt::of).collect::<Option<BTreeSet<_>>>());
    let prompts = match read {
        None => BTreeSet::new(),
        Some(prompts) => prompts.ok_or(unknown)?,
    };
    let is_alone = prompts.len() == 1 || !prompts.contains(&Prompt::None);
    if is_alone { Ok(prompts) } else { Err(unknown) }
}

fn max_age(text: Option<&str>) -> Result<Option<u32>, OAuthError> {
    let malformed = |_| invalid("max_age is a number of seconds");
    text.map(|text| text.parse().map_err(malformed)).transpose()
}

/// A wish, not a requirement: what is no language is passed over.
fn locales(text: Option<&str>) -> Vec<String> {
    let is_tag = |tag: &&str| {
        (2..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.unwrap_or_default().split(' ').filter(is_tag).take(MOST_LOCALES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
