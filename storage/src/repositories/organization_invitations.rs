//! Invitations to organizations. The address is sealed, and found by the blind index under which it would be an address
//! of a user, so that a user's invitations are found by the user's addresses, and go with them.

use uuid::Uuid;

use super::user_emails;
use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "organization_invitations";

/// A list of invitations of an organization. A condition is added to it.
macro_rules! list {
    ($condition:literal) => {
        concat!(
            "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, user_id, \
             created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
             WHERE tenant_id = $1 AND organization_id = $2 AND invitation_id > $3",
            $condition,
            " ORDER BY invitation_id LIMIT $4"
        )
    };
}

statements! {
    INSERT = "INSERT INTO organization_invitations (tenant_id, organization_id, invitation_id, email_index, email, role, \
              state, token_hash, invited_by, user_id, created_at, sent_at, expires_at, ended_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    RENEW = "UPDATE organization_invitations SET token_hash = $2, sent_at = $3, expires_at = $4, version = version + 1 \
             WHERE tenant_id = $1 AND organization_id = $5 AND invitation_id = $6 AND version = $7";
    END = "UPDATE organization_invitations SET state = $2, user_id = $3, ended_at = $4, token_hash = NULL, \
           version = version + 1 \
           WHERE tenant_id = $1 AND organization_id = $5 AND invitation_id = $6 AND version = $7";
    REMOVE_ALL = "DELETE FROM organization_invitations WHERE tenant_id = $1 AND organization_id = $2";
    REMOVE_TO_USER = "DELETE FROM organization_invitations WHERE tenant_id = $1 AND email_index IN \
                      (SELECT email_index FROM user_emails WHERE tenant_id = $1 AND user_id = $2)";
    GET = "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, user_id, \
           created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
           WHERE tenant_id = $1 AND organization_id = $2 AND invitation_id = $3";
    FIND_BY_TOKEN = "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, \
                     user_id, created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
                     WHERE tenant_id = $1 AND token_hash = $2";
    FIND_PENDING = "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, \
                    user_id, created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
                    WHERE tenant_id = $1 AND organization_id = $2 AND email_index = $3 AND state = 'pending'";
    LIST = list!("");
    LIST_ENDED = list!(" AND state = $5");
    LIST_OPEN = list!(" AND state = 'pending' AND expires_at > $5");
    LIST_EXPIRED = list!(" AND (state = 'expired' OR (state = 'pending' AND expires_at <= $5))");
    TO_ADDRESS = "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, \
                  user_id, created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
                  WHERE tenant_id = $1 AND email_index = $2 AND invitation_id > $3 ORDER BY invitation_id LIMIT $4";
    OPEN_TO_ADDRESS = "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, \
                       user_id, created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
                       WHERE tenant_id = $1 AND email_index = $2 AND invitation_id > $3 AND state = 'pending' \
                       AND expires_at > $5 ORDER BY invitation_id LIMIT $4";
    ACCEPTED_BY = "SELECT organization_id, invitation_id, email_index, email, role, state, token_hash, invited_by, \
                   user_id, created_at, sent_at, expires_at, ended_at, version FROM organization_invitations \
                   WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $2";
    MEMBER_OF_ADDRESS = "SELECT o.user_id FROM user_emails e \
                         JOIN organization_members o ON o.tenant_id = e.tenant_id AND o.user_id = e.user_id \
                         AND o.organization_id = $3 WHERE e.tenant_id = $1 AND e.email_index = $2";
}

/// What became of an invitation. Whether one that is pending has expired says its time.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum InvitationState {
    /// Nobody answered yet.
    Pending,
    /// The person became a member.
    Accepted,
    /// The person does not want to.
    Declined,
    /// It was taken back.
    Revoked,
    /// Its time had passed when another one took its place.
    Expired,
}

