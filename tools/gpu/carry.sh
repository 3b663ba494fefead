# shellcheck shell=bash
# Makes carry.tgz for a machine without a network: programs for a GPU of compute capability 9.0 and any
# x86-64, the libraries that a build there needs, and MNIST where PLIANT_DATA names it. Sourced by
# tools/gpu-slot.
most=$((35 << 20))  # bytes
built=${PLIANT_GPU_BUILD:-build/carry}
deps=${PLIANT_DEPS:-.deps}
[[ -d $deps ]] || "$tools/step.sh" deps || say "carry.tgz goes without the libraries that a build there may lack"
[[ -n ${PLIANT_DATA:-} ]] || say "carry.tgz goes without MNIST: PLIANT_DATA names no folder"

cmake -S . -B "$built" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPLIANT_CUDA=ON -DPLIANT_NATIVE=OFF \
  -DPLIANT_WERROR=OFF -DPLIANT_INSTALL=OFF -DBUILD_SHARED_LIBS=ON -DPLIANT_CURL=OFF \
  -DPLIANT_OPENSSL=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON \
  -DCMAKE_BUILD_RPATH='$ORIGIN' -DCMAKE_CUDA_ARCHITECTURES=90-real -DCMAKE_CUDA_FLAGS=-lineinfo
cmake --build "$built" --target "${programs[@]}"

rm -rf $carry carry.tgz
mkdir -p $carry/bin
for program in libpliant.so "${programs[@]}"; do
  cp "$built/$program" $carry/bin
  strip --strip-debug "$carry/bin/$program"  # the lines of kernels lie in the device's code and stay
done
if [[ -n ${PLIANT_DATA:-} ]]; then
  mkdir $carry/mnist
  cp "$PLIANT_DATA"/*-ubyte* $carry/mnist
fi
[[ ! -d $deps ]] || cp -r "$deps" $carry/deps
source_name >$carry/commit

# Of libraries those that another system may not have. CUDA's and cuDNN's it has, and those of C and
# C++, in the versions that are said below.
needed() { ldd "${programs[@]/#/$carry/bin/}" | sed -nE 's/^\t(.* => )?([^ ]*) \(0x.*/\2/p' | sort -u; }
of_cuda='/lib(cudart|cublasLt|cublas|cudnn)\.so'
of_system='/(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so|ld-linux)'
libraries
needed | grep -vE "$of_cuda|$of_system|linux-vdso|/libpliant.so" | xargs -r cp -L -t $carry/bin
newest() { objdump -T $carry/bin/* | grep -oE "\<$1_[0-9.]+" | sort -uV | tail -n 1; }
env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="$LD_LIBRARY_PATH" $carry/bin/pliant-tests -ltc >/dev/null

tar czf carry.tgz $carry
size=$(stat -c %s carry.tgz)
say "carry.tgz: $((size >> 10)) KiB of $(cat $carry/commit); its programs need $(newest GLIBC), $(newest GLIBCXX), $(newest CXXABI) and CUDA's libraries"
if ((size > most)); then
  say "carry.tgz is larger than $((most >> 20)) MiB: leave out MNIST (PLIANT_DATA) or the libraries (PLIANT_DEPS)"
  exit 1
fi
