//! A TCP proxy that can be cut, stalled, slowed and healed, between a test and its server.

use anyhow::{Context, Result};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::{AbortHandle, JoinSet};

/// Large enough not to slow a test down, small enough that a stall holds back all but a little.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the proxy does with bytes and with new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Forwards.
    Open,
    /// Accepts connections and bytes, and forwards nothing: what a half-open connection looks like from its end.
    Stalled,
    /// Closes every connection, new ones included.
    Cut,
}

/// The mode, how long each chunk is held back, and how often all connections were dropped: a connection of an earlier
/// epoch is over.
#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    delay: Duration,
    epoch: u64,
    /// How often all connections were stranded; one that was made before the last time gets nothing any more.
    strandings: u64,
}

/// A proxy on a free port of 127.0.0.1 in front of one server. Open at first.
///
/// Cleans up: dropping it closes its port and all its connections.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    injections: broadcast::Sender<Vec<u8>>,
    accepted: Arc<AtomicU64>,
    accepting: AbortHandle,
}

impl TcpProxy {
    /// Starts a proxy in front of `target`, written `host:port`.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(target: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on a free port")?;
        let address = listener.local_addr().context("cannot tell the port of the proxy")?;
        let (state, observer) =
            watch::channel(State { mode: Mode::Open, epoch: 0, strandings: 0, delay: Duration::ZERO });
        let injections = broadcast::Sender::new(16);
        let accepted = Arc::new(AtomicU64::new(0));
        let serving =
            accept(listener, target.to_owned(), observer, injections.clone(), Arc::clone(&accepted));
        #[expect(
            clippy::disallowed_methods,
            reason = "the proxy outlives no test: dropping it ends the task"
        )]
        let accepting = tokio::spawn(serving).abort_handle();
        Ok(Self { address, state, injections, accepted, accepting })
    }

    /// Starts a proxy in front of the server that `url` names, and returns it with the URL that leads through it. The
    /// URL must name a port.
    ///
    /// # Errors
    /// When `url` has no `host:port`, or no port can be listened on.
    pub async fn start_before(url: &str) -> Result<(Self, String)> {
        // The message names no URL: it may hold a password.
        let (scheme, rest) = url.split_once("://").context("the URL has no scheme")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (credentials, target) = authority.rsplit_once('@').unwrap_or(("", authority));
        anyhow::ensure!(target.contains(':'), "the URL names no port");
        let proxy = Self::start(target).await?;
        let at = if credentials.is_empty() { "" } else { "@" };
        let through = format!("{scheme}://{credentials}{at}{}{path}", proxy.address);
        Ok((proxy, through))
    }

    /// Where to connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Closes all connections; every new one is closed as soon as it is made.
    pub fn cut(&self) {
        self.set(Mode::Cut);
    }

    /// Lets connections through again, after [`cut`](Self::cut), and without delay, after [`slow`](Self::slow).
    pub fn heal(&self) {
        self.state.send_modify(|state| (state.mode, state.delay) = (Mode::Open, Duration::ZERO));
    }

    /// From now on holds back whatever arrives for `delay`, in each direction.
    pub fn slow(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// From now on forwards nothing, on old connections and on new ones, but closes none.
    pub fn stall(&self) {
        self.set(Mode::Stalled);
    }

    /// Forwards again, beginning with what arrived during the [`stall`](Self::stall).
    pub fn resume(&self) {
        self.set(Mode::Open);
    }

    /// Closes all connections that there are now; new ones are welcome.
    pub fn drop_connections(&self) {
        self.state.send_modify(|state| state.epoch += 1);
    }

    /// From now on forwards nothing on the connections that there are now, for ever, but closes none: the other end is
    /// gone without a word. New ones are welcome.
    pub fn strand(&self) {
        self.state.send_modify(|state| state.strandings += 1);
    }

    /// Tells all clients something as if their server had said it. It must not be in the middle of a sentence.
    pub fn inject(&self, bytes: &[u8]) {
        // An error means that there is no client to be told.
        self.injections.send(bytes.to_vec()).ok();
    }

    fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves connections until it is aborted; the set takes them along.
async fn accept(
    listener: TcpListener,
    target: String,
    state: watch::Receiver<State>,
    injections: broadcast::Sender<Vec<u8>>,
    count: Arc<AtomicU64>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A client that went away before it was accepted is no reason to stop.
                if let Ok((client, _)) = accepted {
                    count.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(serve(client, target.clone(), state.clone(), injections.subscribe()));
                }
            }
            Some(_finished) = connections.join_next() => {}
        }
    }
}

/// Carries one connection until either end closes it, or the proxy does.
async fn serve(
    client: TcpStream,
    target: String,
    state: watch::Receiver<State>,
    injections: broadcast::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let epoch = state.borrow().epoch;
    let mut until_dropped = state.clone();
    tokio::select! {
        _ = until_dropped.wait_for(|state| state.mode == Mode::Cut || state.epoch != epoch) => Ok(()),
        result = forward(client, &target, state, injections) => result,
    }
}

async fn forward(
    client: TcpStream,
    target: &str,
    mut state: watch::Receiver<State>,
    injections: broadcast::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let birth = state.borrow().strandings;
    wait_until_open(&mut state, birth).await;
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = pump(from_client, to_server, state.clone(), birth, None);
    let back = pump(from_server, to_client, state, birth, Some(injections));
    tokio::try_join!(there, back).map(|_both| ())
}

/// Copies one direction to its end.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    birth: u64,
    mut injections: Option<broadcast::Receiver<Vec<u8>>>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let injected = async {
            match &mut injections {
                Some(injections) => injections.recv().await,
                None => std::future::pending().await,
            }
        };
        let length = tokio::select! {
            length = from.read(&mut chunk) => length?,
            Ok(bytes) = injected => {
                to.write_all(&bytes).await?;
                continue;
            }
        };
        let delay = state.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        wait_until_open(&mut state, birth).await;
        match chunk.get(..length) {
            None | Some([]) => return to.shutdown().await,
            Some(bytes) => to.write_all(bytes).await?,
        }
    }
}

async fn wait_until_open(state: &mut watch::Receiver<State>, birth: u64) {
    // An error means that the proxy is gone, and this task with it in a moment.
    state.wait_for(|state| state.mode == Mode::Open && state.strandings == birth).await.ok();
}
