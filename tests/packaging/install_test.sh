#!/usr/bin/env bash
# install_test.sh BUILD_FOLDER CMAKE COMPILER: installs a finished build to an empty prefix, builds and runs the example
# against it with find_package, uninstalls, and checks that nothing is left.
set -euo pipefail
build=$1 cmake=$2 compiler=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
manifest=$build/install_manifest.txt

# An installation by hand keeps its own manifest.
[ ! -e "$manifest" ] || cp -p "$manifest" "$work/manifest.kept"
finish() {
  rm -f "$manifest"
  [ ! -e "$work/manifest.kept" ] || cp -p "$work/manifest.kept" "$manifest"
  rm -rf "$work"
}
trap finish EXIT

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }

"$cmake" -S "$here/example" -B "$work/example" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
"$cmake" --build "$work/example"
"$work/example/example" "$work/store"
if [ -x "$work/prefix/bin/stela" ]; then
  "$work/prefix/bin/stela" --version
fi

# Used as the target uninstall uses it.
"$cmake" -D MANIFEST="$manifest" -P "$root/packaging/uninstall.cmake" >"$work/uninstall.log" 2>&1
left=$(find "$work/prefix" -not -type d)
[ -z "$left" ] || { printf 'uninstall left:\n%s\n' "$left"; exit 1; }
left=$(find "$work/prefix" -type d -name stela)
[ -z "$left" ] || { printf 'uninstall left the folders:\n%s\n' "$left"; exit 1; }
echo "installed, used and uninstalled"
