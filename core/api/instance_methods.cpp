// Methods of the server API that are about instances: bus, heartbeats, connections; and many calls in one.

#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

task<reply> service::impl::api_cluster_bus_emit(value_list args) {
  value_list given;
  if (const value_list* list = args[1].if_list()) given = *list;
  if (cluster_) cluster_->emit_elsewhere(*args[0].if_text(), given);
  events.emit("clusterBus", value_map{{"event", args[0]}, {"args", value(std::move(given))}});
  co_return nothing();
}

task<reply> service::impl::api_get_instance_heartbeat(value_list args) {
  std::string other = instance;
  if (const std::string* given = args[0].if_text()) other = *given;
  auto last = co_await env.data.last_heartbeat(std::move(other));
  if (!last) co_return last.error();
  co_return one(*last ? value(**last) : value());
}

task<reply> service::impl::api_get_instance_sockets(value_list args) {
  std::string other = instance;
  if (const std::string* given = args[0].if_text()) other = *given;
  auto records = co_await env.data.instance_connections(std::move(other));
  if (!records) co_return records.error();
  value_map out;
  for (const connection_record& record : *records)
    out.append(record.id.str(), value(record.user.str()));
  co_return one(value(std::move(out)));
}

namespace {

value shown(reply answer) {
  if (!answer) {
    return value_map{{"error", value(value_map{{"name", value("ChatServiceError")},
                                               {"code", value(answer.error().code_name())},
                                               {"args", value(answer.error().args())}})}};
  }
  value_list results = std::move(*answer);
  value_map out{{"result", results.empty() ? value() : std::move(results.front())}};
  if (results.size() > 1) {
    results.erase(results.begin());
    out.append("extra", value(std::move(results)));
  }
  return out;
}

}  // namespace

task<reply> service::impl::api_batch(value_list args) {
  constexpr std::size_t most_calls = 1000;
  value_list& calls = *args[0].if_list();
  const auto is_call = [](const value& entry) {
    const value_map* fields = entry.if_map();
    const value* method = fields != nullptr ? fields->find("method") : nullptr;
    return method != nullptr && method->if_text() != nullptr && *method->if_text() != "batch";
  };
  for (const value& entry : calls) {
    if (!is_call(entry)) co_return chat_error(errc::bad_argument, {value(0), entry});
  }
  if (calls.size() > most_calls) co_return chat_error(errc::payload_too_large);
  value_list answers;
  for (value& entry : calls) {
    value_map& fields = *entry.if_map();
    value given;
    if (value* named = fields.find("args")) given = std::move(*named);
    reply answer = co_await call_api(*fields.find("method")->if_text(), std::move(given));
    answers.push_back(shown(std::move(answer)));
  }
  co_return one(value(std::move(answers)));
}

}  // namespace roombus
