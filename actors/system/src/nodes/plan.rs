use crate::session::SessionKey;
use plinto_domain::authorization::Subject;
use plinto_domain::id::OrganizationId;
use plinto_domain::{SessionId, TenantId, UserId};
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// What changes made elsewhere ask of this node. The same change twice asks for nothing more.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Sessions to read again.
    pub(super) sessions: HashSet<SessionKey>,
    /// Users whose sessions are to be read again.
    pub(super) users: BTreeSet<(TenantId, UserId)>,
    /// Subjects whose rights and attributes are to be read again.
    pub(super) subjects: BTreeSet<(TenantId, Subject)>,
    /// Organizations that are gone: sessions that are active in them are to be read again.
    pub(super) organizations: BTreeSet<(TenantId, OrganizationId)>,
    /// Tenants whose roles are to be read again.
    pub(super) roles: BTreeSet<TenantId>,
    /// Tenants whose flags are to be read again.
    pub(super) flags: BTreeSet<TenantId>,
    /// Tenants whose policies are to be read again.
    pub(super) policies: BTreeSet<TenantId>,
    /// Tenants to load again.
    pub(super) tenants: BTreeSet<TenantId>,
    /// Tenants that were deleted.
    pub(super) deleted: BTreeSet<TenantId>,
    /// Whether API keys were made or withdrawn.
    pub(super) api_keys: bool,
    /// Changes read.
    pub(super) changes: u64,
}

