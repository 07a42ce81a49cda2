#include "adapters/admin/api_answers.hpp"

#include <gtest/gtest.h>

namespace roombus::admin {
namespace {

TEST(api_answers, each_error_has_its_status) {
  const std::pair<errc, unsigned> cases[] = {{errc::bad_argument, 400},
                                             {errc::wrong_arguments_count, 400},
                                             {errc::invalid_name, 400},
                                             {errc::no_socket, 400},
                                             {errc::not_allowed, 403},
                                             {errc::not_joined, 403},
                                             {errc::no_login, 403},
                                             {errc::no_room, 404},
                                             {errc::no_user, 404},
                                             {errc::no_user_online, 404},
                                             {errc::no_command, 404},
                                             {errc::no_list, 404},
                                             {errc::invalid_socket, 404},
                                             {errc::room_exists, 409},
                                             {errc::user_exists, 409},
                                             {errc::user_online, 409},
                                             {errc::list_limit_exceeded, 409},
                                             {errc::payload_too_large, 413},
                                             {errc::rate_limited, 429},
                                             {errc::internal_error, 500},
                                             {errc::unavailable, 503},
                                             {errc::timeout, 504}};
  for (const auto& [code, status] : cases)
    EXPECT_EQ(status_of(code), status) << wire_name(code);
}

TEST(api_answers, what_a_hook_says_is_no_fault_of_the_service) {
  EXPECT_EQ(status_of(chat_error::custom("tooLoud")), 422u);
  EXPECT_EQ(status_of(chat_error::plain("be quiet")), 422u);
}

TEST(api_answers, the_first_known_type_of_accept_counts) {
  using payload::encoding;
  EXPECT_EQ(accepted_encoding(""), encoding::json);
  EXPECT_EQ(accepted_encoding("*/*"), encoding::json);
  EXPECT_EQ(accepted_encoding("Application/CBOR"), encoding::cbor);
  EXPECT_EQ(accepted_encoding("text/html, application/cbor;q=0.9, application/json"), encoding::cbor);
  EXPECT_EQ(accepted_encoding("application/json, application/cbor"), encoding::json);
}

}  // namespace
}  // namespace roombus::admin
