//! Who may do what: permissions, roles that inherit from each other, grants of them, and the evaluation of a question.
//!
//! Everything is a union of what is granted: nothing here takes a right away. What a subject holds is compiled once
//! ([`RoleCatalogue`], [`SubjectAccess`]); a check is a handful of look-ups in memory.

mod access;
mod catalogue;
mod changes;
mod events;
mod grant;
mod permission;
mod resource;
mod role;

#[cfg(test)]
mod tests;

pub use access::{Because, Membership, Question, Source, SubjectAccess};
pub use catalogue::{Found, RoleCatalogue};
pub use changes::{
    AuthorizationWrite, ROLE_CYCLE, ROLE_IN_USE, ROLE_KEY_TAKEN, ROLE_LEVEL, ROLE_TOO_DEEP, ROLE_TOO_LARGE,
    ROLE_UNKNOWN_PARENT, Roles, TOO_MANY_ROLES, UNKNOWN_ROLE,
};
pub use events::AuthorizationEvent;
pub use grant::{
    ALREADY_GRANTED, EXPIRY_PASSED, Grant, GrantTerms, Granted, Place, Subject, SubjectKind, TOO_MANY_GRANTS,
    UNKNOWN_GRANT, UNKNOWN_SUBJECT, create as create_grant, delete as delete_grant,
};
pub use permission::Permission;
pub use resource::ResourceRef;
pub(crate) use role::check_description;
pub use role::{Role, RoleChange, RoleDraft, RoleKey, RoleLevel};

use crate::denial::Denial;

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[
    UNKNOWN_ROLE,
    ROLE_KEY_TAKEN,
    ROLE_CYCLE,
    ROLE_TOO_DEEP,
    ROLE_TOO_LARGE,
    ROLE_UNKNOWN_PARENT,
    ROLE_LEVEL,
    ROLE_IN_USE,
    TOO_MANY_ROLES,
    UNKNOWN_GRANT,
    UNKNOWN_SUBJECT,
    ALREADY_GRANTED,
    EXPIRY_PASSED,
    TOO_MANY_GRANTS,
];
