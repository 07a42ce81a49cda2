#include "adapters/broker_auth/broker_question.hpp"

#include <utility>

#include "adapters/http/uri.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::broker_auth {

namespace {

constexpr std::size_t max_topics = 1'000;  // of one SUBSCRIBE

using fields = value_map;

std::optional<fields> json_fields(const http::request& req) {
  if (req.method != "POST") return std::nullopt;
  codec_limits limits;
  limits.max_depth = 8;
  auto body = json::read(req.body, limits);
  if (!body || body->if_map() == nullptr) return std::nullopt;
  return std::move(*body->if_map());
}

/// Form fields of a POST, or those of the query. A field that is there twice has no meaning.
std::optional<fields> form_fields(const http::request& req) {
  if (req.method != "POST" && req.method != "GET") return std::nullopt;
  const auto list = http::parse_query(req.method == "POST" ? req.body : req.query);
  if (!list) return std::nullopt;
  fields out;
  for (const auto& [name, text] : *list) {
    if (out.find(name) != nullptr) return std::nullopt;
    out.append(name, value(text));
  }
  return out;
}

/// A text, or "" for anything else.
std::string text_of(const fields& from, std::string_view name) {
  const value* found = from.find(name);
  const std::string* text = found == nullptr ? nullptr : found->if_text();
  return text == nullptr ? std::string() : *text;
}

/// true, "true" or 1: templates of brokers write any of them.
bool flag_of(const fields& from, std::string_view name) {
  const value* found = from.find(name);
  if (found == nullptr) return false;
  if (const bool* flag = found->if_bool()) return *flag;
  if (const std::string* text = found->if_text()) return *text == "true" || *text == "1";
  return found->is_number() && found->as_double() != 0;
}

void add_topic(question& q, std::string topic, bool write, bool retain) {
  asked_topic asked;
  asked.topic = std::move(topic);
  asked.write = write;
  asked.retain = retain;
  q.topics.push_back(std::move(asked));
}

/// Who asks, in the words of one broker.
struct names {
  std::string_view user;
  std::string_view client;
  std::string_view address;
};

/// Without an address of the device each user has a limit of its own, not all devices of the broker one together.
question question_of(const fields& from, const names& named) {
  question q;
  q.user = text_of(from, named.user);
  q.client = text_of(from, named.client);
  q.address = text_of(from, named.address);
  if (q.address.empty()) q.address = "broker user " + q.user;
  return q;
}

std::optional<question> of_emqx(std::string_view action, const http::request& req) {
  const auto body = json_fields(req);
  if (!body) return std::nullopt;
  question q = question_of(*body, {"username", "clientid", "peerhost"});
  if (action == "authn") {
    q.password = text_of(*body, "password");
    return q;
  }
  if (action != "authz") return std::nullopt;
  q.what = question::kind::topics;
  const std::string use = text_of(*body, "action");
  if (use != "publish" && use != "subscribe") return std::nullopt;
  add_topic(q, text_of(*body, "topic"), use == "publish", flag_of(*body, "retain"));
  return q;
}

std::optional<question> of_vernemq(std::string_view action, const http::request& req) {
  // all hooks may share one address: the header tells them apart
  std::string_view hook = action.empty() ? req.header("vernemq-hook") : action;
  if (hook.ends_with("_m5")) hook.remove_suffix(3);
  const auto body = json_fields(req);
  if (!body) return std::nullopt;
  question q = question_of(*body, {"username", "client_id", "peer_addr"});
  if (hook == "auth_on_register") {
    q.password = text_of(*body, "password");
    return q;
  }
  q.what = question::kind::topics;
  if (hook == "auth_on_publish") {
    add_topic(q, text_of(*body, "topic"), true, flag_of(*body, "retain"));
    return q;
  }
  const value* list = body->find("topics");
  if (hook != "auth_on_subscribe" || list == nullptr || list->if_list() == nullptr) return std::nullopt;
  if (list->if_list()->empty() || list->if_list()->size() > max_topics) return std::nullopt;
  for (const value& item : *list->if_list()) {
    const fields* topic = item.if_map();
    if (topic == nullptr) return std::nullopt;
    add_topic(q, text_of(*topic, "topic"), false, false);
  }
  return q;
}

/// The client id in the name of a session's queue: `mqtt-subscription-{client id}qos0`.
std::optional<std::string> client_of_queue(std::string_view name) {
  constexpr std::string_view start = "mqtt-subscription-";
  if (!name.starts_with(start)) return std::nullopt;
  name.remove_prefix(start.size());
  for (const std::string_view end : {"qos0", "qos1"}) {
    if (name.size() > end.size() && name.ends_with(end)) return std::string(name.substr(0, name.size() - end.size()));
  }
  return std::nullopt;
}

std::optional<question> resource_of_rabbitmq(question q, const fields& from) {
  const std::string resource = text_of(from, "resource");
  const std::string name = text_of(from, "name");
  const std::string permission = text_of(from, "permission");
  if (resource == "exchange") {
    // topics decide what goes through it; nobody declares or deletes it
    if (name != "amq.topic" || (permission != "write" && permission != "read")) return std::nullopt;
    q.what = question::kind::granted;
    return q;
  }
  if (resource != "queue") return std::nullopt;
  auto client = client_of_queue(name);
  if (!client || (!q.client.empty() && q.client != *client)) return std::nullopt;
  q.what = question::kind::queue;
  q.client = std::move(*client);
  return q;
}

std::optional<question> of_rabbitmq(std::string_view action, const http::request& req) {
  const auto form = form_fields(req);
  if (!form) return std::nullopt;
  question q = question_of(*form, {"username", "client_id", "ip"});
  q.vhost = text_of(*form, "vhost");
  // a dot in a topic becomes a slash inside RabbitMQ, so such a name would be two levels there
  if (q.user.find_first_of(".@") != std::string::npos || q.client.find_first_of(".@") != std::string::npos) {
    return std::nullopt;
  }
  if (action == "user") {
    // logins by other protocols bring no client id: not ours to let in
    q.password = text_of(*form, "password");
    if (q.vhost.empty()) q.vhost = "/";
    return q;
  }
  if (action == "vhost") {
    q.what = question::kind::vhost;
    return q;
  }
  if (action == "resource") return resource_of_rabbitmq(std::move(q), *form);
  if (action != "topic" || text_of(*form, "name") != "amq.topic") return std::nullopt;
  q.what = question::kind::topics;
  q.client = text_of(*form, "variable_map.client_id");
  const std::string permission = text_of(*form, "permission");
  if (permission != "read" && permission != "write") return std::nullopt;
  add_topic(q, topic_of_routing_key(text_of(*form, "routing_key")), permission == "write", false);
  return q;
}

}  // namespace

std::optional<broker> broker_of(std::string_view name) {
  if (name == "emqx") return broker::emqx;
  if (name == "vernemq") return broker::vernemq;
  if (name == "rabbitmq") return broker::rabbitmq;
  return std::nullopt;
}

std::string topic_of_routing_key(std::string_view key) {
  std::string topic(key);
  for (char& c : topic) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    } else if (c == '*') {
      c = '+';
    }
  }
  return topic;
}

std::optional<question> read_question(broker from, std::string_view action, const http::request& req) {
  switch (from) {
    case broker::emqx:
      return of_emqx(action, req);
    case broker::vernemq:
      return of_vernemq(action, req);
    case broker::rabbitmq:
      return of_rabbitmq(action, req);
  }
  return std::nullopt;
}

}  // namespace roombus::broker_auth
