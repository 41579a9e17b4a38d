// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The operating system library, as far as scripts without side effects on the
// system need it, and utf8.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "lexer.h"
#include "lib.h"

namespace tlua {

namespace {

int os_clock(State& L, int) {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  double seconds =
      static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  return return_value(L, Value::number(seconds));
}

/// The field of the table in argument 1.
Value date_field(State& L, const char* name) {
  push_string(L, name);
  Value v = index(L, L.arg(1), L.top[-1]);
  pop(L);
  return v;
}

/// A field less what C counts it from; `otherwise` (required if negative) if it
/// is missing.
int time_field(State& L, const char* name, int otherwise, int delta) {
  Value v = date_field(L, name);
  int64_t i;
  if (to_integer(v, &i)) {
    if (i > int64_t{INT_MAX} + delta || i < int64_t{INT_MIN} + delta) {
      lib_error(L, "field '%s' is out-of-bound", name);
    }
    return static_cast<int>(i - delta);
  }
  if (!v.is_nil()) lib_error(L, "field '%s' is not an integer", name);
  if (otherwise < 0) {
    lib_error(L, "field '%s' missing in date table", name);
  }
  return otherwise;
}

/// Sets the fields of `t`, which is rooted.
void set_date_fields(State& L, Table* t, const std::tm& tm) {
  auto field = [&](const char* name, int64_t i) {
    set_name(L, t, name, Value::small_int(i));
  };
  field("year", int64_t{tm.tm_year} + 1900);
  field("month", tm.tm_mon + 1);
  field("day", tm.tm_mday);
  field("hour", tm.tm_hour);
  field("min", tm.tm_min);
  field("sec", tm.tm_sec);
  field("yday", tm.tm_yday + 1);
  field("wday", tm.tm_wday + 1);
  if (tm.tm_isdst >= 0) {
    set_name(L, t, "isdst", Value::boolean(tm.tm_isdst > 0));
  }
}

int os_time(State& L, int) {
  if (is_none_or_nil(L, 1)) return return_integer(L, std::time(nullptr));
  Table* t = check_table(L, 1);
  std::tm tm{};
  tm.tm_year = time_field(L, "year", -1, 1900);
  tm.tm_mon = time_field(L, "month", -1, 1);
  tm.tm_mday = time_field(L, "day", -1, 0);
  tm.tm_hour = time_field(L, "hour", 12, 0);
  tm.tm_min = time_field(L, "min", 0, 0);
  tm.tm_sec = time_field(L, "sec", 0, 0);
  Value dst = date_field(L, "isdst");
  tm.tm_isdst = dst.is_nil() ? -1 : !dst.is_falsy();
  std::time_t when = std::mktime(&tm);
  set_date_fields(L, t, tm);  // normalised by mktime
  if (when == -1) {
    lib_error(L, "time result cannot be represented in this installation");
  }
  return return_integer(L, when);
}

int push_date_table(State& L, const std::tm& tm) {
  Table* t = new_table(L);
  push(L, Value::of(t));
  set_date_fields(L, t, tm);
  return 1;
}

int os_date(State& L, int) {
  std::string format = "%c";
  if (!is_none_or_nil(L, 1)) format = view(check_string(L, 1));
  std::time_t when = opt_integer(L, 2, std::time(nullptr));
  bool utc = !format.empty() && format[0] == '!';
  if (utc) format.erase(0, 1);
  std::tm tm{};
  if (utc) {
    gmtime_r(&when, &tm);
  } else {
    localtime_r(&when, &tm);
  }
  if (format.substr(0, 2) == "*t") return push_date_table(L, tm);
  char text[512];
  size_t n = std::strftime(text, sizeof(text), format.c_str(), &tm);
  push_string(L, {text, n});
  return 1;
}

int os_difftime(State& L, int) {
  auto a = static_cast<double>(check_integer(L, 1));
  auto b = static_cast<double>(check_integer(L, 2));
  return return_value(L, Value::number(a - b));
}

int os_getenv(State& L, int) {
  const char* v = std::getenv(check_string(L, 1)->data);
  if (v == nullptr) return return_value(L, Value::nil());
  push_string(L, v);
  return 1;
}

int os_exit(State& L, int) {
  Value v = L.arg(1);
  int code = v.is_nil() || v.is_true() ? 0 : 1;
  if (v.is_number()) code = static_cast<int>(check_integer(L, 1));
  leave_process(code);
}

int os_remove(State& L, int) {
  String* name = check_string(L, 1);
  if (std::remove(name->data) != 0)
    return return_os_error(L, name->data, errno);
  return return_value(L, Value::boolean(true));
}

int os_rename(State& L, int) {
  String* from = check_string(L, 1);
  if (std::rename(from->data, check_string(L, 2)->data) != 0) {
    return return_os_error(L, from->data, errno);
  }
  return return_value(L, Value::boolean(true));
}

int os_tmpname(State& L, int) {
  char name[] = "/tmp/lua_XXXXXX";
  int fd = mkstemp(name);
  if (fd < 0) lib_error(L, "unable to generate a unique filename");
  close(fd);
  push_string(L, name);
  return 1;
}

constexpr LibEntry kOs[] = {
    {"os.clock", os_clock},     {"os.time", os_time},
    {"os.date", os_date},       {"os.difftime", os_difftime},
    {"os.getenv", os_getenv},   {"os.exit", os_exit},
    {"os.remove", os_remove},   {"os.rename", os_rename},
    {"os.tmpname", os_tmpname},
};

// utf8 -----------------------------------------------------------------------

int utf8_char(State& L, int n) {
  std::string out;
  for (int i = 1; i <= n; ++i) {
    int64_t code = check_integer(L, i);
    if (code < 0 || code > 0x7fffffff) arg_error(L, i, "value out of range");
    append_utf8(static_cast<uint64_t>(code), &out);
  }
  push_string(L, out);
  return 1;
}

constexpr LibEntry kUtf8[] = {{"utf8.char", utf8_char}};

}  // namespace

void leave_process(int code) {
  // fflush(nullptr) takes the lock of every stream, and a task that waits for
  // input holds that of stdin.
  if (ftrylockfile(stdin) == 0) {
    funlockfile(stdin);
    std::fflush(nullptr);
  } else {
    std::fflush(stdout);
  }
  _exit(code);
}

void open_os(State& L) { add_library(L, "os", kOs); }

void open_utf8(State& L) {
  Table* lib = add_library(L, "utf8", kUtf8);
  push_string(L, {"[\0-\x7f\xc2-\xfd][\x80-\xbf]*", 14});
  set_name(L, lib, "charpattern", L.top[-1]);
  pop(L);
}

}  // namespace tlua
