# shellcheck shell=bash
# The Debian 12 packages that Stela needs, and install_missing, which installs those of them that are not there.
# Sourced by quickstart.sh, test.sh and .ci/run.

# shellcheck disable=SC2034  # used by those who source this
build_packages=(
  cmake ninja-build g++ pkg-config
  libfuse3-dev fuse3 libisal-dev libxxhash-dev libboost-program-options-dev nlohmann-json3-dev
  libflatbuffers-dev flatbuffers-compiler libfast-float-dev libsimdjson-dev liblz4-dev libzstd-dev libsnappy-dev libroaring-dev zlib1g-dev
  libgtest-dev
)
test_packages=(python3 python3-numpy python3-pandas attr rsync nano vim strace e2fsprogs xfsprogs)
client_packages=(python3-venv)
fuzz_packages=(clang-14 libclang-rt-14-dev llvm-14)

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Names those of the given packages that are not installed, one a line.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" { print $2 }')
  for package in "$@"; do
    grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
  done
}

install_missing() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is not Debian: install what these packages hold by your own means, if it is not there: $*"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "Installing needs root and sudo is not there. As root: apt-get install ${missing[*]}" >&2
    return 1
  fi
  # The package index is fetched only where it does not know a package, or is too old to have its file.
  if ! apt-cache show --no-all-versions "${missing[@]}" >/dev/null 2>&1 || ! apt_install "${missing[@]}"; then
    as_root apt-get -qq update || echo "apt-get update failed; trying with the index that is there" >&2
    apt_install "${missing[@]}"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}
