// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/layout_table.h. What is refused, and in which words:
// heap/layout_check.cc.
#include "heap/layout_table.h"

#include <cstdio>
#include <cstring>
#include <new>

#include "heap/layout_check.h"

namespace tricolor::heap {

namespace {

/// The same function, or the same pattern.
bool same_tracing(const HotLayout& h, const HotLayout& hot,
                  const TailPattern& pattern) {
  if (h.tail != LayoutSpec::Tail::kElements) return h.trace == hot.trace;
  return h.pattern->words == pattern.words &&
         h.pattern->pointers == pattern.pointers &&
         h.pattern->encoded == pattern.encoded;
}

}  // namespace

bool LayoutTable::init(base::MetaArena* meta, RoomFn room, void* ctx) {
  meta_ = meta;
  room_ = room;
  room_ctx_ = ctx;
  hot_ = static_cast<HotLayout*>(
      meta->alloc(sizeof(HotLayout) * kMaxLayouts, alignof(HotLayout)));
  cold_ = static_cast<ColdLayout*>(
      meta->alloc(sizeof(ColdLayout) * kMaxLayouts, alignof(ColdLayout)));
  if (hot_ == nullptr || cold_ == nullptr) return false;
  encodings_[kRawPointers] = Encoding{};
  encoding_count_.store_release(1);
  if (room_ != nullptr && !room_(room_ctx_, 1)) return false;
  count_.store_release(1);
  return true;
}

void LayoutTable::destroy() {}  // the MetaArena owns everything

LayoutId LayoutTable::find_equal_locked(const HotLayout& hot,
                                        const TailPattern& pattern,
                                        const ColdLayout& cold) {
  uint32_t n = count_.load_relaxed();
  for (uint32_t id = 1; id < n; ++id) {
    const HotLayout& h = hot_[id];
    const ColdLayout& c = cold_[id];
    if (!c.distinct && h.kind == hot.kind && h.encoding == hot.encoding &&
        h.tail == hot.tail && h.flags == hot.flags &&
        h.head_bytes == hot.head_bytes &&
        h.head_pointers == hot.head_pointers &&
        h.head_encoded == hot.head_encoded && same_tracing(h, hot, pattern) &&
        c.on_dead == cold.on_dead && c.user == cold.user &&
        c.head_strength == cold.head_strength &&
        c.tail_strength == cold.tail_strength &&
        c.cleared_count == cold.cleared_count) {
      return static_cast<LayoutId>(id);
    }
  }
  return kInvalidLayout;
}

bool LayoutTable::check(const LayoutSpec& spec, Error* error) const {
  HotLayout hot;
  TailPattern pattern;
  return check_layout(spec, encodings_, encoding_count(), &hot, &pattern,
                      error);
}

LayoutId LayoutTable::add(const LayoutSpec& spec, uint8_t flags, Error* error) {
  HotLayout hot;
  TailPattern pattern;
  if (!check_layout(spec, encodings_, encoding_count(), &hot, &pattern,
                    error)) {
    return kInvalidLayout;
  }
  hot.flags |= flags;
  ColdLayout cold{spec.on_dead,
                  spec.user,
                  nullptr,
                  spec.head_strength,
                  spec.tail_strength,
                  spec.distinct,
                  spec.cleared_count_offset};
  const char* name = spec.name == nullptr ? "" : spec.name;

  base::LockGuard guard(lock_);
  if (!spec.distinct) {
    LayoutId same = find_equal_locked(hot, pattern, cold);
    if (same != kInvalidLayout) return same;
  }
  uint32_t id = count_.load_relaxed();
  if (id >= kMaxLayouts) {
    refuse_layout(error, ErrorCode::kLimit, spec,
                  "%u layouts are registered; the limit is %u", id - 1,
                  kMaxLayouts - 1);
    return kInvalidLayout;
  }
  if (room_ != nullptr && !room_(room_ctx_, id + 1)) {
    refuse_layout(error, ErrorCode::kOutOfMemory, spec,
                  "no memory for its allocation slots");
    return kInvalidLayout;
  }
  const size_t bytes = std::strlen(name) + 1;
  const bool elements = hot.tail == LayoutSpec::Tail::kElements;
  const size_t before = elements ? sizeof(TailPattern) : 0;
  char* copy = static_cast<char*>(
      meta_->alloc(before + bytes, elements ? alignof(TailPattern) : 1));
  if (copy == nullptr) {
    refuse_layout(error, ErrorCode::kOutOfMemory, spec,
                  "no memory for its name");
    return kInvalidLayout;
  }
  if (elements) hot.pattern = new (copy) TailPattern(pattern);
  std::memcpy(copy + before, name, bytes);
  cold.name = copy + before;
  hot_[id] = hot;
  cold_[id] = cold;
  // ORDER-layouts-1: pairs with count(): the entry is complete before its id.
  count_.store_release(id + 1);
  return static_cast<LayoutId>(id);
}

EncodingId LayoutTable::add_encoding(const Encoding& e, Error* error) {
  constexpr EncodingId kInvalid = 0xff;
  if (!check_encoding(e, error)) return kInvalid;
  base::LockGuard guard(lock_);
  uint32_t id = encoding_count_.load_relaxed();
  if (id >= kMaxEncodings) {
    if (error != nullptr) {
      error->code = ErrorCode::kLimit;
      std::snprintf(error->text, sizeof(error->text),
                    "register_encoding: the limit is %u", kMaxEncodings);
    }
    return kInvalid;
  }
  encodings_[id] = e;
  encoding_count_.store_release(id + 1);
  return static_cast<EncodingId>(id);
}

}  // namespace tricolor::heap
