// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Roots: everything but the Gs' own stacks: Global handles, root tables, root
// callbacks; and the queue of root jobs of a cycle.
//
// Globals and tables are barriered by their writers and scanned beside them, in
// jobs: one chunk, or a piece of a table of at most 4 Ki words (some 10 us),
// between which a worker may be stopped. Their number is fixed when the cycle
// begins: a table that is made while marking is empty then, and what is stored
// there is shaded, so it needs no scan before the next cycle. What is dropped
// while a cycle may be marking is only set aside: its words stay as they are (a
// snapshot edge may exist there alone) until reclaim(), which runs between the
// end of marking and the next cycle.
//
// Threads: any; the lock is kGlobals. begin/claim: collector. Stops take the
// lock: whoever holds it has but a few words to write.
#ifndef TRICOLOR_GC_ROOTS_H_
#define TRICOLOR_GC_ROOTS_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/meta_arena.h"
#include "tricolor/encoding.h"
#include "tricolor/global.h"

namespace tricolor::detail {
/// A RootTable's words; linked while it lives.
struct RootTableRep {
  RootTableRep* next;
  RootTableRep* prev;
  RootTableRep* next_dropped;  ///< waits for reclaim()
  uint64_t* words;
  size_t n;
  EncodingId encoding;
  bool dropped;
};
}  // namespace tricolor::detail

namespace tricolor::gc {

struct GlobalChunk {
  static constexpr size_t kWords = 60;
  static constexpr uint64_t kAll = (uint64_t{1} << kWords) - 1;
  uint64_t dropped;           ///< bit i: word i waits for reclaim()
  uint64_t in_use;            ///< bit i: word i belongs to a Global
  GlobalChunk* next_room;     ///< on that list exactly if a bit is in neither
  GlobalChunk* next_dropped;  ///< on that list exactly if `dropped` is not 0
  uint64_t words[kWords];

  bool is_full() const { return (dropped | in_use) == kAll; }
};
static_assert(sizeof(GlobalChunk) == 512);

class Roots {
 public:
  bool init(base::MetaArena* meta);
  void destroy();

  // --- Globals and tables.
  uint64_t* acquire_word();
  /// `cleared`: the caller has nulled the word through the barrier.
  void release_word(uint64_t* word, bool cleared);
  /// Null when memory is refused. `encoding` is registered.
  detail::RootTableRep* create_table(size_t n, EncodingId encoding);
  void drop_table(detail::RootTableRep* rep);

  // --- Callbacks.
  bool add_callback(RootCallback fn, void* ctx);
  void remove_callback(RootCallback fn, void* ctx);
  /// False: there are none.
  bool run_callbacks_stw(Tracer& tracer);

  // --- Scanning: jobs [0, job_count()) are fixed by begin_cycle_stw.
  void begin_cycle_stw();
  uint64_t job_count() const { return jobs_; }
  /// Calls fn(words, n, encoding) for job `i`.
  using ScanWords = void (*)(void* arg, const uint64_t* words, size_t n,
                             EncodingId encoding);
  void scan_job(uint64_t i, ScanWords fn, void* arg);
  /// Every word of every global and table (the second mark). World stopped.
  void scan_all_stw(ScanWords fn, void* arg);
  /// Only those that have not been dropped; Globals one by one.
  void scan_held_stw(ScanWords fn, void* arg);
  /// Recycles what was dropped while marking, which is over. (Else what is
  /// dropped is gone at once, so that the next cycle does not find it.)
  void reclaim();
  /// Of the tables' words.
  uint64_t table_bytes() const { return table_bytes_.load_relaxed(); }

 private:
  static constexpr size_t kPieceWords = 4 * 1024;
  static constexpr size_t kMaxChunks = size_t{1} << 20;
  static constexpr size_t kMaxCallbacks = 64;

  void free_dropped_locked(GlobalChunk* chunk) TRI_REQUIRES(lock_);
  void unlink_locked(detail::RootTableRep* table) TRI_REQUIRES(lock_);
  static void release_words(const detail::RootTableRep* table);
  static size_t pieces_of(size_t words) {
    return (words + kPieceWords - 1) / kPieceWords;
  }

  base::MetaArena* meta_ = nullptr;
  base::Mutex lock_{base::LockRank::kGlobals};
  base::MmapVector<GlobalChunk*> chunks_;
  GlobalChunk* room_ TRI_GUARDED_BY(lock_) = nullptr;  // with a free word
  // With dropped words, and tables; in a mark alone.
  GlobalChunk* dropped_ TRI_GUARDED_BY(lock_) = nullptr;
  detail::RootTableRep* dropped_tables_ TRI_GUARDED_BY(lock_) = nullptr;
  // Newest first. Tables never leave the list in a mark.
  detail::RootTableRep* tables_ TRI_GUARDED_BY(lock_) = nullptr;
  size_t table_pieces_ TRI_GUARDED_BY(lock_) = 0;  // of all on the list
  // The next piece of this cycle.
  detail::RootTableRep* next_table_ TRI_GUARDED_BY(lock_) = nullptr;
  size_t next_word_ TRI_GUARDED_BY(lock_) = 0;
  struct {
    RootCallback fn;
    void* ctx;
  } callbacks_[kMaxCallbacks] TRI_GUARDED_BY(lock_) = {};
  // From begin_cycle_stw() to reclaim(): what is dropped is still scanned.
  bool marking_ TRI_GUARDED_BY(lock_) = false;
  base::Atomic<uint64_t> table_bytes_{0};

  /// The thread that runs them; 0: none. Set under lock_.
  base::Atomic<uint32_t> callbacks_running_{0};

  // Written while the world is stopped.
  uint64_t jobs_ = 0;
  uint64_t chunk_jobs_ = 0;
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_ROOTS_H_
