//! `plinto user`

mod export;
mod import;

use std::process::ExitCode;

use super::CommandError;
use super::access::with_instance;
use crate::cli::{InstanceArgs, UserCommand};
use crate::terminal;

pub(super) async fn run(command: UserCommand) -> Result<ExitCode, CommandError> {
    match command {
        UserCommand::Create { tenant, email, name, instance } => {
            create(&tenant, &email, name.as_deref(), &instance).await
        }
        UserCommand::Import { tenant, file, dry_run, skip_existing, instance } => {
            let wish = import::Wish { tenant: &tenant, file: &file, dry_run, skip_existing };
            import::run(&wish, &instance).await
        }
        UserCommand::Export { tenant, output, password_hashes, instance } => {
            export::run(&tenant, output.as_deref(), password_hashes, &instance).await
        }
    }
}

async fn create(
    tenant: &str,
    email: &str,
    name: Option<&str>,
    instance: &InstanceArgs,
) -> Result<ExitCode, CommandError> {
    // Asked for before anything is started, so that nobody waits at a lock held by a prompt.
    let password = terminal::ask_secret(&format!("Password for {email}: "))?;
    let password = password.filter(|password| !password.is_empty()).ok_or(CommandError::NoPassword)?;
    let user = with_instance(instance, async |client| {
        let tenant = client.find_tenant(tenant).await?;
        Ok(client.create_user(&tenant.id, email, &password, name).await?)
    })
    .await?;
    terminal::answer(&user.id);
    Ok(ExitCode::SUCCESS)
}
