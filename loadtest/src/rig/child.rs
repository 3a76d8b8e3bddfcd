//! Measurements in a process of their own: clean memory, a true start.

use super::error::BenchError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::Instant;

/// Runs this binary with `args`; the child answers with one JSON value on its standard output.
pub(crate) async fn ask<T: DeserializeOwned>(args: &[String]) -> Result<T, BenchError> {
    let output = Command::new(std::env::current_exe()?)
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    if !output.status.success() {
        return Err(BenchError::Invalid(format!("the child process `{}` failed", args.join(" "))));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs this binary with `args` and returns the time from its spawning to its first line, and that line.
pub(crate) async fn time_to_first_line(args: &[String]) -> Result<(Duration, String), BenchError> {
    let begun = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or_else(|| BenchError::Invalid("the child has no output".into()))?;
    let mut output = BufReader::new(output);
    let mut line = String::new();
    output.read_line(&mut line).await?;
    let taken = begun.elapsed();
    output.read_to_string(&mut String::new()).await?;
    if !child.wait().await?.success() || line.is_empty() {
        return Err(BenchError::Invalid(format!("the child process `{}` failed", args.join(" "))));
    }
    Ok((taken, line))
}

/// Answers the parent.
#[expect(clippy::print_stdout, reason = "standard output is how a child answers its parent")]
pub(crate) fn answer(value: &impl Serialize) -> Result<(), BenchError> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}
