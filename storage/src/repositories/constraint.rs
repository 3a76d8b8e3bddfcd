//! Names of uniqueness rules, the same on every engine, as [`UnitError::Unique`](crate::UnitError) carries them.

/// Two tenants with one slug.
pub const TENANT_SLUG: &str = "tenants.slug";
/// Two tenants with one id.
pub const TENANT: &str = "tenants.tenant_id";
/// Two keys of one purpose and version of a tenant.
pub const TENANT_KEY: &str = "tenant_keys.version";
/// Two API keys with one id.
pub const API_KEY: &str = "api_keys.key_id";
/// Two service accounts with one id.
pub const SERVICE_ACCOUNT: &str = "service_accounts.account_id";
/// A second check value of the master key.
pub const MASTER_CHECK: &str = "master_checks.name";
/// Two users with one id in a tenant.
pub const USER: &str = "users.user_id";
/// Two users with one username in a tenant.
pub const USER_NAME: &str = "users.username";
/// Two users with one external id in a tenant.
pub const USER_EXTERNAL_ID: &str = "users.external_id";
/// Two users with one phone number in a tenant.
pub const USER_PHONE: &str = "users.phone";
/// One beginning twice for a user.
pub const USER_SEARCH: &str = "user_search.token";
/// Two users with one e-mail address in a tenant.
pub const USER_EMAIL: &str = "user_emails.email";
/// Two credentials of one kind for a user.
pub const CREDENTIAL: &str = "credentials.kind";
/// One version of a user's password remembered twice.
pub const PASSWORD_HISTORY: &str = "password_history.version";
/// Two pictures of one user.
pub const USER_AVATAR: &str = "user_avatars.user_id";
/// Two sessions with one id in a tenant.
pub const SESSION: &str = "sessions.session_id";
/// Two signing keys with one `kid` in a tenant.
pub const SIGNING_KEY: &str = "signing_keys.kid";
/// Two one-time secrets with one hash in a tenant.
pub const ONE_TIME_TOKEN: &str = "one_time_tokens.token_hash";
/// Two invitations to become a user with one id in a tenant.
pub const USER_INVITATION: &str = "user_invitations.invitation_id";
/// Two mails with one id in a tenant.
pub const OUTBOX: &str = "outbox.mail_id";
/// Two mails of a tenant that say the same of the same.
pub const OUTBOX_ONCE: &str = "outbox.once";
/// Two rows for the set of a tenant's roles.
pub const ROLE_SET: &str = "role_sets.tenant_id";
/// Two roles with one id in a tenant.
pub const ROLE: &str = "roles.role_id";
/// Two roles with one key in a tenant.
pub const ROLE_KEY: &str = "roles.key";
/// Two grants with one id in a tenant.
pub const GRANT: &str = "grants.grant_id";
/// The same granted twice.
pub const GRANT_FINGERPRINT: &str = "grants.fingerprint";
/// Two rows for the policies of a tenant.
pub const POLICY_SET: &str = "policy_sets.tenant_id";
/// Two versions of a tenant's policies with one number.
pub const POLICY_VERSION: &str = "policy_versions.number";
/// Two OAuth clients with one id in a tenant.
pub const CLIENT: &str = "clients.client_id";
/// Two grants of users with one id.
pub const AUTHORIZATION: &str = "authorizations.authorization_id";
/// Two records of what a user lets a client have.
pub const CLIENT_CONSENT: &str = "client_consents.client_id";
/// Something that is good once was used twice.
pub const USED_PROOF: &str = "used_proofs.proof_hash";
/// Two flags with one key in a tenant.
pub const FLAG: &str = "flags.flag_key";

/// Two requests of one caller with one `Idempotency-Key`.
pub const KEPT_ANSWER: &str = "kept_answers.request";
/// Two checkpoints at one sequence of a tenant's ledger.
pub const LEDGER_CHECKPOINT: &str = "ledger_checkpoints.seq";
/// Two legal holds on one user.
pub const LEGAL_HOLD: &str = "legal_holds.user_id";
/// Two consent records with one id.
pub const CONSENT: &str = "consents.consent_id";

/// Two organizations with one id in a tenant.
pub const ORGANIZATION: &str = "organizations.organization_id";
/// Two organizations with one slug in a tenant.
pub const ORGANIZATION_SLUG: &str = "organizations.slug";
/// A user twice in one organization.
pub const ORGANIZATION_MEMBER: &str = "organization_members.user_id";
/// Two invitations with one id in an organization.
pub const INVITATION: &str = "organization_invitations.invitation_id";
/// Two pending invitations of one address to one organization.
pub const PENDING_INVITATION: &str = "organization_invitations.pending";
/// Two invitations with one token in a tenant.
pub const INVITATION_TOKEN: &str = "organization_invitations.token";
/// Two domains with one id in an organization.
pub const DOMAIN: &str = "organization_domains.domain_id";
/// One domain twice in an organization.
pub const ORGANIZATION_DOMAIN: &str = "organization_domains.domain";
/// One verified domain of two organizations of a tenant.
pub const VERIFIED_DOMAIN: &str = "organization_domains.verified";
/// A user who left an organization twice.
pub const DEPARTURE: &str = "organization_departures.user_id";

