#!/usr/bin/env python3
"""Records what a released program says to PostgreSQL, for the test of two releases side by side (it/previous.rs).

    scripts/with-postgres.sh crates/server/tests/previous/record.py PATH-TO-THE-RELEASED-PROGRAM

run with POSTGRES_OPTIONS='-c fsync=off -c log_statement=all -c logging_collector=on -c log_destination=csvlog -c
log_directory=/some/new/directory -c log_file_mode=0644' writes conversation.sql beside this file: two parts, each a list
of transactions in the order of their commits, with the values as they were. Run it at each release, from its own
program, and take schema.sql from `pg_dump --schema-only` of the database it leaves.
"""

import csv
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

program, logs = sys.argv[1], sys.argv[2]
cluster = os.environ["ROADSTEAD_TEST_POSTGRES"]
base = "http://127.0.0.1:18999"
here = os.path.dirname(os.path.abspath(__file__))


def psql(sql, database="recorded"):
    subprocess.run(["psql", "-qX", f"{cluster}/{database}", "-c", sql], check=True, stdout=subprocess.DEVNULL)


def cli(*arguments, **more):
    command = [program, *arguments, "--database", f"{cluster}/recorded", "--data", "/tmp/recorded-data"]
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout.strip()


def ask(path, body=None, kind="application/json"):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/api/v1/{path}", data, {"content-type": kind})
    request.add_header("authorization", f"Bearer {operator}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def report(*lines):
    head = "Transaction,Transaction Date,Reseller ID,Product Number,Service Level,Serial Number,Quantity,Invoice Number"
    file = "\n".join([head, *lines]).encode()
    taken = ask("sell-through-reports?reporter=D-1", file, "text/csv")
    while ask(f"operations/{taken['operation']['id']}")["state"] == "running":
        time.sleep(0.05)


psql("CREATE DATABASE recorded TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'", "postgres")
operator = cli("token", "create", "--role", "operator", "--name", "recorder")
server = subprocess.Popen(
    [program, "serve", "--database", f"{cluster}/recorded", "--data", "/tmp/recorded-data", "--listen", base[7:]],
    stdout=subprocess.PIPE,
)
server.stdout.readline()
psql("SELECT 'part 1'")
partner = ask("partners", {"name": "Partner R-1", "partner_number": "R-1"})["id"]
certificate = {"support_level": "premium_plus", "role": "service_delivery", "course_completed_on": "2026-01-01"}
ask(f"partners/{partner}/qualifications", {**certificate, "certified_on": "2026-01-02"})
ask("reporters", {"name": "Distributor D-1", "reporter_number": "D-1", "kind": "distributor"})
report(
    "sale,2026-11-18,R-1,6T1A2EA,Premium+,5CG000000A,1,INV-1",
    "sale,2026-11-18,R-1,6T1A2EA,Premium+,5CG000000B,1,INV-1",
    "sale,2026-11-18,R-9,6T1A2EA,Premium+,5CG000000P,1,INV-1",
    "sale,2026-11-18,R-1,6T1A2EA,Premium+,5CG!!,1,INV-1",
)
psql("SELECT 'part 2'")
cli("user", "create", "--role", "partner", "--for", "R-1", "--email", "one@example.com", "--name", "One",
    env={**os.environ, "ROADSTEAD_PASSWORD": "correct horse battery staple"})
report(
    "return,2026-11-19,R-1,6T1A2EA,Premium+,5CG000000A,-1,INV-1",
    "sale,2026-11-20,R-1,6T1A2EA,Premium,5CG000000C,1,INV-2",
    "sale,2026-11-20,R-1,6T1A2EA,Premium+,5CG000000B,1,INV-2",
)
newcomer = ask("partners", {"name": "Partner R-9", "partner_number": "R-9"})["id"]
ask(f"partners/{newcomer}/qualifications", {**certificate, "certified_on": "2026-01-02"})
time.sleep(2)
psql("SELECT 'end'")
server.send_signal(signal.SIGTERM)
server.wait()

# Each session's statements, cut into transactions.
csv.field_size_limit(1 << 30)
open_, done, part = {}, [], 0
for name in sorted(glob.glob(f"{logs}/*.csv")):
    for row in csv.reader(open(name, newline="")):
        database, session, message, detail = row[2], row[5], row[13], row[14]
        if database != "recorded":
            continue
        found = re.match(r"(?:statement|execute [^:]*): (.*)", message, re.S)
        if not found:
            continue
        sql = found[1].strip().rstrip(";")
        mark = re.match(r"SELECT 'part (\d)'", sql)
        if mark or sql == "SELECT 'end'":
            part = int(mark[1]) if mark else 0
            continue
        if not part or "pg_advisory" in sql and "xact" not in sql or sql.startswith("LISTEN"):
            continue
        values = re.match(r"parameters: (.*)", detail, re.S | re.I)
        if values:
            # Numbered from 1: '...' with doubled quotes, or NULL.
            literals = re.findall(r"\$\d+ = (NULL|'(?:[^']|'')*')(?:, |$)", values[1], re.S)
            sql = re.sub(r"\$(\d+)", lambda n: literals[int(n[1]) - 1], sql)
        if sql.upper().startswith("BEGIN"):
            open_[session] = (part, [sql])
        elif session in open_:
            begun, statements = open_[session]
            statements.append(sql)
            if sql.upper() in ("COMMIT", "ROLLBACK"):
                done.append((begun, statements))
                del open_[session]

seen = set()
with open(f"{here}/conversation.sql", "w") as out:
    part = 0
    for begun, statements in done:
        # Who only asks, asks the same again and again: once is enough.
        shape = re.sub(r"'(?:[^']|'')*'", "?", "\n".join(statements[1:]))
        if not re.search(r"^(INSERT|UPDATE|DELETE)", shape, re.M) or "UPDATE jobs" not in shape:
            writes = re.search(r"^(INSERT|UPDATE|DELETE)", shape, re.M)
            if not writes and shape in seen:
                continue
            seen.add(shape)
        if begun != part:
            part = begun
            out.write(f"-- part {part}\n")
        for statement in statements:
            out.write(statement + "\n;;\n")