impl InvitationState {
    const ALL: [Self; 5] = [Self::Pending, Self::Accepted, Self::Declined, Self::Revoked, Self::Expired];

    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// To which organization.
    pub organization_id: Uuid,
    /// Its id.
    pub invitation_id: Uuid,
    /// Whom, as whoever invited wrote it; sealed at rest.
    pub email: String,
    /// Key of the role.
    pub role: String,
    /// What became of it.
    pub state: InvitationState,
    /// Keyed hash of what is in the mail; gone once it ended.
    pub token_hash: Option<[u8; 32]>,
    /// Who invited: an id.
    pub invited_by: String,
    /// Who accepted.
    pub user_id: Option<Uuid>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// When the last mail was sent, unix milliseconds.
    pub sent_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// When it was accepted, declined or revoked, unix milliseconds.
    pub ended_at: Option<i64>,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for InvitationRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("InvitationRow")
            .field("invitation_id", &self.invitation_id)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The sealed address is bound to the index by which it is found, too.
fn binding(invitation_id: Uuid, index: &[u8; 32]) -> Vec<u8> {
    [invitation_id.as_bytes().as_slice(), index].concat()
}

/// Adds an invitation; `normalized` is the form by which the address is found. One that is pending for the same address
/// is `Unique(constraint::PENDING_INVITATION)`.
pub fn insert(vault: &TenantVault, normalized: &str, row: &InvitationRow) -> Statement {
    let index = user_emails::index(vault, normalized);
    let email = vault.seal(TABLE, &binding(row.invitation_id, &index), "email", row.email.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.organization_id.into(),
            row.invitation_id.into(),
            index.into(),
            email.into(),
            row.role.as_str().into(),
            row.state.as_str().into(),
            row.token_hash.into(),
            row.invited_by.as_str().into(),
            row.user_id.into(),
            row.created_at.into(),
            row.sent_at.into(),
            row.expires_at.into(),
            row.ended_at.into(),
            row.version.into(),
        ],
    )
}

/// Which invitation a change is of, and the version it must still have; otherwise the conflict `invitation_version`.
#[derive(Copy, Clone, Debug)]
pub struct InvitationAt {
    /// Of which organization.
    pub organization_id: Uuid,
    /// Which.
    pub invitation_id: Uuid,
    /// The version the caller saw.
    pub expected_version: i64,
}

/// Gives a pending invitation a new token and a new life.
pub fn renew(tenant: Uuid, at: InvitationAt, token_hash: [u8; 32], now: i64, expires_at: i64) -> Statement {
    Statement::new(
        RENEW,
        vec![
            tenant.into(),
            token_hash.into(),
            now.into(),
            expires_at.into(),
            at.organization_id.into(),
            at.invitation_id.into(),
            at.expected_version.into(),
        ],
    )
    .expecting(1, "invitation_version")
}

/// Ends a pending invitation; its token is forgotten.
pub fn end(
    tenant: Uuid,
    at: InvitationAt,
    state: InvitationState,
    user_id: Option<Uuid>,
    now: i64,
) -> Statement {
    Statement::new(
        END,
        vec![
            tenant.into(),
            state.as_str().into(),
            user_id.into(),
            now.into(),
            at.organization_id.into(),
            at.invitation_id.into(),
            at.expected_version.into(),
        ],
    )
    .expecting(1, "invitation_version")
}

/// Removes all invitations to an organization that goes too.
pub fn remove_all(tenant: Uuid, organization_id: Uuid) -> Statement {
    Statement::new(REMOVE_ALL, vec![tenant.into(), organization_id.into()])
}

/// Removes all invitations to the addresses of a user who goes; the addresses must still be there.
pub fn remove_to_user(tenant: Uuid, user_id: Uuid) -> Statement {
    Statement::new(REMOVE_TO_USER, vec![tenant.into(), user_id.into()])
}

/// One invitation.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    invitation_id: Uuid,
) -> Result<Option<InvitationRow>, StorageError> {
    let params = vec![vault.tenant().into(), organization_id.into(), invitation_id.into()];
    Ok(read(engine, vault, Statement::new(GET, params)).await?.pop())
}

