// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/try_trace.h.
#include "gc/try_trace.h"

#include <cstdio>
#include <cstring>

#include "base/os_memory.h"
#include "gc/scan.h"
#include "heap/layout_check.h"
#include "heap/poison.h"

namespace tricolor::gc {

namespace {

constexpr size_t kLonger = 256;  // the second cell than the first
constexpr size_t kAround = 256;  // watched before and behind the cell
constexpr size_t kLookedAt = size_t{1} << 20;  // at either end of the cell

/// No address, number of words or null: whoever reads it outside the cell and
/// reports what it read is seen.
constexpr uint64_t kOutside = 0xdead'dead'dead'dead;

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

/// Memory for a cell: [kAround bytes][cell][kAround bytes][page without
/// access]. What is read around the cell is kOutside, or under AddressSanitizer
/// a report.
class Scratch {
 public:
  explicit Scratch(size_t cell_bytes_max) {
    const size_t page = base::os_page_size();
    const size_t need = cell_bytes_max + 2 * kAround;
    bytes_ = (need + page - 1) / page * page + page;
    map_ = static_cast<char*>(base::os_map(bytes_));
    if (map_ == nullptr) return;
    // Without it a stray read is not seen, which is no error.
    base::os_guard_mprotect(map_ + bytes_ - page, page);
    cell_ = map_ + bytes_ - page - need + kAround;
    end_ = map_ + bytes_ - page;
  }
  ~Scratch() {
    if (map_ != nullptr) base::os_release(map_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  bool ok() const { return map_ != nullptr; }
  char* cell() const { return cell_; }

  /// A cell of `cell_bytes` zeros, which no page is touched for.
  void prepare(size_t cell_bytes) {
    cell_end_ = cell_ + cell_bytes;
    fill(cell_ - kAround, kOutside);
    fill(cell_end_, kOutside);
    heap::poison(cell_ - kAround, kAround);
    heap::poison(cell_end_, static_cast<size_t>(end_ - cell_end_));
  }
  /// Whether all that is looked at is as it was prepared; then it may be
  /// prepared again.
  bool untouched() {
    heap::unpoison(cell_ - kAround, kAround);
    heap::unpoison(cell_end_, static_cast<size_t>(end_ - cell_end_));
    // Of a huge one the ends: looking at a page costs a page fault.
    const auto bytes = static_cast<size_t>(cell_end_ - cell_);
    const size_t look = bytes < kLookedAt ? bytes : kLookedAt;
    const bool same = holds(cell_ - kAround, cell_, kOutside) &&
                      holds(cell_, cell_ + look, 0) &&
                      holds(cell_end_ - look, cell_end_, 0) &&
                      holds(cell_end_, cell_end_ + kAround, kOutside);
    fill(cell_end_, 0);
    return same;
  }

 private:
  static void fill(char* from, uint64_t word) {
    for (size_t i = 0; i < kAround; i += 8) std::memcpy(from + i, &word, 8);
  }
  static bool holds(const char* from, const char* to, uint64_t word) {
    for (; from < to; from += 8) {
      if (std::memcmp(from, &word, 8) != 0) return false;
    }
    return true;
  }

  size_t bytes_ = 0;
  char* map_ = nullptr;
  char* cell_ = nullptr;
  char* cell_end_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace

bool try_trace(heap::Heap* heap, const LayoutSpec& spec, Error* error) {
  if (spec.trace == nullptr) return true;
  const size_t least = cell_bytes_for(spec.head_bytes);
  const size_t longer = cell_bytes_for(least + kLonger);
  Scratch scratch(longer);
  if (!scratch.ok()) {
    return heap::refuse_layout(error, ErrorCode::kOutOfMemory, spec,
                               "no memory to try trace on");
  }
  TryTracer tracer(heap, scratch.cell());
  bool ok = true;
  const char* why = tracer.why();
  for (size_t bytes : {least, longer}) {
    scratch.prepare(bytes);
    ok = tracer.run(spec, bytes);
    if (!scratch.untouched() && ok) {
      ok = false;
      why = "writes to it or beside it";
    }
    if (!ok) break;
  }
  if (ok) return true;
  return heap::refuse_layout(
      error, ErrorCode::kInvalidArgument, spec,
      "trace, tried on a cell of %zu zero bytes, %s; it may only report what "
      "the cell holds, here nothing",
      tracer.cell_bytes(), why);
}

}  // namespace tricolor::gc
