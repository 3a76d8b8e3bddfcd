//! Service accounts: a tenant's services, to which API keys belong.

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{ServiceAccountId, TenantId};
use crate::input::InvalidInput;
use crate::name::DisplayName;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use serde_json::{Value, json};

/// There is no such account in the tenant.
pub const UNKNOWN_SERVICE_ACCOUNT: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_service_account",
    "Unknown service account",
    "there is no service account of this id in the tenant",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_SERVICE_ACCOUNT];

/// A service account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceAccount {
    /// Which.
    pub id: ServiceAccountId,
    /// Whose.
    pub tenant: TenantId,
    /// What it is called.
    pub name: DisplayName,
    /// What it is for, on one line.
    pub description: Option<DisplayName>,
    /// Whether its keys are refused.
    pub disabled: bool,
    /// Grows by one with each change.
    pub version: i64,
}

/// A change (RFC 7396): what is left out stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServiceAccountChange {
    /// What it is called.
    pub name: Option<DisplayName>,
    /// What it is for, or nothing.
    pub description: Option<Option<DisplayName>>,
    /// Whether its keys are refused.
    pub disabled: Option<bool>,
}

impl ServiceAccountChange {
    /// Checks a change.
    pub fn parse(
        name: Option<&str>,
        description: Option<Option<&str>>,
        disabled: Option<bool>,
    ) -> Result<Self, Vec<InvalidInput>> {
        let name = name.map(|name| DisplayName::parse("name", name)).transpose();
        let description = description
            .map(|text| text.map(|text| DisplayName::parse("description", text)).transpose())
            .transpose();
        match (name, description) {
            (Ok(name), Ok(description)) => Ok(Self { name, description, disabled }),
            (name, description) => Err([name.err(), description.err()].into_iter().flatten().collect()),
        }
    }
}

/// A change of service accounts.
#[derive(Debug)]
pub enum ServiceAccountWrite {
    /// A new one.
    Insert {
        /// It.
        account: ServiceAccount,
        /// When.
        at: Timestamp,
    },
    /// What it shall be; its version is the one the decision saw.
    Update {
        /// It.
        account: ServiceAccount,
        /// When it was made.
        created_at: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// It is removed, and its keys are withdrawn.
    Remove {
        /// Which.
        account: ServiceAccountId,
        /// Version the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
}

/// What happened to a service account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServiceAccountEvent {
    /// It was made.
    Created {
        /// Which.
        account: ServiceAccountId,
        /// Whose.
        tenant: TenantId,
    },
    /// Something of it was changed.
    Changed {
        /// Which.
        account: ServiceAccountId,
        /// Whose.
        tenant: TenantId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
        /// Whether its keys are refused now.
        disabled: bool,
    },
    /// It was removed and its keys were withdrawn.
    Deleted {
        /// Which.
        account: ServiceAccountId,
        /// Whose.
        tenant: TenantId,
    },
}

impl ServiceAccountEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "service_account.created",
            Self::Changed { .. } => "service_account.changed",
            Self::Deleted { .. } => "service_account.deleted",
        }
    }

    /// Whether other nodes hold in memory what it changed: whether the account's keys are good.
    pub const fn concerns_other_nodes(&self) -> bool {
        !matches!(self, Self::Created { .. })
    }

    /// What it is about.
    pub fn subject(&self) -> String {
        let (Self::Created { account, .. } | Self::Changed { account, .. } | Self::Deleted { account, .. }) =
            self;
        account.to_string()
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Created { tenant, .. } | Self::Deleted { tenant, .. } => json!({ "tenant": tenant }),
            Self::Changed { tenant, fields, disabled, .. } => {
                json!({ "tenant": tenant, "fields": fields, "disabled": disabled })
            }
        }
    }
}

/// Makes an account.
pub fn create(account: ServiceAccount, now: Timestamp) -> Decision<()> {
    let event = ServiceAccountEvent::Created { account: account.id, tenant: account.tenant };
    decided(ServiceAccountWrite::Insert { account, at: now }, event)
}

/// Changes an account. What is already so is not written again.
pub fn change(
    account: &ServiceAccount,
    created_at: Timestamp,
    change: ServiceAccountChange,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    precondition.check(account.version)?;
    let wanted = ServiceAccount {
        name: change.name.unwrap_or_else(|| account.name.clone()),
        description: change.description.unwrap_or_else(|| account.description.clone()),
        disabled: change.disabled.unwrap_or(account.disabled),
        ..account.clone()
    };
    let changes = [
        ("name", wanted.name != account.name),
        ("description", wanted.description != account.description),
        ("disabled", wanted.disabled != account.disabled),
    ];
    let fields: Vec<_> =
        changes.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect();
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let (id, tenant, disabled) = (account.id, account.tenant, wanted.disabled);
    let event = ServiceAccountEvent::Changed { account: id, tenant, fields, disabled };
    Ok(decided(ServiceAccountWrite::Update { account: wanted, created_at, at: now }, event))
}

/// Removes an account and withdraws its keys.
pub fn delete(account: &ServiceAccount, now: Timestamp) -> Decision<()> {
    let event = ServiceAccountEvent::Deleted { account: account.id, tenant: account.tenant };
    let write =
        ServiceAccountWrite::Remove { account: account.id, expected_version: account.version, at: now };
    decided(write, event)
}

fn decided(write: ServiceAccountWrite, event: ServiceAccountEvent) -> Decision<()> {
    Decision {
        writes: vec![Write::ServiceAccount(write)],
        events: vec![Event::ServiceAccount(event)],
        reply: (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::STALE_VERSION;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(9);

    fn orders() -> ServiceAccount {
        ServiceAccount {
            id: ServiceAccountId::from_uuid(Uuid::from_u128(7)),
            tenant: TenantId::from_uuid(Uuid::from_u128(8)),
            name: DisplayName::parse("name", "orders").expect("valid"),
            description: None,
            disabled: false,
            version: 3,
        }
    }

    #[test]
    fn a_change_says_what_changed_and_whether_keys_are_refused() {
        let wanted = ServiceAccountChange::parse(Some("orders"), Some(Some("takes orders")), Some(true));
        let decision =
            change(&orders(), NOW, wanted.expect("valid"), &Precondition::None, NOW).expect("allowed");
        assert_eq!(decision.events[0].data()["fields"], json!(["description", "disabled"]));
        assert_eq!(decision.events[0].data()["disabled"], true);
        assert!(decision.events[0].concerns_other_nodes());
        let [Write::ServiceAccount(ServiceAccountWrite::Update { account, .. })] = &decision.writes[..]
        else {
            panic!("one update")
        };
        assert_eq!((account.version, account.disabled), (3, true));
    }

    #[test]
    fn what_is_already_so_is_not_written_and_stale_changes_are_refused() {
        let same = || ServiceAccountChange::parse(Some(" orders "), None, Some(false)).expect("valid");
        assert!(change(&orders(), NOW, same(), &Precondition::None, NOW).expect("allowed").writes.is_empty());
        let stale = change(&orders(), NOW, same(), &Precondition::OneOf(vec![2]), NOW);
        assert_eq!(stale.expect_err("stale"), STALE_VERSION);
        let wrong = ServiceAccountChange::parse(Some(""), Some(Some("a\nb")), None).expect_err("refused");
        assert_eq!(wrong.iter().map(|wrong| wrong.field).collect::<Vec<_>>(), ["name", "description"]);
    }
}
