// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The C API over the C++ one: channels, select and futures. What a template
// says of its T in C++, a channel is asked for here.
#include <alloca.h>

#include <cstring>

#include "base/check.h"
#include "heap/layout_table.h"
#include "sched/channel.h"
#include "sched/runtime.h"
#include "tricolor/future.h"
#include "tricolor/select.h"
#include "tricolor/timer.h"
#include "tricolor/tricolor.h"

using tricolor::Deadline;
using tricolor::EncodingId;
using tricolor::kRawPointers;
using tricolor::SelectCase;
using tricolor::Selected;
using tricolor::detail::ChannelRep;
using tricolor::detail::ChannelValue;

static_assert(TRI_SELECT_MAX == tricolor::kMaxSelectCases);
static_assert(TRI_SELECT_NONE == Selected::kNone);

namespace {

constexpr size_t kMostBytes = 256;

ChannelRep* rep(tri_channel* ch) { return reinterpret_cast<ChannelRep*>(ch); }
ChannelRep* rep(tri_future* f) { return reinterpret_cast<ChannelRep*>(f); }

void* cell_in_word(const ChannelValue& self, const void* value) {
  uint64_t word;
  std::memcpy(&word, value, sizeof(word));
  return tricolor::heap::decode(
      *static_cast<const tricolor::Encoding*>(self.rule), word);
}

// Plain bytes: `encoding` means nothing then.
ChannelValue make_value(const tricolor::heap::LayoutTable& layouts,
                        bool managed, EncodingId encoding, uint32_t bytes) {
  if (!managed) return {bytes, false, nullptr, nullptr};
  return {bytes, encoding != kRawPointers, cell_in_word,
          &layouts.encoding(encoding)};
}

const tricolor::heap::LayoutTable& layouts_of(const tri_mutator* mu) {
  return tricolor::impl_of(*mu)->heap->layouts();
}

/// What `ch` holds. Null and other runtimes' channels are found by the call
/// that this is for.
ChannelValue value_of(const tri_mutator* mu, const ChannelRep* ch) {
  if (ch == nullptr || ch->runtime != mu->runtime) return {0, false, nullptr};
  return make_value(layouts_of(mu), ch->managed, ch->encoding, ch->value_bytes);
}

ChannelRep* make(tri_mutator* mu, size_t capacity, bool managed,
                 EncodingId encoding, size_t bytes, const char* call) {
  if (bytes == 0 || bytes > kMostBytes) {
    TRI_MISUSE(call, "values of %zu bytes: 1 to %zu are possible", bytes,
               kMostBytes);
  }
  if (encoding >= layouts_of(mu).encoding_count()) {
    TRI_MISUSE(call, "encoding %u is not registered", encoding);
  }
  return tricolor::detail::make_channel(
      *mu,
      make_value(layouts_of(mu), managed, encoding,
                 static_cast<uint32_t>(bytes)),
      encoding, capacity);
}

}  // namespace

extern "C" {

tri_channel* tri_channel_make(tri_mutator* mu, size_t capacity) {
  return reinterpret_cast<tri_channel*>(
      make(mu, capacity, true, kRawPointers, 8, "tri_channel_make"));
}
tri_channel* tri_channel_make_words(tri_mutator* mu, size_t capacity,
                                    uint8_t encoding) {
  return reinterpret_cast<tri_channel*>(
      make(mu, capacity, true, encoding, 8, "tri_channel_make_words"));
}
tri_channel* tri_channel_make_plain(tri_mutator* mu, size_t capacity,
                                    size_t value_bytes) {
  return reinterpret_cast<tri_channel*>(make(mu, capacity, false, kRawPointers,
                                             value_bytes,
                                             "tri_channel_make_plain"));
}

int tri_send(tri_mutator* mu, tri_channel* ch, const void* value,
             uint64_t deadline_ns) {
  return static_cast<int>(tricolor::detail::send(
      *mu, rep(ch), value_of(mu, rep(ch)), const_cast<void*>(value),
      Deadline::at(deadline_ns)));
}
int tri_receive(tri_mutator* mu, tri_channel* ch, void* value,
                uint64_t deadline_ns) {
  return static_cast<int>(tricolor::detail::receive(
      *mu, rep(ch), value_of(mu, rep(ch)), value, Deadline::at(deadline_ns)));
}
bool tri_channel_close(tri_mutator* mu, tri_channel* ch) {
  return tricolor::detail::close_channel(*mu, rep(ch));
}
size_t tri_channel_size(tri_channel* ch) {
  return tricolor::detail::channel_size(rep(ch));
}
size_t tri_channel_capacity(const tri_channel* ch) {
  return tricolor::detail::channel_capacity(
      reinterpret_cast<const ChannelRep*>(ch));
}

size_t tri_select(tri_mutator* mu, const tri_select_case* cases, size_t n,
                  uint64_t deadline_ns, int* result) {
  if (n > TRI_SELECT_MAX) {
    TRI_MISUSE("tri_select", "%zu cases: at most %d", n, TRI_SELECT_MAX);
  }
  auto* all = static_cast<SelectCase*>(
      alloca((n + 1) * (sizeof(SelectCase) + sizeof(ChannelValue))));
  auto* values = reinterpret_cast<ChannelValue*>(all + n + 1);
  for (size_t i = 0; i < n; ++i) {
    ChannelRep* ch = rep(cases[i].channel);
    values[i] = value_of(mu, ch);
    all[i] = {ch, &values[i], cases[i].value, cases[i].sends};
  }
  const Selected selected =
      tricolor::select(*mu, all, n, Deadline::at(deadline_ns));
  *result = static_cast<int>(selected.result);
  return selected.index;
}

void tri_send_at(tri_mutator* mu, uint64_t when_ns, tri_channel* ch) {
  if (ch == nullptr) TRI_MISUSE("tri_send_at", "the channel is NULL");
  tricolor::send_at(*mu, Deadline::at(when_ns),
                    reinterpret_cast<tricolor::Channel<uint64_t>*>(ch));
}

tri_future* tri_future_make(tri_mutator* mu) {
  return reinterpret_cast<tri_future*>(
      make(mu, 1, true, kRawPointers, 8, "tri_future_make"));
}
tri_future* tri_future_make_words(tri_mutator* mu, uint8_t encoding) {
  return reinterpret_cast<tri_future*>(
      make(mu, 1, true, encoding, 8, "tri_future_make_words"));
}
tri_future* tri_future_make_plain(tri_mutator* mu, size_t value_bytes) {
  return reinterpret_cast<tri_future*>(
      make(mu, 1, false, kRawPointers, value_bytes, "tri_future_make_plain"));
}
bool tri_future_set(tri_mutator* mu, tri_future* future, const void* value) {
  return tricolor::detail::set_future(*mu, rep(future),
                                      value_of(mu, rep(future)), value);
}
int tri_future_get(tri_mutator* mu, tri_future* future, void* value,
                   uint64_t deadline_ns) {
  return static_cast<int>(
      tricolor::detail::get_future(*mu, rep(future), value_of(mu, rep(future)),
                                   value, Deadline::at(deadline_ns)));
}

}  // extern "C"
