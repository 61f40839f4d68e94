#include <cstdio>
#include <exception>

#include "check.h"

namespace torchts::testing {
namespace {
constexpr int kSkipped = 77;
int failures = 0;
std::vector<std::string> command_line;
}  // namespace

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

void report_failure(const char* file, int line, const std::string& message) {
  failures++;
  std::printf("%s:%d: failed: %s\n", file, line, message.c_str());
}

const std::vector<std::string>& arguments() { return command_line; }

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

static int run_all() {
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // a sanitizer may end the process at any moment
  for (const Test& test : tests()) {
    std::printf("%s\n", test.name.c_str());
    try {
      test.body();
    } catch (const Skip& skip) {
      std::printf("skipped: %s\n", skip.reason.c_str());
      return kSkipped;
    } catch (const std::exception& error) {
      report_failure(test.name.c_str(), 0, error.what());
    }
  }
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace torchts::testing

int main(int count, char** values) {
  torchts::testing::command_line.assign(values + 1, values + count);
  return torchts::testing::run_all();
}
