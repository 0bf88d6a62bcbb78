//! Styles, script and pictures, part of the binary. Their address holds their digest, so that a browser may keep
//! them for ever.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::Problem;

#[derive(RustEmbed)]
#[folder = "src/portal/assets"]
struct Assets;

fn digest(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..8])
}

/// The address of an asset.
pub(super) fn asset_url(name: &str) -> String {
    let digest = Assets::get(name).map_or_else(String::new, |file| digest(&file));
    format!("/assets/{digest}/{name}")
}

/// Hands out an asset.
pub(super) async fn serve(Path((asked, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let file = Assets::get(&name).ok_or_else(Problem::not_found)?;
    // A page of another version may ask for its own: it gets ours, and must not keep it under that address.
    let keep = if asked == digest(&file) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = match file.metadata.mimetype() {
        kind if kind.starts_with("text/") => format!("{kind}; charset=utf-8"),
        kind => kind.to_owned(),
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep.to_owned())], file.data).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_asset_is_kept_under_its_own_digest_only() {
        let url = asset_url("app.css");
        let asked = url.split('/').nth(2).unwrap().to_owned();
        assert_eq!(asked.len(), 16, "{url}");
        for (asked, keep) in [(asked, "public, max-age=31536000, immutable"), ("0".repeat(16), "no-cache")] {
            let response = serve(Path((asked, "app.css".to_owned()))).await.unwrap();
            assert_eq!(response.headers()[CACHE_CONTROL], keep);
            assert_eq!(response.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        }
        assert!(serve(Path((String::new(), "../app.css".to_owned()))).await.is_err());
    }
}
