//! Standard input and output, watched by the runtime itself where they are pipes or sockets, as
//! hosts make them. Anything else (a terminal, a file) is read and written by a thread, which costs
//! a call two changes of threads each way.

use std::{
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{fs::FileTypeExt as _, net::UnixStream},
    },
    path::Path,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{UnixStream as Socket, unix::pipe},
};

/// Needs the runtime it is used on.
pub(crate) fn input() -> Box<dyn AsyncRead + Send + Unpin> {
    let path = Path::new("/proc/self/fd/0");
    if is_pipe(path)
        && let Ok(pipe) = pipe::OpenOptions::new().open_receiver(path)
    {
        return Box::new(pipe);
    }
    match socket(io::stdin().as_fd()) {
        Ok(socket) => Box::new(socket),
        Err(_) => Box::new(tokio::io::stdin()),
    }
}

/// Needs the runtime it is used on.
pub(crate) fn output() -> Box<dyn AsyncWrite + Send + Unpin> {
    let path = Path::new("/proc/self/fd/1");
    if is_pipe(path)
        && let Ok(pipe) = pipe::OpenOptions::new().open_sender(path)
    {
        return Box::new(pipe);
    }
    match socket(io::stdout().as_fd()) {
        Ok(socket) => Box::new(socket),
        Err(_) => Box::new(tokio::io::stdout()),
    }
}

/// A pipe is opened once more: that it does not block belongs to what was opened, and other
/// programs may hold the end this one was given. Where there is no such folder it is read as a
/// file is.
fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

/// A socket cannot be opened again. Hosts that use one make it for this program alone.
fn socket(end: BorrowedFd<'_>) -> io::Result<Socket> {
    let socket = UnixStream::from(end.try_clone_to_owned()?);
    // Only of a socket of this kind.
    socket.local_addr()?;
    socket.set_nonblocking(true)?;
    Socket::from_std(socket)
}
