//! `plinto user`

use std::process::ExitCode;

use super::CommandError;
use super::access::with_instance;
use crate::cli::UserCommand;
use crate::terminal;

pub(super) async fn run(command: UserCommand) -> Result<ExitCode, CommandError> {
    let UserCommand::Create { tenant, email, name, instance } = command;
    // Asked for before anything is started, so that nobody waits at a lock held by a prompt.
    let password = terminal::ask_secret(&format!("Password for {email}: "))?;
    let password = password.filter(|password| !password.is_empty()).ok_or(CommandError::NoPassword)?;
    let user = with_instance(&instance, async |client| {
        let tenant = client.find_tenant(&tenant).await?;
        Ok(client.create_user(&tenant.id, &email, &password, name.as_deref()).await?)
    })
    .await?;
    terminal::answer(&user.id);
    Ok(ExitCode::SUCCESS)
}
