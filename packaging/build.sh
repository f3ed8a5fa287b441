# shellcheck shell=bash
# build PRESET [TARGET...]: configures build/PRESET once and builds the targets, or all, with every core.
# Sourced by quickstart.sh, test.sh and .ci/run, which are in the source folder then.

build() {
  local preset=$1 log
  shift
  log=build/$preset/configure.log
  mkdir -p "build/$preset"
  if [ ! -f "build/$preset/build.ninja" ]; then
    echo "Configuring build/$preset"
    cmake --preset "$preset" >"$log" 2>&1 || { cat "$log"; return 1; }
  fi
  echo "Building build/$preset with $(nproc) cores"
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  # Ninja prints a line for each file where its output is no terminal; the last ones say enough unless it fails.
  log=build/$preset/build.log
  if [ -t 1 ]; then
    cmake --build "build/$preset" "${targets[@]}"
  else
    cmake --build "build/$preset" "${targets[@]}" >"$log" 2>&1 || { tail -n 100 "$log"; return 1; }
    tail -n 1 "$log"
  fi
}
