//! Small files and servers for the tests of this crate.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

/// The bytes of an IDX file of unsigned bytes.
pub(crate) fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    for size in dimensions {
        bytes.extend(size.to_be_bytes());
    }
    bytes.extend(values);
    bytes
}

/// `bytes`, compressed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes a file into `folder`.
pub(crate) fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A server on this machine that answers with a few files until it is dropped.
#[cfg(feature = "download")]
pub(crate) struct Server {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[cfg(feature = "download")]
impl Server {
    /// A server of `files`: the path in the address, and the content.
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let files: Vec<(String, Vec<u8>)> = files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), content.to_vec()))
            .collect();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                answer(connection.unwrap(), &files);
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

/// Answers one request and closes the connection.
#[cfg(feature = "download")]
fn answer(mut connection: std::net::TcpStream, files: &[(String, Vec<u8>)]) {
    use std::io::{BufRead, BufReader};
    let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let file = files.iter().find(|(name, _)| name == path);
    let (status, body) = match file {
        Some((_, content)) => ("200 OK", content.as_slice()),
        None => ("404 Not Found", &b""[..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body).unwrap();
}

#[cfg(feature = "download")]
impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::SeqCst);
        // Wakes the thread from waiting for a request.
        drop(std::net::TcpStream::connect(
            self.address.trim_start_matches("http://"),
        ));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
