use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use aileron_api::client::{Client, Endpoint};
use aileron_contract::Timestamp;
use aileron_gateway::{Gateway, Options, Services};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;

use super::World;

/// A served gateway over a world of fakes.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) world: Arc<World>,
    pub(crate) options: Options,
    _tasks: TaskTracker,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(World::default());
        let mut options = Options::new("1.2.3", address, clock);
        options.body_wall = Duration::from_secs(10);
        change(&mut options);
        let router = Gateway::router(services(&world), options.clone());
        let tasks = TaskTracker::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, world, options, _tasks: tasks }
    }

    pub(crate) fn client(&self, token: &str) -> Client {
        let base_url = format!("http://{}/v1", self.address);
        let token = Some(token.to_owned());
        Client::new(Endpoint { base_url, token, extra_root: None }).unwrap()
    }

    /// Sends `METHOD path` with the token, and a JSON body when there is one.
    pub(crate) async fn ask(&self, line: &str, token: &str, body: Option<&str>) -> Reply {
        let content = body.map_or_else(String::new, |body| {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
        });
        let headers = format!("Authorization: Bearer {token}\r\n{content}");
        self.raw(line, &headers, body.unwrap_or_default()).await
    }

    /// Sends a request with exactly these headers besides `Host` and `Connection`.
    pub(crate) async fn raw(&self, line: &str, headers: &str, body: &str) -> Reply {
        let head = format!("Host: {}\r\n{headers}", self.address);
        self.bytes(format!("{line} HTTP/1.1\r\nConnection: close\r\n{head}\r\n{body}").as_bytes())
            .await
    }

    /// Sends exactly these bytes and reads to the end.
    pub(crate) async fn bytes(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A refused body may be cut off while it is still being sent.
        drop(stream.write_all(request).await);
        Reply::read(&mut stream).await
    }
}

pub(crate) fn services(world: &Arc<World>) -> Services {
    Services {
        vault: Arc::clone(world) as _,
        access: Arc::clone(world) as _,
        bindings: Arc::clone(world) as _,
        custody: Arc::clone(world) as _,
        executor: Arc::clone(world) as _,
        packages: Arc::clone(world) as _,
        publishers: Arc::clone(world) as _,
        sessions: Some(Arc::clone(world) as _),
        audit: Arc::clone(world) as _,
    }
}

fn clock() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let reading = stream.read_to_end(&mut bytes);
        let _end = tokio::time::timeout(Duration::from_mins(1), reading).await.expect("an answer");
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}
