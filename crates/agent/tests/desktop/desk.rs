//! A desktop of a test's own: an X server, a session's D-Bus, Xfce's notification service, a mouse. All from Debian
//! (`scripts/install.sh`). Screenshots are left in `target/screenshots`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

pub(crate) struct Desk {
    home: TempDir,
    display: String,
    bus: String,
    locale: &'static str,
    // Ended in this order.
    _bus: Ended,
    _screen: Ended,
}

/// A process that ends with the test.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A notification on the screen: where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

impl Desk {
    pub(crate) fn start(locale: &'static str) -> Self {
        let home = TempDir::new().unwrap();
        let mut screen = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed by scripts/install.sh");
        let display = format!(":{}", first_line(&mut screen));
        let screen = Ended(screen);
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .env("DISPLAY", &display)
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .env("NO_AT_BRIDGE", "1")
            .env("LANG", locale)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed by scripts/install.sh");
        let address = first_line(&mut bus);
        // What the agent opens pages with: it only writes down what it was asked to open.
        let browser = home.path().join("browser");
        let script = format!("#!/bin/sh\necho \"$1\" >> {}\n", home.path().join("opened").display());
        std::fs::write(&browser, script).unwrap();
        std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self { home, display, bus: address, locale, _bus: Ended(bus), _screen: screen }
    }

    /// What makes a process a part of this session.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.home.path().join(name).display().to_string();
        vec![
            ("DISPLAY", self.display.clone()),
            ("DBUS_SESSION_BUS_ADDRESS", self.bus.clone()),
            ("HOME", path("")),
            ("XDG_RUNTIME_DIR", path("")),
            // No browser but ours is known here.
            ("XDG_DATA_DIRS", path("none")),
            ("BROWSER", path("browser")),
            ("LANG", self.locale.to_owned()),
            ("LC_ALL", self.locale.to_owned()),
            ("LANGUAGE", String::new()),
        ]
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output();
        String::from_utf8(output.expect("xdotool is installed by scripts/install.sh").stdout).unwrap()
    }

    /// The notifications on the screen, the topmost first.
    pub(crate) fn notifications(&self) -> Vec<Seen> {
        let found = self.xdotool(&["search", "--onlyvisible", "--class", "notifyd"]);
        let mut seen: Vec<Seen> = found
            .lines()
            .filter_map(|window| {
                let said = self.xdotool(&["getwindowgeometry", "--shell", window]);
                let value = |name: &str| {
                    said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
                };
                Some(Seen {
                    x: value("X")?,
                    y: value("Y")?,
                    width: value("WIDTH")?,
                    height: value("HEIGHT")?,
                })
            })
            .filter(|seen| seen.width > 50)
            .collect();
        seen.sort_by_key(|seen| seen.y);
        seen
    }

    /// Waits until there is exactly one notification and it has stopped growing.
    pub(crate) async fn notification(&self, what: &str) -> Seen {
        let mut last = Vec::new();
        for _ in 0..300 {
            let now = self.notifications();
            if now.len() == 1 && now == last {
                return now[0];
            }
            last = now;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let windows = self.xdotool(&["search", "--name", "."]);
        let servers = Command::new("pgrep").args(["-af", "notifyd"]).output().unwrap();
        let servers = String::from_utf8_lossy(&servers.stdout).into_owned();
        panic!("it was never so that {what}, but {last:?}; windows {windows:?}; servers {servers:?}");
    }

    /// Waits until there is none.
    pub(crate) async fn no_notification(&self, what: &str) {
        eventually(what, async || self.notifications().is_empty().then_some(())).await;
    }

    /// Presses a button of a notification with the mouse: the last one is number 0.
    pub(crate) fn press(&self, seen: Seen, from_the_right: i32) {
        // Xfce draws buttons of this size at the lower right.
        let (x, y) = (seen.x + seen.width - 57 - 92 * from_the_right, seen.y + seen.height - 31);
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
        // Away from where the next one will be.
        self.xdotool(&["mousemove", "10", "700"]);
    }

    /// Presses View: again, as a user would, while nothing comes of it.
    pub(crate) fn press_view(&self, seen: Seen) {
        let before = self.opened().len();
        let reacts = (0..5).any(|_| {
            self.press(seen, 1);
            (0..30).any(|_| {
                std::thread::sleep(Duration::from_millis(100));
                self.opened().len() > before || !self.notifications().contains(&seen)
            })
        });
        assert!(reacts, "the notification stays, however often View is pressed");
    }

    pub(crate) fn press_later(&self, seen: Seen) {
        self.press(seen, 0);
    }

    /// What the agent asked the browser to open, so far.
    pub(crate) fn opened(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.path().join("opened")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until the agent has asked for so many pages; the last one's address.
    pub(crate) async fn page(&self, count: usize) -> String {
        eventually(&format!("{count} pages were opened"), async || {
            let opened = self.opened();
            (opened.len() >= count).then(|| opened[count - 1].clone())
        })
        .await
    }

    pub(crate) fn shot(&self, name: &str) {
        let path = screenshots().join(format!("{name}.png"));
        let arguments = ["-window", "root", "-crop", "460x260+564+0", path.to_str().unwrap()];
        let done = Command::new("import").args(arguments).env("DISPLAY", &self.display).status();
        assert!(done.expect("import is installed by scripts/install.sh").success());
    }
}

pub(crate) fn screenshots() -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn first_line(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// Asks until there is an answer, for at most 30 seconds.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("in 30 seconds it was never so that {what}");
}

/// An agent of the tests: a real process with its own state, that can be killed and started again.
pub(crate) struct Pc {
    program: PathBuf,
    directory: TempDir,
    environment: Vec<(&'static str, String)>,
    process: Option<Ended>,
}

impl Pc {
    /// A PC with this serial at this desk, whose agent replays these readings.
    pub(crate) fn new(program: &Path, desk: &Desk, server: &str, serial: &str, extra: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let config = format!(
            "server = \"{server}\"\nserial = \"{serial}\"\nproduct_number = \"6T1A2EA\"\nstate = \"{}\"\n{extra}\n",
            directory.path().join("state").display()
        );
        std::fs::write(directory.path().join("agent.toml"), config).unwrap();
        std::fs::write(directory.path().join("readings.json"), "{}").unwrap();
        Self { program: program.to_owned(), directory, environment: desk.environment(), process: None }
    }

    /// What the agent reads of the PC's health.
    pub(crate) fn readings(&self, readings: &serde_json::Value) {
        std::fs::write(self.directory.path().join("readings.json"), readings.to_string()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.path("agent.toml"));
        command.env_remove("DISPLAY").envs(self.environment.iter().cloned());
        // Far from any desk of the tests: times are those of the PC's own clock.
        command.env("TZ", "Pacific/Auckland");
        command
    }

    /// Starts the service.
    pub(crate) fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = self.command();
        command.arg("run").arg("--readings").arg(self.path("readings.json"));
        let process = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.process = Some(Ended(process));
    }

    /// Kills the service as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.start();
    }

    /// What `status` says.
    pub(crate) fn status(&self) -> String {
        String::from_utf8(self.command().arg("status").output().unwrap().stdout).unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Pc {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the agent's log:\n{}", self.log());
        }
    }
}
