//! `plinto tenant`

use std::process::ExitCode;

use super::CommandError;
use super::access::with_instance;
use crate::cli::TenantCommand;
use crate::client::{Client, Tenant};
use crate::terminal;

pub(super) async fn run(command: TenantCommand) -> Result<ExitCode, CommandError> {
    match command {
        TenantCommand::Create { slug, name, json, instance } => {
            let name = name.unwrap_or_else(|| slug.clone());
            let create = async |client: &Client| Ok(client.create_tenant(&slug, &name).await?);
            let tenant = with_instance(&instance, create).await?;
            show(&[tenant], json);
        }
        TenantCommand::List { json, instance } => {
            let tenants = with_instance(&instance, async |client| Ok(client.tenants().await?)).await?;
            show(&tenants, json);
        }
        TenantCommand::Delete { tenant, yes, instance } => {
            let deleted = with_instance(&instance, async |client| delete(client, &tenant, yes).await).await?;
            terminal::answer(&format!("deleted {} ({})", deleted.slug, deleted.id));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn delete(client: &Client, named: &str, sure: bool) -> Result<Tenant, CommandError> {
    let tenant = client.find_tenant(named).await?;
    if !sure {
        let Tenant { slug, id, name, .. } = &tenant;
        terminal::remark(&format!("This deletes {name} ({id}) with all its users, for good."));
        let typed = terminal::ask(&format!("Type the slug `{slug}` to confirm: "))?;
        if typed.as_deref() != Some(slug) {
            return Err(CommandError::NotConfirmed);
        }
    }
    client.delete_tenant(&tenant.id).await?;
    Ok(tenant)
}

fn show(tenants: &[Tenant], json: bool) {
    if json {
        return terminal::answer_json(&tenants);
    }
    let width = tenants.iter().map(|tenant| tenant.slug.len()).max().unwrap_or(0);
    for Tenant { id, slug, name, issuer, .. } in tenants {
        terminal::answer(&format!("{slug:<width$}  {id}  {issuer}  {name}"));
    }
}
