# shellcheck shell=bash
# Makes carry.tgz for a machine without a network: programs for a GPU of compute capability 9.0 and any
# x86-64, the libraries that a build there needs, and MNIST where PLIANT_DATA names it.
most=$((35 << 20))  # bytes
programs=(pliant-tests pliant-conformance pliant-mnist pliant-cuda-bench)
built=${PLIANT_GPU_BUILD:-build/carry}

cmake -S . -B "$built" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPLIANT_CUDA=ON -DPLIANT_NATIVE=OFF \
  -DPLIANT_WERROR=OFF -DPLIANT_INSTALL=OFF -DBUILD_SHARED_LIBS=ON -DPLIANT_CURL=OFF \
  -DPLIANT_OPENSSL=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON \
  -DCMAKE_CUDA_ARCHITECTURES=90-real -DCMAKE_CUDA_FLAGS=-lineinfo -DPLIANT_DEPS="$(realpath -m "$deps")"
cmake --build "$built" --target "${programs[@]}"

rm -rf $carry carry.tgz
mkdir -p $carry/bin
for program in libpliant.so "${programs[@]}"; do
  cp "$built/$program" $carry/bin
  strip --strip-debug "$carry/bin/$program"  # the lines of kernels lie in the device's code and stay
done
# Of libraries those that another system may not have; CUDA's and cuDNN's it has.
ldd $carry/bin/libpliant.so $carry/bin/pliant-mnist | sed -nE 's/^.*=> (.*lib(png|jpeg|pugixml|z)[^ ]*) .*/\1/p' |
  sort -u | xargs -r cp -L -t $carry/bin
if [[ -n ${PLIANT_DATA:-} ]]; then
  mkdir $carry/mnist
  cp "$PLIANT_DATA"/*-ubyte* $carry/mnist
fi
[[ ! -d $deps ]] || cp -r "$deps" $carry/deps
commit_name >$carry/commit
$carry/bin/pliant-tests -ltc -tc='cuda*' >/dev/null || [[ -n $(not_found $carry/bin/pliant-tests) ]]
tar czf carry.tgz $carry
size=$(stat -c %s carry.tgz)
say "carry.tgz: $((size >> 10)) KiB"
if ((size > most)); then
  say "carry.tgz is larger than $((most >> 20)) MiB: leave out MNIST (PLIANT_DATA) or the libraries (PLIANT_DEPS)"
  exit 1
fi
