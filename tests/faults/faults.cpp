#include <pliant/tests/faults/faults.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <dlfcn.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace pliant::faults {
namespace {

struct Fault {
  std::atomic<long> calls{0}, at{0};
  std::atomic<int> error{0};
  std::atomic<bool> on{false};
};

constinit std::array<Fault, 6> faults;
constinit std::atomic<long> alive{0};

Fault& of(Kind kind) { return faults[static_cast<std::size_t>(kind)]; }

bool comes(Kind kind) {
  Fault& fault = of(kind);
  const long call = fault.calls.fetch_add(1) + 1, at = fault.at;
  if (at == 0 || call < at || (call > at && !fault.on)) return false;
  errno = fault.error;
  return true;
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc): this is where memory comes from.
void* allocate(std::size_t bytes, std::size_t alignment = sizeof(std::max_align_t)) {
  if (comes(Kind::memory)) return nullptr;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) return nullptr;
  alive.fetch_add(1);
  return memory;
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  alive.fetch_sub(1);
  std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc)

}  // namespace

void fail(Kind kind, long n, int error, bool on) {
  Fault& fault = of(kind);
  fault.at = 0;
  fault.calls = 0;
  fault.error = error;
  fault.on = on;
  fault.at = n;
}

long calls(Kind kind) { return of(kind).calls; }
bool came(Kind kind) { return of(kind).at > 0 && of(kind).calls >= of(kind).at; }
long blocks() { return alive; }

}  // namespace pliant::faults

using pliant::faults::allocate, pliant::faults::or_throw, pliant::faults::release,
    pliant::faults::comes, pliant::faults::Kind;

void* operator new(std::size_t bytes) { return or_throw(allocate(bytes)); }
void* operator new[](std::size_t bytes) { return or_throw(allocate(bytes)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t to) {
  return or_throw(allocate(bytes, static_cast<std::size_t>(to)));
}
void* operator new[](std::size_t bytes, std::align_val_t to) {
  return or_throw(allocate(bytes, static_cast<std::size_t>(to)));
}
void* operator new(std::size_t bytes, std::align_val_t to, const std::nothrow_t&) noexcept {
  return allocate(bytes, static_cast<std::size_t>(to));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

extern "C" {

ssize_t write(int file, const void* from, size_t bytes) {
  if (comes(Kind::write)) return -1;
  return static_cast<ssize_t>(::syscall(SYS_write, file, from, bytes));
}

ssize_t writev(int file, const iovec* parts, int count) {
  if (comes(Kind::write)) return -1;
  return static_cast<ssize_t>(::syscall(SYS_writev, file, parts, count));
}

int fsync(int file) {
  if (comes(Kind::sync)) return -1;
  return static_cast<int>(::syscall(SYS_fsync, file));
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  if (comes(Kind::rename)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
}

int rename(const char* from, const char* to) noexcept {
  if (comes(Kind::rename)) return -1;
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int openat(int folder, const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
    if (comes(Kind::open)) return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  return openat(AT_FDCWD, path, flags, mode);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  if (comes(Kind::thread)) return EAGAIN;
  static auto* const real =
      reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, run, argument);
}

}  // extern "C"
