// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The pattern matcher of string.find, match, gmatch and gsub. Works on views
// of rooted strings and never allocates; errors are Lua errors.
#ifndef TLUA_LIB_PATTERN_H_
#define TLUA_LIB_PATTERN_H_

#include <string_view>

#include "state.h"

namespace tlua {

class Matcher {
 public:
  static constexpr int kMaxCaptures = 32;
  static constexpr int kMaxDepth = 200;

  Matcher(State& L, std::string_view subject, std::string_view pattern)
      : L_(L), subject_(subject), pattern_(pattern) {}

  /// Matches the whole pattern (from its offset `p` on) at `s`; the end of the
  /// match, or null.
  const char* match_at(const char* s, size_t p);

  int capture_count() const { return level_; }
  /// Pushes capture i, or the whole match [s, e) if there are no captures.
  void push_capture(int i, const char* s, const char* e);
  /// Pushes all captures (the whole match if none); returns how many.
  int push_captures(const char* s, const char* e);
  /// The text of capture i for gsub's "%i"; empty view and *position set if it
  /// is a position capture.
  std::string_view capture_text(int i, const char* s, const char* e,
                                int64_t* position);

 private:
  struct Capture {
    const char* start;
    ptrdiff_t length;  // or one of these two
  };
  static constexpr ptrdiff_t kOpen = -1;
  static constexpr ptrdiff_t kPosition = -2;

  const char* subject_end() const { return subject_.data() + subject_.size(); }
  const char* pattern_end() const { return pattern_.data() + pattern_.size(); }

  const char* match(const char* s, const char* p);
  const char* match_default(const char* s, const char* p, bool* done,
                            const char** next);
  const char* class_end(const char* p);
  bool single_match(const char* s, const char* p, const char* ep) const;
  const char* match_balance(const char* s, const char* p);
  const char* max_expand(const char* s, const char* p, const char* ep);
  const char* min_expand(const char* s, const char* p, const char* ep);
  const char* start_capture(const char* s, const char* p, ptrdiff_t what);
  const char* end_capture(const char* s, const char* p);
  const char* match_back_reference(const char* s, int index);
  bool match_frontier(const char* s, const char* set, const char* set_end);
  int check_capture(char digit);
  int capture_to_close();

  State& L_;
  std::string_view subject_;
  std::string_view pattern_;
  int level_ = 0;
  int depth_ = 0;
  Capture captures_[kMaxCaptures];
};

}  // namespace tlua

#endif  // TLUA_LIB_PATTERN_H_
