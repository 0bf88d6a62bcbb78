//! Files that are put into a folder, also through the system's own SFTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use roadstead_server::app::Config;
use roadstead_server::drop_folder::DropFolder;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use tempfile::TempDir;

use crate::messages::{edifact, x12};
use crate::world::{World, csv, eventually};

/// A drop folder with one for each of these senders.
fn folder(senders: &[&str]) -> (TempDir, Config) {
    let folder = TempDir::new().unwrap();
    for sender in senders {
        fs::create_dir_all(folder.path().join(sender).join("in")).unwrap();
    }
    let drop = Some(DropFolder { path: folder.path().to_owned(), still_seconds: 0 });
    (folder, Config { drop, ..Config::default() })
}

/// What is in a folder: the names without the instant before them, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().file_name()));
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .map(|name| name.into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .map(|name| name.split_once("Z-").map_or(name.clone(), |(_, name)| name.to_owned()))
        .collect();
    names.sort();
    names
}

/// The text of the kept file whose name ends so.
fn kept(folder: &Path, ending: &str) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{ending} in {:?}", names(folder));
    fs::read_to_string(&found[0]).unwrap()
}

async fn until(what: &str, folder: &Path, expected: &[&str]) {
    eventually(&format!("{what}: {expected:?} in {}", folder.display()), async || {
        (names(folder) == expected).then_some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn b15_a_file_in_the_folder_is_taken_once_it_is_whole_and_answered(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let (folder, config) = folder(&["D-1"]);
    let world = World::with(kind, "drop", config).await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let part = |name: &str| folder.path().join("D-1").join(name);

    fs::write(part("in").join("week.csv.part"), csv(&["5CG000000A R-1", "5CG!! R-1"])).unwrap();
    fs::write(part("in").join("week.x12"), x12("D-1", &[("5CG000000B", "R-1")])).unwrap();
    fs::write(part("in").join("week.edi"), edifact("D-1", &[("5CG000000C", "R-1")])).unwrap();
    until("taken", &part("archive"), &["week.edi", "week.x12"]).await;
    assert_eq!(names(&part("in")), ["week.csv.part"], "still being written");
    fs::rename(part("in").join("week.csv.part"), part("in").join("week.csv")).unwrap();
    until("taken", &part("archive"), &["week.csv", "week.edi", "week.x12"]).await;
    assert_eq!(
        names(&part("answers")),
        [
            "week.csv.errors.csv",
            "week.csv.txt",
            "week.edi.contrl.edi",
            "week.edi.txt",
            "week.x12.997.x12",
            "week.x12.txt"
        ]
    );
    let mut pool = partner.pool().await;
    pool.sort();
    assert_eq!(pool, ["5CG000000A", "5CG000000B", "5CG000000C"]);
    assert!(kept(&part("answers"), ".997.x12").contains("~AK9*A*1*1*1~"));
    assert!(kept(&part("answers"), ".contrl.edi").contains("UCI+101+DIST:ZZ+VENDOR:ZZ+7"));
    let text = kept(&part("answers"), "week.csv.txt");
    for said in
        ["1  ", "(placed)", "(rejected.serial_invalid)", "Verkaufsmeldung", ".errors.csv", "/reports/"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(kept(&part("answers"), ".errors.csv").contains("5CG!!"));
    let reports = distributor.all("sell-through-reports").await;
    assert_eq!(reports.len(), 3);

    // The same bytes again are the same report, and are answered again.
    fs::write(part("in").join("again.x12"), x12("D-1", &[("5CG000000B", "R-1")])).unwrap();
    until("taken", &part("archive"), &["again.x12", "week.csv", "week.edi", "week.x12"]).await;
    assert_eq!(distributor.all("sell-through-reports").await.len(), 3);
    assert!(names(&part("error")).is_empty() && names(&part("in")).is_empty());
}

#[tokio::test]
async fn a_dropped_file_that_is_refused_lies_beside_its_reason() {
    let (folder, config) = folder(&["D-1", "D-9"]);
    let world = World::with(Sqlite, "droperrors", Config { upload_bytes: 100_000, ..config }).await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let message = x12("D-1", &[("5CG000000A", "R-1")]);
    let input = |sender: &str, name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(sender).join("in").join(name), bytes).unwrap();
    };
    input("D-1", "cut.x12", &message.as_bytes()[..message.len() - 30]);
    input("D-1", "columns.csv", b"Serial,Seller\n5CG000000A,R-1\n");
    input("D-1", "empty.csv", b"");
    input("D-1", "large.csv", &vec![b'x'; 100_001]);
    input("D-9", "unknown.csv", &csv(&["5CG000000A R-1"]));
    let error = folder.path().join("D-1/error");
    until(
        "refused",
        &error,
        &[
            "columns.csv",
            "columns.csv.txt",
            "cut.x12",
            "cut.x12.997.x12",
            "cut.x12.txt",
            "empty.csv",
            "empty.csv.txt",
            "large.csv",
            "large.csv.txt",
        ],
    )
    .await;
    assert!(kept(&error, ".997.x12").contains("~TA1*000000101*"));
    for (name, code) in [
        ("cut.x12.txt", "file.truncated"),
        ("columns.csv.txt", "file.column_missing"),
        ("empty.csv.txt", "file.empty"),
        ("large.csv.txt", "upload.too_large"),
    ] {
        let text = kept(&error, name);
        assert!(text.contains(code) && text.contains("REFUSED") && text.contains("ABGELEHNT"), "{text}");
    }
    let stranger = folder.path().join("D-9/error");
    until("refused", &stranger, &["unknown.csv", "unknown.csv.txt"]).await;
    assert!(kept(&stranger, ".txt").contains("reporter.unknown"));
    assert!(distributor.all("sell-through-reports").await.is_empty());
    let refused = async |of: &crate::world::Client| {
        let entries = of.all("audit-log?action=report.refused").await;
        let mut files: Vec<String> =
            entries.iter().map(|entry| entry["detail"]["file"].as_str().unwrap().to_owned()).collect();
        files.sort();
        files
    };
    assert_eq!(refused(&distributor).await, ["columns.csv", "cut.x12", "empty.csv", "large.csv"]);
    let all = ["columns.csv", "cut.x12", "empty.csv", "large.csv", "unknown.csv"];
    assert_eq!(refused(&world.operator).await, all);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_folder_is_left_alone_and_work_of_a_stopped_server_is_done() {
    let (folder, config) = folder(&["D-1"]);
    fs::create_dir_all(folder.path().join(".work/D-1")).unwrap();
    let secret = folder.path().join(".secret.csv");
    fs::write(&secret, csv(&["5CG000000S R-1"])).unwrap();
    std::os::unix::fs::symlink(&secret, folder.path().join("D-1/in/link.csv")).unwrap();
    fs::write(folder.path().join(".work/D-1/left.csv"), csv(&["5CG000000L R-1"])).unwrap();
    // It is known before the first look.
    let prepared = World::start(Sqlite, "droplinks").await;
    let partner = prepared.partner("R-1").await;
    prepared.distributor("D-1").await;
    let (directory, ambient, clock) = prepared.stopped().await;
    let store = roadstead_store::Store::open_sqlite(directory.path()).await.unwrap();
    let world = World::on(store, directory, config, ambient, clock).await;
    until("taken", &folder.path().join("D-1/archive"), &["left.csv"]).await;
    assert_eq!(partner.at(&world.url).pool().await, ["5CG000000L"]);
    assert_eq!(names(&folder.path().join("D-1/in")), ["link.csv"]);
    assert!(names(&folder.path().join(".work/D-1")).is_empty());
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn a_file_sent_by_sftp_is_a_report() {
    const SSHD: &str = "/usr/sbin/sshd";
    assert!(Path::new(SSHD).exists(), "OpenSSH's server is installed by scripts/install.sh");
    let (folder, config) = folder(&["D-1"]);
    let world = World::with(Sqlite, "sftp", config).await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await;

    let ssh = TempDir::new().unwrap();
    let at = |name: &str| ssh.path().join(name).to_str().unwrap().to_owned();
    for key in ["host", "sender"] {
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]);
    }
    fs::copy(at("sender.pub"), at("authorized")).unwrap();
    let port = crate::resume::free_port().to_string();
    // As in docs/operating.md, but for what only root may do: its own user and the cage around it.
    let inside = folder.path().join("D-1/in");
    let configuration = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\n\
         PermitRootLogin prohibit-password\nPasswordAuthentication no\nAuthorizedKeysFile {}\n\
         Subsystem sftp internal-sftp\nForceCommand internal-sftp -u 0027 -d {}\n",
        at("host"),
        at("authorized"),
        inside.display()
    );
    fs::write(at("sshd_config"), configuration).unwrap();
    // Where it separates its privileges as root.
    let _ = fs::create_dir_all("/run/sshd");
    let log = fs::File::create(at("log")).unwrap();
    let server = Command::new(SSHD)
        .args(["-D", "-e", "-f", &at("sshd_config")])
        .stdin(Stdio::null())
        .stderr(log)
        .spawn();
    let _server = Running(server.unwrap());

    fs::write(at("week.x12"), x12("D-1", &[("5CG000000A", "R-1")])).unwrap();
    fs::write(at("batch"), format!("put {} week.x12\n", at("week.x12"))).unwrap();
    eventually("the file is sent", async || {
        let sent = tokio::process::Command::new("sftp")
            .args([
                "-q",
                "-b",
                &at("batch"),
                "-P",
                &port,
                "-i",
                &at("sender"),
                "-o",
                "StrictHostKeyChecking=no",
            ])
            .args(["-o", &format!("UserKnownHostsFile={}", at("known")), "127.0.0.1"])
            .output()
            .await
            .unwrap();
        sent.status.success().then_some(())
    })
    .await;
    until("taken", &folder.path().join("D-1/archive"), &["week.x12"]).await;
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    assert!(kept(&folder.path().join("D-1/answers"), ".997.x12").contains("~AK5*A~"));
}
