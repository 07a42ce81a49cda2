#pragma once

#include <memory>
#include <string>
#include <utility>

#include <roombus/roombus.hpp>

namespace example {

/// Says in the log what was stored; everything else is left to the store inside.
class logging_store final : public roombus::forwarding_store {
 public:
  logging_store(std::unique_ptr<roombus::store> inner, roombus::log_sink& log)
      : forwarding_store(std::move(inner)), log_(log) {}

  roombus::task<roombus::result<roombus::appended>> append(roombus::append_request request) override {
    const std::string room = request.room.str();
    auto outcome = co_await inner().append(std::move(request));
    if (outcome && !outcome->repeated) {
      log_.write(roombus::log_level::info, "stored", "room " + room + " id " + std::to_string(outcome->id));
    }
    co_return outcome;  // in the same turn: receivers see a room's events in the order of the store
  }

 private:
  roombus::log_sink& log_;
};

}  // namespace example
