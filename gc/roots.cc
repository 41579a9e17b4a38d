// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/roots.h. Jobs are numbered for the chunks alone: who takes one of the
// others gets the next piece of a table, whichever that is.
#include "gc/roots.h"

#include <unistd.h>

#include "base/check.h"
#include "base/futex.h"
#include "base/os_memory.h"

namespace tricolor::gc {

namespace {
// Chunks are aligned to their size.
GlobalChunk* chunk_of(uint64_t* word) {
  return reinterpret_cast<GlobalChunk*>(reinterpret_cast<uintptr_t>(word) &
                                        ~uintptr_t{sizeof(GlobalChunk) - 1});
}
}  // namespace

bool Roots::init(base::MetaArena* meta) {
  meta_ = meta;
  base::LockGuard guard(lock_);
  return chunks_.init(kMaxChunks);
}

void Roots::destroy() {
  base::LockGuard guard(lock_);
  for (detail::RootTableRep* t = tables_; t != nullptr; t = t->next) {
    base::os_release(t->words, t->n * sizeof(uint64_t));
  }
  tables_ = nullptr;
  chunks_.release();
}

uint64_t* Roots::acquire_word() {
  GlobalChunk* fresh = nullptr;
  for (;;) {
    {
      base::LockGuard guard(lock_);
      if (fresh != nullptr) {
        if (!chunks_.push_back(fresh)) {
          TRI_NO_MEMORY("a Global (%zu chunks in use)", chunks_.size());
        }
        fresh->next_room = room_;
        room_ = fresh;
      }
      if (GlobalChunk* chunk = room_) {
        const uint64_t free =
            ~(chunk->in_use | chunk->dropped) & GlobalChunk::kAll;
        auto i = static_cast<size_t>(__builtin_ctzll(free));
        chunk->in_use |= uint64_t{1} << i;
        if (chunk->is_full()) room_ = chunk->next_room;
        return &chunk->words[i];
      }
    }
    // Without the lock: this may map memory.
    fresh = static_cast<GlobalChunk*>(
        meta_->alloc(sizeof(GlobalChunk), sizeof(GlobalChunk)));
    if (fresh == nullptr) TRI_NO_MEMORY("a chunk of Globals");
  }
}

void Roots::release_word(uint64_t* word, bool cleared) {
  base::LockGuard guard(lock_);
  GlobalChunk* chunk = chunk_of(word);
  auto i = static_cast<size_t>(word - chunk->words);
  TRI_CHECK(i < GlobalChunk::kWords, "release of %p, which is no Global's word",
            static_cast<void*>(word));
  const uint64_t bit = uint64_t{1} << i;
  if ((chunk->in_use & bit) == 0) {
    TRI_MISUSE("Global (tri_root_release)", "%p is released for a second time",
               static_cast<void*>(word));
  }
  const bool was_full = chunk->is_full();
  chunk->in_use &= ~bit;
  if (!cleared && marking_) {
    if (chunk->dropped == 0) {
      chunk->next_dropped = dropped_;
      dropped_ = chunk;
    }
    chunk->dropped |= bit;
    return;
  }
  if (!cleared) base::store_relaxed(word, uint64_t{0});
  if (!was_full) return;
  chunk->next_room = room_;
  room_ = chunk;
}

detail::RootTableRep* Roots::create_table(size_t n, EncodingId encoding) {
  size_t bytes = (n == 0 ? 1 : n) * sizeof(uint64_t);
  void* words = n > SIZE_MAX / 16 ? nullptr : base::os_map(bytes);
  if (words == nullptr) return nullptr;
  auto* rep = static_cast<detail::RootTableRep*>(
      meta_->alloc(sizeof(detail::RootTableRep), 8));
  if (rep == nullptr) {
    base::os_release(words, bytes);
    return nullptr;
  }
  rep->words = static_cast<uint64_t*>(words);
  rep->n = n == 0 ? 1 : n;
  rep->encoding = encoding;
  base::LockGuard guard(lock_);
  rep->next = tables_;
  rep->prev = nullptr;
  if (tables_ != nullptr) tables_->prev = rep;
  tables_ = rep;
  table_pieces_ += pieces_of(rep->n);
  table_bytes_.fetch_add_relaxed(rep->n * sizeof(uint64_t));
  return rep;
}

void Roots::drop_table(detail::RootTableRep* rep) {
  {
    base::LockGuard guard(lock_);
    TRI_CHECK(!rep->dropped, "a RootTable was destroyed twice");
    rep->dropped = true;
    if (marking_) {
      rep->next_dropped = dropped_tables_;
      dropped_tables_ = rep;
      return;
    }
    unlink_locked(rep);
  }
  release_words(rep);
}

void Roots::unlink_locked(detail::RootTableRep* t) {
  (t->prev == nullptr ? tables_ : t->prev->next) = t->next;
  if (t->next != nullptr) t->next->prev = t->prev;
  table_pieces_ -= pieces_of(t->n);
  table_bytes_.fetch_sub_relaxed(t->n * sizeof(uint64_t));
}

void Roots::release_words(const detail::RootTableRep* t) {
  base::os_release(t->words, t->n * sizeof(uint64_t));
}

void Roots::free_dropped_locked(GlobalChunk* chunk) {
  for (uint64_t bits = chunk->dropped; bits != 0; bits &= bits - 1) {
    base::store_relaxed(&chunk->words[__builtin_ctzll(bits)], uint64_t{0});
  }
  const bool was_full = chunk->is_full();
  chunk->dropped = 0;
  if (!was_full) return;
  chunk->next_room = room_;
  room_ = chunk;
}

bool Roots::add_callback(RootCallback fn, void* ctx) {
  base::LockGuard guard(lock_);
  for (auto& c : callbacks_) {
    if (c.fn == nullptr) {
      c = {fn, ctx};
      return true;
    }
  }
  return false;
}

void Roots::remove_callback(RootCallback fn, void* ctx) {
  if (callbacks_running_.load_relaxed() == static_cast<uint32_t>(gettid())) {
    TRI_MISUSE("remove_root_callback",
               "called from a root callback: it waits for their end; note down "
               "what is to go and remove it afterwards");
  }
  {
    base::LockGuard guard(lock_);
    for (auto& c : callbacks_) {
      if (c.fn == fn && c.ctx == ctx) {
        c = {nullptr, nullptr};
        break;
      }
    }
  }
  // A stop that has copied the list may still call it; only a thread in native
  // code can be here then.
  // ORDER-callbacks-1: pairs with run_callbacks_stw().
  while (const uint32_t runner = callbacks_running_.load_acquire()) {
    base::futex_wait(&callbacks_running_, runner, 1'000'000);
  }
}

bool Roots::run_callbacks_stw(Tracer& tracer) {
  // A copy: a callback may register another one.
  RootCallback fns[kMaxCallbacks];
  void* ctxs[kMaxCallbacks];
  size_t n = 0;
  {
    base::LockGuard guard(lock_);
    for (auto& c : callbacks_) {
      if (c.fn == nullptr) continue;
      fns[n] = c.fn;
      ctxs[n++] = c.ctx;
    }
    if (n == 0) return false;
    callbacks_running_.store_relaxed(static_cast<uint32_t>(gettid()));
  }
  for (size_t i = 0; i < n; ++i) fns[i](tracer, ctxs[i]);
  // ORDER-callbacks-1: pairs with remove_callback().
  callbacks_running_.store_release(0);
  base::futex_wake(&callbacks_running_, INT32_MAX);
  return true;
}

void Roots::begin_cycle_stw() {
  base::LockGuard guard(lock_);
  chunk_jobs_ = chunks_.size();
  jobs_ = chunk_jobs_ + table_pieces_;
  next_table_ = tables_;
  next_word_ = 0;
  marking_ = true;
}

void Roots::scan_job(uint64_t i, ScanWords fn, void* arg) {
  if (i < chunk_jobs_) {
    // No lock: chunks never move or go away, their words are barriered.
    fn(arg, chunks_.data()[i]->words, GlobalChunk::kWords, kRawPointers);
    return;
  }
  const uint64_t* words;
  size_t n;
  EncodingId encoding;
  {
    base::LockGuard guard(lock_);
    const detail::RootTableRep* t = next_table_;
    TRI_CHECK(t != nullptr, "more root jobs than pieces of tables");
    words = t->words + next_word_;
    n = t->n - next_word_;
    encoding = t->encoding;
    if (n > kPieceWords) {
      n = kPieceWords;
      next_word_ += n;
    } else {
      next_table_ = t->next;
      next_word_ = 0;
    }
  }
  // No lock: the table stays on the list.
  fn(arg, words, n, encoding);
}

void Roots::scan_all_stw(ScanWords fn, void* arg) {
  for (GlobalChunk* chunk : chunks_) {
    fn(arg, chunk->words, GlobalChunk::kWords, kRawPointers);
  }
  base::LockGuard guard(lock_);
  for (detail::RootTableRep* t = tables_; t != nullptr; t = t->next) {
    fn(arg, t->words, t->n, t->encoding);
  }
}

void Roots::scan_held_stw(ScanWords fn, void* arg) {
  base::LockGuard guard(lock_);
  for (GlobalChunk* chunk : chunks_) {
    for (uint64_t bits = chunk->in_use; bits != 0; bits &= bits - 1) {
      fn(arg, &chunk->words[__builtin_ctzll(bits)], 1, kRawPointers);
    }
  }
  for (detail::RootTableRep* t = tables_; t != nullptr; t = t->next) {
    if (!t->dropped) fn(arg, t->words, t->n, t->encoding);
  }
}

// A few at a time: others wait for the lock.
void Roots::reclaim() {
  constexpr int kAtOnce = 64;
  {
    base::LockGuard guard(lock_);
    marking_ = false;  // nothing comes to the lists from now on
  }
  for (bool more = true; more;) {
    base::LockGuard guard(lock_);
    for (int i = 0; i < kAtOnce && dropped_ != nullptr; ++i) {
      GlobalChunk* chunk = dropped_;
      dropped_ = chunk->next_dropped;
      free_dropped_locked(chunk);
    }
    more = dropped_ != nullptr;
  }
  for (;;) {
    detail::RootTableRep* table;
    {
      base::LockGuard guard(lock_);
      table = dropped_tables_;
      if (table == nullptr) return;
      dropped_tables_ = table->next_dropped;
      unlink_locked(table);
    }
    release_words(table);
  }
}

}  // namespace tricolor::gc
