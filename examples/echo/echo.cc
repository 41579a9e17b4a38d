// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A TCP echo server and its clients in one program; see README.md.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tricolor/all.h"
#include "tricolor/net.h"

namespace tri = tricolor;
namespace net = tricolor::net;

namespace {

constexpr size_t kMessageBytes = 64;

// A cell: the collector frees it when its task is gone.
struct Buffer {
  char bytes[4096];
};

struct App {
  tri::Type<Buffer> buffer_type;
  net::TcpListener listener;
  int connections = 50;
  int messages = 2000;
  std::atomic<uint64_t> wrong_bytes{0};
};

[[noreturn]] void die(const tri::Error& error) {
  std::fprintf(stderr, "echo: %s\n", error.text);
  std::exit(1);
}

void check(const net::IoResult& result, const char* call) {
  if (!result.ok()) die(net::to_error(result, call));
}

// One connection of the server, until its client closes it.
void serve_one(tri::Mutator& mu, tri::Plain<App> app, net::RawSocket raw) {
  net::TcpConn conn(raw);
  tri::Scope<1> scope(mu);
  tri::Local<Buffer> buffer(scope, tri::make(mu, app.p->buffer_type));
  for (;;) {
    const net::IoResult got =
        conn.read(mu, buffer->bytes, sizeof(buffer->bytes));
    check(got, "server: read");
    if (got.bytes == 0) return;
    check(conn.write(mu, buffer->bytes, got.bytes), "server: write");
  }
}

// Accepts until the listener is closed.
void serve(tri::Mutator& mu, tri::Plain<App> app) {
  for (;;) {
    tri::Error error;
    net::TcpConn conn = app.p->listener.accept(mu, &error);
    if (error.code == tri::ErrorCode::kState) return;
    if (!conn) die(error);
    tri::spawn(mu, &serve_one, app, conn.release()).detach();
  }
}

// Sends messages that differ from each other and compares the answers.
void be_client(tri::Mutator& mu, tri::Plain<App> app, int id) {
  tri::Error error;
  net::TcpConn conn =
      net::dial_tcp(mu, app.p->listener.local_address().text, &error);
  if (!conn) die(error);
  char sent[kMessageBytes], back[kMessageBytes];
  for (int m = 0; m < app.p->messages; m++) {
    for (size_t i = 0; i < kMessageBytes; i++) {
      sent[i] = static_cast<char>(id * 7 + m * 13 + static_cast<int>(i));
    }
    check(conn.write(mu, sent, kMessageBytes), "client: write");
    const net::IoResult got = conn.read_full(mu, back, kMessageBytes);
    check(got, "client: read");
    for (size_t i = 0; i < kMessageBytes; i++) {
      if (i >= got.bytes || sent[i] != back[i]) app.p->wrong_bytes++;
    }
  }
}

void run(tri::Mutator& mu, App& app) {
  tri::Error error;
  app.listener = net::listen_tcp(mu, "127.0.0.1:0", {}, &error);
  if (!app.listener) die(error);
  auto server = tri::spawn(mu, &serve, tri::plain(&app));
  auto* clients = new tri::Task<void>[static_cast<size_t>(app.connections)];
  for (int i = 0; i < app.connections; i++) {
    clients[i] = tri::spawn(mu, &be_client, tri::plain(&app), i);
  }
  for (int i = 0; i < app.connections; i++) tri::join(mu, clients[i]);
  delete[] clients;
  app.listener.close();
  tri::join(mu, server);
}

int parse_count(const char* text) {
  char* end;
  const long n = std::strtol(text, &end, 10);
  if (*end == '\0' && n >= 1 && n <= 1'000'000) return static_cast<int>(n);
  std::fprintf(stderr,
               "usage: echo [CONNECTIONS [MESSAGES]], each from 1 to "
               "1000000\n");
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  App app;
  if (argc > 1) app.connections = parse_count(argv[1]);
  if (argc > 2) app.messages = parse_count(argv[2]);
  tri::Error error;
  tri::RuntimePtr rt = tri::Runtime::create({}, &error);
  if (rt == nullptr) die(error);
  tri::LayoutSpec spec;
  spec.name = "echo buffer";
  spec.head_bytes = sizeof(Buffer);
  app.buffer_type = tri::Type<Buffer>(rt->register_layout(spec));

  const auto start = std::chrono::steady_clock::now();
  rt->run([&](tri::Mutator& mu) { run(mu, app); });
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  const double round_trips = double(app.connections) * app.messages;
  std::printf(
      "%d connections, %d messages of %zu bytes each: %.3f s, %.0f round "
      "trips/s, %.1f MB/s each way, %llu wrong bytes\n",
      app.connections, app.messages, kMessageBytes, elapsed.count(),
      round_trips / elapsed.count(),
      round_trips * kMessageBytes / elapsed.count() / 1e6,
      static_cast<unsigned long long>(app.wrong_bytes.load()));
  return app.wrong_bytes.load() == 0 ? 0 : 1;
}
