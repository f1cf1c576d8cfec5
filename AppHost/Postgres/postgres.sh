#!/bin/sh
# postgres.sh init PROGRAMS DIR [OPTION]: makes a cluster in DIR/data where there is none (OPTION is initdb's), and configures it
# postgres.sh run PROGRAMS DIR PORT: runs its server; PROGRAMS is the directory of initdb and postgres
# PostgreSQL refuses to run as root, so for root it runs as `postgres`, or `nobody` where there is none. That user need not be able to
# reach DIR, which may lie below /root: the shell opens it as root, and PostgreSQL gets to it by the open file, /proc/self/fd/9.
set -eu
programs=$2 directory=$3
user=postgres
id -u postgres >/dev/null 2>&1 || user=nobody

as_user() { # PROGRAM DATA ARGUMENTS
    program=$programs/$1 data=$2
    shift 2
    if [ "$(id -u)" = 0 ]; then
        exec 9<"$data"
        cd /
        exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$program" -D /proc/self/fd/9 "$@"
    fi
    exec "$program" -D "$data" "$@"
}

init() { # the superuser's password is in DIR/superuser-password, for its owner only
    if [ ! -d "$directory/data" ]; then
        mkdir -p -m 700 "$directory"
        if [ ! -s "$directory/superuser-password" ]; then
            (umask 077 && head -c 24 /dev/urandom | od -A n -v -t x1 | tr -d ' \n' > "$directory/superuser-password")
        fi
        rm -rf "$directory/data.new"
        mkdir -m 700 "$directory/data.new"
        if [ "$(id -u)" = 0 ]; then chown "$user:" "$directory/data.new"; fi
        (
            exec 8<"$directory/superuser-password"
            if [ "$(id -u)" = 0 ]; then chown "$user:" "$directory/superuser-password"; fi
            as_user initdb "$directory/data.new" --pwfile=/dev/fd/8 -U postgres -A scram-sha-256 -E UTF8 --no-locale --no-instructions ${1:+"$1"}
        )
        mv "$directory/data.new" "$directory/data"
    fi
    # wal_level=logical is for change data capture, whose role needs REPLICATION. That lets it open no other service's database:
    # pg_hba.conf has no line for physical replication, and a logical slot belongs to the database it was made in, which `sameuser`
    # confines to the role's own.
    cat > "$directory/data/postgresql.conf" <<'CONF'
# written at every start
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
fsync = on
wal_level = logical
max_replication_slots = 64
max_wal_senders = 64
max_slot_wal_keep_size = 4GB
max_wal_size = 1GB
shared_buffers = 64MB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = ''
log_checkpoints = off
log_min_messages = warning
CONF
    cat > "$directory/data/pg_hba.conf" <<'CONF'
# database and role of a service have the same name; no line for physical replication
host all      postgres 127.0.0.1/32 scram-sha-256
host sameuser all      127.0.0.1/32 scram-sha-256
CONF
}

run() { # who stops a process sends SIGTERM, on which PostgreSQL would wait for its clients: SIGINT ends their sessions
    stop_leftover
    (as_user postgres "$directory/data" -p "$1") &
    server=$!
    trap 'kill -INT $server 2>/dev/null || true' TERM INT
    while :; do
        wait $server && code=0 || code=$?
        kill -0 $server 2>/dev/null || break # the trap interrupts the wait
    done
    exit "$code"
}

# A server that was killed leaves postmaster.pid. PostgreSQL sees for itself when the process is gone, but takes a zombie, or a stranger
# who got the id since, for a running server and then never starts. Only a process inside the data directory is one: of a shell that
# was killed, and it must end first.
stop_leftover() {
    pid=$(head -n 1 "$directory/data/postmaster.pid" 2>/dev/null || true)
    if [ -z "$pid" ] || [ ! -d /proc/self ]; then return; fi
    if [ "$(readlink "/proc/$pid/cwd" || true)" = "$(cd "$directory/data" && pwd -P)" ]; then
        kill -INT "$pid" || true
        while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; do sleep 0.1; done
    fi
    rm -f "$directory/data/postmaster.pid"
}

command=$1
shift 3
"$command" "$@"
