//! The program `roadstead`.

fn main() -> std::process::ExitCode {
    roadstead_server::cli::with_few_arenas();
    run()
}

#[tokio::main]
async fn run() -> std::process::ExitCode {
    roadstead_server::cli::run().await
}
