#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "tests/adapters/admin/admin_fixture.hpp"

namespace roombus::test {
namespace {

class admin_api_test : public admin_fixture {};

TEST_F(admin_api_test, named_and_positional_arguments_do_the_same) {
  EXPECT_EQ(call("hasRoom", R"({"room":"kitchen"})"), R"(200 {"result":true})");
  EXPECT_EQ(call("hasRoom", R"(["kitchen"])"), R"(200 {"result":true})");
  EXPECT_EQ(call("hasRoom", R"( ["hall"] )"), R"(200 {"result":false})");
  EXPECT_EQ(call("listRooms"), R"(200 {"result":["kitchen"]})");
  EXPECT_EQ(call("addRoom", R"({"room":"hall","state":{"owner":"alice"}})"), R"(200 {"result":null})");
  EXPECT_EQ(call("hasRoom", R"(["hall"])"), R"(200 {"result":true})");
}

TEST_F(admin_api_test, a_command_with_further_results_shows_them_as_extra) {
  const std::string answer =
      call("execUserCommand", R"({"bypassPermissions":true,"command":"roomHistoryGet","args":["kitchen",0,10,{}]})");
  EXPECT_TRUE(answer.starts_with(R"(200 {"result":[],"extra":[{"gap":false)")) << answer;
}

TEST_F(admin_api_test, every_request_needs_a_known_key) {
  for (const char* key : {"", "wrong", "all-ke", "all-key2", "ALL-KEY"}) {
    auto answer = request("POST", "/api/v1/listRooms", {}, key);
    EXPECT_EQ(answer->answer->status, 401u) << key;
    EXPECT_EQ(answer->header("WWW-Authenticate"), "Bearer realm=\"roombus\"");
    EXPECT_NE(answer->line().find(R"("code":"unauthorized")"), std::string::npos) << answer->line();
  }
  EXPECT_EQ(request("GET", "/api/v1/nothing/here", {}, "wrong")->answer->status, 401u);
  EXPECT_EQ(request("POST", "/api/v1/listRooms", {}, "", {{"authorization", "Basic all-key"}})->answer->status, 401u);
  EXPECT_EQ(request("POST", "/api/v1/listRooms", {}, "", {{"authorization", "bearer  all-key"}})->answer->status, 200u);
}

TEST_F(admin_api_test, without_keys_everybody_is_refused) {
  const api_keys none;
  admin::admin_api closed({}, {chat, none, timers, time, log, metrics});
  http::request req;
  req.method = "POST";
  req.path = "/api/v1/listRooms";
  req.headers = {{"authorization", "Bearer "}};
  auto answer = std::make_shared<fake_answer>();
  closed.on_request(req, answer);
  EXPECT_EQ(answer->answer->status, 401u);
  EXPECT_NE(answer->line().find("admin.key"), std::string::npos) << answer->line();
}

TEST_F(admin_api_test, keys_hold_up_to_their_level) {
  EXPECT_EQ(call("hasRoom", R"(["kitchen"])", "read-key"), R"(200 {"result":true})");
  EXPECT_TRUE(call("addRoom", R"(["hall"])", "read-key")
                  .starts_with(R"(403 {"error":{"name":"ChatServiceError","code":"notAllowed")"));
  EXPECT_EQ(call("hasRoom", R"(["hall"])"), R"(200 {"result":false})");
  EXPECT_EQ(call("addRoom", R"(["hall"])", "rooms-key"), R"(200 {"result":null})");
  EXPECT_TRUE(call("addUser", R"(["bob"])", "rooms-key").starts_with("403 "));
  EXPECT_EQ(call("addUser", R"(["bob"])"), R"(200 {"result":null})");
}

TEST_F(admin_api_test, a_batch_is_no_way_around_a_key) {
  const std::string calls = R"([{"method":"hasRoom","args":["kitchen"]},{"method":"addRoom","args":["hall"]}])";
  EXPECT_TRUE(call("batch", R"({"calls":)" + calls + "}", "read-key").starts_with("403 "));
  EXPECT_TRUE(call("batch", "[" + calls + "]", "read-key").starts_with("403 "));
  EXPECT_EQ(call("hasRoom", R"(["hall"])"), R"(200 {"result":false})");
  EXPECT_EQ(call("batch", "[" + calls + "]", "rooms-key"), R"(200 {"result":[{"result":true},{"result":null}]})");
  EXPECT_TRUE(call("batch", R"([[{"method":"hasRoom","args":["x"]}]])", "read-key").starts_with("200 "));
}

TEST_F(admin_api_test, errors_in_a_batch_have_the_same_form) {
  EXPECT_EQ(call("batch", R"([[{"method":"deleteRoom","args":["hall"]},{"method":"hasRoom"}]])"),
            R"(200 {"result":[{"error":{"name":"ChatServiceError","code":"noRoom","args":["hall"],)"
            R"("text":"No such room hall"}},)"
            R"({"error":{"name":"ChatServiceError","code":"wrongArgumentsCount","args":[1,0],)"
            R"("text":"Expected 1 arguments, got 0"}}]})");
}

TEST_F(admin_api_test, errors_have_the_form_and_status_of_the_contract) {
  EXPECT_EQ(call("deleteRoom", R"(["hall"])"),
            R"(404 {"error":{"name":"ChatServiceError","code":"noRoom","args":["hall"],"text":"No such room hall"}})");
  EXPECT_TRUE(call("addRoom", R"(["kitchen"])").starts_with("409 "));
  EXPECT_TRUE(call("addRoom", R"(["a:b"])").starts_with("400 "));
  EXPECT_TRUE(call("addRoom", R"([])")
                  .starts_with(R"(400 {"error":{"name":"ChatServiceError","code":"wrongArgumentsCount","args":[1,0])"));
  EXPECT_TRUE(call("addRoom", R"([7])")
                  .starts_with(R"(400 {"error":{"name":"ChatServiceError","code":"badArgument","args":[0,7])"));
  EXPECT_TRUE(call("addRoom", R"({"room":"x","colour":1})").starts_with("400 "));
  EXPECT_TRUE(call("paintRoom")
                  .starts_with(R"(404 {"error":{"name":"ChatServiceError","code":"noCommand","args":["paintRoom"])"));
  EXPECT_TRUE(call("execUserCommand", R"([null,"roomJoin","kitchen"])").starts_with("400 "));
  EXPECT_TRUE(call("deleteUser", R"(["nobody"])").starts_with("404 "));
}

TEST_F(admin_api_test, faults_of_the_request_are_told_in_json) {
  EXPECT_TRUE(call("hasRoom", "{not json")
                  .starts_with(R"(400 {"error":{"name":"ChatServiceError","code":"badArgument","args":[0,)"));
  EXPECT_TRUE(call("hasRoom", "[\"\xff\"]").starts_with("400 "));
  EXPECT_TRUE(call("hasRoom", "7").starts_with("400 "));
  const auto with_type = [&](std::string type) {
    return request("POST", "/api/v1/hasRoom", R"(["kitchen"])", "all-key", {{"content-type", std::move(type)}});
  };
  EXPECT_EQ(with_type("application/json; charset=utf-8")->line(), R"(200 {"result":true})");
  EXPECT_EQ(with_type("application/x-www-form-urlencoded")->answer->status, 415u);
  auto wrong_verb = request("GET", "/api/v1/hasRoom");
  EXPECT_EQ(wrong_verb->answer->status, 405u);
  EXPECT_EQ(wrong_verb->header("Allow"), "POST");
  wrong_verb = request("POST", "/api/v1/events");
  EXPECT_EQ(wrong_verb->answer->status, 405u);
  EXPECT_EQ(wrong_verb->header("Allow"), "GET");
  for (const char* path : {"/api/v2/hasRoom", "/api/v1/", "/api/v1/a/b", "/api/"}) {
    EXPECT_EQ(request("POST", path)->answer->status, 404u) << path;
  }
  for (const char* path : {"/api/v1/%zz", "/api/v1/%ff", "/api/v1/rooms/%ff/events"}) {
    auto wrong = request(std::string(path).ends_with("events") ? "GET" : "POST", path);
    EXPECT_EQ(wrong->answer->status, 400u) << path;
    EXPECT_TRUE(json::read(wrong->answer->body, codec_limits{})) << path;
  }
}

TEST_F(admin_api_test, a_body_that_is_too_large_is_413) {
  admin::admin_options options;
  options.payload.max_bytes = 100;
  make_api(options);
  EXPECT_TRUE(call("hasRoom", "[\"" + std::string(200, 'x') + "\"]").starts_with("413 "));
  // and when the listener refused it, unread
  const http::response refused = api->on_too_large(http::request());
  EXPECT_EQ(refused.status, 413U);
  EXPECT_TRUE(refused.body.starts_with(R"({"error":{"name":"ChatServiceError","code":"payloadTooLarge","args":[],)"))
      << refused.body;
}

TEST_F(admin_api_test, cbor_comes_in_by_content_type_and_goes_out_by_accept) {
  const value_list args{value("kitchen")};
  auto answer = request("POST", "/api/v1/hasRoom", cbor::write(value(args)), "all-key",
                        {{"content-type", "application/cbor"}, {"accept", "application/cbor"}});
  EXPECT_EQ(answer->header("Content-Type"), "application/cbor");
  EXPECT_EQ(answer->answer->body, cbor::write(value(value_map{{"result", value(true)}})));
  answer = request("POST", "/api/v1/hasRoom", cbor::write(value(args)), "all-key",
                   {{"content-type", "application/cbor"}, {"accept", "*/*"}});
  EXPECT_EQ(answer->line(), R"(200 {"result":true})");
}

TEST_F(admin_api_test, every_method_of_the_table_can_be_reached) {
  for (const api_descriptor& method : all_api_methods()) {
    const std::string line = call(std::string(method.name), "[[],[],[],[],[],[],[],[]]");
    EXPECT_TRUE(line.starts_with("400 ") || line.starts_with("200 ")) << method.name << ": " << line;
    EXPECT_EQ(line.find("noCommand"), std::string::npos) << line;
    auto asked = request("GET", "/api/v1/" + std::string(method.name));
    EXPECT_EQ(asked->answer->status, 405u) << method.name;
  }
}

TEST_F(admin_api_test, changes_are_logged_without_what_was_sent) {
  call("addRoom", R"({"room":"hall","state":{"owner":"alice"}})");
  call("hasRoom", R"(["hall"])");
  std::vector<std::string> seen;
  for (const std::string& line : log.lines) {
    if (line.starts_with("api_")) seen.push_back(line);
  }
  EXPECT_EQ(seen, std::vector<std::string>{"api_call: addRoom from 127.0.0.1"});
}

}  // namespace
}  // namespace roombus::test