/// The invitation whose mail has the token of this hash.
pub async fn find_by_token(
    engine: &dyn Engine,
    vault: &TenantVault,
    token_hash: [u8; 32],
) -> Result<Option<InvitationRow>, StorageError> {
    let params = vec![vault.tenant().into(), token_hash.into()];
    Ok(read(engine, vault, Statement::new(FIND_BY_TOKEN, params)).await?.pop())
}

/// The pending invitation of an address to an organization, whether or not it has expired.
pub async fn find_pending(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    normalized: &str,
) -> Result<Option<InvitationRow>, StorageError> {
    let index = user_emails::index(vault, normalized);
    let params = vec![vault.tenant().into(), organization_id.into(), index.into()];
    Ok(read(engine, vault, Statement::new(FIND_PENDING, params)).await?.pop())
}

/// Which invitations of an organization.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ListedInvitations {
    /// All of them.
    All,
    /// Those that can be accepted at this time, in unix milliseconds.
    Open(i64),
    /// Those whose time has passed.
    Expired(i64),
    /// Those that ended like this.
    Ended(InvitationState),
}

/// Invitations to an organization in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    which: ListedInvitations,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<InvitationRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let mut params = vec![vault.tenant().into(), organization_id.into(), after.into(), limit.into()];
    let text = match which {
        ListedInvitations::All => LIST,
        ListedInvitations::Open(now) => {
            params.push(now.into());
            LIST_OPEN
        }
        ListedInvitations::Expired(now) => {
            params.push(now.into());
            LIST_EXPIRED
        }
        ListedInvitations::Ended(state) => {
            params.push(state.as_str().into());
            LIST_ENDED
        }
    };
    read(engine, vault, Statement::new(text, params)).await
}

/// Invitations to an address in order of id, after `after`, at most `limit`: all of them, or those that are open at a
/// time.
pub async fn to_address(
    engine: &dyn Engine,
    vault: &TenantVault,
    normalized: &str,
    open_at: Option<i64>,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<InvitationRow>, StorageError> {
    let (index, after) = (user_emails::index(vault, normalized), after.unwrap_or(Uuid::nil()));
    let mut params = vec![vault.tenant().into(), index.into(), after.into(), limit.into()];
    params.extend(open_at.map(Into::into));
    let text = if open_at.is_some() { OPEN_TO_ADDRESS } else { TO_ADDRESS };
    read(engine, vault, Statement::new(text, params)).await
}

/// Invitations a user accepted.
pub async fn accepted_by(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Vec<InvitationRow>, StorageError> {
    read(engine, vault, Statement::new(ACCEPTED_BY, vec![vault.tenant().into(), user_id.into()])).await
}

/// The member of an organization who has an address. One look-up, whether or not anybody has it.
pub async fn member_of_address(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    normalized: &str,
) -> Result<Option<Uuid>, StorageError> {
    let index = user_emails::index(vault, normalized);
    let params = vec![vault.tenant().into(), index.into(), organization_id.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(MEMBER_OF_ADDRESS, params)).await?;
    let user = |row| Columns::of("organization_members", row).uuid("user_id");
    rows.into_iter().next().map(user).transpose()
}

async fn read(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Vec<InvitationRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<InvitationRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let (organization_id, invitation_id) = (columns.uuid("organization_id")?, columns.uuid("invitation_id")?);
    let index = columns.bytes32("email_index")?;
    Ok(InvitationRow {
        organization_id,
        invitation_id,
        email: columns.sealed_text(vault, &binding(invitation_id, &index), "email")?,
        role: columns.text("role")?,
        state: columns.named("state", InvitationState::parse)?,
        token_hash: columns.maybe_bytes32("token_hash")?,
        invited_by: columns.text("invited_by")?,
        user_id: columns.maybe_uuid("user_id")?,
        created_at: columns.int("created_at")?,
        sent_at: columns.int("sent_at")?,
        expires_at: columns.int("expires_at")?,
        ended_at: columns.maybe_int("ended_at")?,
        version: columns.int("version")?,
    })
}
