# Everything by two commands: `make demo` and `make test`. The scripts say what each step does.

.PHONY: demo test deny bench build faults

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

# 10,000 moves under full check-in load, a hundred times on each engine: none may be lost. Never timed.
faults:
	@scripts/install.sh
	scripts/with-postgres.sh env ROADSTEAD_FAULT_ROUNDS=100 cargo test -p roadstead-server --locked --test it -- \
		moves:: --nocapture

# Figures beside their floors, on this machine: bench/README.md.
bench: build
	cd bench && cargo run --release --locked -- all