/// Two imports with one id in a tenant.
pub const USER_IMPORT: &str = "user_imports.import_id";
/// Two errors of an import at one place.
pub const USER_IMPORT_ERROR: &str = "user_import_errors.place";

/// (table, columns of the key in order, name): how an engine that reports columns finds the name.
pub(crate) const KEYS: &[(&str, &[&str], &str)] = &[
    ("tenants", &["slug"], TENANT_SLUG),
    ("tenants", &["tenant_id"], TENANT),
    ("tenant_keys", &["tenant_id", "purpose", "version"], TENANT_KEY),
    ("api_keys", &["key_id"], API_KEY),
    ("service_accounts", &["account_id"], SERVICE_ACCOUNT),
    ("master_checks", &["name"], MASTER_CHECK),
    ("users", &["tenant_id", "user_id"], USER),
    ("users", &["tenant_id", "username_index"], USER_NAME),
    ("users", &["tenant_id", "external_id_index"], USER_EXTERNAL_ID),
    ("users", &["tenant_id", "phone_index"], USER_PHONE),
    ("user_search", &["tenant_id", "token_index", "user_id"], USER_SEARCH),
    ("user_emails", &["tenant_id", "email_index"], USER_EMAIL),
    ("credentials", &["tenant_id", "user_id", "kind"], CREDENTIAL),
    ("password_history", &["tenant_id", "user_id", "version"], PASSWORD_HISTORY),
    ("user_avatars", &["tenant_id", "user_id"], USER_AVATAR),
    ("sessions", &["tenant_id", "session_id"], SESSION),
    ("signing_keys", &["tenant_id", "kid"], SIGNING_KEY),
    ("one_time_tokens", &["tenant_id", "token_hash"], ONE_TIME_TOKEN),
    ("user_invitations", &["tenant_id", "invitation_id"], USER_INVITATION),
    ("outbox", &["tenant_id", "mail_id"], OUTBOX),
    ("outbox", &["tenant_id", "once"], OUTBOX_ONCE),
    ("kept_answers", &["tenant_id", "request_index"], KEPT_ANSWER),
    ("role_sets", &["tenant_id"], ROLE_SET),
    ("roles", &["tenant_id", "role_id"], ROLE),
    ("roles", &["tenant_id", "role_key"], ROLE_KEY),
    ("grants", &["tenant_id", "grant_id"], GRANT),
    ("grants", &["tenant_id", "fingerprint"], GRANT_FINGERPRINT),
    ("policy_sets", &["tenant_id"], POLICY_SET),
    ("policy_versions", &["tenant_id", "number"], POLICY_VERSION),
    ("flags", &["tenant_id", "flag_key"], FLAG),
    ("clients", &["tenant_id", "client_id"], CLIENT),
    ("authorizations", &["tenant_id", "authorization_id"], AUTHORIZATION),
    ("client_consents", &["tenant_id", "user_id", "client_id"], CLIENT_CONSENT),
    ("used_proofs", &["tenant_id", "proof_hash"], USED_PROOF),
    ("ledger_checkpoints", &["tenant_id", "seq"], LEDGER_CHECKPOINT),
    ("legal_holds", &["tenant_id", "user_id"], LEGAL_HOLD),
    ("consents", &["tenant_id", "user_id", "consent_id"], CONSENT),
    ("organizations", &["tenant_id", "organization_id"], ORGANIZATION),
    ("organizations", &["tenant_id", "slug"], ORGANIZATION_SLUG),
    ("organization_members", &["tenant_id", "organization_id", "user_id"], ORGANIZATION_MEMBER),
    ("user_imports", &["tenant_id", "import_id"], USER_IMPORT),
    ("user_import_errors", &["tenant_id", "import_id", "place"], USER_IMPORT_ERROR),
    ("organization_invitations", &["tenant_id", "organization_id", "invitation_id"], INVITATION),
    ("organization_invitations", &["tenant_id", "organization_id", "email_index"], PENDING_INVITATION),
    ("organization_invitations", &["tenant_id", "token_hash"], INVITATION_TOKEN),
    ("organization_domains", &["tenant_id", "organization_id", "domain_id"], DOMAIN),
    ("organization_domains", &["tenant_id", "organization_id", "domain_index"], ORGANIZATION_DOMAIN),
    ("organization_domains", &["tenant_id", "domain_index"], VERIFIED_DOMAIN),
    ("organization_departures", &["tenant_id", "organization_id", "user_id"], DEPARTURE),
];
