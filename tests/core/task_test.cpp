#include "core/task.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace roombus {
namespace {

task<int> answer(int n) {
  co_return n;
}

task<int> add_later(completion<int> a, int b) {
  const int got = co_await a;
  const int more = co_await answer(b);
  co_return got + more;
}

task<void> note(completion<int> a, std::string* out) {
  const int sum = co_await add_later(a, 1);
  *out = std::to_string(sum);
}

task<int> fail(completion<int> a) {
  co_await a;
  throw std::runtime_error("broken");
}

TEST(task, is_done_at_once_when_nothing_is_awaited) {
  auto t = answer(3);
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.take(), 3);
}

TEST(task, resumes_with_the_completion) {
  completion<int> a;
  auto t = add_later(a, 2);
  EXPECT_FALSE(t.done());
  EXPECT_TRUE(a.complete(40));
  EXPECT_FALSE(a.complete(41));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.take(), 42);
}

TEST(task, runs_on_when_its_owner_lets_go) {
  completion<int> a;
  std::string out;
  note(a, &out).detach();
  a.complete(1);
  EXPECT_EQ(out, "2");
}

TEST(task, a_loop_over_finished_tasks_needs_no_stack) {
  auto loop = []() -> task<long> {
    long sum = 0;
    for (int i = 0; i < 1000000; ++i) {
      const int one = co_await answer(1);
      sum += one;
    }
    co_return sum;
  };
  auto t = loop();
  EXPECT_EQ(t.take(), 1000000);
}

TEST(task, hands_exceptions_to_who_awaits) {
  completion<int> a;
  auto t = fail(a);
  a.complete(0);
  EXPECT_THROW(t.take(), std::runtime_error);
}

}  // namespace
}  // namespace roombus
