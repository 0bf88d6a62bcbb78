//! Guessing at the sign-in: slower and slower, alike for accounts that are there and that are not, at every node.

use futures_util::future::join_all;
use reqwest::StatusCode;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{PASSWORD, Page, World, browse};

const WRONG: &str = "wrong password wrong";

async fn try_at(url: &str, email: &str, password: &str) -> Page {
    browse(url, "/sign-in", &[("email", email), ("password", password)], &[]).await
}

fn retry_after(page: &Page) -> i64 {
    page.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[rstest]
#[tokio::test]
async fn wrong_passwords_make_the_next_try_wait_and_unknown_accounts_look_the_same(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "throttle").await;
    world.user("one@example.com", Role::Operator, None).await;
    let url = &world.url;
    let mut said = Vec::new();
    for email in ["one@example.com", "nobody@example.com"] {
        let mut pauses = Vec::new();
        for _ in 0..5 {
            assert_eq!(try_at(url, email, WRONG).await.status, StatusCode::UNAUTHORIZED, "{email}");
        }
        for _ in 0..13 {
            let page = try_at(url, email, WRONG).await;
            assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{email}");
            pauses.push(retry_after(&page));
            // The account's own password is no way around it, or it would tell that it is the right one.
            let right = try_at(url, email, PASSWORD).await;
            assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
            if pauses.len() == 1 {
                said.push(page.text.replace(email, "somebody"));
            }
            world.clock.step_seconds(*pauses.last().unwrap());
            assert_eq!(try_at(url, email, WRONG).await.status, StatusCode::UNAUTHORIZED, "{email}");
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    }
    assert_eq!(said[0], said[1], "both pages are the same");
    world.clock.step_seconds(900);
    assert_eq!(try_at(url, "one@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
    for _ in 0..5 {
        assert_eq!(try_at(url, "one@example.com", WRONG).await.status, StatusCode::UNAUTHORIZED, "anew");
    }
}

#[tokio::test]
async fn many_tries_at_once_at_two_nodes_are_as_slow_as_one_after_the_other() {
    let world = World::start(Postgres, "throttlenodes").await;
    world.user("one@example.com", Role::Operator, None).await;
    let (other, _second) = world.second_node().await;
    let tries = (0..24).map(|n| {
        let node = if n % 2 == 0 { &world.url } else { &other };
        try_at(node, "one@example.com", WRONG)
    });
    let pages = join_all(tries).await;
    let tried = pages.iter().filter(|page| page.status == StatusCode::UNAUTHORIZED).count();
    let refused = pages.iter().filter(|page| page.status == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!((tried, refused), (5, 19));
}

#[tokio::test]
async fn one_network_address_does_not_try_every_account() {
    let world = World::start(Sqlite, "throttlefrom").await;
    world.user("one@example.com", Role::Operator, None).await;
    for n in 0..50 {
        let page = try_at(&world.url, &format!("person{n}@example.com"), WRONG).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    let page = try_at(&world.url, "one@example.com", PASSWORD).await;
    assert_eq!((page.status, retry_after(&page)), (StatusCode::TOO_MANY_REQUESTS, 1));
    // Who writes the header themselves is not believed: no proxy of ours is in front.
    let headers = [("x-forwarded-for", "192.0.2.7")];
    let form = [("email", "one@example.com"), ("password", PASSWORD)];
    let page = browse(&world.url, "/sign-in", &form, &headers).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    world.clock.step_seconds(1);
    assert_eq!(try_at(&world.url, "one@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
}
