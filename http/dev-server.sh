# Starts a `plinto dev` of its own for a script that sources this: sets WORK, CORE, AUTH and CREDENTIALS, and stops the
# server and removes its data when the script ends. `PLINTO` names the binary and `fail` says what went wrong.

WORK=$(mktemp -d)
readonly WORK

stop_dev_server() {
    [ -z "${SERVER:-}" ] || { kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; }
    rm -rf "$WORK"
}
trap stop_dev_server EXIT

member() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
address() {
    python3 -c 'import json, sys; print("http://" + json.load(open(sys.argv[1]))["listeners"][sys.argv[2]])' \
        "$WORK/data/run.json" "$1"
}

start_dev_server() {
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or later with venv"
    # Limits that many requests would meet are tested elsewhere.
    local limit
    for limit in TENANT_PER_SECOND TENANT_BURST SESSION_PER_SECOND SESSION_BURST ACCOUNT_BURST ADDRESS_BURST; do
        export "PLINTO_LIMITS__$limit=100000"
    done
    "$PLINTO" dev --base-port 0 --data-dir "$WORK/data" --log warn "$@" >"$WORK/server.log" 2>&1 &
    SERVER=$!
    for _ in $(seq 150); do
        kill -0 "$SERVER" 2>/dev/null || { cat "$WORK/server.log" >&2; fail "plinto did not start"; }
        grep -q 'is ready' "$WORK/server.log" && break
        sleep 0.2
    done
    CORE=$(address core) AUTH=$(address auth)
    CREDENTIALS=$WORK/data/dev-credentials.json
}
