// A test is a function under TEST("name"); CHECK fails it and goes on.
#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace torchts::testing {

struct Test {
  std::string name;
  std::function<void()> body;
};

std::vector<Test>& tests();
void report_failure(const char* file, int line, const std::string& message);
// The command line after the program's name.
const std::vector<std::string>& arguments();

// Thrown by a test that cannot run on this machine; the whole file is then reported as skipped.
struct Skip {
  std::string reason;
};

struct Registration {
  Registration(const char* name, std::function<void()> body) {
    tests().push_back({name, std::move(body)});
  }
};

// The message `body` throws, or "" when it throws nothing.
std::string message_of(const std::function<void()>& body);

}  // namespace torchts::testing

#define TORCHTS_JOIN_(a, b) a##b
#define TORCHTS_JOIN(a, b) TORCHTS_JOIN_(a, b)
#define TORCHTS_TEST(name, id)                                                       \
  static void id();                                                                  \
  static const torchts::testing::Registration TORCHTS_JOIN(register_, id)(name, id); \
  static void id()
#define TEST(name) TORCHTS_TEST(name, TORCHTS_JOIN(test_, __LINE__))

#define CHECK(condition, ...)                                          \
  do {                                                                 \
    if (!(condition)) {                                                \
      std::ostringstream out;                                          \
      out << #condition << " " << std::string{__VA_ARGS__};            \
      torchts::testing::report_failure(__FILE__, __LINE__, out.str()); \
    }                                                                  \
  } while (false)
