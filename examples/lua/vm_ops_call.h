// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Part of execute() (vm.cc): calls, returns and generic loops. Included there
// and nowhere else, hence no include guard.

CASE(Call) {
  Value* ra = &RA;
  auto nargs = static_cast<int>(b_of(i)) - 1;
  if (nargs < 0) nargs = static_cast<int>(L.top - ra) - 1;
  auto wanted = static_cast<int>(c_of(i)) - 1;
  SAVE();
  while (TLUA_UNLIKELY(!ra->is_closure())) {
    if (is_c_function(*ra)) {
      call_c(L, ra, nargs, wanted);
      RELOAD();
      restore_top(L, frame, wanted < 0 ? L.top : nullptr);
      NEXT();
    }
    L.top = ra + 1 + nargs;
    ra = insert_call_metamethod(L, ra);
    ++nargs;
  }
  cl = ra->as_closure();
  const Proto* p = cl->proto.load();
  Value* end = ra + 1 + p->max_stack;
  auto* have = reinterpret_cast<Value*>(L.vs->top);
  if (TLUA_LIKELY(L.frame + 1 != L.frame_end &&
                  end <= reinterpret_cast<Value*>(L.vs->limit) - 1024)) {
    // The frame fits: as enter_closure(), without a call.
    Value* args_end = ra + 1 + nargs;
    for (Value* q = have; q < end; ++q) *q = Value::nil();
    if (end > have) L.vs->top = reinterpret_cast<uint64_t*>(end);
    for (Value* params = ra + 1 + p->param_count; args_end < params;) {
      *args_end++ = Value::nil();
    }
    frame = ++L.frame;
    base = ra + 1;
    frame->base = index_of(L, base);
    frame->func = frame->base - 1;
    frame->extra_args = static_cast<uint32_t>(nargs);
    frame->wanted = static_cast<int16_t>(wanted);
    frame->flags = kFrameLua;
    take_top(L, frame);
  } else {
    enter_closure(L, ra, nargs, wanted);
    RELOAD();
  }
  pc = p->code.load();
  frame->pc = pc;
  k = constants_of(p);
  POLL();
  NEXT();
}

CASE(TailCall) {
  Value* ra = &RA;
  auto nargs = static_cast<int>(b_of(i)) - 1;
  if (nargs < 0) nargs = static_cast<int>(L.top - ra) - 1;
  SAVE();
  while (!ra->is_closure() && !is_c_function(*ra)) {
    L.top = ra + 1 + nargs;
    ra = insert_call_metamethod(L, ra);
    ++nargs;
  }
  if (ra->is_closure()) {
    if (c_of(i) != 0) close_upvalues(L, frame->base);
    replace_frame(L, ra, nargs);
    frame = L.frame;
    pc = frame->pc;
    POLL();
    goto resume;
  }
  call_c(L, ra, nargs, -1);
  RELOAD();
  results = &RA;
  count = static_cast<int>(L.top - results);
  goto return_results;
}
CASE(Return) {
  results = &RA;
  count = static_cast<int>(b_of(i)) - 1;
  if (count < 0) count = static_cast<int>(L.top - results);
  goto return_results;
}

return_results : {
  if (c_of(i) != 0) {
    SAVE();
    close_upvalues(L, frame->base);
  }
  Value* to = L.stack() + frame->func;
  Value* end = move_results(to, results, count, frame->wanted);
  bool entry = (frame->flags & kFrameEntry) != 0;
  bool all = frame->wanted < 0;
  frame = --L.frame;
  if (entry) {
    L.top = end;
    return;
  }
  restore_top(L, frame, all ? end : nullptr);
  goto resume;
}

CASE(Return0) {
  Value* to = L.stack() + frame->func;
  Value* end = to;
  for (int n = frame->wanted; n > 0; --n) *end++ = Value::nil();
  bool entry = (frame->flags & kFrameEntry) != 0;
  bool all = frame->wanted < 0;
  frame = --L.frame;
  if (entry) {
    L.top = end;
    return;
  }
  restore_top(L, frame, all ? end : nullptr);
  goto resume;
}

CASE(Return1) {
  Value* to = L.stack() + frame->func;
  int wanted = frame->wanted;
  Value* end = to + 1;
  *to = RA;
  if (TLUA_UNLIKELY(wanted != 1)) {
    if (wanted == 0) end = to;
    for (int n = wanted; n > 1; --n) *end++ = Value::nil();
  }
  bool entry = (frame->flags & kFrameEntry) != 0;
  frame = --L.frame;
  if (entry) {
    L.top = end;
    return;
  }
  restore_top(L, frame, wanted < 0 ? end : nullptr);
  goto resume;
}

CASE(TForPrep) {
  for_in_prepare(L, &RA);
  pc += bx_of(i);
  NEXT();
}
CASE(TForCall) {
  SAVE();
  if (TLUA_LIKELY(for_in_step(L, &RA, static_cast<int>(c_of(i))))) {
    RELOAD();
    NEXT();
  }
  RELOAD();
  Value* ra = &RA;
  ra[3] = ra[0];
  ra[4] = ra[1];
  ra[5] = ra[2];
  L.top = ra + 6;
  call(L, 2, static_cast<int>(c_of(i)));
  RELOAD();
  restore_top(L, frame, nullptr);
  NEXT();
}
CASE(TForLoop) {
  Value* ra = &RA;
  if (!ra[3].is_nil()) {
    ra[2] = ra[3];
    pc -= bx_of(i);
    POLL();
  }
  NEXT();
}
