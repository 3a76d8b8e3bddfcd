//! What every experiment stands on: a data directory, an installation, and what is known about it.

use std::fs;
use std::path::{Path, PathBuf};

use rand::RngExt;
use tempfile::TempDir;

use crate::api::Api;
use crate::invariants::{Violation, Witness};
use crate::journal::{Journal, Standing, Tenant};
use crate::process::Installation;
use crate::seed::Seed;
use crate::verification::populate;
use crate::{Failure, HarnessError};

/// The part of the seed that the master key is drawn from.
const MASTER_KEY: u64 = 3_000;

/// An experiment's place to work. Its folder is removed at the end unless promises were broken.
pub struct Bench {
    folder: TempDir,
    /// How the server is started.
    pub installation: Installation,
    /// What is known about its data.
    pub journal: Journal,
    /// Where all choices come from.
    pub seed: Seed,
}

impl Bench {
    /// A new folder with an empty data directory.
    pub fn new(program: &Path, seed: Seed) -> Result<Self, HarnessError> {
        let folder = folder()?;
        let data = folder.path().join("data");
        Ok(Self::on(program, folder, &data, seed))
    }

    /// The same with the data directory somewhere else, such as on a small volume.
    pub fn on(program: &Path, folder: TempDir, data: &Path, seed: Seed) -> Self {
        let key = hex::encode(seed.generator(0, MASTER_KEY).random::<[u8; 32]>());
        let installation = Installation::new(program, data, &folder.path().join("plinto.log"), &key);
        Self { folder, installation, journal: Journal::default(), seed }
    }

    /// A path in the experiment's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes `tenants` tenants with `users` signed-in users each.
    pub async fn furnish(&self, api: &Api, tenants: usize, users: usize) -> Result<(), HarnessError> {
        let platform_key = self.installation.platform_key()?;
        let mut slugs = Vec::new();
        for number in 0..tenants {
            let slug = format!("users-{number}");
            let id = api.create_tenant(&platform_key, &slug).await.required("the creation of a tenant")?;
            let standing = Standing::Acknowledged;
            self.journal.know_tenant(Tenant { id, slug: slug.clone(), standing, rotations: 0 });
            slugs.push(slug);
        }
        let witness = Witness::new(api, &platform_key);
        populate(&witness, &self.journal, &slugs, users, self.seed).await
    }

    /// Ends the experiment: keeps the folder and says how to repeat it if promises were broken.
    pub fn conclude(self, violations: Vec<Violation>, replay: &str) -> Result<(), Failure> {
        if violations.is_empty() {
            return Ok(());
        }
        let kept = self.folder.keep();
        let replay = format!("{replay}\n(data and log of this run: {})", kept.display());
        Err(Failure::Violated { violations, replay })
    }
}

/// A folder of its own for one experiment.
pub fn folder() -> Result<TempDir, HarnessError> {
    let made = tempfile::Builder::new().prefix("plinto-chaos-").tempdir();
    made.map_err(HarnessError::io("make a temporary folder"))
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<(), HarnessError> {
    let failed = || HarnessError::io(format!("copy {}", from.display()));
    fs::create_dir_all(to).map_err(failed())?;
    for entry in fs::read_dir(from).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(failed())?;
        }
    }
    Ok(())
}
