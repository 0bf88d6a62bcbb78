#!/usr/bin/env bash
# Prints a Python that has the two EDI readers which the cross-check compares ours with, installing them from PyPI into
# target/ once. Prints nothing where that cannot be: the test then says that it was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/edi-python
python=$PWD/$venv/bin/python
if ! "$python" -c 'import pydifact, pyx12' 2>/dev/null; then
    {
        python3 -m venv "$venv" &&
            "$python" -m pip install --quiet --disable-pip-version-check pydifact==0.2.3 pyx12==4.0.0
    } >&2 || { echo "the EDI cross-check is skipped: its readers cannot be installed" >&2; exit 0; }
fi
echo "$python"
