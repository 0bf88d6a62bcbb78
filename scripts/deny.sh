#!/usr/bin/env bash
# Checks the arrows between the crates, licences and sources by deny.toml. The advisory database cannot be had
# everywhere, so it is not asked here.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
cargo deny --version 2>/dev/null | grep -q "$version" || cargo install --locked --version "$version" cargo-deny
cargo deny --workspace check --hide-inclusion-graph bans licenses sources
