#!/bin/bash
# A class on this machine: installs JupyterHub from PyPI and its proxy from npm, and starts it on 127.0.0.1. As root.
#     sudo deploy/start.sh                 (RNN_HUB_PORT=8000, RNN_HUB_MEMORY=2G, … : deploy/README.md)
#     sudo deploy/start.sh --install       installs, and starts nothing
set -euo pipefail
course="$(cd "$(dirname "$0")/.." && pwd)"
export RNN_HUB_DIR="${RNN_HUB_DIR:-/opt/rnn-course}"
export RNN_HUB_STATE="${RNN_HUB_STATE:-/var/lib/rnn-course}"
export RNN_HUB_CONFIG="$course/deploy"
python="${PYTHON:-/usr/bin/python3}"  # not one in a home folder: students' accounts must be able to run it

[ "$(id -u)" = 0 ] || { echo "Run this as root: only root can start servers for other accounts." >&2; exit 1; }
for tool in node npm git; do
    command -v "$tool" > /dev/null || { echo "$tool is missing: apt-get install nodejs npm git" >&2; exit 1; }
done
"$python" -c "import ensurepip" 2> /dev/null || { echo "$python cannot make environments: apt-get install python3-venv" >&2; exit 1; }

mkdir -p "$RNN_HUB_DIR" "$RNN_HUB_STATE"
chmod 755 "$RNN_HUB_DIR"
chmod 700 "$RNN_HUB_STATE"
# installed again only when the dependencies change
mark="$RNN_HUB_DIR/$(cat "$course/pyproject.toml" "$course/constraints.txt" | sha256sum | cut -c1-16).installed"
if [ ! -e "$mark" ]; then
    "$python" -m venv "$RNN_HUB_DIR/venv"
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    cp "$course"/{pyproject.toml,README.md,LICENSE,helpers.py} "$work"
    "$RNN_HUB_DIR/venv/bin/pip" install --quiet --upgrade pip
    "$RNN_HUB_DIR/venv/bin/pip" install --quiet --constraint "$course/constraints.txt" "$work[hub]"
    "$RNN_HUB_DIR/venv/bin/pip" uninstall --quiet --yes rnn-course  # students' notebooks find helpers in their own copy
    npm install --silent --prefix "$RNN_HUB_DIR" configurable-http-proxy@5
    rm -f "$RNN_HUB_DIR"/*.installed
    touch "$mark"
fi
[ "${1:-}" != --install ] || exit 0
exec "$RNN_HUB_DIR/venv/bin/jupyterhub" --config "$course/deploy/jupyterhub_config.py"
