// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Puts compiled functions on the managed heap; see load.h.
#include "load.h"

#include <memory>
#include <string>
#include <vector>

#include "codegen.h"
#include "lexer.h"
#include "parser.h"
#include "string.h"
#include "tricolor/local.h"
#include "tricolor/thread.h"

namespace tlua {

namespace {

uint32_t* new_words(State& L, size_t n) {
  return static_cast<uint32_t*>(tri::allocate(
      mutator(L), L.g->universe.bytes, (n == 0 ? 1 : n) * sizeof(uint32_t)));
}

uint32_t* copy_words(State& L, const std::vector<uint32_t>& words) {
  uint32_t* out = new_words(L, words.size());
  std::copy(words.begin(), words.end(), out);
  return out;
}

ValueSlot* new_values(State& L, size_t n) {
  return static_cast<ValueSlot*>(tri::allocate(
      mutator(L), L.g->universe.values, (n == 0 ? 1 : n) * sizeof(ValueSlot)));
}

Value constant_value(State& L, const Constant& c) {
  switch (c.kind) {
    case Constant::Kind::kNil:
      return Value::nil();
    case Constant::Kind::kFalse:
      return Value::boolean(false);
    case Constant::Kind::kTrue:
      return Value::boolean(true);
    case Constant::Kind::kInteger:
      return make_integer(L, c.integer);
    case Constant::Kind::kFloat:
      return Value::number(c.number);
    case Constant::Kind::kString:
      return Value::of(intern(L, c.text));
  }
  return Value::nil();
}

/// The arrays of p that hold no reference to other prototypes.
void fill_arrays(State& L, Proto* p, const FunctionCode& f) {
  Mutator& mu = mutator(L);
  p->code.store(mu, copy_words(L, f.code));
  p->lines.store(mu, copy_words(L, f.lines));
  uint32_t* upvalues = new_words(L, f.upvalues.size());
  for (size_t i = 0; i < f.upvalues.size(); ++i) {
    upvalues[i] = static_cast<uint32_t>(f.upvalues[i].index) |
                  (f.upvalues[i].in_stack ? 256u : 0u);
  }
  p->upvalues.store(mu, upvalues);
  uint32_t* locals = new_words(L, f.locals.size() * 3);
  for (size_t i = 0; i < f.locals.size(); ++i) {
    locals[i * 3] = static_cast<uint32_t>(f.locals[i].first_pc);
    locals[i * 3 + 1] = static_cast<uint32_t>(f.locals[i].end_pc);
    locals[i * 3 + 2] = static_cast<uint32_t>(f.locals[i].reg);
  }
  p->locals.store(mu, locals);
  p->constants.store(mu, new_values(L, f.constants.size()));
  for (size_t i = 0; i < f.constants.size(); ++i) {
    Value v = constant_value(L, f.constants[i]);
    p->constants.load()[i].store(mu, v);
  }
  p->names.store(mu, new_values(L, f.upvalues.size() + f.locals.size()));
  size_t n = 0;
  for (const UpvalueDesc& u : f.upvalues) {
    Value name = Value::of(intern(L, u.name));
    p->names.load()[n++].store(mu, name);
  }
  for (const LocalDesc& l : f.locals) {
    Value name = Value::of(intern(L, l.name));
    p->names.load()[n++].store(mu, name);
  }
}

Field<Proto>* new_children(State& L, size_t n) {
  return static_cast<Field<Proto>*>(
      tri::allocate(mutator(L), L.g->universe.pointers,
                    (n == 0 ? 1 : n) * sizeof(Field<Proto>)));
}

Proto* build_proto(State& L, const FunctionCode& f, String* source) {
  Mutator& mu = mutator(L);
  tri::Scope<1> scope(mu);
  tri::Local<Proto> p(scope, tri::make(mu, L.g->universe.proto));
  p->code_count = static_cast<uint32_t>(f.code.size());
  p->constant_count = static_cast<uint32_t>(f.constants.size());
  p->local_count = static_cast<uint32_t>(f.locals.size());
  p->child_count = static_cast<uint32_t>(f.children.size());
  p->line_defined = static_cast<uint32_t>(f.line);
  p->upvalue_count = static_cast<uint8_t>(f.upvalues.size());
  p->param_count = static_cast<uint8_t>(f.params);
  p->max_stack = static_cast<uint8_t>(f.max_stack);
  p->is_vararg = f.is_vararg;
  p->source.store(mu, source);
  fill_arrays(L, p, f);
  p->children.store(mu, new_children(L, f.children.size()));
  for (size_t i = 0; i < f.children.size(); ++i) {
    Proto* child = build_proto(L, *f.children[i], source);
    p->children.load()[i].store(mu, child);
  }
  return p;
}

/// What compiling gives; the syntax tree keeps the constants' text.
struct Compiled {
  std::string source;
  std::unique_ptr<Lexer> lexer;
  Ast ast;
  std::unique_ptr<FunctionCode> code;
  std::string error;
};

void compile(Compiled& c, std::string_view chunk_name,
             const char* native_limit) {
  try {
    c.lexer = std::make_unique<Lexer>(c.source, chunk_name);
    Parser(*c.lexer, c.ast, native_limit).parse_chunk();
    c.code = CodeGen(chunk_name, native_limit).generate(c.ast);
  } catch (SyntaxError& e) {
    c.error = std::move(e.message);
  }
}

/// A first line that starts with '#' is for the shell.
std::string without_shebang(std::string_view source) {
  std::string text(source);
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.erase(0, 3);
  if (text.empty() || text[0] != '#') return text;
  size_t end = text.find('\n');
  text.erase(0, end == std::string::npos ? text.size() : end);
  return text;
}

/// A copy of `p` whose strings are interned in L's state.
Proto* copy_proto(State& L, const Proto* from) {
  Mutator& mu = mutator(L);
  tri::Scope<1> scope(mu);
  tri::Local<Proto> p(scope, tri::make(mu, L.g->universe.proto));
  p->code.store(mu, from->code.load());
  p->lines.store(mu, from->lines.load());
  p->upvalues.store(mu, from->upvalues.load());
  p->locals.store(mu, from->locals.load());
  p->names.store(mu, from->names.load());
  p->source.store(mu, from->source.load());
  p->code_count = from->code_count;
  p->constant_count = from->constant_count;
  p->local_count = from->local_count;
  p->child_count = from->child_count;
  p->line_defined = from->line_defined;
  p->upvalue_count = from->upvalue_count;
  p->param_count = from->param_count;
  p->max_stack = from->max_stack;
  p->is_vararg = from->is_vararg;
  p->constants.store(mu, new_values(L, from->constant_count));
  for (uint32_t i = 0; i < from->constant_count; ++i) {
    Value v = from->constants.load()[i].load();
    if (v.is_string()) v = Value::of(intern(L, view(v)));
    p->constants.load()[i].store(mu, v);
  }
  p->children.store(mu, new_children(L, from->child_count));
  for (uint32_t i = 0; i < from->child_count; ++i) {
    Proto* child = copy_proto(L, from->children.load()[i].load());
    p->children.load()[i].store(mu, child);
  }
  return p;
}

}  // namespace

Closure* new_closure(State& L, Proto* proto, uint32_t upvalue_count) {
  auto* c = static_cast<Closure*>(tri::allocate(
      mutator(L), L.g->universe.closures,
      Closure::kHeaderBytes + upvalue_count * sizeof(Field<Upvalue>)));
  c->proto.init(mutator(L), proto);
  c->upvalue_count = upvalue_count;
  return c;
}

Upvalue* new_closed_upvalue(State& L, Value v) {
  Upvalue* u = tri::make(mutator(L), L.g->universe.upvalue);
  u->value.init(mutator(L), v);
  u->at = u->closed_place();
  return u;
}

bool load_chunk(State& L, std::string_view source,
                std::string_view chunk_name) {
  Mutator& mu = mutator(L);
  Compiled c;
  c.source = without_shebang(source);
  std::string name(chunk_name);
  if (is_binary_chunk(c.source)) {
    bool anonymous = is_binary_chunk(name);
    push_string(L, (anonymous ? "binary string" : chunk_display_name(name)) +
                       ": bad binary format (only text can be loaded)");
    return false;
  }
  {
    tri::NativeScope native(mu);
    compile(c, name, L.native_limit);
  }
  if (!c.error.empty()) {
    push_string(L, c.error);
    return false;
  }
  tri::Scope<1> scope(mu);
  push_string(L, name);
  tri::Local<Proto> p(scope, build_proto(L, *c.code, (L.top - 1)->as_string()));
  L.top[-1] = Value::of(new_closure(L, p, p->upvalue_count));
  Upvalue* env = new_closed_upvalue(L, L.g->roots.get(kRootGlobalTable));
  L.top[-1].as_closure()->upvalues[0].store(mu, env);
  return true;
}

Closure* adopt_prototype(State& L, const Proto* proto) {
  Mutator& mu = mutator(L);
  tri::Scope<1> scope(mu);
  tri::Local<Proto> p(scope, copy_proto(L, proto));
  push(L, Value::of(new_closure(L, p, p->upvalue_count)));
  for (uint32_t i = 0; i < p->upvalue_count; ++i) {
    Upvalue* u = new_closed_upvalue(L, Value::nil());
    L.top[-1].as_closure()->upvalues[i].store(mu, u);
  }
  return L.top[-1].as_closure();
}

}  // namespace tlua
