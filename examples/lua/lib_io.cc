// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The I/O library over C streams. Reads that may wait happen outside managed
// code (NativeScope), so a collection never waits for a file. A file that is no
// longer referenced is closed when its cell dies (types.cc).
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "lib.h"
#include "number.h"
#include "tricolor/thread.h"

namespace tlua {

namespace {

constexpr uint64_t kStandardStream = 1;  // Userdata::flags: never closed

Userdata* push_file(State& L, FILE* f, uint64_t flags) {
  auto* u = tri::make(mutator(L), L.g->universe.file);
  u->kind = ObjectKind::kUserdata;
  u->type = UserdataKind::kFile;
  u->value.init(mutator(L), Value::nil());
  u->meta.init(mutator(L), L.g->roots.get(kRootFileMeta).as_table());
  u->pointer = f;
  u->flags = flags;
  push(L, Value::of(u));
  return u;
}

Userdata* to_file(Value v) {
  if (!is_userdata(v)) return nullptr;
  auto* u = static_cast<Userdata*>(v.as_object());
  return u->type == UserdataKind::kFile ? u : nullptr;
}

FILE* check_file(State& L, int i) {
  Userdata* u = to_file(L.arg(i));
  if (u == nullptr) arg_type_error(L, i, "FILE*");
  if (u->pointer == nullptr) lib_error(L, "attempt to use a closed file");
  return static_cast<FILE*>(u->pointer);
}

// Reading --------------------------------------------------------------------

/// A line; false at the end of the file.
bool read_line(State& L, FILE* f, bool keep_newline) {
  char* line = nullptr;
  size_t room = 0;
  ssize_t got;
  {
    tri::NativeScope native(mutator(L));
    got = getline(&line, &room, f);
  }
  std::unique_ptr<char, void (*)(void*)> owner(line, std::free);
  if (got < 0) return false;
  auto n = static_cast<size_t>(got);
  if (line[n - 1] == '\n' && !keep_newline) --n;
  push_string(L, {line, n});
  return true;
}

/// Up to `n` bytes; false at the end of the file.
bool read_bytes(State& L, FILE* f, size_t n) {
  std::string text;
  {
    tri::NativeScope native(mutator(L));
    char block[4096];
    while (n > 0) {
      size_t got = std::fread(block, 1, std::min(n, sizeof(block)), f);
      if (got == 0) break;
      text.append(block, got);
      n -= got;
    }
  }
  if (text.empty()) return false;
  push_string(L, text);
  return true;
}

/// Whether there is anything left to read.
bool read_nothing(State& L, FILE* f) {
  {
    tri::NativeScope native(mutator(L));
    int c = std::getc(f);
    if (c == EOF) return false;
    std::ungetc(c, f);
  }
  push_string(L, "");
  return true;
}

/// Takes the longest start of a numeral from a stream, as Lua's manual wants
/// it: blanks, a sign, 0x, digits with a point, an exponent. What follows stays
/// in the stream, by a lookahead of one character.
class NumeralReader {
 public:
  explicit NumeralReader(FILE* f) : f_(f) {}

  /// Empty if the numeral is too long.
  std::string read() {
    do {
      c_ = std::getc(f_);
    } while (std::isspace(c_) != 0);
    accept('+', '-');
    bool hex = false;
    bool digits = false;
    if (accept('0', '0')) {
      hex = accept('x', 'X');
      digits = !hex;
    }
    digits |= accept_digits(hex);
    if (accept('.', '.')) digits |= accept_digits(hex);
    if (digits && (hex ? accept('p', 'P') : accept('e', 'E'))) {
      accept('+', '-');
      accept_digits(false);
    }
    std::ungetc(c_, f_);  // nothing happens at the end of the file
    return too_long_ ? "" : text_;
  }

 private:
  static constexpr size_t kMaxChars = 200;

  bool take() {
    if (text_.size() == kMaxChars) {
      too_long_ = true;
      return false;
    }
    text_ += static_cast<char>(c_);
    c_ = std::getc(f_);
    return true;
  }
  bool accept(char a, char b) { return (c_ == a || c_ == b) && take(); }
  bool accept_digits(bool hex) {
    bool any = false;
    while ((hex ? std::isxdigit(c_) : std::isdigit(c_)) && take()) any = true;
    return any;
  }

