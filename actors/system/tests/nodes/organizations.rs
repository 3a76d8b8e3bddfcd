use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_actors::{AskedBy, ClientContext, NewUserInput, ServiceError, SignedIn, Switched};
use plinto_domain::audit::Actor;
use plinto_domain::authorization::RoleKey;
use plinto_domain::organization::invitation::NewInvitation;
use plinto_domain::organization::{LAST_OWNER, NewMember, NewOrganization};
use plinto_domain::precondition::Precondition;
use plinto_domain::user::profile::ProfileInput;
use plinto_domain::{OrganizationId, TenantId, UserId};

const PASSWORD: &str = "plain oat zebra lantern";

fn service() -> AskedBy {
    AskedBy::Tenant(Actor::System)
}

/// A user who proved the address.
async fn user(node: &Node, tenant: TenantId, email: &str) -> UserId {
    let input = NewUserInput {
        email: email.to_owned(),
        email_verified: true,
        password: Some(PASSWORD.to_owned().into()),
        profile: ProfileInput::default(),
    };
    node.platform.create_user(tenant, input, Actor::System, soon()).await.expect("is new").id
}

async fn organization(node: &Node, tenant: TenantId, owner: UserId) -> OrganizationId {
    let new = NewOrganization::parse("acme", "Acme", None, &owner.to_string()).expect("valid");
    node.platform.create_organization(tenant, new, Actor::System, soon()).await.expect("is new").id
}

async fn members(node: &Node, tenant: TenantId, organization: OrganizationId) -> Vec<UserId> {
    let list = node.platform.members(tenant, organization, None, 9, service(), soon()).await;
    list.expect("listed").into_iter().map(|member| member.user).collect()
}

async fn enter(node: &Node, tenant: TenantId, session: &SignedIn, to: Option<&str>) -> String {
    let (token, client) = (&session.access.token, ClientContext::default());
    let switched = node.platform.switch_organization(tenant, token, to, None, client, soon()).await;
    match switched.expect("switched") {
        Switched::Access { access, .. } => access.token,
        Switched::Session(_) => panic!("a refresh token for an access token"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_invitation_accepted_on_two_nodes_at_once_makes_one_membership() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.lone_pair().await;
    let (owner, guest) =
        (user(&one, tenant, "owner@example.com").await, user(&one, tenant, "guest@example.com").await);
    let acme = organization(&one, tenant, owner).await;
    let token = async |node: &Node| {
        let client = Default::default();
        let signed_in = node.platform.sign_in(tenant, "guest@example.com", PASSWORD, client, soon()).await;
        signed_in.expect("signs in").access.token.to_string()
    };
    let (first, second) = (token(&one).await, token(&two).await);
    let new = || NewInvitation::parse("guest@example.com", "member").expect("valid");
    let id = one.platform.invite(tenant, acme, new(), service(), soon()).await.expect("invited").id;
    let again = two.platform.invite(tenant, acme, new(), service(), soon()).await;
    assert!(
        matches!(&again, Err(ServiceError::Denied(why)) if why.code == "invitation_pending"),
        "{again:?}"
    );
    let (here, there) = tokio::join!(
        one.platform.accept_my_invitation(tenant, &first, id, soon()),
        two.platform.accept_my_invitation(tenant, &second, id, soon()),
    );
    let refused = [here.err(), there.err()].into_iter().flatten().collect::<Vec<_>>();
    assert!(
        matches!(&refused[..], [ServiceError::Denied(why)] if why.code == "invitation_ended"),
        "{refused:?}"
    );
    for node in [&one, &two] {
        let mut both = [owner, guest];
        both.sort_unstable();
        assert_eq!(members(node, tenant, acme).await, both);
    }
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_owners_removed_on_two_nodes_at_once_one_stays() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.lone_pair().await;
    let (first, second) =
        (user(&one, tenant, "first@example.com").await, user(&one, tenant, "second@example.com").await);
    let acme = organization(&one, tenant, first).await;
    let joining = NewMember { user: second, role: RoleKey::owner() };
    one.platform.add_member(tenant, acme, joining, service(), soon()).await.expect("joins");
    let (here, there) = tokio::join!(
        one.platform.remove_member(tenant, acme, first, service(), soon()),
        two.platform.remove_member(tenant, acme, second, service(), soon()),
    );
    let refused = [here.err(), there.err()].into_iter().flatten().collect::<Vec<_>>();
    assert!(
        matches!(&refused[..], [ServiceError::Denied(why)] if why.code == LAST_OWNER.code),
        "{refused:?}"
    );
    assert_eq!(members(&two, tenant, acme).await.len(), 1);
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_organization_left_elsewhere_is_left_here_within_the_bound() {
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let caller = two.caller().await;
        let session = one.sign_in(tenant).await;
        let member = session.user;
        // An owner who stays, so that the other may go.
        let stays = user(&one, tenant, "owner@example.com").await;
        let acme = organization(&one, tenant, stays).await;
        let join = || async {
            let new = NewMember::parse(&member.to_string(), "member").expect("valid");
            one.platform.add_member(tenant, acme, new, service(), soon()).await.expect("joins");
        };
        join().await;
        one.line.cut(cut);
        two.line.cut(cut);

        // The user switches away.
        let inside = enter(&one, tenant, &session, Some("acme")).await;
        assert!(two.is_active(&caller, &inside).await, "at once, as the token says where it is from");
        enter(&one, tenant, &session, None).await;
        let took = two.refuses(&caller, &inside).await;
        assert!(took < BOUND, "{took:?}");

        // The membership ends.
        let inside = enter(&one, tenant, &session, Some("acme")).await;
        assert!(two.is_active(&caller, &inside).await);
        let removed = one.platform.remove_member(tenant, acme, member, service(), soon()).await;
        removed.expect("removed");
        assert!(!one.is_active(&caller, &inside).await, "at once where it was ended");
        let took = two.refuses(&caller, &inside).await;
        assert!(took < BOUND, "{took:?}");

        // The organization goes.
        join().await;
        let inside = enter(&one, tenant, &session, Some("acme")).await;
        assert!(two.is_active(&caller, &inside).await);
        let deleted =
            one.platform.delete_organization(tenant, acme, Precondition::None, service(), soon()).await;
        deleted.expect("deleted");
        let took = two.refuses(&caller, &inside).await;
        assert!(took < BOUND, "{took:?}");
        assert!(two.is_active(&caller, &session.access.token).await, "the session goes on");
        one.finish().await;
        two.finish().await;
    }
}
