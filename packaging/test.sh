#!/usr/bin/env bash
# Builds Stela and passes its tests: packaging/test.sh [CTEST OPTION...], for example -R engine.
# With CI=true a skipped test is a failure, unless what it needs is beyond Debian's packages and FUSE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/debian-packages.sh
. packaging/build.sh

install_missing "${build_packages[@]}" "${test_packages[@]}"
build release

echo "Testing"
rm -rf build/release/test-results
mkdir -p build/release/test-results
verdict=0
ctest --test-dir build/release --parallel "$(nproc)" --output-on-failure --no-tests=error \
  --output-junit test-results/ctest.junit "$@" || verdict=$?
/usr/bin/env python3 packaging/test_report.py build/release/test-results || verdict=1
exit "$verdict"
