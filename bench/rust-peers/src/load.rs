//! Sends requests, each with the next token of a file, and says how long the answers took.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Error;

/// A server that doesn't answer ends the load.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Load {
    port: u16,
    requests: Vec<Vec<u8>>,
    next: Cell<usize>,
    failed: Cell<usize>,
}

impl Load {
    /// `count` requests, from the token `first` on, and again from the start of the file where there are too few.
    pub fn new(tokens: &Path, port: u16, first: usize, count: usize) -> Result<Self, Error> {
        let tokens = std::fs::read_to_string(tokens)?;
        let tokens: Vec<&str> = tokens.split_whitespace().collect();
        let request = |token: &&str| {
            format!(
                "GET /guarded HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: load\r\nAccept: */*\r\n\
                 Authorization: Bearer {token}\r\n\r\n"
            )
        };
        let requests = tokens.iter().cycle().skip(first).take(count);
        let requests = requests.map(|token| request(token).into_bytes()).collect();
        Ok(Self { port, requests, next: Cell::new(0), failed: Cell::new(0) })
    }

    pub fn run(self, connections: usize) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let load = Rc::new(self);
        let (all, failed) = (load.requests.len(), Rc::clone(&load));
        let local = tokio::task::LocalSet::new();
        let seconds = local.block_on(&runtime, async move {
            let started = Instant::now();
            let tasks: Vec<_> =
                (0..connections).map(|_| tokio::task::spawn_local(Rc::clone(&load).connection())).collect();
            for task in tasks {
                tokio::time::timeout(LIMIT, task).await???;
            }
            Ok::<_, Error>(started.elapsed().as_secs_f64())
        })?;
        println!(
            "{}",
            serde_json::json!({ "requests": all, "failed": failed.failed.get(), "seconds": seconds })
        );
        Ok(())
    }

    async fn connection(self: Rc<Self>) -> Result<(), Error> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.set_nodelay(true)?;
        let mut answer = vec![0; 16 * 1024];
        while let Some(request) = self.requests.get(self.next.replace(self.next.get() + 1)) {
            stream.write_all(request).await?;
            if !answered_well(&mut stream, &mut answer).await? {
                self.failed.set(self.failed.get() + 1);
            }
        }
        Ok(())
    }
}

/// Whether it is 200. Answers need a Content-Length, and no more than the buffer.
async fn answered_well(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<bool, Error> {
    let mut received = 0;
    loop {
        let read = stream.read(&mut buffer[received..]).await?;
        if read == 0 {
            return Err("the server closed a connection".into());
        }
        received += read;
        let answer = &buffer[..received];
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        if received >= end + 4 + content_length(&answer[..end])? {
            return Ok(answer.starts_with(b"HTTP/1.1 200"));
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize, Error> {
    let mut lines = std::str::from_utf8(head)?.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Ok(length.map_or(Ok(0), |(_, value)| value.trim().parse())?)
}
