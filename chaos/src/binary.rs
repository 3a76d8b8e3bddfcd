//! Finding the `plinto` binary.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use cargo_metadata::MetadataCommand;

use crate::HarnessError;

/// Names the binary to use, instead of the one of this workspace.
const VARIABLE: &str = "PLINTO_BIN";
/// Folders of the workspace that the binary is not made of.
const NOT_PART_OF_IT: &[&str] = &["target", "chaos", "loadtest", "tests"];

/// The binary that `PLINTO_BIN` names; otherwise that of this workspace in the harness's own profile, built first if
/// it is missing or older than the sources, so that an experiment never passes on yesterday's code.
pub fn locate() -> Result<PathBuf, HarnessError> {
    if let Some(named) = env::var_os(VARIABLE) {
        let path = PathBuf::from(named);
        let missing =
            || HarnessError::NoBinary { reason: format!("{VARIABLE}={} does not exist", path.display()) };
        return if path.is_file() { Ok(path) } else { Err(missing()) };
    }
    let release = !cfg!(debug_assertions);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    // Cargo answers with CARGO_TARGET_DIR and its own configuration taken into account.
    let metadata = MetadataCommand::new().manifest_path(&manifest).no_deps().exec();
    let metadata = metadata.map_err(|error| HarnessError::NoBinary { reason: error.to_string() })?;
    let target = metadata.target_directory.into_std_path_buf();
    let path = target.join(if release { "release" } else { "debug" }).join("plinto");
    if !is_current(&path, metadata.workspace_root.as_std_path()) {
        build(&manifest, release)?;
    }
    if path.is_file() {
        Ok(path)
    } else {
        Err(HarnessError::NoBinary { reason: format!("{} was not made by cargo build", path.display()) })
    }
}

fn build(manifest: &Path, release: bool) -> Result<(), HarnessError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "plinto", "--manifest-path"]).arg(manifest);
    if release {
        command.arg("--release");
    }
    let status = command.status().map_err(HarnessError::io("run cargo build"))?;
    let reason = format!("cargo build --package plinto ended with {status}");
    if status.success() { Ok(()) } else { Err(HarnessError::NoBinary { reason }) }
}

fn is_current(binary: &Path, workspace: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    modified(binary).is_some_and(|built| newest(workspace).is_none_or(|source| source <= built))
}

/// When the newest source file was changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        if name.starts_with('.') || NOT_PART_OF_IT.contains(&name.as_str()) {
            return None;
        }
        if entry.file_type().ok()?.is_dir() {
            return newest(&entry.path());
        }
        let is_source = [".rs", ".sql", ".toml"].iter().any(|ending| name.ends_with(ending));
        if is_source { entry.metadata().ok()?.modified().ok() } else { None }
    });
    times.max()
}
