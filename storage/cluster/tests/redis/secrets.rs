use super::{join, options, until_reachable};
use plinto_cluster::conformance::{eventually, limit, node, quota};
use plinto_cluster::{Cluster as _, OptionsError, RedisOptions, RedisShared, RedisUrl};
use plinto_servers::{RedisConfig, RedisServer, ServerTls};
use std::time::Duration;

const SECRET: &str = "hunter2hunter2";

fn parsed(url: &str) -> Result<RedisUrl, OptionsError> {
    url.parse()
}

#[test]
fn a_url_never_shows_its_password() {
    let url = parsed(&format!("rediss://someone:{SECRET}@cache.example:6380/3")).unwrap();
    assert_eq!(url.to_string(), "rediss://cache.example:6380");
    let all = format!("{url:?} {:?}", RedisOptions::new(vec![url.clone()]));
    assert!(!all.contains(SECRET) && !all.contains("someone"), "{all}");
    for wrong in
        [&format!("http://:{SECRET}@host"), &format!("redis://:{SECRET}@host:99999"), SECRET, "unix:///x", ""]
    {
        let error = parsed(wrong).unwrap_err();
        assert!(matches!(error, OptionsError::Url), "{wrong}");
        assert!(!format!("{error} {error:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn options_that_cannot_work_are_refused() {
    let refused = async |options: RedisOptions| match RedisShared::connect(options, node(1)).await {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    };
    assert!(matches!(refused(RedisOptions::new(Vec::new())).await, OptionsError::NoUrl));
    let mixed = ["redis://:a@host:1/", "redis://:b@host:2/"].map(|url| parsed(url).unwrap());
    assert!(matches!(refused(RedisOptions::new(mixed.to_vec())).await, OptionsError::Mixed));
    let mut missing = options("rediss://host:1/");
    missing.ca_file = Some("/no/such/file".into());
    assert!(matches!(refused(missing).await, OptionsError::CaFile { .. }));
    let mut empty = options("rediss://host:1/");
    empty.ca_file = Some("/dev/null".into());
    assert!(matches!(refused(empty).await, OptionsError::Ca { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_without_it() {
    let config = RedisConfig { password: Some(SECRET.to_owned()), tls: None };
    let server = RedisServer::start_with(config).unwrap();
    let right = join(&server.url(), 1).await;
    assert!(right.is_reachable());
    let wrong = join(&server.url().replace(SECRET, "wrong-secret"), 2).await;
    assert!(!wrong.is_reachable());
    let reason = wrong.health().await.reason.unwrap();
    assert!(reason.contains("refuses") && !reason.contains("wrong-secret"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_checked_against_the_given_certificates() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let tls = ServerTls { cert_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() };
    let server = RedisServer::start_with(RedisConfig { tls: Some(tls), password: None }).unwrap();
    let file = std::env::temp_dir().join(format!("plinto-cluster-ca-{}.pem", std::process::id()));
    std::fs::write(&file, made.cert.pem()).unwrap();
    let trusting = RedisOptions { ca_file: Some(file.clone()), ..options(&server.url()) };
    let node_1 = RedisShared::connect(trusting, node(1)).await.unwrap();
    std::fs::remove_file(file).unwrap();
    until_reachable(&node_1, true).await;
    let asked = async || node_1.take(&limit(1), quota(Duration::from_secs(1), 1), 1).await.is_ok();
    eventually("limits are shared", asked).await;

    let suspicious = join(&server.url(), 2).await;
    eventually("the reason is told", async || {
        suspicious.health().await.reason.is_some_and(|reason| reason.contains("certificates"))
    })
    .await;
}