  FILE* f_;
  int c_ = EOF;
  std::string text_;
  bool too_long_ = false;
};

bool read_number(State& L, FILE* f) {
  std::string text;
  {
    tri::NativeScope native(mutator(L));
    text = NumeralReader(f).read();
  }
  Number n;
  if (!parse_number(text, &n)) return false;
  push(L, n.is_integer ? make_integer(L, n.i) : Value::number(n.d));
  return true;
}

/// Pushes one result for the format in `v`.
bool read_format(State& L, FILE* f, Value v, int arg) {
  if (v.is_number()) {
    int64_t n = check_integer(L, arg);
    if (n == 0) return read_nothing(L, f);
    return read_bytes(L, f, static_cast<size_t>(n));
  }
  const char* format = check_string(L, arg)->data;
  if (*format == '*') ++format;
  switch (*format) {
    case 'l':
      return read_line(L, f, false);
    case 'L':
      return read_line(L, f, true);
    case 'n':
      return read_number(L, f);
    case 'a':
      if (!read_bytes(L, f, SIZE_MAX)) push_string(L, "");
      return true;
    default:
      arg_error(L, arg, "invalid format");
  }
}

/// Reads by the formats in arguments first.. n.
int read_all(State& L, FILE* f, int first, int n) {
  std::clearerr(f);
  int results = 0;
  bool ok = true;
  if (n < first) {
    ok = read_line(L, f, false);
    if (!ok) push(L, Value::nil());
    results = 1;
  }
  for (int i = first; i <= n && ok; ++i, ++results) {
    ok = read_format(L, f, L.slot(i), i);
    if (!ok) push(L, Value::nil());
  }
  if (std::ferror(f) != 0) return return_os_error(L, nullptr, errno);
  return results;
}

int file_read(State& L, int n) { return read_all(L, check_file(L, 1), 2, n); }
int io_read(State& L, int n) { return read_all(L, stdin, 1, n); }

/// The iterator of lines(); upvalues: the file, whether to close it at the end,
/// then the formats.
int lines_step(State& L, int) {
  CFunction* self = running_function(L);
  Userdata* u = to_file(self->upvalues[0].load());
  if (u->pointer == nullptr) lib_error(L, "file is already closed");
  auto* f = static_cast<FILE*>(u->pointer);
  uint32_t formats = self->upvalue_count - 2;
  for (uint32_t i = 0; i < formats; ++i) {
    push(L, self->upvalues[2 + i].load());
  }
  int first = arg_count(L) - static_cast<int>(formats) + 1;
  int results = read_all(L, f, first, arg_count(L));
  Value head = L.top[-results];
  if (head.is_nil() && results > 1) {  // not the end, an error
    lib_error(L, "%s", L.top[1 - results].as_string()->data);
  }
  if (head.is_nil() && self->upvalues[1].load().is_true()) {
    std::fclose(f);
    u->pointer = nullptr;
  }
  return results;
}

/// Pushes the iterator over the file on top; formats from argument `first`.
int push_lines(State& L, int first, int n, bool close_at_end) {
  int formats = n >= first ? n - first + 1 : 0;
  CFunction* f = new_c_function(L, lines_step, ":lines",
                                static_cast<uint32_t>(formats) + 2);
  Mutator& mu = mutator(L);
  f->upvalues[0].init(mu, L.top[-1]);
  f->upvalues[1].init(mu, Value::boolean(close_at_end));
  for (int i = 0; i < formats; ++i) {
    f->upvalues[2 + i].init(mu, L.arg(first + i));
  }
  return return_value(L, Value::of(f));
}

int file_lines(State& L, int n) {
  check_file(L, 1);
  push(L, L.arg(1));
  return push_lines(L, 2, n, false);
}

int io_lines(State& L, int n) {
  if (is_none_or_nil(L, 1)) {
    push_file(L, stdin, kStandardStream);
    return push_lines(L, 2, n, false);
  }
  String* name = check_string(L, 1);
  FILE* f = std::fopen(name->data, "r");
  if (f == nullptr) {
    lib_error(L, "cannot open file '%s' (%s)", name->data,
              std::strerror(errno));
  }
  push_file(L, f, 0);
  return push_lines(L, 2, n, true);
}

// Writing and the rest -------------------------------------------------------

/// Writes the arguments from `first` on.
bool write_all(State& L, FILE* f, int first, int n) {
  for (int i = first; i <= n; ++i) {
    Value v = L.arg(i);
    char digits[kNumberChars];
    const char* data = digits;
    size_t size;
    if (v.is_integer()) {
      size = format_integer(v.as_integer(), digits);
    } else if (v.is_double()) {
      size = static_cast<size_t>(
          std::snprintf(digits, sizeof(digits), "%.14g", v.as_double()));
    } else {
      const String* s = check_string(L, i);
      data = s->data;
      size = s->length;
    }
    if (std::fwrite(data, 1, size, f) != size) return false;
  }
  return true;
}

int file_write(State& L, int n) {
  if (!write_all(L, check_file(L, 1), 2, n)) {
    return return_os_error(L, nullptr, errno);
  }
  return return_value(L, L.arg(1));
}

int io_write(State& L, int n) {
  if (!write_all(L, stdout, 1, n)) return return_os_error(L, nullptr, errno);
  return return_value(L, L.g->roots.get(kRootStdout));
}

int close_file(State& L, Userdata* u) {
  if ((u->flags & kStandardStream) != 0) {
    return return_value(L, Value::boolean(true));
  }
  auto* f = static_cast<FILE*>(u->pointer);
  u->pointer = nullptr;
  if (std::fclose(f) != 0) return return_os_error(L, nullptr, errno);
  return return_value(L, Value::boolean(true));
}

int file_close(State& L, int) {
  check_file(L, 1);
  return close_file(L, to_file(L.arg(1)));
}

int file_flush(State& L, int) {
  std::fflush(check_file(L, 1));
  return return_value(L, L.arg(1));
}

/// Which of three names argument i is; `otherwise` if it is missing.
int check_option(State& L, int i, const char* const (&names)[3],
                 int otherwise = -1) {
  if (otherwise >= 0 && is_none_or_nil(L, i)) return otherwise;
  std::string_view name = view(check_string(L, i));
  for (int k = 0; k < 3; ++k) {
    if (name == names[k]) return k;
  }
  std::string text = "invalid option '" + std::string(name) + "'";
  arg_error(L, i, text.c_str());
}

int file_seek(State& L, int) {
  FILE* f = check_file(L, 1);
  constexpr int kOrigins[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  int origin = kOrigins[check_option(L, 2, {"set", "cur", "end"}, 1)];
  int64_t offset = opt_integer(L, 3, 0);
  if (std::fseek(f, offset, origin) != 0) {
    return return_os_error(L, nullptr, errno);
  }
  return return_integer(L, std::ftell(f));
}

int file_setvbuf(State& L, int) {
  FILE* f = check_file(L, 1);
  constexpr int kModes[] = {_IONBF, _IOFBF, _IOLBF};
  int mode = kModes[check_option(L, 2, {"no", "full", "line"})];
  int64_t size = opt_integer(L, 3, BUFSIZ);
  std::setvbuf(f, nullptr, mode, static_cast<size_t>(size));
  return return_value(L, Value::boolean(true));
}

int file_tostring(State& L, int) {
  Userdata* u = to_file(L.arg(1));
  if (u == nullptr || u->pointer == nullptr) {
    push_string(L, "file (closed)");
    return 1;
  }
  char text[40];
  std::snprintf(text, sizeof(text), "file (%p)", u->pointer);
  push_string(L, text);
  return 1;
}

int io_open(State& L, int) {
  String* name = check_string(L, 1);
  std::string mode = "r";
  if (!is_none_or_nil(L, 2)) mode = view(check_string(L, 2));
  if (mode.empty() || std::strchr("rwa", mode[0]) == nullptr ||
      mode.find_first_not_of("+b", 1) != std::string::npos) {
    arg_error(L, 2, "invalid mode");
  }
  FILE* f = std::fopen(name->data, mode.c_str());
  if (f == nullptr) return return_os_error(L, name->data, errno);
  push_file(L, f, 0);
  return 1;
}

int io_type(State& L, int) {
  check_any(L, 1);
  Userdata* u = to_file(L.arg(1));
  if (u == nullptr) return return_value(L, Value::nil());
  push_string(L, u->pointer == nullptr ? "closed file" : "file");
  return 1;
}

constexpr LibEntry kFile[] = {
    {":read", file_read},       {":write", file_write}, {":lines", file_lines},
    {":close", file_close},     {":flush", file_flush}, {":seek", file_seek},
    {":setvbuf", file_setvbuf},
};

constexpr LibEntry kIo[] = {
    {"io.read", io_read},     {"io.write", io_write}, {"io.lines", io_lines},
    {"io.close", file_close}, {"io.open", io_open},   {"io.type", io_type},
};

constexpr LibEntry kMeta[] = {{":__tostring", file_tostring}};

void add_stream(State& L, Table* lib, const char* name, FILE* f) {
  push_file(L, f, kStandardStream);
  set_name(L, lib, name, L.top[-1]);
  pop(L);
}

}  // namespace

void open_io(State& L) {
  Table* meta = new_table(L);
  L.g->roots.set(mutator(L), kRootFileMeta, Value::of(meta));
  add_functions(L, meta, kMeta);
  push_string(L, "FILE*");
  set_name(L, meta, "__name", L.top[-1]);
  Table* methods = new_table(L);
  push(L, Value::of(methods));
  set_name(L, meta, "__index", L.top[-1]);
  add_functions(L, methods, kFile);
  pop(L, 2);
  Table* lib = add_library(L, "io", kIo);
  add_stream(L, lib, "stdin", stdin);
  add_stream(L, lib, "stdout", stdout);
  add_stream(L, lib, "stderr", stderr);
  L.g->roots.set(mutator(L), kRootStdout, get_string(lib, intern(L, "stdout")));
}

}  // namespace tlua
