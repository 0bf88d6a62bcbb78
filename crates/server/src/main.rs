//! The program `roadstead`.

/// For SQLite, too: the system's gives each thread an arena of its own and takes more time for the many small pieces of a
/// request (docs/decisions/0059).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    roadstead_server::cli::run().await
}
