use super::{Findings, Invariant, Witness};
use crate::api::Answer;
use crate::journal::{Standing, Tenant};

/// [`Invariant::TenantSurvives`]: registered and serving its keys, or gone in both ways. Finds out what became of an
/// open deletion.
pub async fn tenant_is_as_known(witness: &Witness<'_>, tenant: &mut Tenant) -> Findings {
    let mut findings = Findings::default();
    let invariant = Invariant::TenantSurvives;
    let Tenant { id, slug, standing, rotations } = tenant;
    let registered = match witness.api.tenant(witness.platform_key, id).await {
        Answer::Done(()) => true,
        Answer::Refused { status: 404, .. } => false,
        other => {
            findings.hold(invariant, false, || format!("a look at {slug} was answered {}", other.summary()));
            return findings;
        }
    };
    findings
        .hold(invariant, registered || *standing != Standing::Acknowledged, || format!("{slug} is missing"));
    findings.hold(invariant, !registered || *standing != Standing::Removed, || {
        format!("{slug} was deleted and is there")
    });
    let keys = witness.api.key_set(slug).await;
    if registered {
        let serves = matches!(keys, Answer::Done(keys) if keys > 0);
        findings.hold(invariant, serves, || {
            format!("after {rotations} rotations the key set of {slug} was answered {}", keys.summary())
        });
    } else {
        findings.hold(invariant, keys.is_refusal(404, "unknown_tenant"), || {
            format!("{slug} is gone and its key set was answered {}", keys.summary())
        });
    }
    *standing = if registered { Standing::Acknowledged } else { Standing::Removed };
    findings
}
