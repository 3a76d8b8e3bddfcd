use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::settings::{LogFormat, LogSettings};

/// Sends logs to standard error from now on. The filter was checked with the settings; once per process.
pub(crate) fn start(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    std::panic::set_hook(Box::new(log_panic));
    match settings.format {
        LogFormat::Text => builder.with_ansi(console::colors_enabled_stderr()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// A bug, found by its place. Only a text from the source is shown: one that was put together may hold a secret.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let text =
        panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("a text with data, withheld");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, text, "panicked");
}
