#include "adapters/broker_auth/broker_answer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "schemas/codec/json.hpp"

namespace roombus::broker_auth {

namespace {

http::response json_answer(value_map body) {
  http::response r;
  r.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  r.body = json::write(value(std::move(body)));
  return r;
}

http::response text_answer(bool allowed) {
  http::response r;
  r.headers = {{"Content-Type", "text/plain"}, {"Cache-Control", "no-store"}};
  r.body = allowed ? "allow" : "deny";
  return r;
}

http::response emqx_answer(const question& q, const verdict& v, bool allowed) {
  value_map body{{"result", value(allowed ? "allow" : "deny")}};
  if (q.what == question::kind::login && allowed) {
    body.set("is_superuser", value(v.is_bridge));
    if (v.expires_at_ms) body.set("expire_at", value(*v.expires_at_ms / 1000));
  }
  return json_answer(std::move(body));
}

http::response vernemq_refusal() {
  return json_answer(value_map{{"result", value(value_map{{"error", value("not_allowed")}})}});
}

http::response vernemq_answer(const question& q, const verdict& v, bool any) {
  constexpr int refused = 128;  // the failure code of a SUBACK
  if (!any) return vernemq_refusal();
  value_map body{{"result", value("ok")}};
  if (v.allowed.size() > 1 && std::find(v.allowed.begin(), v.allowed.end(), false) != v.allowed.end()) {
    value_list topics;
    for (std::size_t i = 0; i < q.topics.size(); ++i) {
      const value qos = v.allowed[i] ? value(q.topics[i].qos) : value(refused);
      topics.emplace_back(value_map{{"topic", value(q.topics[i].topic)}, {"qos", qos}});
    }
    body.set("topics", value(std::move(topics)));
  }
  return json_answer(std::move(body));
}

}  // namespace

http::response answer_for(broker to, const question& q, const verdict& v) {
  const bool any = std::find(v.allowed.begin(), v.allowed.end(), true) != v.allowed.end();
  const bool all = any && std::find(v.allowed.begin(), v.allowed.end(), false) == v.allowed.end();
  switch (to) {
    case broker::emqx:
      return emqx_answer(q, v, all);
    case broker::vernemq:
      return vernemq_answer(q, v, any);
    case broker::rabbitmq:
      return text_answer(all);
  }
  return text_answer(false);
}

http::response refusal_for(broker to) {
  verdict no;
  no.allowed = {false};
  return answer_for(to, question(), no);
}

}  // namespace roombus::broker_auth
