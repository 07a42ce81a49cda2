// The fuzz target of topics, fed with a fixed series of random inputs; a fault aborts the program.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

TEST(topic_fuzz, random_topics_agree_with_the_model) {
  const std::vector<std::string> pieces = {
      "roombus/u/", "a", "/",    "call", "send",     "status", "reply",    "%2F",    "%2f", "%",  "%41", ".",   "@",
      "+",          "#", "$SYS", " ",    "\xc3\xa9", "\xff",   "\xc2\x85", "%C3%A9", "~_-", "//", "7",   "u/c/"};
  std::mt19937 random(7);
  for (int round = 0; round < 40'000; ++round) {
    std::string text;
    const std::size_t count = random() % 9;
    for (std::size_t i = 0; i < count; ++i)
      text += pieces[random() % pieces.size()];
    if (random() % 50 == 0) text += std::string(random() % 500, 'x');
    if (!text.empty() && random() % 4 == 0) text[random() % text.size()] = static_cast<char>(random());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), 0);
  }
}

}  // namespace
