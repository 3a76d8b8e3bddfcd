//! What `plinto dev` prints when it is ready.

use super::credentials::{self, DevCredentials};
use super::script;
use crate::composition::{PLATFORM_KEY_FILE, RunInfo, SystemRandomness};
use crate::settings::{MailSettings, Settings};

pub(super) fn text(info: &RunInfo, settings: &Settings, credentials: &DevCredentials) -> String {
    let data = settings.data_dir.display();
    let mut text = format!("\nPlinto {} is ready. Data: {data}. Ctrl-C stops it.\n\n", info.version);
    for (service, what) in [
        ("core", "Core API     "),
        ("auth", "Auth service "),
        ("mock", "Mock API     "),
        ("webhooks", "Webhooks     "),
    ] {
        if let Some(url) = info.url(service) {
            text += &format!("  {what} {url}\n");
        }
    }
    if let Some(core) = info.url("core") {
        text += &format!("  API explorer  {core}/docs\n");
        if matches!(settings.mail, MailSettings::Mailbox) {
            text += &format!("  Mailbox       {core}/dev/mailbox\n");
        }
    }
    let DevCredentials { tenant, email, password, service_key, .. } = credentials;
    text += &format!("\n  Tenant        {tenant}\n  E-mail        {email}\n  Password      {password}\n");
    if let Some(key) = service_key {
        text += &format!("  Service key   {key}\n");
    }
    let kept = credentials::path(&settings.data_dir);
    let platform_key = settings.data_dir.join(PLATFORM_KEY_FILE);
    text += &format!("  kept in {}; the platform key is in {}\n", kept.display(), platform_key.display());
    if let Some(script) = script::text(info, credentials, &SystemRandomness) {
        text += &format!(
            "\nTry it: paste this into a shell. The first introspection says active, the second does not.\n\n{script}\n"
        );
    }
    text + "\nWatch the supervision tree: plinto tree   Everything else: plinto --help\n"
}
