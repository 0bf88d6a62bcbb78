//! The program `roadstead`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    roadstead_server::cli::run().await
}
