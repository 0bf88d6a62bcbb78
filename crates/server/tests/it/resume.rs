//! A server that is killed in the middle of a report goes on with the batch where it stopped.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const LINES: usize = 150_000;

pub(crate) struct Server(pub(crate) Child);

impl Server {
    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn roadstead(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roadstead"));
    command.args(arguments);
    command
}

/// A process of its own on the data or the database of `place`.
pub(crate) async fn serve(place: &[&str], port: u16) -> Server {
    // No platform of this process has done it yet where a test runs alone.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listen = format!("127.0.0.1:{port}");
    let mut command = roadstead(&["serve", "--listen", &listen]);
    let server = Server(command.args(place).stdout(Stdio::null()).spawn().unwrap());
    for _ in 0..400 {
        if tokio::net::TcpStream::connect(&listen).await.is_ok() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not listen within 20 seconds");
}

pub(crate) fn token(place: &[&str], role: &str, whose: &[&str]) -> String {
    let output = roadstead(&["token", "create", "--role", role, "--name", "t"])
        .args(place)
        .args(whose)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_report_goes_on_after_sigkill_with_nothing_lost_or_doubled() {
    let directory = TempDir::new().unwrap();
    let data = ["--data", directory.path().to_str().unwrap()];
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/api/v1");
    let server = serve(&data, port).await;
    let operator = token(&data, "operator", &[]);
    let http = reqwest::Client::new();
    let post = async |path: &str, kind: &str, body: String| -> Value {
        let request = http.post(format!("{url}/{path}")).bearer_auth(&operator).header("content-type", kind);
        serde_json::from_str(&request.body(body).send().await.unwrap().text().await.unwrap()).unwrap()
    };
    let get = async |path: &str| -> Option<Value> {
        let answer = http.get(format!("{url}/{path}")).bearer_auth(&operator).send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    };
    let json = "application/json";
    let partner = post("partners", json, r#"{"name":"P","partner_number":"R-1"}"#.to_owned()).await;
    let qualification = r#"{"support_level":"premium","role":"service_delivery",
        "course_completed_on":"2026-01-01","certified_on":"2026-01-01"}"#;
    let path = format!("partners/{}/qualifications", partner["id"].as_str().unwrap());
    post(&path, json, qualification.to_owned()).await;
    post("reporters", json, r#"{"name":"D","reporter_number":"D-1","kind":"distributor"}"#.to_owned()).await;

    let mut file = String::from("Transaction Date,Reseller ID,Product Number,Serial Number,Quantity\n");
    for n in 0..LINES {
        file += &format!("2026-11-18,R-1,P,5CG{:07},1\n", (n * 7919) % 10_000_019);
    }
    let submitted = post("sell-through-reports?reporter=D-1", "text/csv", file).await;
    let operation = format!("operations/{}", submitted["operation"]["id"].as_str().unwrap());
    let mut done = 0;
    while done == 0 {
        done = get(&operation).await.unwrap()["done"].as_i64().unwrap();
    }
    drop(server); // SIGKILL
    assert!(done < LINES as i64, "killed in the middle, at {done}");

    let _server = serve(&data, port).await;
    let ended = loop {
        let answer = get(&operation).await.unwrap();
        if answer["state"] != "running" {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&ended["state"], &ended["done"]), (&"succeeded".into(), &(LINES as i64).into()));
    assert_eq!(ended["result"]["counts"], serde_json::json!({ "placed": LINES }));

    let admin = token(&data, "partner", &["--for", "R-1"]);
    let listed =
        http.get(format!("{url}/unassigned-devices?format=csv")).bearer_auth(&admin).send().await.unwrap();
    assert_eq!(listed.text().await.unwrap().lines().count(), LINES + 1);
    let verified = roadstead(&["audit", "verify"]).args(data).output().unwrap();
    assert_eq!(String::from_utf8(verified.stdout).unwrap().trim(), format!("{LINES} entries hold"));
}
