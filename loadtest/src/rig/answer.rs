//! Just enough of an HTTP/1.1 client to know where an answer ends and what its status is.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

const HEAD_END: &[u8] = b"\r\n\r\n";

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Where the head ends, the status and the length of the body; `None` while the head is incomplete.
fn head(bytes: &[u8]) -> io::Result<Option<(usize, u16, usize)>> {
    let Some(end) = bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| malformed("answer head is not text"))?;
    let status = text.get(9..12).and_then(|digits| digits.parse().ok());
    let status = status.ok_or_else(|| malformed("answer has no status"))?;
    let length = text
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    // 204 has no body and says no length.
    let length = if status == 204 { Some(0) } else { length };
    let length = length.ok_or_else(|| malformed("answer has no content-length"))?;
    Ok(Some((end + HEAD_END.len(), status, length)))
}

/// Reads one answer and returns its status. The buffer is emptied: without pipelining nothing follows.
pub(crate) async fn read_answer(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<u16> {
    buffer.clear();
    let mut known = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if known.is_none() {
            known = head(buffer)?;
        }
        if let Some((start, status, length)) = known
            && buffer.len() >= start + length
        {
            return Ok(status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read_answer;

    #[tokio::test]
    async fn an_answer_in_pieces_is_read_to_its_end() {
        let (head, rest) = (&b"HTTP/1.1 429 Too Many\r\nContent-"[..], &b"Length: 5\r\n\r\nhel"[..]);
        let mut stream =
            tokio::io::AsyncReadExt::chain(tokio::io::AsyncReadExt::chain(head, rest), &b"lo"[..]);
        let status = read_answer(&mut stream, &mut Vec::new()).await;
        assert_eq!(status.unwrap(), 429);
    }

    #[tokio::test]
    async fn an_answer_without_content_ends_with_its_head() {
        let status = read_answer(&mut &b"HTTP/1.1 204 No Content\r\n\r\n"[..], &mut Vec::new()).await;
        assert_eq!(status.unwrap(), 204);
    }

    #[tokio::test]
    async fn a_cut_or_unusable_answer_is_an_error() {
        for bad in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "HTTP/1.1 200 OK\r\n\r\n"] {
            assert!(read_answer(&mut bad.as_bytes(), &mut Vec::new()).await.is_err(), "{bad}");
        }
    }
}
