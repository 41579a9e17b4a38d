// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Registers the value encoding and the layouts; see types.h and objects.h.
#include "types.h"

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <vector>

namespace tlua {

namespace {

using Tail = tri::LayoutSpec::Tail;

/// Collects the offsets of one layout and registers it, or ends the program:
/// a spec that is refused is a mistake in this file.
class LayoutBuilder {
 public:
  LayoutBuilder(Universe& u, const char* name, size_t head_bytes) : u_(u) {
    spec_.name = name;
    spec_.head_bytes = static_cast<uint32_t>(head_bytes);
    spec_.encoding = u.encoding;
  }
  LayoutBuilder& pointers(std::initializer_list<uint32_t> offsets) {
    pointers_.insert(pointers_.end(), offsets);
    return *this;
  }
  LayoutBuilder& values(std::initializer_list<uint32_t> offsets) {
    values_.insert(values_.end(), offsets);
    return *this;
  }
  LayoutBuilder& tail(Tail tail) {
    spec_.tail = tail;
    return *this;
  }
  LayoutBuilder& on_dead(tri::OnDeadFn fn) {
    spec_.on_dead = fn;
    spec_.distinct = true;
    return *this;
  }
  tri::LayoutId add() {
    spec_.pointer_offsets = pointers_.data();
    spec_.pointer_count = pointers_.size();
    spec_.encoded_offsets = values_.data();
    spec_.encoded_count = values_.size();
    tri::Error error;
    tri::LayoutId id = u_.runtime.register_layout(spec_, &error);
    if (id == tri::kInvalidLayout) {
      std::fprintf(stderr, "tlua: layout %s: %s\n", spec_.name, error.text);
      std::abort();
    }
    return id;
  }

 private:
  Universe& u_;
  tri::LayoutSpec spec_;
  std::vector<uint32_t> pointers_;
  std::vector<uint32_t> values_;
};

tri::EncodingId register_values(tri::Runtime& rt) {
  tri::Encoding e;
  e.kind = tri::EncodingKind::kRange;
  e.range_lo = kPointerLo;
  e.range_hi = kPointerHi;
  e.payload_mask = kPayloadMask;
  e.cleared_word = kNilBits;
  tri::Error error;
  tri::EncodingId id = rt.register_encoding(e, &error);
  if (id == tri::Runtime::kInvalidEncoding) {
    std::fprintf(stderr, "tlua: encoding: %s\n", error.text);
    std::abort();
  }
  return id;
}

void close_dead_file(void* cell, size_t, void*) {
  auto* file = static_cast<Userdata*>(cell);
  if (file->pointer != nullptr && (file->flags & 1) == 0) {
    std::fclose(static_cast<FILE*>(file->pointer));
  }
}

tri::LayoutId userdata_layout(Universe& u, const char* name,
                              tri::OnDeadFn on_dead) {
  LayoutBuilder b(u, name, sizeof(Userdata));
  b.pointers({tri::offset_of(&Userdata::meta)});
  b.values({tri::offset_of(&Userdata::value)});
  if (on_dead != nullptr) b.on_dead(on_dead);
  return b.add();
}

tri::LayoutId thread_layout(Universe& u) {
  LayoutBuilder b(u, "lua.thread", sizeof(State));
  b.pointers({tri::offset_of(&State::coroutine), tri::offset_of(&State::frames),
              tri::offset_of(&State::open), tri::offset_of(&State::resumer),
              tri::offset_of(&State::transfer_array)});
  b.values({tri::offset_of(&State::error)});
  uint32_t first = tri::offset_of(&State::transfer);
  b.values({first, first + 8, first + 16, first + 24});
  return b.add();
}

tri::LayoutId proto_layout(Universe& u) {
  return LayoutBuilder(u, "lua.proto", sizeof(Proto))
      .pointers(
          {tri::offset_of(&Proto::code), tri::offset_of(&Proto::constants),
           tri::offset_of(&Proto::children), tri::offset_of(&Proto::lines),
           tri::offset_of(&Proto::upvalues), tri::offset_of(&Proto::locals),
           tri::offset_of(&Proto::names), tri::offset_of(&Proto::source)})
      .add();
}

}  // namespace

Universe::Universe(tri::Runtime& rt)
    : runtime(rt), encoding(register_values(rt)) {
  bytes = LayoutBuilder(*this, "lua.bytes", 0).tail(Tail::kNoscan).add();
  values = LayoutBuilder(*this, "lua.values", 0).tail(Tail::kEncoded).add();
  pointers =
      LayoutBuilder(*this, "lua.pointers", 0).tail(Tail::kPointers).add();
  closures = LayoutBuilder(*this, "lua.closure", Closure::kHeaderBytes)
                 .pointers({tri::offset_of(&Closure::proto)})
                 .tail(Tail::kPointers)
                 .add();
  c_functions = LayoutBuilder(*this, "lua.c_function", CFunction::kHeaderBytes)
                    .tail(Tail::kEncoded)
                    .add();
  boxed_int = tri::Type<BoxedInt>(bytes);
  table = tri::Type<Table>(LayoutBuilder(*this, "lua.table", sizeof(Table))
                               .pointers({tri::offset_of(&Table::array),
                                          tri::offset_of(&Table::nodes),
                                          tri::offset_of(&Table::meta)})
                               .add());
  proto = tri::Type<Proto>(proto_layout(*this));
  upvalue =
      tri::Type<Upvalue>(LayoutBuilder(*this, "lua.upvalue", sizeof(Upvalue))
                             .pointers({tri::offset_of(&Upvalue::owner),
                                        tri::offset_of(&Upvalue::next)})
                             .values({tri::offset_of(&Upvalue::value)})
                             .add());
  thread = tri::Type<State>(thread_layout(*this));
  task = tri::Type<Userdata>(userdata_layout(*this, "lua.task", nullptr));
  file =
      tri::Type<Userdata>(userdata_layout(*this, "lua.file", close_dead_file));
}

}  // namespace tlua
