//! The program `roadstead`.

/// For SQLite, too. The system's allocator took a tenth of the processor time of a page (docs/decisions/0055).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    roadstead_server::cli::without_huge_pages();
    run()
}

#[tokio::main]
async fn run() -> std::process::ExitCode {
    roadstead_server::cli::run().await
}
