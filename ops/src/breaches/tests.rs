use super::*;
use plinto_actors::{HashPrefix, ListUnavailable};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(5);

fn prefix(digits: &str) -> HashPrefix {
    HashPrefix::parse(digits).expect("five digits")
}

/// A list of made-up hashes in order: their numbers times 7919, spread over all prefixes, some of them close together.
fn list(end: &str, count: impl Fn(u64) -> u64) -> (String, Vec<String>) {
    let (mut text, mut hashes) = (String::new(), Vec::new());
    for number in 0..3_000_u64 {
        let begins = if number < 1_500 { 7 } else { number * 349 };
        let hash = format!("{begins:05X}{:035X}", number * 7919);
        write!(text, "{hash}:{}{end}", count(number)).expect("a text");
        hashes.push(hash);
    }
    assert!(hashes.is_sorted());
    (text, hashes)
}

fn file(text: &str) -> (tempfile::TempDir, Result<ListFile, BreachProblem>) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("pwned.txt");
    std::fs::write(&path, text).expect("written");
    let opened = ListFile::open(&path);
    (folder, opened)
}

#[tokio::test]
async fn a_file_answers_every_range_whole_whatever_ends_its_lines() {
    for (end, cut) in [("\n", false), ("\r\n", false), ("\n", true)] {
        let (mut text, hashes) = list(end, |number| number % 90_000_000 + 1);
        if cut {
            text.pop();
        }
        let (_folder, opened) = file(&text);
        let opened = opened.expect("a list");
        let mut prefixes: Vec<_> = hashes.iter().map(|hash| hash[..5].to_owned()).collect();
        prefixes.extend(["00000", "00006", "00008", "ABCDE", "FFFFF"].map(str::to_owned));
        prefixes.dedup();
        for digits in prefixes {
            let range = opened.range(&prefix(&digits)).await.expect("reads");
            let wanted: Vec<_> =
                hashes.iter().filter_map(|hash| hash.strip_prefix(&digits)).map(str::to_owned).collect();
            assert_eq!(range, wanted, "{digits}");
        }
    }
}

#[tokio::test]
async fn a_file_of_one_line_is_a_list_and_counts_of_zero_fill_up() {
    let hash = "0123456789ABCDEF0123456789ABCDEF01234567";
    for (text, found) in [(format!("{hash}:3"), 1), (format!("{hash}\n"), 1), (format!("{hash}:0\n"), 0)] {
        let (_folder, opened) = file(&text);
        assert_eq!(opened.expect("a list").range(&prefix("01234")).await.expect("reads").len(), found);
    }
}

#[tokio::test]
async fn what_is_no_list_is_refused_at_the_start_or_when_it_is_noticed() {
    for text in ["", "password\n", "5BAA6:1\n", &"x".repeat(1_000), "é\n"] {
        let (_folder, opened) = file(text);
        let Err(problem) = opened else { panic!("{text:.20} was taken for a list") };
        assert!(problem.to_string().contains("passwords.breached_file"), "{problem}");
    }
    let (sorted, _) = list("\n", |_| 1);
    let backwards: String = sorted.lines().rev().map(|line| format!("{line}\n")).collect();
    assert!(file(&backwards).1.is_err(), "its ends are not in order");
    assert!(ListFile::open(Path::new("/nowhere/pwned.txt")).is_err());
    let spoilt = sorted.lines().enumerate().map(|(at, line)| if at == 700 { "x" } else { line });
    let spoilt: String = spoilt.map(|line| format!("{line}\n")).collect();
    let (_folder, opened) = file(&spoilt);
    let spoilt = opened.expect("its ends are good");
    assert!(spoilt.range(&prefix("00007")).await.is_err(), "a line among these is no hash");
    assert!(spoilt.range(&prefix("FFB00")).await.is_ok(), "others can be read");
}

/// A server that gives one answer to each connection, and the heads of the requests it got.
async fn server(answer: String) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/range", listener.local_addr().expect("bound"));
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        // Who has read enough hangs up.
        drop(stream.write_all(answer.as_bytes()).await);
        drop(stream.shutdown().await);
        String::from_utf8(head).expect("text")
    });
    (url, serving)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

async fn answered(answer: String) -> (Result<Vec<String>, ListUnavailable>, String) {
    let (url, serving) = server(answer).await;
    let api = RangeApi::new(&url, PATIENCE, None).expect("a client");
    let range = api.range(&prefix("5BAA6")).await;
    (range, serving.await.expect("served"))
}

#[tokio::test]
async fn a_server_is_told_five_digits_and_asked_to_fill_up_and_what_fills_up_is_left_out() {
    let known = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
    let filled = format!("{known}:9659365\r\n{}:0\r\n", "0".repeat(35));
    let (range, head) = answered(ok(&filled)).await;
    assert_eq!(range.expect("answered"), [known]);
    assert!(head.starts_with("GET /range/5BAA6 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("add-padding: true"), "{head}");
    assert!(!head.contains(known));
}

#[tokio::test]
async fn whatever_else_a_server_answers_is_a_failure_that_tells_no_digits() {
    let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/5BAA6\r\ncontent-length: 0\r\n\r\n";
    for answer in [
        "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
        redirect.to_owned(),
        ok("<html>5BAA6 not found</html>"),
        ok(&format!("{}:1\r\n", "F".repeat(36))),
        ok(&format!("{}:1\n", "F".repeat(35)).repeat(LARGEST_RANGE * 2)),
        "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nshort".to_owned(),
        "nonsense".to_owned(),
        String::new(),
    ] {
        let (range, _) = answered(answer.clone()).await;
        let error = range.expect_err(&answer[..answer.len().min(60)]).to_string();
        assert!(!error.contains("5BAA6"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_or_hangs_is_given_up() {
    let closed = RangeApi::new("http://127.0.0.1:1/range", PATIENCE, None).expect("a client");
    let error = closed.range(&prefix("5BAA6")).await.expect_err("nobody listens");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/range", listener.local_addr().expect("bound"));
    let hanging = RangeApi::new(&url, Duration::from_millis(50), None).expect("a client");
    let error = hanging.range(&prefix("5BAA6")).await.expect_err("no answer comes");
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn authorities_must_be_certificates() {
    assert!(RangeApi::new("https://api.example.com/range", PATIENCE, Some(b"nonsense")).is_err());
}
