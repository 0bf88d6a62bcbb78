//! The product as its users run it: a release server of its own process on a data directory of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::engine::{Database, Inside};
use crate::generator::{PARTNERS, partner_number};
use crate::http::{Client, Credential, text_at};
use crate::machine;

/// A child that says where it listens, and ends with this value.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Process {
    /// Starts it and waits for the line that ends with `http://address`.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                child.kill()?;
                child.wait()?;
                bail!("{command:?} said {line:?} instead of where it listens")
            }
        }
    }

    /// Milliseconds of processor that it has used.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        machine::cpu_ms(self.child.id())
    }

    /// Bytes that it has resident, and its share of them where others have them too.
    pub fn memory(&self) -> anyhow::Result<(f64, f64)> {
        machine::memory(self.child.id())
    }

    /// The most memory that it ever had resident, in megabytes.
    pub fn peak_mb(&self) -> anyhow::Result<f64> {
        machine::peak_mb(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its data goes away with it; nothing is left to be ended in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A partner of the platform.
#[derive(Clone, Debug)]
pub struct Partner {
    /// Its number in reports.
    pub number: String,
    /// Its id.
    pub id: String,
}

/// A running server with partners, a distributor and tokens.
pub struct Platform {
    /// The server.
    pub process: Process,
    /// Its partners, in the order of the generator.
    pub partners: Vec<Partner>,
    /// The distributor's connection.
    pub distributor: Client,
    /// Its database.
    pub database: Database,
    program: PathBuf,
}

/// Starts a server on this database.
pub fn serve(program: &Path, database: &Database) -> anyhow::Result<Process> {
    Process::start(
        Command::new(program).args(["serve", "--listen", "127.0.0.1:0"]).args(database.arguments()),
    )
}

impl Platform {
    /// Starts a server on a fresh database and fills it with [`PARTNERS`] qualified partners.
    pub async fn start(program: &Path, database: Database) -> anyhow::Result<Self> {
        let process = serve(program, &database)?;
        let token = make_token(program, &database, "operator", None)?;
        let mut operator = Client::connect(process.address, &token).await?;
        let mut partners = Vec::with_capacity(PARTNERS);
        for at in 0..PARTNERS {
            let number = partner_number(at);
            let new = json!({ "name": format!("Partner {at:03}"), "partner_number": number });
            let created = operator.post("/api/v1/partners", &new).await?;
            let id = text_at(&created, "/id")?.to_owned();
            let qualification = json!({
                "support_level": "premium_plus",
                "role": "service_delivery",
                "course_completed_on": "2025-03-03",
                "certified_on": "2025-04-01",
            });
            operator.post(&format!("/api/v1/partners/{id}/qualifications"), &qualification).await?;
            partners.push(Partner { number, id });
        }
        let new = json!({ "name": "Bench Distribution", "reporter_number": "D-1", "kind": "distributor" });
        operator.post("/api/v1/reporters", &new).await?;
        let token = make_token(program, &database, "distributor", Some("D-1"))?;
        let distributor = Client::connect(process.address, &token).await?;
        let platform = Self { process, partners, distributor, database, program: program.to_owned() };
        platform.until_quiet().await?;
        Ok(platform)
    }

    /// Starts a server on a database that was filled before.
    pub async fn again(program: &Path, database: Database) -> anyhow::Result<Self> {
        let process = serve(program, &database)?;
        let token = make_token(program, &database, "distributor", Some("D-1"))?;
        let distributor = Client::connect(process.address, &token).await?;
        let inside = database.inside().await?;
        let mut partners = Vec::with_capacity(PARTNERS);
        for at in 0..PARTNERS {
            let number = partner_number(at);
            let sql = "SELECT tenant FROM partners WHERE number = $1";
            let row = inside.row(sql, &[crate::engine::Cell::Text(number.clone())]).await?;
            partners.push(Partner { number, id: row[0].id()?.to_string() });
        }
        Ok(Self { process, partners, distributor, database, program: program.to_owned() })
    }

    /// The same platform with a server that has done nothing before.
    pub async fn restarted(self) -> anyhow::Result<Self> {
        let Self { process, database, program, .. } = self;
        drop(process);
        Self::again(&program, database).await
    }

    /// Milliseconds of processor that server and database have used.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        Ok(self.process.cpu_ms()? + self.database.engine.cpu_ms()?)
    }

    /// Stops the server and takes the database's room back.
    pub async fn remove(self) -> anyhow::Result<()> {
        drop(self.process);
        self.database.remove().await
    }

    /// A partner's token.
    pub fn partner_token(&self, partner: usize) -> anyhow::Result<String> {
        make_token(&self.program, &self.database, "partner", Some(&self.partners[partner].number))
    }

    /// A session of an admin of a partner, made and signed in as a person is.
    pub async fn partner_session(&self, partner: usize) -> anyhow::Result<Credential> {
        const PASSWORD: &str = "a long way to the berth";
        let email = format!("{}@partner-{partner}.example", uuid::Uuid::now_v7().simple());
        let mut command = Command::new(&self.program);
        command.args(["user", "create", "--role", "partner", "--name", "Bench", "--email", &email]);
        command.args(["--for", &self.partners[partner].number]).args(self.database.arguments());
        let output = command.env("ROADSTEAD_PASSWORD", PASSWORD).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{command:?} failed");
        Credential::sign_in(self.process.address, &email, PASSWORD).await
    }

    /// A connection of a partner's.
    pub async fn partner(&self, partner: usize) -> anyhow::Result<Client> {
        Client::connect(self.process.address, &self.partner_token(partner)?).await
    }

    /// A connection to look into its database.
    pub async fn look_inside(&self) -> anyhow::Result<Inside> {
        self.database.inside().await
    }

    /// Waits until no background work is due.
    async fn until_quiet(&self) -> anyhow::Result<()> {
        for _ in 0..600 {
            if self.look_inside().await?.number("SELECT COUNT(*) FROM jobs", &[]).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the server's background work does not end")
    }

    /// Waits until an operation has ended; its result.
    pub async fn until_done(&mut self, operation: &str) -> anyhow::Result<Value> {
        until_done(&mut self.distributor, &format!("/api/v1/operations/{operation}")).await
    }

    /// Checks what the lines of a report came to, by what the operation says.
    pub fn came_to(result: &Value, expected: &BTreeMap<&str, u64>) -> anyhow::Result<()> {
        let counts = &result["counts"];
        ensure!(*counts == json!(expected), "the lines came to {counts} instead of {expected:?}");
        Ok(())
    }

    /// Checks that all lines of a report were placed.
    pub fn all_placed(result: &Value, lines: u64) -> anyhow::Result<()> {
        Self::came_to(result, &BTreeMap::from([("placed", lines)]))
    }
}

/// Waits until the operation at this path has ended; its result.
pub async fn until_done(client: &mut Client, path: &str) -> anyhow::Result<Value> {
    loop {
        let answer = client.get(path).await?;
        match text_at(&answer, "/state")? {
            "running" => tokio::time::sleep(Duration::from_millis(50)).await,
            "succeeded" => return Ok(answer["result"].clone()),
            _ => bail!("the operation failed: {answer}"),
        }
    }
}

/// Makes a token as an operator does: with the product's own command.
pub fn make_token(
    program: &Path,
    database: &Database,
    role: &str,
    whose: Option<&str>,
) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command.args(["token", "create", "--role", role, "--name", "bench"]).args(database.arguments());
    if let Some(whose) = whose {
        command.args(["--for", whose]);
    }
    let output = command.stderr(Stdio::inherit()).output().context("cannot make a token")?;
    ensure!(output.status.success(), "{command:?} failed");
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().last().context("no token")?.trim().to_owned())
}
