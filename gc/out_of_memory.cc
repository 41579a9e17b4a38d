// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Calling Options::on_out_of_memory: once at a time for each G. A handler that
// allocates by a form that never returns null would come back here until the
// stack is used up; so the second call ends the process and says why.
//
// Whether a call is still under way is harder to say than it looks, because a
// handler may leave by a throw or a longjmp:
//  1. It returns, or throws: call_then() takes the record away.
//  2. It jumps, and scope_reset() follows, as local.h asks for: that does.
//  3. It jumps where no Scope was open, and nothing follows. Then the record
//     lies in a part of the stack that has been given up. It is believed if it
//     is further up than the frame that asks, has not been overwritten, and the
//     unwinder, asked last, finds the handler's frame or cannot say.
// Rejected: a flag that the next allocation clears (the handler's own first
// try, if it is small, would clear it); the first two questions of 3 alone (a
// record often survives in a hole of somebody's frame).
//
// Threads: the G's own.
#include "base/call_then.h"
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"

namespace tricolor::gc {

namespace {

/// The record, in the frame of the call.
struct OutOfMemoryCall {
  uint64_t seal;
  const CollectorOptions* options;
  RootOwner* owner;
  size_t bytes;
};

uint64_t seal_of(const OutOfMemoryCall* call) {
  return reinterpret_cast<uint64_t>(call) ^ 0x6f75'746f'666d'656d;
}

/// What RootOwner::oom_call says of a record: the low half of its address, for
/// a G has no room for more, and a bit that tells it from none.
uint32_t name_of(const OutOfMemoryCall* call) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(call)) | 1;
}

/// Whether a record with that name, which may lie in a part of the stack that
/// is not in use any more, is that of a call under way above `frame`.
TRI_NOINLINE TRI_NO_SANITIZE_ADDRESS bool is_under_way(uint32_t name,
                                                       const void* frame) {
  if (name == 0) return false;
  const auto here = reinterpret_cast<uintptr_t>(frame);
  const uint32_t up = (name & ~uint32_t{1}) - static_cast<uint32_t>(here);
  // Stacks grow down, and have less than 2 GiB.
  if (up == 0 || up > INT32_MAX) return false;
  const auto* call = reinterpret_cast<const OutOfMemoryCall*>(here + up);
  return __atomic_load_n(&call->seal, __ATOMIC_RELAXED) == seal_of(call) &&
         tri_base_call_under_way(call) != 0;
}

void run_handler(void* arg) {
  auto* call = static_cast<OutOfMemoryCall*>(arg);
  const CollectorOptions& o = *call->options;
  o.on_out_of_memory(*o.runtime, call->bytes, o.on_out_of_memory_ctx);
}

void end_call(void* arg) {
  auto* call = static_cast<OutOfMemoryCall*>(arg);
  call->owner->oom_call = 0;
}

}  // namespace

void CollectorImpl::call_out_of_memory(tri_mutator* mu, size_t bytes) {
  if (options.on_out_of_memory == nullptr) return;
  auto* owner = reinterpret_cast<RootOwner*>(mu);
  OutOfMemoryCall call{0, &options, owner, bytes};
  if (is_under_way(owner->oom_call, &call)) {
    TRI_FATAL(
        "out of memory: no room for an object of %zu bytes, asked for by "
        "Options::on_out_of_memory, which is the answer to the lack of it; use "
        "the try_ forms there",
        bytes);
  }
  call.seal = seal_of(&call);
  owner->oom_call = name_of(&call);
  tri_base_call_then(&run_handler, &end_call, &call);
}

}  // namespace tricolor::gc
