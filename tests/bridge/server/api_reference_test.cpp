#include "bridge/server/api_reference.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "core/api_table.hpp"

namespace roombus::server {
namespace {

TEST(api_reference, every_method_has_a_row_with_its_arguments) {
  const std::string text = api_reference();
  for (const api_descriptor& method : all_api_methods()) {
    const std::size_t at = text.find("| `" + std::string(method.name) + "` |");
    ASSERT_NE(at, std::string::npos) << method.name;
    const std::string row = text.substr(at, text.find('\n', at) - at);
    for (const api_argument& a : method.arguments)
      EXPECT_NE(row.find("`" + std::string(a.name) + "`"), std::string::npos) << row;
    EXPECT_NE(row.find(method.help), std::string::npos) << row;
  }
}

TEST(api_reference, optional_arguments_are_marked) {
  const std::string text = api_reference();
  EXPECT_NE(text.find("| `hasRoom` | `room` text | read |"), std::string::npos) << text;
  EXPECT_NE(text.find("| `changeRoomOwner` | `room` text, `owner`? text | rooms |"), std::string::npos) << text;
}

std::string file_text(const std::string& path) {
  std::ifstream in(std::string(ROOMBUS_DOCS) + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(api_reference, the_documents_are_what_the_program_says) {
  const std::string marker = "<!-- below: roombus api-reference -->\n\n";
  const std::string text = file_text("/server-api.md");
  const std::size_t at = text.find(marker);
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(text.substr(at + marker.size()), api_reference()) << "run scripts/docs";
  EXPECT_EQ(file_text("/../schemas/openapi.yaml"), openapi()) << "run scripts/docs";
}

TEST(openapi, every_method_is_an_operation_with_its_arguments) {
  const std::string text = openapi();
  for (const api_descriptor& method : all_api_methods()) {
    const std::size_t at = text.find("  /api/v1/" + std::string(method.name) + ":\n");
    ASSERT_NE(at, std::string::npos) << method.name;
    const std::string part = text.substr(at, text.find("5XX", at) - at);
    EXPECT_NE(part.find("operationId: " + std::string(method.name) + "\n"), std::string::npos) << part;
    for (const api_argument& a : method.arguments)
      EXPECT_NE(part.find("                  " + std::string(a.name) + ": {"), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace roombus::server
