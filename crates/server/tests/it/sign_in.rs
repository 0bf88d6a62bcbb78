//! Signing in by password: sessions that end, forms that only our own pages can send.

use reqwest::{Method, StatusCode};
use roadstead_domain::access::{self, Role};
use roadstead_server::flows::sign_in::{IDLE_SECONDS, LONGEST_SECONDS};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{Answer, Client, PASSWORD, World, csv, eventually};

/// A signed-in browser without scripts.
pub(crate) struct Portal {
    client: Client,
    cookie: String,
}

impl Portal {
    pub(crate) async fn sign_in(world: &World, email: &str) -> Self {
        let cookie = try_sign_in(world, email, PASSWORD).await.expect("signed in");
        Self { client: world.nobody(), cookie }
    }

    /// A browser that has this cookie.
    pub(crate) fn with_cookie(world: &World, cookie: String) -> Self {
        Self { client: world.nobody(), cookie }
    }

    /// The same browser at another node.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { client: self.client.at(url), cookie: self.cookie.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.client.send_with(Method::GET, path, None, &[("cookie", &self.cookie)]).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let body = Some(("application/x-www-form-urlencoded", form.as_bytes().to_vec()));
        let mut all = vec![("cookie", self.cookie.as_str())];
        all.extend(headers);
        self.client.send_with(Method::POST, path, body, &all).await
    }

    /// Sends a form as one of our pages does.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_from("/unassigned-devices", path, fields).await
    }

    /// The same from this page.
    pub(crate) async fn submit_from(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf_of(page).await;
        let encoded = |text: &str| -> String {
            text.bytes()
                .map(
                    |b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") },
                )
                .collect()
        };
        let fields: Vec<String> = [("csrf", csrf.as_str())]
            .iter()
            .chain(fields)
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        self.post(path, &fields.join("&"), &[]).await
    }

    /// Sends the form of a page with files, as a browser does.
    pub(crate) async fn send_files(
        &self,
        page: &str,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        let csrf = self.csrf_of(page).await;
        let mut body = Vec::new();
        for (name, value) in [("csrf", csrf.as_str())].iter().chain(fields) {
            let part =
                format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.bytes());
        }
        for (name, bytes) in files {
            let head = format!(
                "--edge\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
                 content-type: application/octet-stream\r\n\r\n"
            );
            body.extend(head.bytes().chain(bytes.iter().copied()).chain(*b"\r\n"));
        }
        body.extend(b"--edge--\r\n");
        self.send_raw(path, "multipart/form-data; boundary=edge", &body).await
    }

    /// Sends a body of this type as it is.
    pub(crate) async fn send_raw(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        let body = Some((kind, body.to_vec()));
        self.client.send_with(Method::POST, path, body, &[("cookie", &self.cookie)]).await
    }

    /// The secret that the page's own forms carry.
    pub(crate) async fn csrf(&self) -> String {
        self.csrf_of("/unassigned-devices").await
    }

    /// The same of this page's forms.
    pub(crate) async fn csrf_of(&self, page: &str) -> String {
        let page = self.get(page).await.text;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form with its secret");
        rest.split('"').next().unwrap().to_owned()
    }
}

async fn try_sign_in(world: &World, email: &str, password: &str) -> Option<String> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("email", email), ("password", password), ("next", "/")];
    let body: String =
        form.map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('@', "%40"))).join("&");
    let response = http
        .post(format!("{}/sign-in", world.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    let cookie = response.headers().get_all("set-cookie").iter().find_map(|value| {
        let text = value.to_str().ok()?;
        assert!(text.contains("HttpOnly") && text.contains("SameSite=Lax"), "{text}");
        text.split(';').next().filter(|pair| pair.starts_with("session=")).map(str::to_owned)
    });
    if cookie.is_some() {
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
    }
    cookie
}

#[rstest]
#[tokio::test]
async fn a_right_password_opens_the_partners_page_and_a_wrong_one_does_not(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "password").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    assert_eq!(try_sign_in(&world, "one@example.com", "wrong password wrong").await, None);
    assert_eq!(try_sign_in(&world, "nobody@example.com", PASSWORD).await, None);
    let portal = Portal::sign_in(&world, " ONE@example.com").await;
    let page = portal.get("/unassigned-devices").await;
    assert!(page.text.contains("5CG000000A"));
    let away = world.nobody().send(Method::GET, "/unassigned-devices", None).await;
    assert_eq!(away.status, StatusCode::SEE_OTHER, "without a session to the sign-in");
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_and_on_sign_out() {
    let world = World::start(Sqlite, "ends").await;
    world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let open = async |portal: &Portal| portal.get("/unassigned-devices").await.status == StatusCode::OK;

    let idle = Portal::sign_in(&world, "one@example.com").await;
    assert!(open(&idle).await);
    world.clock.step_seconds(IDLE_SECONDS + 1);
    assert!(!open(&idle).await);

    let old = Portal::sign_in(&world, "one@example.com").await;
    for _ in 0..LONGEST_SECONDS / (IDLE_SECONDS / 2) {
        let asked = world.app.ambient.now();
        assert!(open(&old).await);
        // That it is in use is noted beside the request.
        eventually("the use is noted", async || {
            let mut tx = world.app.store.read(&access::system()).await.ok()?;
            let seen = tx.number("SELECT MAX(seen_at) FROM sessions", vec![]).await.ok()?;
            (seen >= asked.0 - 1_000_000).then_some(())
        })
        .await;
        world.clock.step_seconds(IDLE_SECONDS / 2);
    }
    assert!(!open(&old).await, "in use all the time, and still it ends");

    let leaving = Portal::sign_in(&world, "one@example.com").await;
    let csrf = leaving.csrf().await;
    leaving.post("/sign-out", &format!("csrf={csrf}"), &[]).await;
    assert!(!open(&leaving).await);
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let world = World::start(Sqlite, "csrf").await;
    world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let csrf = portal.csrf().await;
    let right = format!("csrf={csrf}");
    let refused = [
        portal.post("/sign-out", "", &[]).await,
        portal.post("/sign-out", "csrf=00", &[]).await,
        portal.post("/sign-out", &right, &[("sec-fetch-site", "cross-site")]).await,
        portal.post("/sign-out", &right, &[("origin", "https://evil.example")]).await,
    ];
    for answer in refused {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
        assert!(answer.text.contains("<h1"), "a page says so: {:?}", answer.text);
    }
    assert_eq!(portal.get("/unassigned-devices").await.status, StatusCode::OK, "still signed in");
    let api = portal.post("/api/v1/sell-through-reports", "x", &[]).await;
    assert_eq!(api.refused(403), "csrf", "the cookie alone does not change anything by the API");
}
