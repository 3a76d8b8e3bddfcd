//! A client of a node: one keep-alive connection that is asked one thing at a time.

use super::BenchError;
use super::answer::read_answer;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends a request; status and body of the answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8]), BenchError> {
        self.stream.write_all(request).await?;
        let status = read_answer(&mut self.stream, &mut self.buffer).await?;
        let head = self.buffer.windows(4).position(|window| window == b"\r\n\r\n");
        Ok((status, &self.buffer[head.map_or(0, |end| end + 4)..]))
    }

    /// The same, when nothing but success will do.
    pub(crate) async fn demand(&mut self, what: &str, request: &[u8]) -> Result<&[u8], BenchError> {
        let (status, body) = self.ask(request).await?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let said = String::from_utf8_lossy(body).into_owned();
        Err(BenchError::Invalid(format!("{what} was answered with status {status}: {said}")))
    }
}
