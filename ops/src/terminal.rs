//! Everything that is said to the person at the terminal. Answers go to standard output, remarks and errors to
//! standard error, so that answers can be piped.

use std::error::Error;
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zeroize::Zeroizing;

/// Longest line read from standard input, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Prints an answer.
pub(crate) fn answer(text: &str) {
    say(io::stdout().lock(), text);
}

/// Prints an answer as JSON.
pub(crate) fn answer_json(value: &impl serde::Serialize) {
    answer(&serde_json::to_string_pretty(value).expect("answers are made of strings and numbers"));
}

/// A reader that has gone, such as `head`, changes nothing about the work: it is done all the same.
fn say(mut out: impl Write, text: &str) {
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        tracing::debug!(error = %error, "nobody reads any more");
    }
}

/// Whether a person reads the answers, not a program.
pub(crate) fn is_person() -> bool {
    io::stdout().is_terminal()
}

/// Prints a remark.
pub(crate) fn remark(text: &str) {
    say(io::stderr().lock(), text);
}

/// Prints an error with its causes, those that its text does not hold already.
pub(crate) fn failure(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    remark(&format!("error: {text}"));
}

/// Asks for a line; `None` at the end of input.
pub(crate) fn ask(question: &str) -> io::Result<Option<String>> {
    if io::stdin().is_terminal() {
        prompt(question)?;
    }
    let mut line = String::new();
    let read = io::Read::take(io::stdin().lock(), LONGEST_LINE).read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Asks for a secret: without echo at a terminal, otherwise the first line of standard input.
pub(crate) fn ask_secret(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    if io::stdin().is_terminal() {
        prompt(question)?;
        return Term::stderr().read_secure_line().map(|line| Some(Zeroizing::new(line)));
    }
    Ok(ask("")?.map(Zeroizing::new))
}

fn prompt(question: &str) -> io::Result<()> {
    let mut out = io::stderr().lock();
    out.write_all(question.as_bytes())?;
    out.flush()
}

/// A progress bar on standard error; silent when that is not a terminal.
pub(crate) fn progress(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg:<10} [{wide_bar}] {pos}/{len} {elapsed}");
    bar.set_style(style.expect("the template is a constant").progress_chars("=> "));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A screen that is redrawn; whatever was on the terminal comes back when it is dropped.
pub(crate) struct Screen(Term);

impl Screen {
    /// Takes over the terminal.
    pub(crate) fn open() -> io::Result<Self> {
        send("\x1b[?1049h\x1b[?25l")?;
        Ok(Self(Term::stdout()))
    }

    /// Rows and columns there are now.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (rows, columns) = self.0.size();
        (rows.into(), columns.into())
    }

    /// Shows these lines from the top, without flicker.
    pub(crate) fn draw(&self, lines: &[String]) -> io::Result<()> {
        let mut frame = String::from("\x1b[H");
        for line in lines {
            frame.push_str(line);
            frame.push_str("\x1b[K\r\n");
        }
        frame.push_str("\x1b[J");
        send(&frame)
    }
}

fn send(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nobody is left to tell if the terminal is gone.
        drop(send("\x1b[?25h\x1b[?1049l"));
    }
}
