# shellcheck shell=bash
# Sourced by the commands in tools/: packages, configuring, building.
# PLIANT_SETUP=no skips the package check, for a machine whose compilers and libraries come from
# elsewhere.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What every build needs; "a|b" is satisfied by either, and a is what gets installed.
build_packages=(g++ cmake ninja-build libeigen3-dev zlib1g-dev doctest-dev nlohmann-json3-dev
                libcli11-dev libpng-dev 'libjpeg-dev|libjpeg62-turbo-dev|libjpeg-turbo8-dev'
                libpugixml-dev
                'libcurl4-openssl-dev|libcurl4-gnutls-dev' libssl-dev ca-certificates)
# What the tests need besides: without these a build has no tar files, and a Group of one.
test_packages=(libarchive-dev libopenmpi-dev openmpi-bin)
# What tools/check-report opens pages with.
browser_packages=('chromium|google-chrome-stable')
# What tools/check-all needs besides.
check_packages=(git clang clang-tidy clang-format libbenchmark-dev locales qemu-user)
# What its aarch64 needs besides.
aarch64_packages=(g++-aarch64-linux-gnu)
# What tools/fuzz needs besides; a 14 that is installed is asked for by its own name.
fuzz_packages=(clang 'libclang-rt-14-dev|libclang-rt-dev')

say() { printf 'pliant: %s\n' "$*" >&2; }

is_installed() {
  local package
  for package in ${1//|/ }; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
      installed) return 0 ;;
    esac
  done
  # A compiler, CMake or Ninja of the user's own will do.
  case $1 in
    g++) [[ -n ${CXX:-} ]] ;;
    cmake) command -v cmake >/dev/null ;;
    ninja-build) command -v ninja >/dev/null ;;
    *) return 1 ;;
  esac
}

# Installs what is missing of the named packages; says nothing where nothing is.
setup_packages() {
  [[ ${PLIANT_SETUP:-} != no ]] || return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    setup_elsewhere "$@"
    return
  fi
  local package as_root=() missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("${package%%|*}")
  done
  (( ${#missing[@]} )) || return 0
  if (( EUID )); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      say "packages are missing and installing them needs a password. Run this, then try again:"
      printf '  sudo apt-get install -y %s\n' "${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo -n)
  fi
  say "installing ${missing[*]} (${as_root[*]:+sudo }apt-get)"
  as_root+=(env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get)
  "${as_root[@]}" update -qq || say "apt-get update failed; trying the package lists there are"
  if ! "${as_root[@]}" install -y -qq "${missing[@]}" >/dev/null; then
    say "apt-get could not install them; see above"
    exit 1
  fi
}

# No apt here: the three programs must be there, and CMake finds or fetches the libraries.
setup_elsewhere() {
  local program missing=()
  command -v "${CXX:-c++}" >/dev/null || missing+=("a C++ compiler (g++ >= 12 or clang >= 14)")
  command -v cmake >/dev/null || missing+=("cmake >= 3.25")
  command -v ninja >/dev/null || missing+=("ninja")
  if (( ${#missing[@]} )); then
    say "no apt-get here, so install with your package manager:"
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  fi
  [[ -e $root/build/release/build.ninja ]] ||
    say "no apt-get here; wanted are Eigen 3.4, zlib, doctest, nlohmann-json, CLI11, libpng," \
        "libjpeg-turbo, pugixml, libcurl, OpenSSL; CMake fetches what it needs and does not find"
}

# Of the checkout, as a run of a program keeps it.
this_commit() { git -C "$root" describe --always --dirty 2>/dev/null || echo unknown; }

has_processor() {
  local flag
  for flag; do grep -qw "$flag" /proc/cpuinfo 2>/dev/null || return 1; done
}

# What a checkout builds runs on any processor of its kind, and at full speed on this one; kernels for
# the others cost a minute and are for packages.
kernels_for_here() {
  if has_processor avx2 fma avx512f avx512bw avx512cd avx512dq avx512vl; then
    echo '-DPLIANT_INSTRUCTION_SETS=baseline;avx512'
  elif has_processor avx2 fma; then
    echo '-DPLIANT_INSTRUCTION_SETS=baseline;avx2'
  fi
}

# build PRESET [TARGET...]: configures if that was not done, then builds the targets (all).
build() {
  local preset=$1 folder=$root/build/$1 targets=() options=()
  shift
  (( $# == 0 )) || targets=(--target "$@")
  [[ $preset != release ]] || mapfile -t options < <(kernels_for_here)
  # In a subshell: presets are read from the current folder, and the caller's must not change.
  [[ -e $folder/build.ninja ]] || (cd "$root" && cmake --preset "$preset" "${options[@]}") >&2 || exit 1
  cmake --build "$folder" "${targets[@]}" >&2 || exit 1
}
