//! The program `roadstead`.

/// For SQLite, too. The system's allocator spends twice the time on a page, and with its arenas for each thread it kept more of
/// what large transfers had freed (docs/decisions/0055).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    roadstead_server::cli::run().await
}
