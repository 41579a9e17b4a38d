// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/try_trace.h.
#include "gc/try_trace.h"

#include <cstdio>

#include "base/os_memory.h"
#include "gc/scan.h"
#include "heap/layout_check.h"

namespace tricolor::gc {

namespace {

constexpr size_t kLonger = 256;  // the second cell than the first
constexpr size_t kBehind = 256;  // watched behind the cells

/// Marks nothing; keeps the first thing that is wrong.
class TryTracer : public TracerImpl {
 public:
  TryTracer(heap::Heap* heap_in, const char* scratch)
      : scratch_(scratch), encodings_(heap_in->layouts().encoding_count()) {
    visit = [](TracerImpl* self, void* cell) {
      static_cast<TryTracer*>(self)->on_pointer(cell);
    };
    visit_words = [](TracerImpl* self, const uint64_t* words, size_t n,
                     EncodingId encoding) {
      static_cast<TryTracer*>(self)->on_words(words, n, encoding);
    };
    heap = heap_in;
  }

  bool run(const LayoutSpec& spec, size_t cell_bytes) {
    cell_bytes_ = cell_bytes;
    Tracer tracer = TracerAccess::make(this);
    spec.trace(tracer, const_cast<char*>(scratch_), cell_bytes, spec.user);
    return why_[0] == '\0';
  }

  const char* why() const { return why_; }
  size_t cell_bytes() const { return cell_bytes_; }

 private:
  bool is_first() const { return why_[0] == '\0'; }

  void on_pointer(const void* cell) {
    if (cell == nullptr || !is_first()) return;
    std::snprintf(why_, sizeof(why_), "reports the pointer %p", cell);
  }

  void on_words(const uint64_t* words, size_t n, EncodingId encoding) {
    if (!is_first()) return;
    if (encoding >= encodings_) {
      std::snprintf(why_, sizeof(why_),
                    "reports words of encoding %u, which is not registered",
                    unsigned{encoding});
      return;
    }
    if (n == 0) return;
    const auto at = reinterpret_cast<uintptr_t>(words) -
                    reinterpret_cast<uintptr_t>(scratch_);
    if (at % 8 == 0 && at < cell_bytes_ && n <= (cell_bytes_ - at) / 8) return;
    std::snprintf(why_, sizeof(why_),
                  "reports %zu words at %p, outside the cell or not aligned", n,
                  static_cast<const void*>(words));
  }

  const char* scratch_;
  uint32_t encodings_;
  size_t cell_bytes_ = 0;
  char why_[96] = {};
};

/// What allocate() makes of `bytes`.
size_t cell_bytes_for(size_t bytes) {
  const uint32_t c = tri_detail_size_class(bytes);
  return c == 0 ? (bytes + 15) & ~size_t{15} : tri_detail_class_bytes(c);
}

bool is_zero(const uint64_t* words, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (words[i] != 0) return false;
  }
  return true;
}

}  // namespace

bool try_trace(heap::Heap* heap, const LayoutSpec& spec, Error* error) {
  if (spec.trace == nullptr) return true;
  const size_t least = cell_bytes_for(spec.head_bytes);
  const size_t longer = cell_bytes_for(least + kLonger);
  const size_t bytes = longer + kBehind;
  void* scratch = base::os_map(bytes);
  if (scratch == nullptr) {
    return heap::refuse_layout(error, ErrorCode::kOutOfMemory, spec,
                               "no memory to try trace on");
  }
  TryTracer tracer(heap, static_cast<const char*>(scratch));
  bool ok = tracer.run(spec, least) && tracer.run(spec, longer);
  const char* why = tracer.why();
  if (ok && !is_zero(static_cast<const uint64_t*>(scratch), bytes / 8)) {
    ok = false;
    why = "writes to it or behind it";
  }
  base::os_release(scratch, bytes);
  if (ok) return true;
  return heap::refuse_layout(
      error, ErrorCode::kInvalidArgument, spec,
      "trace, tried on a cell of %zu zero bytes, %s; it may only report what "
      "the cell holds, here nothing",
      tracer.cell_bytes(), why);
}

}  // namespace tricolor::gc
