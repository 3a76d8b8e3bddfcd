use super::super::Platform;
use super::rulings::Ruling;
use crate::error::ServiceError;
use plinto_domain::authorization::{
    Because, Permission, Place, Question, ResourceRef, RoleKey, Source, Subject, SubjectKind,
};
use plinto_domain::user::UNKNOWN_USER;
use plinto_domain::{TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::grants::{self, GrantPlace};
use plinto_storage::repositories::{organization_members, users};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use uuid::Uuid;

/// May this subject do this?
#[derive(Clone, Copy)]
pub struct CheckRequest<'r> {
    /// Who; none is somebody the tenant cannot know, who may nothing.
    pub subject: Option<Subject>,
    /// What, on which resource.
    pub question: Question<'r>,
    /// What policies may ask for besides.
    pub circumstances: Circumstances<'r>,
}

/// What was sent beside a question, for policies.
#[derive(Clone, Copy, Default)]
pub struct Circumstances<'r> {
    /// More about the resource.
    pub resource: Option<&'r Map<String, Value>>,
    /// More about the action.
    pub action: Option<&'r Map<String, Value>>,
    /// All else.
    pub context: Option<&'r Map<String, Value>>,
}

/// Who may do something?
#[derive(Clone, Copy)]
pub struct SubjectSearch<'s> {
    /// Users, or service accounts.
    pub kind: SubjectKind,
    /// Do what, to which resource.
    pub question: Question<'s>,
    /// What policies may ask for besides.
    pub circumstances: Circumstances<'s>,
    /// After this one.
    pub after: Option<Subject>,
    /// Most to be found.
    pub limit: usize,
}

/// Some who may.
#[derive(Clone, Debug)]
pub struct SubjectsFound {
    /// They.
    pub subjects: Vec<Subject>,
    /// The last one looked at.
    pub next: Option<Subject>,
    /// Whether there are others to look at after that.
    pub more: bool,
}

/// Subjects looked at for one page: each of them may have to be read.
const CANDIDATES: u32 = 200;
/// Type of the resources that are organizations.
const ORGANIZATION: &str = "organization";

/// Why something is permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What gives the right.
    pub source: Source,
    /// The permission that covers it.
    pub permission: Permission,
    /// From the granted role to the one that names the permission; empty for a permission granted by itself.
    pub path: Vec<RoleKey>,
}

impl Why {
    pub(super) fn of(because: Because<'_>) -> Self {
        Self { source: because.source, permission: because.permission.clone(), path: because.path.to_vec() }
    }
}

/// A permission somebody has somewhere, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPermission {
    /// Where.
    pub place: Place,
    /// The permission and where it comes from.
    pub why: Why,
}

