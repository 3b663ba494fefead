// An allocation that the machine cannot serve is an Error of ours, not the sanitizer's end.
#pragma once

extern "C" const char* __asan_default_options();   // NOLINT
extern "C" const char* __asan_default_options() {  // NOLINT
  return "allocator_may_return_null=1:max_allocation_size_mb=2048:detect_leaks=1";
}
