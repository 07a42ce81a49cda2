#include "adapters/redis/single_node.hpp"

#include <utility>

namespace roombus::redis {

namespace {

class single_node final : public nodes {
 public:
  single_node(connection_options options, connection_environment env) : node_(std::move(options), env) {}

  connection* for_slot(std::uint16_t /*slot*/) override { return &node_; }
  connection* at(const std::string& /*address*/, const connection& /*asked*/) override { return nullptr; }
  void moved(std::uint16_t /*slot*/, const std::string& /*address*/, const connection& /*asked*/) override {}
  void suspect() override {}
  [[nodiscard]] bool ready() const override { return node_.ready(); }

 private:
  connection node_;
};

}  // namespace

std::unique_ptr<nodes> make_single_node(connection_options options, connection_environment env) {
  return std::make_unique<single_node>(std::move(options), env);
}

}  // namespace roombus::redis
