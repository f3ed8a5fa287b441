#!/usr/bin/env bash
# Builds Stela, makes a store of real data, mounts it and shows it as files.
#
#   packaging/quickstart.sh [FOLDER]        FOLDER, ./quickstart if not given, gets store/ and mnt/
#
# Run again, it builds what changed and shows the same store. Where FUSE cannot be used the tour goes without a mount.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/debian-packages.sh
. packaging/build.sh

root=$PWD
folder=${1:-$root/quickstart}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
store=$folder/store mnt=$folder/mnt
data=$(realpath --relative-to "$folder" "$root/tests/data")  # as seen from $folder, where all of it is shown
stela=$root/build/release/fsd/stela

bold=$'\e[1m' plain=$'\e[0m'
[ -t 1 ] || bold='' plain=''

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# Shows a command, then runs it.
show() {
  printf '%s$ %s%s\n' "$bold" "$1" "$plain"
  (cd "$folder" && bash -c "$1")
}

install_missing "${build_packages[@]}"
build release stela
export PATH=$root/build/release/fsd:$PATH

import_samples() {
  say "Real data goes in: flights from New York in 2013, airports, planes, sentence embeddings."
  show "stela import store /flights $data/flights.csv --null NA"
  show "stela import store /airports $data/airports.csv --null NA"
  show "stela import store /planes $data/planes.csv --null NA"
  show "stela import store /texts $data/embeddings.npy"
}

# The first sentence of why there is no mount, or nothing.
mount_store() {
  if mountpoint -q "$mnt"; then
    return
  elif [ ! -e /dev/fuse ]; then
    echo "/dev/fuse does not exist (in a container: --device /dev/fuse --cap-add SYS_ADMIN)"
  else
    mkdir -p "$mnt"
    "$stela" mount "$store" "$mnt" >"$folder/mount.log" 2>&1 || true
    mountpoint -q "$mnt" || sed 's/^stela: //; q' "$folder/mount.log"
  fi
}

tour_of_the_mount() {
  say "A dataset is a folder, a column a file:"
  show "ls -l mnt/flights | head -n 8"
  show "head -n 3 mnt/flights/.table.csv"
  show "cat mnt/airports/name.txt | head -n 3"
  show "cat mnt/flights/carrier.txt | sort | uniq -c | sort -rn | head -n 3"
  if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    show "/usr/bin/python3 -c 'import numpy; delay = numpy.load(\"mnt/flights/arr_delay.npy\", mmap_mode=\"r\")
known = numpy.load(\"mnt/flights/arr_delay.valid.npy\"); print(\"mean delay\", delay[known].mean(), \"of\", known.sum())'"
  fi
  show "cmp mnt/texts/embeddings.npy $data/embeddings.npy && echo the same bytes"
  if [ ! -e "$mnt/flights/.versions/2" ]; then
    say "cp appends the last day of the year, as a new version:"
    show "cp $data/flights-2013-12-31.csv mnt/flights/.append/"
  else
    say "The last day of the year was appended before, as a new version:"
  fi
  show "readlink mnt/flights/.versions/latest"
  show "tail -n 1 mnt/flights/.table.csv"
  say "The version before it is there as it was:"
  show "cat mnt/flights/.versions/1/.commit.json"
  show "wc -l mnt/flights/.versions/1/carrier.txt mnt/flights/carrier.txt"
  say "The store is mounted at $mnt. Next:"
  cat <<END
  look around            ls $mnt/flights; cat $mnt/.stela/README
  see its history        $stela log $store /flights
  take the mount down    $stela umount $mnt
  run the tests          packaging/test.sh
END
}

tour_without_a_mount() {
  say "The same tour without a mount. A dataset is a folder, a column a file:"
  show "stela ls store /flights | head -n 8"
  show "stela cat store /flights/.table.csv | head -n 3"
  show "stela cat store /airports/name.txt | head -n 3"
  show "stela cat store /flights/carrier.txt | sort | uniq -c | sort -rn | head -n 3"
  show "stela cat store /texts/embeddings.npy | cmp - $data/embeddings.npy && echo the same bytes"
  if ! "$stela" stat "$store" /flights/.versions/2 >/dev/null 2>&1; then
    say "The last day of the year is appended, as a new version:"
    show "stela import store /flights $data/flights-2013-12-31.csv"
  else
    say "The last day of the year was appended before, as a new version:"
  fi
  show "stela log store /flights"
  show "stela cat store /flights/.table.csv | tail -n 1"
  say "The version before it is there as it was:"
  show "stela cat store /flights/.versions/1/.commit.json"
  show "stela cat store /flights/.versions/1/carrier.txt | wc -l"
  show "stela cat store /flights/carrier.txt | wc -l"
  say "The store is $store. Next:"
  cat <<END
  see its history        $stela log $store /flights
  take a table out       $stela export $store /flights flights.csv
  run the tests          packaging/test.sh
END
}

if [ ! -e "$store" ]; then
  import_samples
fi
why=$(mount_store)
if [ -z "$why" ]; then
  tour_of_the_mount
else
  say "No mount here: ${why%%$'\n'*}."
  tour_without_a_mount
fi
