//! PostgreSQL's quick answers (docs/decisions/0010). Questions of all requests go one behind the other down a few
//! connections, without waiting for the answers before: a request costs one wait for its answer, and PostgreSQL finds
//! the next question when it has done with one. Only what an index answers at once may go this way.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use roadstead_domain::access::{Reach, Scope};
use serde::de::DeserializeOwned;
use serde::de::value::Error as Mismatch;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row, RowStream, Statement};

use super::cells::{self, Cell, Cells, Names, mismatch};
use super::{Arg, PLATFORM_ROLE, TENANT_ROLE, Waits};
use crate::error::Result;

/// They only read. Every plan is kept, and walks an index in its order, row by row: whatever is guessed of the tables, a
/// page never costs more for what stands behind it.
const SETTINGS: &str = "-c default_transaction_read_only=on -c join_collapse_limit=1 -c enable_seqscan=off \
                        -c enable_bitmapscan=off -c enable_sort=off -c enable_hashjoin=off \
                        -c enable_mergejoin=off -c enable_material=off -c jit=off \
                        -c plan_cache_mode=force_generic_plan";

/// Who waits longer is answered the usual way, or told what is wrong with it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says on whose behalf the next questions of a connection are asked.
const ON_BEHALF: &str =
    "SELECT set_config('roadstead.reach', $1, false), set_config('roadstead.home', $2, false)";

/// The connections. The first is the platform's own, for credentials; the others serve everybody else.
#[derive(Debug)]
pub(super) struct Pipes {
    config: Config,
    pipes: Vec<Pipe>,
}

#[derive(Debug)]
struct Pipe {
    /// The role that it is.
    role: &'static str,
    /// Questions on their way.
    waiting: AtomicUsize,
    open: tokio::sync::Mutex<Option<Arc<Open>>>,
}

struct Open {
    client: Client,
    on_behalf: Statement,
    /// The reach and home that were sent last. Locked while a question and what must go before it are put in line.
    said: Mutex<(&'static str, String)>,
    statements: Mutex<HashMap<&'static str, Statement>>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Open")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How row level security is told of a scope.
pub(super) fn named(scope: &Scope) -> (&'static str, String) {
    match scope.reach() {
        Reach::Platform => ("platform", String::new()),
        Reach::Reporter(id) => ("reporter", id.to_string()),
        Reach::Partner(id) => ("partner", id.to_string()),
        Reach::Customer(id) => ("customer", id.to_string()),
        Reach::Desk => ("desk", String::new()),
    }
}

impl Pipes {
    /// For a database that is there and migrated; `None` for an address that only the other driver reads.
    pub(super) fn new(url: &str) -> Option<Self> {
        let mut config: Config = url.parse().ok()?;
        config.connect_timeout(PATIENCE);
        let others = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8));
        let roles = std::iter::once(PLATFORM_ROLE).chain(std::iter::repeat_n(TENANT_ROLE, others));
        let pipes =
            roles.map(|role| Pipe { role, waiting: AtomicUsize::default(), open: Default::default() });
        Some(Self { config, pipes: pipes.collect() })
    }

