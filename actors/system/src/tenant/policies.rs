use plinto_domain::policy::Compiled;

/// The active version of a tenant's policies.
pub(crate) struct ActivePolicies {
    /// Its number; none without an active one.
    pub(crate) active: Option<(i64, Compiled)>,
}
