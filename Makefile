# Everything by two commands: `make demo` and `make test`. The scripts say what each step does.

.PHONY: demo test deny bench build

build:
	cargo build --release --locked

# Builds, fills a data directory with our own samples, serves on port 8080, prints a sign-in for each role.
demo:
	@scripts/install.sh
	cargo run --release --locked -p roadstead-server --bin roadstead -- demo

test:
	@scripts/install.sh
	@scripts/test.sh

deny:
	@scripts/deny.sh

# Figures beside their floors, on this machine: bench/README.md.
bench: build
	cd bench && cargo run --release --locked -- all
