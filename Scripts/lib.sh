# Shared by the scripts: finds or installs what they need. Source it; it changes nothing by itself.
# Everything for people goes to standard error.

source "${BASH_SOURCE[0]%/*}/servers.sh"

# The Debian packages that building, the tests and the demo need.
packages=(
    postgresql-15 postgresql-client-15 libpq-dev redis-server libhiredis-dev libmongoc-dev
    liblz4-dev libxxhash-dev zlib1g-dev lz4 pkg-config tzdata python3 prometheus python3-prometheus-client
    openssl curl chromium fonts-dejavu-core
)

say() { printf '\n== %s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo when that needs no password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        die "this needs root, and sudo asks for a password; run as root: $*"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs those of the packages above (or of the arguments) that are missing; asks nothing.
need_packages() {
    local wanted=("$@") missing=() package
    [ "${#wanted[@]}" -gt 0 ] || wanted=("${packages[@]}")
    command -v dpkg-query >/dev/null 2>&1 ||
        die "not a Debian system; install the counterparts of: ${wanted[*]}"
    for package in "${wanted[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "Installing ${missing[*]}"
    install_quietly "${missing[@]}"
}

# Debian's servers start when they are installed. Whoever only wants to run tests gets none: meanwhile
# no service may be started (invoke-rc.d(8)), and no Postgres cluster is made.
install_quietly() {
    local drop_in=/etc/postgresql-common/createcluster.d/tidemark-scripts.conf is_ours=""
    local policy=/usr/sbin/policy-rc.d is_policy=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 0755 "$policy"
        is_policy=1
    fi
    if [[ " $* " == *" postgresql-15 "* ]] && ! is_installed postgresql-common; then
        as_root mkdir -p "${drop_in%/*}"
        printf 'create_main_cluster = false\n' | as_root tee "$drop_in" >/dev/null
        is_ours=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confold "$@" </dev/null >&2
    [ -z "$is_ours" ] || as_root rm -f "$drop_in"
    [ -z "$is_policy" ] || as_root rm -f "$policy"
}

# Puts Swift on PATH: the one that is there, or one in /opt/swift. It cannot be installed from Debian.
need_swift() {
    if ! command -v swift >/dev/null 2>&1; then
        [ -x /opt/swift/usr/bin/swift ] || die \
            "no Swift found on PATH or in /opt/swift/usr/bin; get 6.3 from https://www.swift.org/install/linux"
        export PATH="/opt/swift/usr/bin:$PATH"
    fi
    # What a crash prints by itself takes seconds and says nothing that a core dump does not.
    export SWIFT_BACKTRACE=enable=no
}

# Puts SecantusDB (a server that speaks MongoDB's protocol) and pymongo into .build/secantus, unless
# TIDEMARK_TEST_SECANTUS names a virtual environment that has them. Tests and the demo run it as a
# program of its own; nothing of it is built in.
need_secantus() {
    [ -z "${TIDEMARK_TEST_SECANTUS:-}" ] || return 0
    [ ! -e .build/secantus/installed ] || return 0
    say "Installing SecantusDB into .build/secantus"
    rm -rf .build/secantus
    mkdir -p .build
    python3 -m venv .build/secantus || { need_packages python3-venv; python3 -m venv .build/secantus; }
    .build/secantus/bin/pip install --quiet --disable-pip-version-check \
        secantusdb==0.7.0b3 pymongo==4.10.1 </dev/null >&2
    touch .build/secantus/installed
}

# The folder of the newest Postgres server's programs.
postgres_bin() {
    local found
    found=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/pg_ctl' 2>/dev/null |
        sort -V | tail -n 1)
    [ -n "$found" ] || die "no Postgres server found in /usr/lib/postgresql"
    printf '%s\n' "${found%/pg_ctl}"
}

# Runs a command as an ordinary user, since no Postgres server runs as root: as `postgres` when we are
# root, else as ourselves.
as_postgres() { (exec_as_postgres "$@"); }

# The same, in place of the shell: in the background `$!` is then the command itself, so that a signal
# reaches it: exec_as_postgres server … &
exec_as_postgres() {
    [ "$(id -u)" = 0 ] || exec "$@"
    exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp "$@"
}

# A TCP port of the loopback that nobody uses now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_until SECONDS WHAT COMMAND…: tries the command twice a second until it succeeds.
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || die "waited in vain for $what"
        sleep 0.5
    done
}

