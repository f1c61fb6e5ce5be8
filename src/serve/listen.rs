//! Where a server listens.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What stands before the path of a Unix socket.
const UNIX: &str = "unix:";

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port of an address of this machine; port 0 is any that is free.
    Tcp(SocketAddr),
    /// A Unix socket, for programs of this machine that may open its file.
    Unix(PathBuf),
}

/// What is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address with a port, such as 127.0.0.1:8417 or [::1]:8417, or unix:PATH")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        match text.strip_prefix(UNIX) {
            Some("") => Err(AddressError),
            Some(path) => Ok(Address::Unix(path.into())),
            None => {
                text.to_socket_addrs().ok().and_then(|mut found| found.next()).map(Address::Tcp).ok_or(AddressError)
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => write!(formatter, "http://{address}"),
            Address::Unix(path) => write!(formatter, "{UNIX}{}", path.display()),
        }
    }
}

impl Address {
    /// Whether only programs of this machine reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Address::Tcp(address) => address.ip().is_loopback(),
            Address::Unix(_) => true,
        }
    }
}

/// A bound address.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: std::os::unix::net::UnixListener,
        path: PathBuf,
        /// Whether the file goes away with the server: that of a socket which systemd made does not.
        is_own: bool,
    },
}

impl Listener {
    /// Binds an address. The file of a Unix socket whose server is gone is replaced.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind(address: &Address) -> io::Result<Listener> {
        match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                Ok(Listener::Tcp(listener))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                use std::os::unix::fs::FileTypeExt;
                use std::os::unix::net::{UnixListener, UnixStream};
                let listener = match UnixListener::bind(path) {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        // Connecting to a file of another kind is refused as well.
                        let is_socket = std::fs::symlink_metadata(path)?.file_type().is_socket();
                        let is_dead = is_socket
                            && UnixStream::connect(path)
                                .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
                        if !is_dead {
                            return Err(error);
                        }
                        std::fs::remove_file(path)?;
                        UnixListener::bind(path)?
                    }
                    bound => bound?,
                };
                listener.set_nonblocking(true)?;
                Ok(Listener::Unix { listener, path: path.clone(), is_own: true })
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The socket that systemd opened for this process; `None` where it opened none.
    ///
    /// # Errors
    /// What the system says, and whether there are several sockets, or one that takes no connections.
    #[cfg(unix)]
    pub fn handed_over() -> io::Result<Option<Listener>> {
        let mut sockets = listenfd::ListenFd::from_env();
        match sockets.len() {
            0 => return Ok(None),
            1 => {}
            several => {
                let message = format!("systemd hands over {several} sockets, and one is expected");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
        for family in [libc::AF_INET, libc::AF_INET6] {
            if let Ok(Some(listener)) = sockets.take_custom::<TcpListener>(0, family, libc::SOCK_STREAM, "a TCP socket")
            {
                listener.set_nonblocking(true)?;
                return Ok(Some(Listener::Tcp(listener)));
            }
        }
        let Some(listener) = sockets.take_unix_listener(0)? else { return Ok(None) };
        listener.set_nonblocking(true)?;
        let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Some(Listener::Unix { listener, path, is_own: false }))
    }

    /// No system but Unix has systemd.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn handed_over() -> io::Result<Option<Listener>> {
        Ok(None)
    }

    /// Where it listens, the port known.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Listener::Unix { path, .. } => Ok(Address::Unix(path.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, local) in
            [("127.0.0.1:8417", true), ("[::1]:0", true), ("0.0.0.0:80", false), ("10.0.0.1:80", false)]
        {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string(), address.is_local()), (format!("http://{text}"), local));
        }
        assert_eq!("unix:/run/x".parse::<Address>().unwrap().to_string(), "unix:/run/x");
        assert!(["", "127.0.0.1", "unix:", "8417"].iter().all(|text| text.parse::<Address>().is_err()));
    }

    #[cfg(unix)]
    #[test]
    fn the_socket_of_a_dead_server_is_replaced_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Unix(folder.path().join("socket"));
        let first = Listener::bind(&address).unwrap();
        assert!(Listener::bind(&address).is_err());
        drop(first);
        assert!(Listener::bind(&address).is_ok());
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert!(Listener::bind(&Address::Unix(folder.path().join("file"))).is_err());
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"x");
    }
}
