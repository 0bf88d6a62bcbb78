//! A lean HTTP/1.1 client: one kept connection, whole answers, streamed bodies, and a stream of events.

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use anyhow::{Context, bail};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderName};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A body of any kind.
pub type AnyBody = BoxBody<Bytes, std::io::Error>;

/// What a request shows: a header with its value.
#[derive(Clone, Debug)]
pub struct Credential {
    /// `Authorization` or `Cookie`.
    pub name: HeaderName,
    /// What stands there.
    pub value: String,
}

impl Credential {
    /// A bearer token.
    pub fn token(token: &str) -> Self {
        Self { name: header::AUTHORIZATION, value: format!("Bearer {token}") }
    }

    /// Signs in as a person does, and shows the session's cookie from then on.
    pub async fn sign_in(address: SocketAddr, email: &str, password: &str) -> anyhow::Result<Self> {
        let (mut sender, connection) = http1::handshake(dial(address).await?).await?;
        tokio::spawn(connection);
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let form = format!("email={}&password={}", encode(email), encode(password));
        let request = Request::post("/sign-in")
            .header(header::HOST, address.to_string())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(http_body_util::Full::<Bytes>::from(form))?;
        let response = sender.send_request(request).await?;
        let cookie = response.headers().get(header::SET_COOKIE).context("the sign-in gave no cookie")?;
        let value = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { name: header::COOKIE, value })
    }
}

/// A connection to a server, with a credential.
pub struct Client {
    sender: SendRequest<AnyBody>,
    credential: Credential,
}

/// Opens a TCP connection that does not wait for more to send.
pub async fn dial(address: SocketAddr) -> anyhow::Result<TokioIo<TcpStream>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

impl Client {
    /// Connects, with a bearer token.
    pub async fn connect(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        Self::with(address, Credential::token(token)).await
    }

    /// Connects.
    pub async fn with(address: SocketAddr, credential: Credential) -> anyhow::Result<Self> {
        let (sender, connection) = http1::handshake(dial(address).await?).await?;
        // Its end shows at the next request.
        tokio::spawn(connection);
        Ok(Self { sender, credential })
    }

    async fn send(&mut self, request: Request<AnyBody>) -> anyhow::Result<Incoming> {
        let what = format!("{} {}", request.method(), request.uri());
        self.sender.ready().await.with_context(|| what.clone())?;
        let response = self.sender.send_request(request).await.with_context(|| what.clone())?;
        let status = response.status();
        if !status.is_success() {
            let text = response.into_body().collect().await?.to_bytes();
            bail!("{what} answered {status}: {}", String::from_utf8_lossy(&text));
        }
        Ok(response.into_body())
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: AnyBody,
    ) -> anyhow::Result<Request<AnyBody>> {
        Ok(Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "bench")
            .header(&self.credential.name, &self.credential.value)
            .header(header::CONTENT_TYPE, kind)
            .body(body)?)
    }

    /// The answer's bytes.
    pub async fn get_bytes(&mut self, path: &str) -> anyhow::Result<Bytes> {
        let request = self.request(Method::GET, path, "application/json", empty())?;
        Ok(self.send(request).await?.collect().await?.to_bytes())
    }

    /// The answer as JSON.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.get_bytes(path).await?)?)
    }

    /// Posts JSON; the answer as JSON.
    pub async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = full(serde_json::to_vec(body)?);
        let request = self.request(Method::POST, path, "application/json", body)?;
        Ok(serde_json::from_slice(&self.send(request).await?.collect().await?.to_bytes())?)
    }

    /// Patches with JSON; the answer as JSON.
    pub async fn patch(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = full(serde_json::to_vec(body)?);
        let request = self.request(Method::PATCH, path, "application/json", body)?;
        Ok(serde_json::from_slice(&self.send(request).await?.collect().await?.to_bytes())?)
    }

    /// Posts a CSV file as it is read.
    pub async fn post_csv(&mut self, path: &str, pieces: Pieces) -> anyhow::Result<Value> {
        self.post_file(path, "text/csv", pieces).await
    }

    /// Posts a file of this type as it is read.
    pub async fn post_file(&mut self, path: &str, kind: &str, pieces: Pieces) -> anyhow::Result<Value> {
        let request = self.request(Method::POST, path, kind, pieces.boxed())?;
        Ok(serde_json::from_slice(&self.send(request).await?.collect().await?.to_bytes())?)
    }

    /// Opens a stream of server-sent events. The connection is the stream's from then on.
    pub async fn follow(mut self, path: &str) -> anyhow::Result<Events> {
        let request = self.request(Method::GET, path, "text/event-stream", empty())?;
        let body = self.send(request).await?;
        Ok(Events::of(body, self.sender))
    }
}

fn never(error: Infallible) -> std::io::Error {
    match error {}
}

/// A body at hand.
pub fn full(bytes: impl Into<Bytes>) -> AnyBody {
    http_body_util::Full::new(bytes.into()).map_err(never).boxed()
}

fn empty() -> AnyBody {
    http_body_util::Empty::new().map_err(never).boxed()
}

/// The string at this place of an answer.
pub fn text_at<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer} in {value}"))
}

/// A body that is read while it is sent, and knows when its last byte was handed to the connection.
pub struct Pieces {
    source: Box<dyn Read + Send + Sync>,
    left: u64,
    last_byte: Arc<OnceLock<Instant>>,
}

impl Pieces {
    /// Of this many bytes.
    pub fn new(source: impl Read + Send + Sync + 'static, bytes: u64) -> Self {
        Self { source: Box::new(source), left: bytes, last_byte: Arc::default() }
    }

    /// When the last byte left; set once it has.
    pub fn last_byte(&self) -> Arc<OnceLock<Instant>> {
        self.last_byte.clone()
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; self.left.min(1 << 16) as usize];
        if let Err(error) = self.source.read_exact(&mut piece) {
            return Poll::Ready(Some(Err(error)));
        }
        self.left -= piece.len() as u64;
        if self.left == 0 {
            self.last_byte.get_or_init(Instant::now);
        }
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// An open stream of server-sent events.
pub struct Events {
    body: Incoming,
    text: String,
    /// The connection lasts as long as this.
    _sender: SendRequest<AnyBody>,
}

impl Events {
    /// Of an answer that goes on, on the connection of this sender.
    pub fn of(body: Incoming, sender: SendRequest<AnyBody>) -> Self {
        Self { body, text: String::new(), _sender: sender }
    }

    /// The next event's name and data, and when it was here.
    pub async fn next(&mut self) -> anyhow::Result<(String, Value, Instant)> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Ok((name.to_owned(), serde_json::from_str(data)?, Instant::now()));
                }
            }
            let frame = self.body.frame().await.context("the stream of events ended")??;
            if let Ok(data) = frame.into_data() {
                self.text.push_str(std::str::from_utf8(&data)?);
            }
        }
    }
}