impl Plan {
    /// Adds a change in the ledger of `scope` (nil for the platform). Events this version does not know, of nodes that
    /// run a newer one, ask for nothing.
    pub(super) fn add(&mut self, scope: Uuid, event: &str, subject: &str) {
        self.changes += 1;
        let understood = match event {
            "session.revoked" | "session.organization_changed" => {
                subject.parse::<SessionId>().is_ok_and(|session| {
                    self.sessions.insert(SessionKey { tenant: TenantId::from_uuid(scope), session });
                    true
                })
            }
            "user.sessions_revoked" => subject.parse::<UserId>().is_ok_and(|user| {
                self.users.insert((TenantId::from_uuid(scope), user));
                true
            }),
            "grant.created" | "grant.deleted" => Subject::parse_id(subject).is_some_and(|subject| {
                self.subjects.insert((TenantId::from_uuid(scope), subject));
                true
            }),
            "organization.member.added"
            | "user.changed"
            | "user.email_added"
            | "user.email_proved"
            | "user.email_removed"
            | "user.email_verified"
            | "user.erased"
            | "user.primary_email_changed"
            | "user.purged" => subject.parse::<UserId>().is_ok_and(|user| {
                self.subjects.insert((TenantId::from_uuid(scope), Subject::User(user)));
                true
            }),
            // Sessions may be active in the organization.
            "organization.member.removed" | "organization.member.role_changed" => {
                subject.parse::<UserId>().is_ok_and(|user| {
                    let tenant = TenantId::from_uuid(scope);
                    self.subjects.insert((tenant, Subject::User(user)));
                    self.users.insert((tenant, user));
                    true
                })
            }
            // Whoever was a member has lost what membership gave.
            "organization.deleted" => subject.parse::<OrganizationId>().is_ok_and(|organization| {
                let tenant = TenantId::from_uuid(scope);
                self.roles.insert(tenant);
                self.organizations.insert((tenant, organization));
                true
            }),
            "role.created" | "role.changed" | "role.deleted" => {
                self.roles.insert(TenantId::from_uuid(scope));
                true
            }
            "flag.created" | "flag.changed" | "flag.deleted" => {
                self.flags.insert(TenantId::from_uuid(scope));
                true
            }
            "policy.activated" => {
                self.policies.insert(TenantId::from_uuid(scope));
                true
            }
            "tenant.signing_key.rotated" => {
                self.tenants.insert(TenantId::from_uuid(scope));
                true
            }
            "tenant.changed" | "tenant.data_key.rotated" => subject.parse().is_ok_and(|tenant| {
                self.tenants.insert(tenant);
                true
            }),
            "tenant.deleted" => subject.parse().is_ok_and(|tenant| {
                self.deleted.insert(tenant);
                // Its keys were withdrawn with it.
                self.api_keys = true;
                true
            }),
            "api_key.issued"
            | "api_key.revoked"
            | "api_key.rotated"
            | "service_account.changed"
            | "service_account.deleted" => {
                self.api_keys = true;
                true
            }
            _ => true,
        };
        if !understood {
            tracing::warn!(%scope, event, "the subject of a change is not understood and is left out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_domain::ClientId;
    use plinto_domain::api_key::ApiKeyEvent;
    use plinto_domain::audit::Event;
    use plinto_domain::authorization::{AuthorizationEvent, RoleKey};
    use plinto_domain::flag::{FlagEvent, FlagKey};
    use plinto_domain::id::{AuthorizationId, GrantId, ImportId, OrganizationId, RoleId};
    use plinto_domain::mail::MailEvent;
    use plinto_domain::oauth::OAuthEvent;
    use plinto_domain::organization::OrganizationEvent;
    use plinto_domain::policy::PolicyEvent;
    use plinto_domain::privacy::PrivacyEvent;
    use plinto_domain::recovery::RecoveryEvent;
    use plinto_domain::service_account::ServiceAccountEvent;
    use plinto_domain::session::{OrganizationChange, RevocationReason, SessionEvent};
    use plinto_domain::user::event::{Happening, UserEvent};
    use plinto_domain::user::import::ImportEvent;
    use plinto_domain::user::invitation::{UserInvitationEvent, UserInvitationHappening};
    use plinto_domain::{ApiKeyId, MailId, ServiceAccountId, UserInvitationId};
    use plinto_storage::ledger::CHANGING;

    /// The event of keys after this one.
    fn of_a_key(event: Option<&ApiKeyEvent>) -> ApiKeyEvent {
        let (key, tenant) = (ApiKeyId::from_uuid(Uuid::from_u128(9)), None);
        match event {
            None => ApiKeyEvent::Renamed { key, tenant },
            Some(ApiKeyEvent::Renamed { .. }) => ApiKeyEvent::Rotated { key, tenant, overlap_seconds: 0 },
            Some(ApiKeyEvent::Rotated { .. } | ApiKeyEvent::Revoked { .. }) => {
                ApiKeyEvent::Revoked { key, tenant }
            }
        }
    }

    /// The event of service accounts after this one.
    fn of_an_account(event: Option<&ServiceAccountEvent>) -> ServiceAccountEvent {
        let id = Uuid::from_u128(9);
        let (account, tenant) = (ServiceAccountId::from_uuid(id), TenantId::from_uuid(id));
        match event {
            None => ServiceAccountEvent::Created { account, tenant },
            Some(ServiceAccountEvent::Created { .. }) => {
                ServiceAccountEvent::Changed { account, tenant, fields: vec!["disabled"], disabled: true }
            }
            Some(ServiceAccountEvent::Changed { .. } | ServiceAccountEvent::Deleted { .. }) => {
                ServiceAccountEvent::Deleted { account, tenant }
            }
        }
    }

    /// The event of organizations after this one.
    fn of_an_organization(event: Option<&OrganizationEvent>) -> OrganizationEvent {
        let id = Uuid::from_u128(9);
        let (organization, user) = (OrganizationId::from_uuid(id), UserId::from_uuid(id));
        let role = RoleKey::member();
        match event {
            None => OrganizationEvent::Created { organization, owner: user },
            Some(OrganizationEvent::Created { .. }) => {
                OrganizationEvent::Changed { organization, fields: vec!["name"] }
            }
            Some(OrganizationEvent::Changed { .. }) => {
                OrganizationEvent::PolicyChanged { organization, fields: vec!["policy.mfa_required"] }
            }
            Some(OrganizationEvent::PolicyChanged { .. }) => OrganizationEvent::Deleted { organization },
            Some(OrganizationEvent::Deleted { .. }) => {
                OrganizationEvent::MemberAdded { organization, user, role }
            }
            Some(OrganizationEvent::MemberAdded { .. }) => {
                OrganizationEvent::MemberRoleChanged { organization, user, from: role.clone(), to: role }
            }
            Some(OrganizationEvent::MemberRoleChanged { .. }) => {
                OrganizationEvent::MemberRemoved { organization, user }
            }
            // Invitations and domains concern no other node, whatever becomes of them.
            Some(
                OrganizationEvent::MemberRemoved { .. }
                | OrganizationEvent::OwnershipTransferred { .. }
                | OrganizationEvent::Invitation(_)
                | OrganizationEvent::Domain(_),
            ) => OrganizationEvent::OwnershipTransferred { organization, from: user, to: user },
        }
    }

    /// The event of users after this one.
    fn of_a_user(user: UserId, event: Option<&UserEvent>) -> UserEvent {
        let what = match event.map(|event| event.what) {
            None => Happening::Blocked,
            Some(Happening::Blocked) => Happening::Unblocked,
            Some(Happening::Unblocked) => Happening::Locked,
            Some(Happening::Locked) => Happening::Unlocked,
            Some(Happening::Unlocked) => Happening::Deleted,
            Some(Happening::Deleted) => Happening::Restored,
            Some(Happening::Restored) => Happening::Purged,
            Some(Happening::Purged) => Happening::EmailAdded,
            Some(Happening::EmailAdded) => Happening::EmailRemoved,
            Some(Happening::EmailRemoved) => Happening::PrimaryEmailChanged,
            Some(Happening::PrimaryEmailChanged) => Happening::EmailVerified,
            Some(Happening::EmailVerified) => Happening::AvatarSet,
            Some(Happening::AvatarSet | Happening::AvatarRemoved) => Happening::AvatarRemoved,
        };
        UserEvent { user, what }
    }

    /// The event of roles and grants after this one.
    fn of_authorization(event: Option<&AuthorizationEvent>) -> AuthorizationEvent {
        let id = Uuid::from_u128(9);
        let (role, grant) = (RoleId::from_uuid(id), GrantId::from_uuid(id));
        let subject = Subject::User(UserId::from_uuid(id));
        match event {
            None => AuthorizationEvent::RoleCreated { role },
            Some(AuthorizationEvent::RoleCreated { .. }) => {
                AuthorizationEvent::RoleChanged { role, fields: vec!["name"] }
            }
            Some(AuthorizationEvent::RoleChanged { .. }) => AuthorizationEvent::RoleDeleted { role },
            Some(AuthorizationEvent::RoleDeleted { .. }) => {
                AuthorizationEvent::GrantCreated { grant, subject }
            }
            Some(AuthorizationEvent::GrantCreated { .. } | AuthorizationEvent::GrantDeleted { .. }) => {
                AuthorizationEvent::GrantDeleted { grant, subject }
            }
        }
    }

    /// The event of policies after this one.
    fn of_policies(event: Option<&PolicyEvent>) -> PolicyEvent {
        match event {
            None => PolicyEvent::VersionCreated { version: 1 },
            Some(PolicyEvent::VersionCreated { .. }) => {
                PolicyEvent::Activated { version: Some(1), previous: None }
            }
            Some(PolicyEvent::Activated { .. } | PolicyEvent::VersionDeleted { .. }) => {
                PolicyEvent::VersionDeleted { version: 1 }
            }
        }
    }

    /// The event of OAuth after this one.
    fn of_oauth(event: Option<&OAuthEvent>) -> OAuthEvent {
        let id = Uuid::from_u128(9);
        let (client, user) = (ClientId::from_uuid(id), UserId::from_uuid(id));
        match event {
            None => OAuthEvent::ClientCreated { client },
            Some(OAuthEvent::ClientCreated { .. }) => {
                OAuthEvent::ClientChanged { client, fields: vec!["disabled"] }
            }
            Some(OAuthEvent::ClientChanged { .. }) => {
                OAuthEvent::SecretRotated { client, overlap_seconds: 1 }
            }
            Some(OAuthEvent::SecretRotated { .. }) => OAuthEvent::ClientDeleted { client },
            Some(OAuthEvent::ClientDeleted { .. }) => {
                let (jti, scope) = (String::new(), String::new());
                let authorization = None;
                OAuthEvent::TokenIssued {
                    client,
                    grant_type: "client_credentials",
                    jti,
                    scope,
                    authorization,
                }
            }
            Some(OAuthEvent::TokenIssued { .. }) => {
                OAuthEvent::TokenRefused { client, error: "invalid_client" }
            }
            Some(OAuthEvent::TokenRefused { .. }) => {
                let (authorization, session) = (AuthorizationId::from_uuid(id), SessionId::from_uuid(id));
                OAuthEvent::Authorized { client, user, authorization, session, scope: String::new() }
            }
            Some(OAuthEvent::Authorized { .. }) => {
                OAuthEvent::AuthorizationRefused { client, user: None, error: "access_denied" }
            }
            Some(OAuthEvent::AuthorizationRefused { .. }) => {
                OAuthEvent::AuthorizationEnded { client, user, authorization: None, why: "by_user" }
            }
            Some(OAuthEvent::AuthorizationEnded { .. } | OAuthEvent::ConsentGiven { .. }) => {
                OAuthEvent::ConsentGiven { client, user, scope: String::new() }
            }
        }
    }

    /// The event of flags after this one.
    fn of_a_flag(event: Option<&FlagEvent>) -> FlagEvent {
        let flag = FlagKey::parse("key", "flag").expect("valid");
        match event {
            None => FlagEvent::Created { flag },
            Some(FlagEvent::Created { .. }) => FlagEvent::Changed { flag, fields: vec!["rules"] },
            Some(FlagEvent::Changed { .. } | FlagEvent::Deleted { .. }) => FlagEvent::Deleted { flag },
        }
    }

    fn of_a_session(session: SessionId, event: Option<&SessionEvent>) -> SessionEvent {
        let why = OrganizationChange::Switched;
        match event {
            None => SessionEvent::Reauthenticated { session, generation: 2 },
            Some(SessionEvent::Reauthenticated { .. } | SessionEvent::OrganizationChanged { .. }) => {
                SessionEvent::OrganizationChanged { session, organization: None, why }
            }
        }
    }

    /// One of every event. A new one does not compile until it stands here.
    fn every_event(tenant: TenantId) -> Vec<Event> {
        let id = Uuid::from_u128(9);
        let (user, session) = (UserId::from_uuid(id), SessionId::from_uuid(id));
        let reason = RevocationReason::SignOut;
        let next = |event: Option<&Event>| match event {
            None => Some(Event::TenantCreated { tenant }),
            Some(Event::TenantCreated { .. }) => Some(Event::TenantChanged { tenant, fields: vec![] }),
            Some(Event::TenantChanged { .. }) => Some(Event::TenantDeleted { tenant }),
            Some(Event::TenantDeleted { .. }) => Some(Event::DataKeyRotated { tenant }),
            Some(Event::DataKeyRotated { .. }) => {
                Some(Event::SigningKeyRotated { kid: "kid".into(), alg: "EdDSA" })
            }
            Some(Event::SigningKeyRotated { .. }) => {
                Some(Event::ApiKeyIssued { key: ApiKeyId::from_uuid(id), tenant: None })
            }
            Some(Event::ApiKeyIssued { .. }) => Some(Event::ApiKey(of_a_key(None))),
            Some(Event::ApiKey(ApiKeyEvent::Revoked { .. })) => {
                Some(Event::ServiceAccount(of_an_account(None)))
            }
            Some(Event::ApiKey(event)) => Some(Event::ApiKey(of_a_key(Some(event)))),
            Some(Event::ServiceAccount(ServiceAccountEvent::Deleted { .. })) => {
                Some(Event::UserCreated { user })
            }
            Some(Event::ServiceAccount(event)) => Some(Event::ServiceAccount(of_an_account(Some(event)))),
            Some(Event::UserCreated { .. }) => Some(Event::UserChanged { user, fields: vec!["name"] }),
            Some(Event::UserChanged { .. }) => Some(Event::User(of_a_user(user, None))),
            Some(Event::User(UserEvent { what: Happening::AvatarRemoved, .. })) => {
                let import = ImportId::from_uuid(id);
                Some(Event::UserImport(ImportEvent::Started { import, dry_run: false }))
            }
            Some(Event::User(event)) => Some(Event::User(of_a_user(user, Some(event)))),
            Some(Event::UserImport(_)) => Some(Event::UserInvitation(UserInvitationEvent {
                invitation: UserInvitationId::from_uuid(id),
                what: UserInvitationHappening::Sent,
            })),
            Some(Event::UserInvitation(_)) => Some(Event::SignUpRepeated),
            Some(Event::SignUpRepeated) => Some(Event::SignInRefused { user: None, reason: "why" }),
            Some(Event::SignInRefused { .. }) => Some(Event::PasswordHashUpgraded { user }),
            Some(Event::PasswordHashUpgraded { .. }) => {
                Some(Event::SessionCreated { session, user, amr: vec![] })
            }
            Some(Event::SessionCreated { .. }) => Some(Event::SessionRefreshed { session, generation: 2 }),
            Some(Event::SessionRefreshed { .. }) => {
                Some(Event::SessionRefreshRepeated { session, generation: 2 })
            }
            Some(Event::SessionRefreshRepeated { .. }) => {
                Some(Event::RefreshReuseDetected { session, presented: 1, current: 2 })
            }
            Some(Event::RefreshReuseDetected { .. }) => Some(Event::SessionRevoked { session, user, reason }),
            Some(Event::Session(SessionEvent::OrganizationChanged { .. })) => {
                let (mail, kind) = (MailId::from_uuid(id), "verify_email");
                Some(Event::Mail(MailEvent::Sent { mail, kind, attempt: 1 }))
            }
            Some(Event::Session(event)) => Some(Event::Session(of_a_session(session, Some(event)))),
            Some(Event::Mail(_)) => Some(Event::Recovery(RecoveryEvent::EmailVerified { user })),
            Some(Event::SessionRevoked { .. }) => {
                Some(Event::UserSessionsRevoked { user, kept: None, reason })
            }
            Some(Event::UserSessionsRevoked { .. }) => Some(Event::Session(of_a_session(session, None))),
            Some(Event::Recovery(_)) => Some(Event::Authorization(of_authorization(None))),
            Some(Event::Authorization(AuthorizationEvent::GrantDeleted { .. })) => {
                Some(Event::Privacy(PrivacyEvent::SubjectErased { user }))
            }
            Some(Event::Authorization(event)) => Some(Event::Authorization(of_authorization(Some(event)))),
            Some(Event::Privacy(_)) => Some(Event::Flag(of_a_flag(None))),
            Some(Event::Flag(FlagEvent::Deleted { .. })) => Some(Event::Policy(of_policies(None))),
            Some(Event::Policy(PolicyEvent::VersionDeleted { .. })) => Some(Event::OAuth(of_oauth(None))),
            Some(Event::OAuth(OAuthEvent::ConsentGiven { .. })) => {
                Some(Event::Organization(of_an_organization(None)))
            }
            Some(Event::Policy(event)) => Some(Event::Policy(of_policies(Some(event)))),
            Some(Event::OAuth(event)) => Some(Event::OAuth(of_oauth(Some(event)))),
            Some(Event::Flag(event)) => Some(Event::Flag(of_a_flag(Some(event)))),
            Some(Event::Organization(OrganizationEvent::OwnershipTransferred { .. })) => None,
            Some(Event::Organization(event)) => Some(Event::Organization(of_an_organization(Some(event)))),
        };
        std::iter::successors(next(None), |event| next(Some(event))).collect()
    }

    #[test]
    fn what_concerns_other_nodes_is_announced_found_and_acted_upon() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let mut concerning = BTreeSet::new();
        for event in every_event(tenant) {
            let mut plan = Plan::default();
            plan.add(tenant.uuid(), event.name(), &event.subject());
            let idle = plan == Plan { changes: 1, ..Plan::default() };
            assert_eq!(event.concerns_other_nodes(), !idle, "{}", event.name());
            if event.concerns_other_nodes() {
                concerning.insert(event.name());
            }
        }
        assert_eq!(concerning, CHANGING.iter().copied().collect(), "the ledger's text finds the same events");
    }

    #[test]
    fn a_subject_that_is_no_id_is_left_out() {
        let mut plan = Plan::default();
        plan.add(Uuid::from_u128(7), "session.revoked", "nonsense");
        assert_eq!(plan, Plan { changes: 1, ..Plan::default() });
    }
}
