//! Who may depend on whom. A forbidden arrow fails the build instead of being found in a review.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Arrows between our crates in what is shipped; everything else is forbidden.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "plinto",
        &[
            "plinto-http",
            "plinto-actors",
            "plinto-runtime",
            "plinto-storage",
            "plinto-cluster",
            "plinto-domain",
        ],
    ),
    ("plinto-http", &["plinto-actors", "plinto-runtime", "plinto-domain"]),
    (
        "plinto-actors",
        &["plinto-domain", "plinto-runtime", "plinto-storage", "plinto-cluster", "plinto-token"],
    ),
    ("plinto-domain", &[]),
    ("plinto-runtime", &[]),
    ("plinto-storage", &[]),
    ("plinto-cluster", &[]),
    ("plinto-servers", &[]),
    ("plinto-token", &[]),
    // Its kernel benchmarks compare with the bare libraries; its goose scenarios use HTTP only.
    (
        "plinto-loadtest",
        &[
            "plinto-http",
            "plinto-actors",
            "plinto-runtime",
            "plinto-storage",
            "plinto-cluster",
            "plinto-servers",
            "plinto-domain",
            "plinto-token",
        ],
    ),
    // It drives real processes, and looks into what they leave behind.
    ("plinto-chaos", &["plinto-storage", "plinto-servers", "plinto-token"]),
];

/// From the lowest layer to the highest: tests may use anything below their crate.
const LAYERS: &[&[&str]] = &[
    &["plinto-servers"],
    &["plinto-domain", "plinto-runtime", "plinto-storage", "plinto-cluster", "plinto-token"],
    &["plinto-actors"],
    &["plinto-http"],
    &["plinto"],
    &["plinto-loadtest", "plinto-chaos"],
];

/// What the pure crates must never reach, however indirectly.
const IMPURE: &[&str] = &["tokio", "rusqlite", "axum", "hyper", "ractor", "reqwest", "mio"];

fn host() -> String {
    let said = Command::new("rustc").arg("-vV").output().expect("rustc is there, it built this test");
    let text = String::from_utf8(said.stdout).expect("UTF-8");
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("rustc names its host").to_owned()
}

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut command = MetadataCommand::new();
    // Without a platform cargo would fetch crates of systems nobody here builds for.
    command
        .manifest_path(manifest)
        .other_options(["--locked", "--filter-platform", &host()].map(ToOwned::to_owned));
    command.exec().expect("cargo metadata of the workspace")
}

fn layer(name: &str) -> usize {
    let found = LAYERS.iter().position(|names| names.contains(&name));
    found.unwrap_or_else(|| panic!("{name} is a new crate: give it a layer and its arrows in this test"))
}

/// (from, to) for every arrow between our crates, with its kind.
fn arrows(metadata: &Metadata) -> Vec<(String, String, DependencyKind)> {
    let members = metadata.workspace_packages();
    let ours: BTreeSet<String> = members.iter().map(|package| package.name.to_string()).collect();
    let mut arrows = Vec::new();
    for package in members {
        for dependency in &package.dependencies {
            if ours.contains(&dependency.name) {
                arrows.push((package.name.to_string(), dependency.name.clone(), dependency.kind));
            }
        }
    }
    arrows
}

fn forbidden(arrows: &[(String, String, DependencyKind)]) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let refused = |(from, to, kind): &&(String, String, DependencyKind)| match kind {
        DependencyKind::Development => from != to && layer(to) >= layer(from),
        _ => !allowed.get(from.as_str()).is_some_and(|known| known.contains(&to.as_str())),
    };
    arrows.iter().filter(refused).map(|(from, to, kind)| format!("{from} -> {to} ({kind:?})")).collect()
}

#[test]
fn no_forbidden_arrow_between_our_crates() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        layer(&package.name);
    }
    assert_eq!(forbidden(&arrows(&metadata)), Vec::<String>::new(), "see DESIGN.md, who knows whom");
}

#[test]
fn a_forbidden_arrow_would_be_found() {
    let arrow = |from: &str, to: &str, kind| (from.to_owned(), to.to_owned(), kind);
    let arrows = [
        arrow("plinto-domain", "plinto-storage", DependencyKind::Normal),
        arrow("plinto-runtime", "plinto-actors", DependencyKind::Development),
        arrow("plinto-http", "plinto-storage", DependencyKind::Build),
        arrow("plinto-http", "plinto-storage", DependencyKind::Development),
        arrow("plinto", "plinto-http", DependencyKind::Normal),
    ];
    let found = forbidden(&arrows);
    assert_eq!(found.len(), 3, "{found:?}");
}

/// Names of everything a package reaches by normal dependencies on this platform.
fn reach(metadata: &Metadata, from: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("metadata was asked for with dependencies");
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.packages.iter().find(|package| package.name == from).expect("a workspace crate");
    let mut open = vec![&start.id];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        for dependency in &nodes[id].deps {
            let normal = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if normal && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen.into_iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn pure_crates_reach_neither_runtime_nor_database_nor_network() {
    let metadata = metadata();
    for pure in ["plinto-domain", "plinto-token"] {
        let reached = reach(&metadata, pure);
        assert!(!reached.is_empty(), "{pure} reaches nothing: the walk is broken");
        let impure: Vec<_> = IMPURE.iter().filter(|name| reached.contains(**name)).collect();
        assert!(impure.is_empty(), "{pure} reaches {impure:?}");
    }
    assert!(reach(&metadata, "plinto").contains("tokio"), "the walk finds what is there");
}

#[test]
fn only_the_composition_root_names_an_engine() {
    let metadata = metadata();
    assert!(reach(&metadata, "plinto-http").contains("rusqlite"), "indirectly, through the actors");
    let direct = |name: &str| {
        let package: &Package = metadata.packages.iter().find(|package| package.name == name).expect("ours");
        let normal = |dependency: &&cargo_metadata::Dependency| dependency.kind == DependencyKind::Normal;
        package
            .dependencies
            .iter()
            .filter(normal)
            .map(|dependency| dependency.name.clone())
            .collect::<BTreeSet<_>>()
    };
    for name in ["plinto", "plinto-http", "plinto-actors"] {
        assert!(!direct(name).contains("rusqlite"), "{name} must speak to storage through its traits");
    }
}

#[test]
fn one_cryptographic_backend_and_no_system_tls() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("metadata was asked for with dependencies");
    for node in &resolve.nodes {
        let name = &metadata[&node.id].name;
        assert!(!["openssl-sys", "openssl", "native-tls"].contains(&name.as_str()), "{name} came in");
        if *name == "jsonwebtoken" {
            let features: BTreeSet<String> = node.features.iter().map(ToString::to_string).collect();
            let both = features.contains("aws_lc_rs") && features.contains("rust_crypto");
            assert!(!both, "both backends of jsonwebtoken are on: it panics at the first token");
        }
    }
}
