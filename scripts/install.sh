#!/usr/bin/env bash
# Installs what building, testing and the demo need beyond Rust, on a machine with Debian's package manager.
# Does nothing where it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
need() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
need cc build-essential
need chromium chromium
need chromedriver chromium-driver
need python3 python3
# The agent's pop-ups are tested on a real desktop.
need Xvfb xvfb
need dbus-daemon dbus-daemon
need xdotool xdotool
need import imagemagick
need xdg-open xdg-utils
[ -e /usr/share/dbus-1/services/org.xfce.xfce4-notifyd.Notifications.service ] || packages+=(xfce4-notifyd)
need npm npm
[ -x /usr/sbin/sshd ] || packages+=(openssh-server)
need sftp openssh-client
# The tests' mail server belongs to the system's own Python.
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || packages+=(python3-aiosmtpd)
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1 || packages+=(postgresql)
fc-list 2>/dev/null | grep -qi dejavu || packages+=(fonts-dejavu-core)

if [ ${#packages[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing ${packages[*]}"
    $sudo apt-get update -q
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends "${packages[@]}"
fi

# Looks for barriers on the pages, in a test; no part of any program.
axe=4.14.1
if ! grep -qs "\"version\": \"$axe\"" target/axe/node_modules/axe-core/package.json; then
    npm install --silent --no-audit --no-fund --prefix target/axe "axe-core@$axe"
fi
