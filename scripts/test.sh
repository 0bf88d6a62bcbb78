#!/usr/bin/env bash
# The whole suite: format, lints, unit, store, API and browser tests, on SQLite and on a PostgreSQL of its own. Ends
# with one plain line of counts.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings

ROADSTEAD_EDI_PYTHON=$(scripts/edi-python.sh)
export ROADSTEAD_EDI_PYTHON
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
scripts/with-postgres.sh cargo test --workspace --locked --no-fail-fast 2>&1 | tee "$log" || status=$?

count() { sed -n "s/^test result: .* \([0-9]*\) $1;.*/\1/p" "$log" | awk '{ sum += $1 } END { print sum + 0 }'; }
echo
echo "$(count passed) passed, $(count failed) failed"
exit "$status"