impl Platform {
    /// Whether a subject may do something, from memory if its rights are there.
    pub async fn check(
        &self,
        tenant: TenantId,
        request: CheckRequest<'_>,
        deadline: Deadline,
    ) -> Result<bool, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let Some(subject) = request.subject else { return Ok(false) };
        let rights = work.rights(subject).await?;
        work.may(subject, &rights, &request.question, &request.circumstances).await
    }

    /// Whether a subject may do something, and why.
    pub async fn explain(
        &self,
        tenant: TenantId,
        request: CheckRequest<'_>,
        deadline: Deadline,
    ) -> Result<Ruling, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let Some(subject) = request.subject else { return Ok(Ruling::nothing()) };
        let rights = work.rights(subject).await?;
        work.rule(subject, &rights, &request.question, &request.circumstances).await
    }

    /// Every permission a user has, where and why, in a stable order.
    pub async fn permissions_of(
        &self,
        tenant: TenantId,
        user: UserId,
        deadline: Deadline,
    ) -> Result<Vec<HeldPermission>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let row = work.read(|| users::get(work.engine(), work.vault(), user.uuid())).await?;
        row.ok_or(UNKNOWN_USER)?;
        let rights = work.rights(Subject::User(user)).await?;
        let held = rights.access.effective(&rights.roles.catalogue, work.now()).into_iter();
        let mut held: Vec<_> =
            held.map(|(place, because)| HeldPermission { place, why: Why::of(because) }).collect();
        held.sort_by_cached_key(|held| {
            (order(&held.place), held.why.permission.clone(), held.why.path.len())
        });
        Ok(held)
    }

    /// Ids of the resources of a type on which the subject may do `action`, as far as its own grants name them, in
    /// order. Organizations are resources of the type `organization`. Of each resource policies see its id only.
    pub async fn resources_of(
        &self,
        tenant: TenantId,
        subject: Subject,
        kind: &str,
        action: &str,
        context: Option<&Map<String, Value>>,
        deadline: Deadline,
    ) -> Result<Vec<String>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let rights = work.rights(subject).await?;
        let (catalogue, now) = (&rights.roles.catalogue, work.now());
        let mut ids: Vec<String> =
            rights.access.resources(catalogue, kind, action, now).map(str::to_owned).collect();
        if kind == ORGANIZATION {
            let organizations = rights.access.organizations(catalogue, kind, action, now);
            ids.extend(organizations.map(|id| id.to_string()));
        }
        ids.sort_unstable();
        ids.dedup();
        if rights.policies.is_none() {
            return Ok(ids);
        }
        let mut permitted = Vec::new();
        for id in ids {
            let organization = if kind == ORGANIZATION { id.parse().ok() } else { None };
            let question = Question { action, kind, id: &id, organization };
            if work
                .may(subject, &rights, &question, &Circumstances { context, ..Circumstances::default() })
                .await?
            {
                permitted.push(id);
            }
        }
        Ok(permitted)
    }

    /// Some of the subjects of a kind who may do something, in order of id. Those are looked at who hold a grant where
    /// the question is about.
    pub async fn subjects_who_may(
        &self,
        tenant: TenantId,
        search: SubjectSearch<'_>,
        deadline: Deadline,
    ) -> Result<SubjectsFound, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let SubjectSearch { kind, question, circumstances, after, limit } = search;
        let resource = format!("{}:{}", question.kind, question.id);
        let places = [
            Some(GrantPlace::Tenant),
            question.organization.map(|id| GrantPlace::Organization(id.uuid())),
            Some(GrantPlace::Resource(&resource)),
        ];
        let mut candidates = BTreeSet::new();
        // Beyond the last one of a list that was cut off there may be others who are not known here.
        let mut horizon = Uuid::max();
        for place in places.into_iter().flatten() {
            let after = after.map(Subject::uuid);
            let read =
                || grants::holders(work.engine(), work.vault(), place, kind.as_str(), after, CANDIDATES);
            let some = work.read(read).await?;
            if some.len() == CANDIDATES as usize {
                horizon = horizon.min(some.last().copied().unwrap_or(horizon));
            }
            candidates.extend(some);
        }
        if let (Some(organization), SubjectKind::User) = (question.organization, kind) {
            let (id, after) = (organization.uuid(), after.map(Subject::uuid));
            let tenant = tenant.uuid();
            let read = || organization_members::list(work.engine(), tenant, id, after, CANDIDATES);
            let some = work.read(read).await?;
            if some.len() == CANDIDATES as usize {
                horizon = horizon.min(some.last().map_or(horizon, |member| member.user_id));
            }
            candidates.extend(some.into_iter().map(|member| member.user_id));
        }
        let cut_off = horizon != Uuid::max();
        let mut found = SubjectsFound { subjects: Vec::new(), next: after, more: false };
        for id in candidates.into_iter().filter(|id| *id <= horizon) {
            let subject = Subject::of(kind, id);
            let rights = work.rights(subject).await?;
            if work.may(subject, &rights, &question, &circumstances).await? {
                if found.subjects.len() == limit {
                    return Ok(SubjectsFound { more: true, ..found });
                }
                found.subjects.push(subject);
            }
            found.next = Some(subject);
        }
        Ok(SubjectsFound { more: cut_off, ..found })
    }

    /// The actions the subject may do on a resource, as far as roles and grants name them, in order.
    pub async fn actions_of(
        &self,
        tenant: TenantId,
        request: CheckRequest<'_>,
        deadline: Deadline,
    ) -> Result<Vec<String>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let Some(subject) = request.subject else { return Ok(Vec::new()) };
        let rights = work.rights(subject).await?;
        let catalogue = &rights.roles.catalogue;
        let kind = request.question.kind;
        let named = catalogue.roles().flat_map(|role| &role.permissions);
        let named = named.filter(|one| one.covers(kind, one.action())).map(Permission::action);
        let mut actions: Vec<&str> = named.chain(rights.access.actions(catalogue, kind)).collect();
        actions.sort_unstable();
        actions.dedup();
        let mut permitted = Vec::new();
        for action in actions.into_iter().filter(|action| *action != "*") {
            let question = Question { action, ..request.question };
            if work.may(subject, &rights, &question, &request.circumstances).await? {
                permitted.push(action.to_owned());
            }
        }
        Ok(permitted)
    }
}

fn order(place: &Place) -> (u8, String) {
    match place {
        Place::Tenant => (0, String::new()),
        Place::Organization(id) => (1, id.to_string()),
        Place::Resource(resource) => (2, ResourceRef::to_string(resource)),
    }
}
