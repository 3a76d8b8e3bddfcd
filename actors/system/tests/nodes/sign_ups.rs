use crate::rig::{Rig, roomy, soon};
use plinto_actors::{ClientContext, UserFilter, UserList};

const PASSWORDS: [&str; 2] = ["plain oat zebra lantern", "other moss violin harbor"];

#[tokio::test(start_paused = true)]
async fn one_address_signed_up_on_two_nodes_at_once_is_one_account() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    for round in 0..5 {
        let email = format!("grace-{round}@example.com");
        let sign_up = |node: usize| {
            let (email, password) = (email.clone(), PASSWORDS[node].to_owned().into());
            let platform = [&one, &two][node].platform.clone();
            async move {
                let client = ClientContext::default();
                platform.sign_up(tenant, email, password, None, client, soon()).await
            }
        };
        let (first, second) = tokio::join!(sign_up(0), sign_up(1));
        first.and(second).expect("neither hears who was first");
        let mut works = 0;
        for (node, password) in [(&two, PASSWORDS[0]), (&one, PASSWORDS[1])] {
            let client = ClientContext::default();
            let signed_in = node.platform.sign_in(tenant, email.as_str(), password, client, soon()).await;
            works += usize::from(signed_in.is_ok());
        }
        assert_eq!(works, 1, "one of the two passwords is the account's");
    }
    let (all, any) = (UserList::All, UserFilter::default());
    let users = one.platform.users(tenant, &all, any, None, 100, soon()).await.expect("reads").users;
    assert_eq!(users.len(), 6, "the rig's and one for each address");
    one.finish().await;
    two.finish().await;
}
