#!/usr/bin/env bash
# Runs a command beside a private PostgreSQL cluster on a spare port, in a temporary directory, whatever else runs on
# this machine. The command finds it in ROADSTEAD_TEST_POSTGRES.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || { echo "PostgreSQL's server is not installed: run scripts/install.sh" >&2; exit 1; }
dir=$(mktemp -d /tmp/roadstead-postgres.XXXXXX)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# initdb refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
[ "$(id -u)" != 0 ] || chown postgres "$dir"
stop() { as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"; }
trap stop EXIT

as_postgres "$bin/initdb" -D "$dir/data" -U roadstead -A trust --locale=C.UTF-8 -E UTF8 >/dev/null
# A test database is thrown away: durability would only cost time. Benches set their own.
as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start -o \
    "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c max_connections=200 ${POSTGRES_OPTIONS:--c fsync=off}" >/dev/null

export ROADSTEAD_TEST_POSTGRES="postgres://roadstead@127.0.0.1:$port"
"$@"