    /// Every row. `None` if there is no answer, for whatever reason: the usual way then finds one, or what is wrong.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        scope: &Scope,
        sql: &'static str,
        args: &[Arg],
    ) -> Option<Result<Vec<T>>> {
        let (first, others) = self.pipes.split_first()?;
        let pipe = match scope.reach() {
            Reach::Platform => first,
            _ => others.iter().min_by_key(|pipe| pipe.waiting.load(Ordering::Relaxed))?,
        };
        let _waits = Waits::new(&pipe.waiting);
        let rows = match tokio::time::timeout(PATIENCE, self.ask(pipe, scope, sql, args)).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => {
                tracing::debug!(%error, "no quick answer; asking the usual way");
                return None;
            }
            Err(_) => return None,
        };
        let names = Names::new(rows.first().map_or_else(Vec::new, |row| {
            row.columns().iter().map(|column| column.name().to_owned()).collect()
        }));
        Some(rows.iter().map(|row| cells::read(row, &names)).collect())
    }

    async fn ask(
        &self,
        pipe: &Pipe,
        scope: &Scope,
        sql: &'static str,
        args: &[Arg],
    ) -> std::result::Result<Vec<Row>, tokio_postgres::Error> {
        let open = self.open(pipe).await?;
        let statement = open.statement(sql, args).await?;
        let named = named(scope);
        let home = named.1.clone();
        let whose: [&(dyn ToSql + Sync); 2] = [&named.0, &home];
        let mut telling = pin!(open.client.query_one(&open.on_behalf, &whose));
        let mut asking = pin!(open.client.query_raw(&statement, args.iter()));
        let mut answer: Option<std::result::Result<RowStream, tokio_postgres::Error>> = None;
        // A future of the driver puts its message in line when it is first polled. Under the lock nobody gets between
        // the two, nor between somebody else's two.
        let told = poll_fn(|context| {
            let mut said = lock(&open.said);
            let mut told = None;
            if *said != named {
                told = Some(telling.as_mut().poll(context));
                *said = named.clone();
            }
            if let Poll::Ready(done) = asking.as_mut().poll(context) {
                answer = Some(done);
            }
            Poll::Ready(told)
        })
        .await;
        let told = match told {
            None => Ok(()),
            Some(Poll::Ready(done)) => done.map(|_| ()),
            Some(Poll::Pending) => telling.await.map(|_| ()),
        };
        if let Err(error) = told {
            // Nobody may ask on behalf of whoever was named before.
            pipe.open.lock().await.take();
            return Err(error);
        }
        let stream = match answer {
            Some(done) => done?,
            None => asking.await?,
        };
        stream.try_collect().await
    }

    async fn open(&self, pipe: &Pipe) -> std::result::Result<Arc<Open>, tokio_postgres::Error> {
        let mut kept = pipe.open.lock().await;
        if let Some(open) = kept.as_ref().filter(|open| !open.client.is_closed()) {
            return Ok(open.clone());
        }
        let mut config = self.config.clone();
        config.options(format!("-c role={} {SETTINGS}", pipe.role));
        let (client, connection) = config.connect(NoTls).await?;
        // Its end is seen by whoever asks next.
        tokio::spawn(connection);
        let on_behalf = client.prepare_typed(ON_BEHALF, &[Type::TEXT, Type::TEXT]).await?;
        let (said, statements) = (Mutex::default(), Mutex::default());
        let open = Arc::new(Open { client, on_behalf, said, statements });
        *kept = Some(open.clone());
        Ok(open)
    }

    /// Closes the connections once what is on its way is answered; one that is asked for later is opened anew.
    pub(super) async fn close(&self) {
        for pipe in &self.pipes {
            pipe.open.lock().await.take();
        }
    }
}

impl Open {
    async fn statement(
        &self,
        sql: &'static str,
        args: &[Arg],
    ) -> std::result::Result<Statement, tokio_postgres::Error> {
        let known = lock(&self.statements).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let types: Vec<Type> = args
            .iter()
            .map(|arg| match arg {
                Arg::Uuid(_) => Type::UUID,
                Arg::Text(_) => Type::TEXT,
                Arg::Int(_) => Type::INT8,
                Arg::Bool(_) => Type::BOOL,
                Arg::Bytes(_) => Type::BYTEA,
            })
            .collect();
        let statement = self.client.prepare_typed(sql, &types).await?;
        lock(&self.statements).insert(sql, statement.clone());
        Ok(statement)
    }
}

impl ToSql for Arg {
    fn to_sql(
        &self,
        of: &Type,
        to: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Arg::Uuid(None) | Arg::Text(None) | Arg::Int(None) => return Ok(IsNull::Yes),
            Arg::Uuid(Some(id)) => to.extend_from_slice(id.as_bytes()),
            Arg::Text(Some(text)) => to.extend_from_slice(super::without_nul(text.clone()).as_bytes()),
            Arg::Int(Some(number)) => return number.to_sql(of, to),
            Arg::Bool(truth) => return truth.to_sql(of, to),
            Arg::Bytes(bytes) => to.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// A value as it came.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Cells for Row {
    fn cell(&self, at: usize) -> std::result::Result<Cell<'_>, Mismatch> {
        let Raw(raw) = self.try_get(at).map_err(mismatch)?;
        let Some(raw) = raw else { return Ok(Cell::Null) };
        let of = self.columns().get(at).map(|column| column.type_().clone()).unwrap_or(Type::UNKNOWN);
        let odd = |_| mismatch(format!("a value of type {of} with {} bytes", raw.len()));
        Ok(match of {
            Type::INT8 => Cell::Int(i64::from_be_bytes(raw.try_into().map_err(odd)?)),
            Type::INT4 => Cell::Int(i64::from(i32::from_be_bytes(raw.try_into().map_err(odd)?))),
            Type::FLOAT8 => Cell::Real(f64::from_be_bytes(raw.try_into().map_err(odd)?)),
            Type::BOOL => Cell::Bool(raw == [1]),
            Type::UUID | Type::BYTEA => Cell::Bytes(raw),
            Type::TEXT | Type::VARCHAR => Cell::Text(std::str::from_utf8(raw).map_err(mismatch)?),
            other => return Err(mismatch(format!("a column of type {other}"))),
        })
    }
}
