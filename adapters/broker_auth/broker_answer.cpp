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

/// One refused topic refuses the whole SUBSCRIBE: the forms for "some of them" differ between MQTT 3.1.1 and 5, and a
/// broker that overlooks them grants all.
http::response vernemq_answer(bool allowed) {
  value_map body{{"result", value("ok")}};
  if (!allowed) body.set("result", value(value_map{{"error", value("not_allowed")}}));
  return json_answer(std::move(body));
}

}  // namespace

http::response answer_for(broker to, const question& q, const verdict& v) {
  const bool all = !v.allowed.empty() && std::find(v.allowed.begin(), v.allowed.end(), false) == v.allowed.end();
  switch (to) {
    case broker::emqx:
      return emqx_answer(q, v, all);
    case broker::vernemq:
      return vernemq_answer(all);
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
