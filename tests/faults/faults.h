// Faults that a test asks for: the n-th allocation, write or start of a thread of this process
// fails.
//
// operator new and the C library's functions are replaced in the program that these files are
// linked into, so what a standard library calls fails alike.
#pragma once

namespace pliant::faults {

enum class Kind : unsigned char {
  memory,  // operator new
  write,   // write, writev
  sync,    // fsync
  rename,  // rename, renameat
  open,    // open, openat with O_CREAT
  thread,  // pthread_create
};

// From here on the n-th call of this kind (from 1) fails, with errno = `error`; `on` says whether
// all that follow do so too, as on a full disk. n = 0: none.
void fail(Kind kind, long n, int error = 0, bool on = false);
// Calls of this kind since fail().
long calls(Kind kind);
// Whether the fault that was asked for has come.
bool came(Kind kind);

// Blocks of operator new that have not been deleted.
long blocks();

}  // namespace pliant::faults
