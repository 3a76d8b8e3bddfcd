//! `plinto keys` and `plinto service-key`

use std::path::Path;
use std::process::ExitCode;

use plinto_storage::MasterKey;

use super::CommandError;
use super::access::{self, with_instance};
use crate::cli::{DataDirArg, KeysCommand, ServiceKeyCommand};
use crate::composition::{self, PLATFORM_KEY_FILE, SystemRandomness};
use crate::settings::Layers;
use crate::terminal;

pub(super) async fn run(command: KeysCommand) -> Result<ExitCode, CommandError> {
    match command {
        KeysCommand::Generate => terminal::answer(MasterKey::generate(&SystemRandomness).to_hex().as_str()),
        KeysCommand::Rotate { tenant, alg, instance } => {
            let rotated = with_instance(&instance, async |client| {
                let tenant = client.find_tenant(&tenant).await?;
                client.rotate_keys(&tenant.id, alg.as_str()).await?;
                Ok(tenant)
            });
            let tenant = rotated.await?;
            let alg = alg.as_str();
            terminal::answer(&format!(
                "{}: new data key, new {alg} signing key; older ones keep reading and verifying",
                tenant.slug
            ));
        }
        KeysCommand::Platform { data, config } => platform(&data, config.as_deref()).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn platform(data: &DataDirArg, config: Option<&Path>) -> Result<(), CommandError> {
    let mut flags = Layers::default();
    data.add_to(&mut flags);
    let settings = access::load(config, &flags)?;
    let path = &settings.data_dir;
    // Files belong to one process; a node beside others is no hindrance.
    if settings.database.is_none()
        && let Some(info) = composition::running(path)?
    {
        return Err(CommandError::Running { path: path.clone(), pid: info.pid });
    }
    let instance = access::start(&settings).await?;
    let issued = instance.issue_platform_key(path).await;
    access::stop(instance, &settings).await;
    issued?;
    let file = path.join(PLATFORM_KEY_FILE);
    terminal::answer(&format!("a new platform key is in {}", file.display()));
    Ok(())
}

pub(super) async fn run_service_key(command: ServiceKeyCommand) -> Result<ExitCode, CommandError> {
    let ServiceKeyCommand::Create { tenant, name, instance } = command;
    let key = with_instance(&instance, async |client| {
        let tenant = client.find_tenant(&tenant).await?;
        Ok(client.create_service_key(&tenant.id, &name).await?)
    })
    .await?;
    terminal::remark(&format!("{}; the key is shown this once:", key.id));
    terminal::answer(&key.key);
    Ok(ExitCode::SUCCESS)
}
