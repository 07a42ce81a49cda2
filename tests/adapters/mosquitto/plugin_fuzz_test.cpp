// The fuzz target of the broker's plugin, fed with a fixed series of random inputs; a fault aborts the program.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int run(const std::string& input) {
  return LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

TEST(plugin_fuzz, who_reads_agrees_with_the_model_in_any_order_of_events) {
  std::mt19937 random(11);
  for (int round = 0; round < 3'000; ++round) {
    std::string input(1 + random() % 1'000, '\0');
    for (char& c : input)
      c = static_cast<char>(random());
    if (input[0] == 'r') input[0] = 's';
    EXPECT_EQ(run(input), 0);
  }
}

TEST(plugin_fuzz, control_messages_and_login_words_of_any_form) {
  const std::vector<std::string> pieces = {"roombus 1 i l inc 1 1000",
                                           "\n",
                                           "hello",
                                           "sync",
                                           "grant a c 1 - r",
                                           "revoke a c 0 e.1 r",
                                           "kick a c 1",
                                           " ",
                                           "alone",
                                           "until=1",
                                           ";",
                                           "admin",
                                           "join=",
                                           "publish=a",
                                           ",",
                                           "%41",
                                           "%20",
                                           "-",
                                           "a/b",
                                           "+",
                                           "\xff",
                                           "99999999999999999999",
                                           "x"};
  std::mt19937 random(13);
  for (int round = 0; round < 30'000; ++round) {
    std::string input = "r";
    for (std::size_t i = random() % 12; i > 0; --i)
      input += pieces[random() % pieces.size()];
    if (random() % 4 == 0) input[random() % input.size()] = static_cast<char>(random());
    input[0] = 'r';
    EXPECT_EQ(run(input), 0);
  }
}

}  // namespace
