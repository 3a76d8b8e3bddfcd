//! Sessions as their users, and those who administer them, see them.

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use crate::places::Place;
use crate::session::last_seen;
use plinto_domain::id::OrganizationId;
use plinto_domain::{SessionId, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::sessions::{self, SessionRow};
use std::fmt;

/// What kind of thing a session was begun with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceKind {
    /// A desktop or laptop computer.
    Computer,
    /// A telephone or tablet.
    Mobile,
    /// A television, console or the like.
    Appliance,
    /// No person: a library, a robot.
    Program,
    /// It does not say.
    Unknown,
}

/// What a session was begun with, as its User-Agent says; anybody may say anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// What kind.
    pub kind: DeviceKind,
    /// The browser, with its version if it says so.
    pub browser: Option<String>,
    /// The operating system, with its version if it says so.
    pub system: Option<String>,
}

impl Device {
    fn of(user_agent: Option<&str>) -> Self {
        let unknown = Self { kind: DeviceKind::Unknown, browser: None, system: None };
        let parser = woothee::parser::Parser::new();
        let Some(said) = user_agent.and_then(|text| parser.parse(text)) else { return unknown };
        let kind = match said.category {
            "pc" => DeviceKind::Computer,
            "smartphone" | "mobilephone" => DeviceKind::Mobile,
            "appliance" => DeviceKind::Appliance,
            "crawler" | "misc" => DeviceKind::Program,
            _ => DeviceKind::Unknown,
        };
        Self { kind, browser: named(said.name, said.version), system: named(said.os, &said.os_version) }
    }
}

/// A name with its version, of which either may not be known.
fn named(name: &str, version: &str) -> Option<String> {
    let is_known = |text: &&str| !text.is_empty() && !text.eq_ignore_ascii_case("unknown");
    let name = Some(name).filter(is_known)?;
    Some(
        Some(version).filter(is_known).map_or_else(|| name.to_owned(), |version| format!("{name} {version}")),
    )
}

/// A live session.
#[derive(Clone)]
pub struct SessionView {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What it was begun with.
    pub device: Device,
    /// Where from.
    pub address: Option<String>,
    /// Roughly where that is, if places are known.
    pub place: Option<Place>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last seen, to a quarter of an hour.
    pub last_seen_at: Timestamp,
    /// When its user last authenticated.
    pub authenticated_at: Timestamp,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// The organization it is active in.
    pub organization: Option<OrganizationId>,
    /// Whether the list was asked for in it.
    pub is_current: bool,
}

impl fmt::Debug for SessionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Platform {
    /// Live sessions of the user an access token speaks for, newest first, those before `after`, at most `limit`.
    pub async fn my_sessions(
        &self,
        tenant: TenantId,
        token: &str,
        after: Option<SessionId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<SessionView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let verified = self.authorize(work.cell(), token, deadline).await?;
        work.live_sessions(verified.user, Some(verified.session), after, limit).await
    }

    /// Live sessions of a user, newest first, those before `after`, at most `limit`.
    pub async fn sessions_of(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<SessionId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<SessionView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_row(user).await?;
        work.live_sessions(user, None, after, limit).await
    }
}

impl Work {
    async fn live_sessions(
        &self,
        user: UserId,
        current: Option<SessionId>,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionView>, ServiceError> {
        let (now, after) = (self.now().as_millis(), after.map(SessionId::uuid));
        let list =
            || sessions::list_live_for_user(self.engine(), self.vault(), user.uuid(), now, limit, after);
        let rows = self.read(list).await?;
        Ok(rows.into_iter().map(|row| self.session_view(row, current)).collect())
    }

    fn session_view(&self, row: SessionRow, current: Option<SessionId>) -> SessionView {
        let last_seen_at = last_seen(&row);
        let id = SessionId::from_uuid(row.session_id);
        let client = row.client.unwrap_or_default();
        let address = client.address.as_deref().and_then(|address| address.parse().ok());
        SessionView {
            id,
            user: UserId::from_uuid(row.user_id),
            device: Device::of(client.user_agent.as_deref()),
            place: address.and_then(|address| self.environment().places().place_of(address)),
            address: client.address,
            created_at: Timestamp::from_millis(row.created_at),
            last_seen_at,
            authenticated_at: Timestamp::from_millis(row.authenticated_at),
            amr: row.amr,
            expires_at: Timestamp::from_millis(row.expires_at.min(row.idle_expires_at)),
            organization: row
                .organization
                .filter(|active| active.until.is_none_or(|until| self.now().as_millis() < until))
                .map(|active| OrganizationId::from_uuid(active.organization_id)),
            is_current: current == Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_by_their_user_agent() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let device = Device::of(Some(firefox));
        assert_eq!(device.kind, DeviceKind::Computer);
        assert_eq!(device.browser.as_deref(), Some("Firefox 140.0"));
        assert_eq!(device.system.as_deref(), Some("Linux"));
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
        let device = Device::of(Some(iphone));
        assert_eq!((device.kind, device.system.as_deref()), (DeviceKind::Mobile, Some("iPhone 17.5")));
        for nothing in [None, Some(""), Some("\u{fffd}\u{0}{{}}"), Some("plinto-suite/1")] {
            let device = Device::of(nothing);
            assert_eq!((device.kind, device.browser), (DeviceKind::Unknown, None), "{nothing:?}");
        }
    }
}
