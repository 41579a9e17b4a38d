// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// A joined pthread for the tests of base/, which sit below the scheduler.
#ifndef TRICOLOR_TESTS_UNIT_BASE_TEST_THREAD_H_
#define TRICOLOR_TESTS_UNIT_BASE_TEST_THREAD_H_

#include <pthread.h>
#include <functional>
#include <utility>

namespace tricolor::base {

class TestThread {
 public:
  explicit TestThread(std::function<void()> body) : body_(std::move(body)) {
    pthread_create(&thread_, nullptr, &TestThread::run, this);
  }
  ~TestThread() { pthread_join(thread_, nullptr); }
  TestThread(const TestThread&) = delete;
  TestThread& operator=(const TestThread&) = delete;

 private:
  static void* run(void* self) {
    static_cast<TestThread*>(self)->body_();
    return nullptr;
  }

  std::function<void()> body_;
  pthread_t thread_;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_TESTS_UNIT_BASE_TEST_THREAD_H_