# Puts a real mongod into .build/mongod, unless TIDEMARK_TEST_MONGOD or PATH names one: 3.6.8, the newest
# under a free licence, with the libraries of its time, out of packages of Ubuntu 20.04. Debian has none.
# Where it cannot be had the tests go on with the other two, and this says so.
need_mongod() {
    [ -z "${TIDEMARK_TEST_MONGOD:-}" ] || return 0
    ! command -v mongod >/dev/null 2>&1 || return 0
    [ ! -e .build/mongod/installed ] || [ ! -e .build/mongod/mongorestore ] || return 0
    say "Fetching a mongod into .build/mongod"
    rm -rf .build/mongod
    mkdir -p .build/mongod
    if ! (cd .build/mongod && fetch_mongod) >&2; then
        rm -rf .build/mongod
        say "There is no mongod: MongoDB is tested with recorded entries and SecantusDB only." \
            "TIDEMARK_TEST_MONGOD may name one."
        return 0
    fi
    touch .build/mongod/installed
}

# Into the current folder.
fetch_mongod() {
    [ "$(uname -m)" = x86_64 ] || return 1
    local hash path file
    while read -r hash path; do
        file=${path##*/}
        curl --silent --show-error --fail --location --max-time 120 --output package.deb \
            "http://archive.ubuntu.com/ubuntu/pool/${path//+/%2B}" || return 1
        echo "$hash  package.deb" | sha256sum --check --quiet || return 1
        dpkg -x package.deb root || return 1
    done <<'PACKAGES'
d8e296fe30ba1a7466333bc11f7f7b69643195e0fffaad69d4dc0a7f84c9a512 universe/m/mongodb/mongodb-server-core_3.6.9+really3.6.8+90~g8e540c0b6d-0ubuntu5_amd64.deb
6793184cc2b8df0da401fdbe78fbf57ac598438177a6af163f99f9f1c14f9eb8 main/b/boost1.71/libboost-filesystem1.71.0_1.71.0-6ubuntu6_amd64.deb
389095c7167251ee73667031a4c0f45083a31347cc95faddbdf5b7d22ac4c774 main/b/boost1.71/libboost-program-options1.71.0_1.71.0-6ubuntu6_amd64.deb
be06998b03fac2ed2e5a74911ff9ea41b63630a94bfddac496f5422b3d51c12a main/g/google-perftools/libgoogle-perftools4_2.7-1ubuntu2_amd64.deb
9ff8e9c464792f5da9ad6a7b9b51e2eab4c10a31efb93462d8752095db45ca93 main/libu/libunwind/libunwind8_1.2.1-9build1_amd64.deb
2e94c88431a1cfdc9f5be37a9063c617c2e85be4eeee194b3956b7a1d35040cd main/p/pcre3/libpcre3_8.39-12build1_amd64.deb
6245a4417a5de8e7c7ba2befa675bf1747c51cdd500803fd117e973c13b3a88f main/p/pcre3/libpcrecpp0v5_8.39-12build1_amd64.deb
45656990b8613e70263cd4bacc8dd2c081ca1913d86952e95c11ba70db36d0b2 main/s/snappy/libsnappy1v5_1.1.8-1build1_amd64.deb
09ee28588a1fb5613ddc6c26a992d5a76931b3cf22c022930da413a5e580599e main/o/openssl/libssl1.1_1.1.1f-1ubuntu2_amd64.deb
ca98a75e3eb1d446215bfa194148a7005453b9204dfb1ad625130ee4aecd5235 main/s/snowball/libstemmer0d_0+svn585-2_amd64.deb
295b5abb205a6d1024b2c5d76fce0b4bb173daafe435a6933d2c87a7af363053 universe/m/mongo-tools/mongo-tools_3.6.3-0ubuntu1_amd64.deb
fa32c293c9935750089d496d20da5edfa870fad741ab5822e43900ccb61483bb main/y/yaml-cpp/libyaml-cpp0.6_0.6.2-4ubuntu1_amd64.deb
PACKAGES
    rm -f package.deb
    for file in mongod mongodump mongorestore; do
        cat >"$file" <<'WRAPPER' || return 1
#!/bin/sh
root=$(dirname "$0")/root
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu exec "$root/usr/bin/${0##*/}" "$@"
WRAPPER
        chmod a+x "$file"
        "./$file" --version || return 1
    done
}
