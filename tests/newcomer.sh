#!/bin/sh
# A newcomer's first hour: a bare Debian 12 in a folder, and in it what README.md says, read from it (newcomer.py).
# Started by `make newcomer`. Prints `ok name` or `FAILED name` for each step; exits 1 if one failed.
#   FRESH=1   makes the bare Debian anew; else build/newcomer keeps it, and Debian's packages
#   KEEP=1    leaves the root of this run in build/newcomer/run
# Needs root that may mount, debootstrap, git, and an apt with a Debian mirror, which is the only host it talks to.
set -eu
cd "$(dirname "$0")/.."
work=build/newcomer base=$work/base root=$work/run
skip() { echo "skipped: $*"; exit 0; }
remove() { rm -rf --one-file-system "$@"; }

# Mounts and processes are in namespaces of their own: they end with this script, however it ends.
outside() {
  [ "$(id -u)" = 0 ] || skip "needs root"
  for program in debootstrap git apt-get /usr/bin/python3; do
    command -v $program > /dev/null || skip "needs $program"
  done
  unshare --mount --pid --fork --mount-proc true 2> /dev/null || skip "needs root that may mount"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
  [ -n "$mirror" ] || skip "needs an apt with a Debian mirror"
  unshare --mount --pid --fork --kill-child --mount-proc sh "$0" "$mirror" &
  inside=$!
  # unshare is deaf to all but KILL, which ends all that is in there.
  trap 'kill -KILL $inside 2> /dev/null || true; [ -n "${KEEP:-}" ] || remove $root || true' EXIT
  trap 'exit 130' INT
  trap 'exit 143' HUP TERM
  status=0
  wait $inside || status=$?
  exit $status
}

debian() { # of that mirror, and as this machine's apt fetches
  remove $base.new && mkdir -p $base.new $work/packages
  debootstrap --variant=minbase bookworm $base.new "$1" > $work/debootstrap.log 2>&1 ||
    { tail -n 3 $work/debootstrap.log; echo "FAILED debootstrap"; exit 1; }
  apt-config dump | grep -E '^Acquire::(http|https|Check)' > $base.new/etc/apt/apt.conf.d/90outside || true
  mv $base.new $base
}

[ $# = 1 ] || outside
remove $root
[ -z "${FRESH:-}" ] || remove $work
[ -d $base ] || debian "$1"
cp -a $base $root
mount --bind $work/packages $root/var/cache/apt/archives
mount -t proc proc $root/proc
cp -L /etc/resolv.conf /etc/hosts $root/etc/
git bundle create -q $root/srv/llmcost.bundle HEAD
git show HEAD:README.md > $root/srv/README.md
chroot $root useradd -m -s /bin/bash newcomer
/usr/bin/python3 tests/newcomer.py $root
